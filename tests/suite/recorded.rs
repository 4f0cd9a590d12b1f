//! Runs that an earlier version recorded: they open, and the one that was killed goes on to the same end.

use std::fs;
use std::path::{Path, PathBuf};

use pellucid_record::RunDir;
use pellucid_tests::last_numbers;

use crate::program::{Workplace, checkout, text};
use crate::terminal::Terminal;

/// How far a number may be from the recorded one: other processors round otherwise, and this is far above that.
const NEAR: f64 = 1e-4;

fn fixtures() -> PathBuf {
    checkout().join("tests/fixtures")
}

/// A place with both runs, whose paths and whose machine are made this one's.
fn recorded() -> Workplace {
    let place = Workplace::new();
    copy(&fixtures(), place.path());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    for run in ["ended", "killed"] {
        for (file, machine) in [("run.toml", ""), ("worker.json", host.as_str())] {
            let path = place.runs().join(run).join(file);
            let told = fs::read_to_string(&path).unwrap().replace("/fixture", &place.path().display().to_string());
            fs::write(&path, told.replace("\"host\":\"fixture\"", &format!("\"host\":\"{machine}\""))).unwrap();
        }
    }
    place
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn run(place: &Workplace, name: &str) -> RunDir {
    RunDir::new(place.runs().join(name))
}

/// What a command that has to succeed prints.
fn printed(place: &Workplace, args: &[&str]) -> String {
    let output = place.output(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_list_says_how_they_ended() {
    let place = recorded();
    let list = printed(&place, &["runs"]);
    let line = |name: &str| list.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(line("ended").contains("finished") && line("ended").contains("48/48"), "{list}");
    assert!(line("killed").contains("died") && line("killed").contains("24/48"), "{list}");
    assert!(list.contains("`pellucid resume killed` goes on from step 16"), "{list}");
}

#[test]
fn their_numbers_are_exported_and_reported() {
    let place = recorded();
    for (name, steps, accuracy) in [("ended", 48, "1.000"), ("killed", 24, "0.500")] {
        let table = printed(&place, &["export", name]);
        assert_eq!(table.lines().filter(|line| !line.starts_with("step,")).count(), steps + 1, "one of step 0");
        printed(&place, &["report", name, "--explain", "0"]);
        let page = fs::read_to_string(run(&place, name).root().join("report.html")).unwrap();
        assert!(page.contains(accuracy), "{name}: {page}");
    }
}

#[test]
fn they_are_replayed() {
    let place = recorded();
    let last = [("ended", "step 48 of 48", "explained sample 0", 0), ("killed", "step 24 of 48", "last checkpoint", 1)];
    for (name, sign, event, code) in last {
        let mut terminal = Terminal::pellucid(&place, &["replay", name]);
        terminal.wait_for(sign);
        terminal.send("5");
        terminal.wait_for(event);
        terminal.send("q");
        assert_eq!(terminal.exit_code(), code, "how the run ended");
    }
}

#[test]
fn what_was_explained_after_the_end_is_there() {
    let place = recorded();
    let mut terminal = Terminal::pellucid(&place, &["replay", "ended"]);
    terminal.wait_for("step 48 of 48");
    terminal.send("2");
    terminal.wait_for("worst");
    terminal.wait_for("integrated gradients");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn the_one_that_was_killed_goes_on_to_the_same_end() {
    let place = recorded();
    let log = run(&place, "killed").events();
    let before = fs::read(&log).unwrap();
    printed(&place, &["resume", "killed", "--headless"]);
    assert!(fs::read(&log).unwrap().starts_with(&before), "what was recorded stays");
    let expected = last_numbers(&RunDir::new(fixtures().join("resumed")));
    let found = last_numbers(&run(&place, "killed"));
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    // Earlier versions measured the faithfulness of the probe set by the best and the worst order of words.
    let same = expected.iter().filter(|((_, metric), _)| metric != "explain/faithfulness");
    for (key, recorded) in same {
        let now = found[key];
        assert!((recorded - now).abs() <= NEAR, "{key:?}: {now} and not {recorded}");
    }
    assert!(printed(&place, &["runs"]).lines().any(|line| line.starts_with("killed") && line.contains("finished")));
}

#[test]
fn one_with_which_a_later_version_went_on_is_read_and_left_as_it_is() {
    let place = recorded();
    for name in ["ended", "killed"] {
        let log = run(&place, name).events();
        let later =
            b"{\"time\":1.0,\"event\":\"started\",\"log\":2,\"crew\":[]}\n{\"time\":2.0,\"event\":\"landed\"}\n";
        fs::write(&log, [fs::read(&log).unwrap(), later.to_vec(), b"{\"torn".to_vec()].concat()).unwrap();
        let before = files(run(&place, name).root());
        let output = place.output(["resume", name, "--headless"]);
        let told = text(&output.stderr);
        let error = told.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(error.contains("events.jsonl: is of a later version of pellucid (log format 2"), "{told}");
        assert!(error.ends_with("nothing is written to it; update pellucid"), "{told}");
        let output = place.output(["export", name]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).lines().count() > 20 && text(&output.stderr).contains("later version"));
        assert_eq!(files(run(&place, name).root()), before, "{name}");
    }
}

/// The content of the files below `folder`, but of those that a worker has while it runs.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            all.extend(files(&path));
        } else if path.is_file() && !["worker.lock", "worker.log"].contains(&entry.file_name().to_str().unwrap()) {
            all.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    all.sort();
    all
}
