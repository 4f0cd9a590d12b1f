//! Command lines that are printed to be pasted do, in a shell, what they say.

use std::fs;
use std::process::Command;

use pellucid_record::RunDir;

use crate::program::{Workplace, text};

/// The command line between the backquotes after `pellucid`, as a shell splits it.
fn pasted(told: &str) -> Vec<String> {
    let (_, rest) = told.split_once("`pellucid ").unwrap_or_else(|| panic!("no command: {told}"));
    let (line, _) = rest.rsplit_once('`').unwrap();
    let script = format!("printf '%s\\n' {line}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    text(&output.stdout).lines().map(str::to_owned).collect()
}

/// A run that has ended too early, as the list of runs shows it.
fn listed(place: &Workplace, name: &str) -> String {
    let run = RunDir::new(place.runs().join(name));
    fs::create_dir_all(run.root()).unwrap();
    fs::write(run.events(), "").unwrap();
    let told = text(&place.output(["runs"]).stdout);
    fs::remove_dir_all(run.root()).unwrap();
    told
}

#[test]
fn a_name_in_a_hint_is_one_word_of_a_shell_whatever_it_is() {
    let place = Workplace::new();
    for name in ["plain", "two words", "$(touch owned)", "it's", "a;touch owned", "`touch owned`", "*"] {
        assert_eq!(pasted(&listed(&place, name)), ["resume", name], "{name}");
    }
    assert_eq!(pasted(&listed(&place, "-rf")), ["resume", "runs/-rf"]);
    fs::create_dir(place.path().join("twin")).unwrap();
    fs::write(place.path().join("twin/events.jsonl"), "").unwrap();
    assert_eq!(pasted(&listed(&place, "twin")), ["resume", "runs/twin"], "`twin` alone would mean the one here");
    for name in ["a\ntouch owned\n", "red\u{1b}[31m", "turned\u{202e}"] {
        let told = listed(&place, name);
        let id = RunDir::new(place.runs().join(name)).id();
        assert_eq!(pasted(&told), ["resume", id.as_str()], "{told}");
        assert_eq!(told.lines().count(), 2, "{told}");
    }
    assert!(!place.path().join("owned").exists());
}

#[test]
fn the_end_of_a_training_is_told_with_a_command_that_works() {
    let place = Workplace::new();
    let run = RunDir::new(place.runs().join("o'clock; $HOME"));
    let mut args = place.train(&["--headless", "--max-steps", "2", "--probe", "0", "--run-dir", "-"]);
    *args.last_mut().unwrap() = run.root().display().to_string();
    let output = place.output(args);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(pasted(&told), ["replay", "o'clock; $HOME"]);
    let exported = place.output(["export", &pasted(&told)[1]]);
    assert_eq!(exported.status.code(), Some(0), "{}", text(&exported.stderr));
}
