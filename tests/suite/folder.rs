//! Runs whose folder cannot be written any more or is somebody else's, and whose clock is set back.

#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pellucid_tests::fault_library;

use crate::program::{Workplace, is_step, program, signal, text, wait_until};
use crate::survival::{assert_no_step_is_missing, end, records, says, worker};

/// A headless training that goes on until it is ended and writes checkpoints all the time.
fn start(place: &Workplace, mut command: Command) -> Child {
    let flags = ["--headless", "--max-steps", "100000", "--probe", "0", "--checkpoint-every", "3", "--eval-every", "5"];
    command.args(place.train(&flags)).current_dir(place.path()).envs(place.environment());
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    place.wait_for_event("a checkpoint", |event| matches!(event, pellucid_protocol::Event::Checkpoint(_)));
    child
}

/// Ends the training: all of it is there, to the last step and its checkpoint.
fn assert_whole(place: &Workplace, child: Child) {
    signal("INT", child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    place.wait_for_worker_to_leave();
    assert_no_step_is_missing(&place.run());
    assert_eq!(place.run().newest_checkpoint(), Some(end(&place.run()).step));
}

fn wait_for_steps(place: &Workplace) {
    let steps = || records(&place.run()).iter().filter(|record| is_step(&record.event)).count();
    let seen = steps();
    wait_until("more steps", || steps() > seen + 5);
}

/// `pellucid` with the library of faults, whose switch is the file `switch`.
fn faulty(place: &Workplace, variable: &str, switch: &Path) -> Command {
    let mut command = Command::new(program("pellucid"));
    command.env("LD_PRELOAD", fault_library(place.path())).env(variable, switch);
    command.env("FAULTS_FOLDER", place.run().root());
    command
}

#[test]
fn a_disk_that_becomes_read_only_ends_nothing_and_loses_nothing() {
    let place = Workplace::new();
    let switch = place.path().join("read-only");
    let child = start(&place, faulty(&place, "FAULTS_READ_ONLY", &switch));
    let log = || fs::read(place.run().events()).unwrap();
    fs::write(&switch, "").unwrap();
    let before = log();
    // Said to whoever is attached, and kept for the record.
    let printed = || fs::read_to_string(place.run().log()).unwrap_or_default();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let stuck = log();
    assert!(stuck.starts_with(&before) && stuck.last() == Some(&b'\n'), "{}", printed());
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(log() == stuck, "something was written");
    assert!(crate::program::is_alive(worker(&place)));
    fs::remove_file(&switch).unwrap();
    place.wait_for_event("what could not be written", says("Read-only file system"));
    place.wait_for_event("the record to be written again", says("written again"));
    place.wait_for_event("checkpoints again", says("checkpoints are written again"));
    assert!(log().starts_with(&stuck));
    wait_for_steps(&place);
    assert_whole(&place, child);
}

/// Runs a program as a user whom permissions bind: root without its capabilities is one.
fn bound(program: impl AsRef<OsStr>) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all"]).arg(program);
    command
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_may_not_be_written_any_more_costs_checkpoints_and_no_record() {
    if !bound("true").status().is_ok_and(|status| status.success()) {
        return eprintln!("skipped: root is bound by no permission, and setpriv cannot take that from it");
    }
    let place = Workplace::new();
    let child = start(&place, bound(program("pellucid")));
    let run = place.run();
    let folders = [run.root().join("checkpoints"), run.root().to_owned()];
    folders.iter().for_each(|folder| permit(folder, 0o500));
    place.wait_for_event("the alert", says("checkpoint not written"));
    let told = records(&run).into_iter().find(|record| says("checkpoint not written")(&record.event)).unwrap();
    assert!(format!("{:?}", told.event).contains("Permission denied"), "{told:?}");
    wait_for_steps(&place);
    folders.iter().for_each(|folder| permit(folder, 0o700));
    place.wait_for_event("checkpoints again", says("checkpoints are written again"));
    assert_whole(&place, child);
}

#[test]
fn a_run_of_another_user_is_neither_seen_nor_touched() {
    let place = Workplace::new();
    let done = place.output(place.train(&["--headless", "--max-steps", "4", "--eval-every", "2"]));
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    place.wait_for_worker_to_leave();
    [place.path(), &place.runs()].into_iter().for_each(|folder| permit(folder, 0o755));
    let (run, before) = (place.run().root().display().to_string(), fs::read(place.run().events()).unwrap());
    let nobody = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program("pellucid")).args(args);
        command.current_dir("/").envs(place.environment()).env("HOME", "/nonexistent").stdin(Stdio::null());
        command.output()
    };
    let can = nobody(&["--version"]).is_ok_and(|output| output.status.success());
    if !can {
        return eprintln!("skipped: this user cannot become another one that may run the program");
    }
    let runs = place.runs().display().to_string();
    for args in [
        &["attach", &run][..],
        &["replay", &run],
        &["resume", "--headless", &run],
        &["stop", &run],
        &["rm", "--yes", &run],
        &["export", &run],
        &["compare", &run, &run],
        &["report", &run],
    ] {
        let output = nobody(args).unwrap();
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(1), 1), "{args:?}: {told}");
        assert!(told.contains("ermission denied") || told.contains("another user"), "{args:?}: {told}");
    }
    let listed = nobody(&["--runs", &runs, "runs"]).unwrap();
    let told = text(&listed.stdout) + &text(&listed.stderr);
    assert!(listed.status.success() && told.contains("ermission denied"), "{told}");
    assert_eq!(fs::read(place.run().events()).unwrap(), before);
}

#[test]
fn a_clock_that_is_set_back_is_said_and_times_of_the_record_never_fall() {
    let place = Workplace::new();
    let switch = place.path().join("behind");
    let child = start(&place, faulty(&place, "FAULTS_CLOCK", &switch));
    fs::write(&switch, "").unwrap();
    place.wait_for_event("the alert", says("the clock was set back by 3"));
    wait_for_steps(&place);
    fs::remove_file(&switch).unwrap();
    wait_for_steps(&place);
    assert_whole(&place, child);
    let times: Vec<f64> = records(&place.run()).iter().map(|record| record.time).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(text(&place.output(["runs"]).stdout).contains("stopped"));
}
