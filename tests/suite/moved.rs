//! A run folder that is renamed while its run goes on, and checkpoints that were exchanged after it.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use pellucid_protocol::Event;
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;

use crate::program::{Workplace, is_step, signal, text, wait_until};

const SMALL: [&str; 9] =
    ["--headless", "--max-steps", "12", "--eval-every", "6", "--checkpoint-every", "4", "--probe", "0"];

fn events(run: &RunDir) -> Vec<Event> {
    LogReader::new(&run.events()).read_new().unwrap().into_iter().map(|record| record.event).collect()
}

#[test]
fn a_run_goes_on_in_its_folder_also_when_that_is_renamed() {
    let place = Workplace::new();
    let flags = ["--headless", "--max-steps", "1000000", "--checkpoint-every", "5", "--probe", "0"];
    let mut command = place.pellucid(place.train(&[&flags[..], &["--json"]].concat()));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let client = std::thread::spawn(move || child.wait_with_output().unwrap());
    place.wait_for_event("a checkpoint", |event| matches!(event, Event::Checkpoint(_)));
    let (before, after) = (place.run(), RunDir::new(place.runs().join("renamed")));
    let pid = before.worker_info().unwrap().owner.pid;
    fs::rename(before.root(), after.root()).unwrap();
    // At once: the worker may not have noticed yet. Another run may come where the folder was.
    fs::create_dir(before.root()).unwrap();
    fs::write(before.root().join("notes.txt"), "mine").unwrap();
    let saved = |least: u64| {
        events(&after).iter().any(|event| matches!(event, Event::Checkpoint(saved) if saved.step >= least))
    };
    let done = events(&after).iter().filter(|event| is_step(event)).count() as u64;
    wait_until("a checkpoint after the folder was renamed", || saved(done + 5));
    let told = |event: &Event| matches!(event, Event::Alert(alert) if alert.message.contains("was moved to"));
    assert_eq!(events(&after).iter().filter(|event| told(event)).count(), 1);
    assert_eq!(after.worker_info().unwrap().socket, after.socket());

    let stopped = place.output(["stop", "renamed"]);
    assert_eq!(stopped.status.code(), Some(0), "{}", text(&stopped.stderr));
    assert!(text(&stopped.stderr).contains("renamed stopped at step"), "{}", text(&stopped.stderr));
    let client = client.join().unwrap();
    let told = text(&client.stderr);
    assert!(told.contains("renamed` goes on from step") && !told.contains("begins anew"), "{told}");
    let printed = text(&client.stdout).lines().count();
    assert_eq!(printed, fs::read_to_string(after.events()).unwrap().lines().count());
    wait_until("the worker to leave", || !crate::program::is_alive(pid));
    let left: Vec<_> = fs::read_dir(before.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["notes.txt"]);
    assert!(!after.socket().exists());
    let mut again = place.pellucid(["resume", "renamed", "--headless"]).stderr(Stdio::null()).spawn().unwrap();
    let starts = || events(&after).iter().filter(|event| matches!(event, Event::Started(_))).count();
    wait_until("the run to go on", || starts() == 2);
    signal("INT", again.id());
    again.wait().unwrap();
}

/// Copies the files of one folder into another.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn weights_of_another_run_are_neither_reported_nor_removed_as_the_best_of_this_one() {
    let (place, other) = (Workplace::new(), Workplace::new());
    for (at, seed) in [(&place, "1"), (&other, "2")] {
        assert_eq!(at.output(at.train(&[SMALL.as_slice(), &["--seed", seed]].concat())).status.code(), Some(0));
        at.wait_for_worker_to_leave();
    }
    let best = |place: &Workplace| place.run().root().join("checkpoints/best").canonicalize().unwrap();
    let name = place.run().root().display().to_string();
    let report = || {
        let output = place.output(["report", &name, "--explain", "1"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        fs::read_to_string(place.run().root().join("report.md")).unwrap()
    };
    assert!(!report().contains("another run"));
    copy(&best(&other), &best(&place));
    let told = report();
    assert!(told.contains("of another run, and not those of the best evaluation"), "{told}");

    let removed = place.output(["rm", "--yes", &name]);
    let stays = text(&removed.stderr);
    assert!(removed.status.code() == Some(0) && stays.contains("such as"), "{stays}");
    let kept: Vec<_> = fs::read_dir(place.run().root().join("checkpoints")).unwrap().collect();
    assert_eq!(kept.len(), 1, "the folder that another run has written");
}
