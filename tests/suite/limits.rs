//! Machines that give less than usual: small stacks, and a folder for sockets that is not the user's.

use std::fs;
use std::process::{Command, Output, Stdio};

use crate::program::{Workplace, program, text};

/// `pellucid` with these arguments and a stack of so many KiB at most, which the user may not raise.
fn with_stack(place: &Workplace, kib: u32, args: &[String]) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -s {kib}; exec \"$0\" \"$@\"")]).arg(program("pellucid")).args(args);
    command.current_dir(place.path()).envs(place.environment()).stdin(Stdio::null()).output().unwrap()
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn a_small_stack_is_enough_to_look_and_said_where_it_is_not() {
    let place = Workplace::new();
    for kib in [32, 64, 512] {
        for line in ["runs", "keys", "man", "train --help"] {
            let output = with_stack(&place, kib, &words(line));
            assert_eq!(output.status.code(), Some(0), "{line} with {kib} KiB: {}", text(&output.stderr));
        }
        let output = with_stack(&place, kib, &place.train(&["--headless", "--max-steps", "2"]));
        let told = text(&output.stderr);
        assert!(output.status.code() == Some(1) && told.lines().count() == 1, "{kib} KiB: {told}");
        assert!(told.contains(&format!("a stack may have {kib} KiB")) && told.contains("`ulimit -s"), "{told}");
        assert!(!place.run().root().exists());
        let doctor = text(&with_stack(&place, kib, &words("doctor")).stdout);
        assert!(doctor.contains("missing  stack"), "{doctor}");
    }
}

#[test]
fn the_stack_that_is_asked_for_is_enough() {
    let place = Workplace::new();
    let output = with_stack(&place, 1024, &place.train(&["--headless", "--max-steps", "2", "--threads", "2"]));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_folder_for_sockets_that_is_not_the_users_is_said_before_the_training() {
    let place = Workplace::new();
    let runtime = place.path().join("runtime");
    fs::create_dir(&runtime).unwrap();
    fs::write(runtime.join("pellucid"), "somebody else's").unwrap();
    let long = place.path().join("x".repeat(100));
    let run = long.join("run").display().to_string();
    let mut train = place.pellucid(place.train(&["--headless", "--max-steps", "2", "--run-dir", &run]));
    let output = train.env("XDG_RUNTIME_DIR", &runtime).output().unwrap();
    let told = text(&output.stderr);
    let last = told.lines().last().unwrap_or_default();
    assert_eq!(output.status.code(), Some(1), "{told}");
    for part in ["runtime/pellucid: is no folder", "set XDG_RUNTIME_DIR", "shorten the path of the run"] {
        assert!(last.contains(part), "no `{part}` in: {told}");
    }
    let mut doctor = place.pellucid(["doctor", "--runs", long.to_str().unwrap()]);
    let doctor = text(&doctor.env("XDG_RUNTIME_DIR", &runtime).output().unwrap().stdout);
    let line = doctor.lines().find(|line| line.contains(" sockets ")).unwrap();
    assert!(line.starts_with("missing") && line.contains("is no folder; set XDG_RUNTIME_DIR"), "{line}");
}
