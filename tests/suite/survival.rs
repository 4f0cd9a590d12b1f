//! Runs with the real programs that lose their worker, their terminal, their disk or their folder, and what is left.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};

use pellucid_protocol::event::{Ended, Outcome};
use pellucid_protocol::{Event, Record};
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;
use pellucid_record::owner::Owner;

use crate::program::{Workplace, is_alive, is_end, is_step, signal, text, wait_until};

/// A headless training that goes on until it is ended.
fn training(place: &Workplace, more: &[&str]) -> Child {
    let flags = [&["--headless", "--max-steps", "100000", "--probe", "0"], more].concat();
    let mut command = place.pellucid(place.train(&flags));
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    place.wait_for_event("a step", is_step);
    child
}

pub(crate) fn worker(place: &Workplace) -> u32 {
    place.run().worker_info().unwrap().owner.pid
}

pub(crate) fn records(run: &RunDir) -> Vec<Record> {
    let mut log = LogReader::new(&run.events());
    let records = log.read_new().unwrap();
    assert_eq!(log.damage().count, 0);
    records
}

/// The end of a run whose worker has left.
pub(crate) fn end(run: &RunDir) -> Ended {
    let bytes = std::fs::read(run.events()).unwrap();
    assert_eq!(bytes.last(), Some(&b'\n'), "the last record is torn");
    match records(run).pop().map(|record| record.event) {
        Some(Event::Ended(ended)) => ended,
        other => panic!("the last record is {other:?}"),
    }
}

/// The steps of a run that was not taken up again: one after the other, none missing, none twice.
pub(crate) fn assert_no_step_is_missing(run: &RunDir) {
    let steps: Vec<u64> = records(run)
        .iter()
        .filter_map(|record| if let Event::Step(step) = &record.event { Some(step.step) } else { None })
        .collect();
    assert!(!steps.is_empty() && steps.iter().zip(1..).all(|(&step, number)| step == number), "{steps:?}");
}

pub(crate) fn says(part: &'static str) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Alert(alert) if alert.message.contains(part))
}

#[test]
fn a_worker_that_is_killed_or_crashes_leaves_its_last_words() {
    for (name, word) in [("KILL", "(SIGKILL)"), ("FPE", "(SIGFPE)"), ("ABRT", "(SIGABRT)")] {
        let place = Workplace::new();
        let child = training(&place, &["--checkpoint-every", "1"]);
        place.wait_for_event("a checkpoint", |event| matches!(event, Event::Checkpoint(_)));
        signal(name, worker(&place));
        let output = child.wait_with_output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        for part in ["the run died at step", word, "pellucid resume", "goes on from step"] {
            assert!(told.contains(part), "no `{part}` in:\n{told}");
        }
        place.wait_for_worker_to_leave();
        let ended = end(&place.run());
        assert_eq!(ended.outcome, Outcome::Died);
        assert!(ended.message.unwrap().contains(word));
        let row = text(&place.output(["runs"]).stdout);
        assert!(row.contains("died"), "{row}");
    }
}

#[test]
fn last_words_are_written_when_nobody_watches() {
    let place = Workplace::new();
    let mut child = training(&place, &[]);
    signal("KILL", child.id());
    child.wait().unwrap();
    let info = place.run().worker_info().unwrap();
    assert!(is_alive(info.owner.pid) && is_alive(info.supervisor.unwrap()));
    signal("KILL", info.owner.pid);
    place.wait_for_event("the last words", is_end);
    assert_eq!(end(&place.run()).outcome, Outcome::Died);
    place.wait_for_worker_to_leave();
}

#[test]
fn a_hang_up_ends_no_training_on_either_side() {
    assert!(
        !hang_ups_are_ignored(),
        "under nohup a program outlives its terminal, as it should: run the tests without"
    );
    let place = Workplace::new();
    let mut child = training(&place, &[]);
    let info = place.run().worker_info().unwrap();
    for pid in [child.id(), info.supervisor.unwrap(), info.owner.pid] {
        signal("HUP", pid);
    }
    child.wait().unwrap();
    let seen = records(&place.run()).len();
    place.wait_for_event("steps after it", |_| records(&place.run()).len() > seen + 3);
    assert!(is_alive(info.owner.pid) && is_alive(info.supervisor.unwrap()));
    signal("TERM", info.owner.pid);
    place.wait_for_worker_to_leave();
    assert_eq!(end(&place.run()).outcome, Outcome::Stopped);
}

/// Whether programs that are started from here take no notice of SIGHUP; where that cannot be seen they do.
fn hang_ups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|ignored| ignored & 1 == 1)
}

#[test]
fn told_to_leave_a_worker_saves_and_goes_also_in_an_evaluation() {
    let place = Workplace::new();
    // Most of the time goes into evaluations.
    let child = training(&place, &["--eval-every", "1", "--checkpoint-every", "100000"]);
    signal("TERM", worker(&place));
    let output = child.wait_with_output().unwrap();
    place.wait_for_worker_to_leave();
    let ended = end(&place.run());
    let saved = format!("a checkpoint of step {} is saved", ended.step);
    assert_eq!((ended.outcome, place.run().newest_checkpoint()), (Outcome::Stopped, Some(ended.step)));
    assert!(ended.message.unwrap().contains(&saved));
    let told = text(&output.stderr);
    assert!(output.status.code() == Some(130) && told.contains(&saved), "{told}");
    // What was given up is done when the run goes on.
    let steps = (ended.step + 2).to_string();
    let again = place.output(again(&place, &steps));
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    let evals: Vec<u64> = records(&place.run())
        .iter()
        .filter_map(|record| if let Event::Eval(eval) = &record.event { Some(eval.step) } else { None })
        .collect();
    assert!(evals.iter().zip(0..).all(|(&step, number)| step == number), "{evals:?}");
}

#[test]
fn a_batch_systems_sigterm_to_the_program_reaches_the_worker() {
    let place = Workplace::new();
    let child = training(&place, &[]);
    signal("TERM", child.id());
    let output = child.wait_with_output().unwrap();
    let told = text(&output.stderr);
    assert!(output.status.code() == Some(130) && told.contains("is saved"), "{told}");
    place.wait_for_worker_to_leave();
    assert_eq!(place.run().newest_checkpoint(), Some(end(&place.run()).step));
}

#[test]
fn a_second_interrupt_stops_at_once() {
    let place = Workplace::new();
    let child = training(&place, &["--checkpoint-every", "100000", "--eval-every", "100000"]);
    signal("INT", child.id());
    signal("INT", child.id());
    let output = child.wait_with_output().unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{told}");
    place.wait_for_worker_to_leave();
    assert_eq!(end(&place.run()).outcome, Outcome::Stopped);
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_for_a_while_ends_nothing_and_loses_nothing() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let place = Workplace::new();
    let child = training(&place, &["--checkpoint-every", "3", "--eval-every", "5"]);
    let run = place.run();
    let socket = UnixStream::connect(run.worker_info().unwrap().socket).unwrap();
    let mut heard = BufReader::new(socket).lines().map(Result::unwrap);
    let pid = Pid::from_raw(i32::try_from(worker(&place)).unwrap());
    // No file may grow beyond what the log has: neither it nor a checkpoint, whose weights are larger.
    let full = std::fs::metadata(run.events()).unwrap().len();
    prlimit(pid, Resource::Fsize, Rlimit { current: Some(full), maximum: None }).unwrap();
    // Which of them comes first depends on what was being written.
    let mut missing = vec!["kept in memory until it can be written", "checkpoint not written"];
    while !missing.is_empty() {
        let line = heard.next().unwrap();
        missing.retain(|part| !line.contains(part));
    }
    let mut hear = |part: &str| heard.find(|line| line.contains(part)).unwrap();
    let stuck = std::fs::metadata(run.events()).unwrap().len();
    (0..20).for_each(|_| drop(hear("\"event\":\"step\"")));
    assert_eq!(std::fs::metadata(run.events()).unwrap().len(), stuck, "nothing half is left in the log");
    prlimit(pid, Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    place.wait_for_event("the record to be written again", says("written again"));
    place.wait_for_event("checkpoints again", says("checkpoints are written again"));
    assert!(
        LogReader::new(&run.events()).read_new().unwrap().iter().any(|record| says("kept in memory")(&record.event))
    );
    // As long as somebody listens, the worker of an ended run stays.
    drop(heard);
    signal("INT", child.id());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    place.wait_for_worker_to_leave();
    assert_no_step_is_missing(&run);
    assert_eq!(run.newest_checkpoint(), Some(end(&run).step));
}

#[test]
fn a_folder_that_is_removed_is_made_again_with_the_whole_record() {
    let place = Workplace::new();
    let child = training(&place, &[]);
    let run = place.run();
    // What is being written in it may come between.
    wait_until("the folder to be gone", || std::fs::remove_dir_all(run.root()).is_ok());
    place.wait_for_event("the alert", says("was removed while the run went on"));
    assert!(run.settings().is_file() && run.samples().is_file());
    wait_until("the worker's address", || run.worker_info().is_some());
    UnixStream::connect(run.worker_info().unwrap().socket).unwrap();
    signal("INT", child.id());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    place.wait_for_worker_to_leave();
    assert_no_step_is_missing(&run);
    assert_eq!(run.newest_checkpoint(), Some(end(&run).step));
}

/// A copy names the worker, the socket and the process of the original, all of which live.
#[test]
fn a_copy_of_a_run_that_goes_on_steers_nobody() {
    let place = Workplace::new();
    let mut child = training(&place, &[]);
    let (run, copy) = (place.run(), RunDir::new(place.runs().join("twin")));
    let copied = std::process::Command::new("cp").arg("-a").args([run.root(), copy.root()]).status().unwrap();
    assert!(copied.success() && copy.worker_info() == run.worker_info());
    let named = copy.root().display().to_string();
    let refused = place.output(["stop", &named]);
    let told = text(&refused.stderr);
    assert!(refused.status.code() == Some(1) && told.contains("cannot be stopped"), "{told}");
    let removed = place.output(["rm", &named, "--yes"]);
    assert_eq!(removed.status.code(), Some(0), "{}", text(&removed.stderr));
    assert!(!copy.root().exists());
    let seen = records(&run).len();
    wait_until("steps after it", || records(&run).len() > seen + 3);
    signal("TERM", child.id());
    child.wait().unwrap();
    place.wait_for_worker_to_leave();
    assert_no_step_is_missing(&run);
}

#[test]
fn a_run_of_another_machine_is_only_looked_at() {
    let place = Workplace::new();
    assert_eq!(place.output(place.train(&["--headless", "--max-steps", "2"])).status.code(), Some(0));
    place.wait_for_worker_to_leave();
    let owner = Owner { host: "another-machine".to_owned(), pid: 7, ..Owner::of_this_process() };
    std::fs::write(place.run().lock(), serde_json::to_vec(&owner).unwrap()).unwrap();
    let refused = place.output(["resume", &place.run().root().display().to_string(), "--headless"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("worker 7 on another-machine"), "{}", text(&refused.stderr));
}

#[test]
fn what_was_torn_off_is_said_when_the_run_goes_on() {
    let place = Workplace::new();
    let mut child = training(&place, &["--checkpoint-every", "1"]);
    place.wait_for_event("a checkpoint", |event| matches!(event, Event::Checkpoint(_)));
    let info = place.run().worker_info().unwrap();
    // Both at once: there is nobody to write last words.
    signal("KILL", info.supervisor.unwrap());
    signal("KILL", info.owner.pid);
    child.wait().unwrap();
    place.wait_for_worker_to_leave();
    let path = place.run().events();
    let mut bytes = std::fs::read(&path).unwrap();
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').unwrap();
    bytes.truncate(whole - 5);
    let line = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 9;
    bytes[line] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    let printed = place.output(["export", &place.run().root().display().to_string()]);
    assert!(printed.status.success() && text(&printed.stderr).contains("events.jsonl:2: 1 record is damaged"));
    let mut again = place.pellucid(["resume", &place.run().root().display().to_string(), "--headless"]);
    let mut child = again.stderr(Stdio::null()).spawn().unwrap();
    place.wait_for_event("what was cut", says("the last record was torn"));
    place.wait_for_event("what is damaged", says("events.jsonl:2: 1 record is damaged"));
    signal("TERM", child.id());
    child.wait().unwrap();
}

/// Arguments that take the run up again, to end after so many steps.
fn again(place: &Workplace, steps: &str) -> Vec<String> {
    let settings = place.run().settings();
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("max_steps = 100000", &format!("max_steps = {steps}"))).unwrap();
    vec!["resume".to_owned(), place.run().root().display().to_string(), "--headless".to_owned()]
}

#[test]
fn a_run_is_stopped_and_removed_by_name() {
    let place = Workplace::new();
    let child = training(&place, &[]);
    let run = place.run();
    let refused = place.output(["rm", "test", "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("is running") && run.settings().is_file(), "{}", text(&refused.stderr));
    let listed = text(&place.output(["runs", "--json"]).stdout);
    let listed: serde_json::Value = serde_json::from_str(listed.trim()).unwrap();
    assert_eq!((&listed["state"], &listed["owner"]["pid"]), (&"running".into(), &worker(&place).into()));
    let id = listed["id"].as_str().unwrap().to_owned();
    let stopped = place.output(["stop", &id]);
    assert_eq!(stopped.status.code(), Some(0), "{}", text(&stopped.stderr));
    assert!(text(&stopped.stderr).contains("stopped at step"), "{}", text(&stopped.stderr));
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(run.newest_checkpoint(), Some(end(&run).step));
    let again = place.output(["stop", "test"]);
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stderr));
    assert_eq!(place.output(["rm", "test"]).status.code(), Some(2), "nobody is there to be asked");
    let removed = place.output(["rm", "test", "--yes"]);
    assert_eq!(removed.status.code(), Some(0), "{}", text(&removed.stderr));
    assert!(!run.root().exists());
}

#[test]
fn shells_complete_names_and_ids_of_runs() {
    let place = Workplace::new();
    std::fs::create_dir_all(place.run().root()).unwrap();
    std::fs::write(place.run().events(), "").unwrap();
    let complete = |typed: &str| {
        let mut asked = place.pellucid(["--", "pellucid", "attach", typed]);
        asked.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "2").env("_CLAP_COMPLETE_COMP_TYPE", "9");
        asked.env("_CLAP_COMPLETE_SPACE", "true").env("_CLAP_IFS", "\n");
        text(&asked.output().unwrap().stdout)
    };
    assert_eq!(complete("te").trim(), "test");
    assert_eq!(complete(&place.run().id()[..2]).trim(), &place.run().id()[..4]);
    assert!(text(&place.output(["completions", "bash"]).stdout).contains("COMPLETE"));
}
