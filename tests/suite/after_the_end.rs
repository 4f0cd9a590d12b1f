//! Runs that have ended stay ended, however much is explained afterwards and however the worker leaves.

use std::os::unix::net::UnixStream;
use std::process::Stdio;

use pellucid_protocol::event::{Ended, Outcome};
use pellucid_protocol::{Event, Record};
use pellucid_record::RunDir;
use pellucid_record::log::writer::LogWriter;

use crate::program::{Workplace, is_alive, is_end, signal, text, wait_until};
use crate::survival::{records, worker};
use crate::terminal::Terminal;

/// Bytes of explanations: several times what any command used to read of the end of a log.
const MUCH: u64 = 3 << 20;

/// Appends explanations to the log of `run`, as its worker does when it is asked for them.
fn explain_a_lot(run: &RunDir) {
    let text = format!(
        r#"{{"event":"explained","request":1,"step":4,"sample":null,"text":"{}","words":[[0,9]],"probabilities":[1.0],
        "teacher_probabilities":null,"target":0,"label":null,"rationale":[],"truncated_words":0,"partial":false,
        "attributions":[]}}"#,
        "explained ".repeat(10_000)
    );
    let event: Event = serde_json::from_str(&text).unwrap();
    let mut log = LogWriter::open(&run.events()).unwrap();
    let (begin, time) = (log.length(), records(run).last().unwrap().time);
    while log.length() - begin < MUCH {
        log.append(&Record { time: time + 1.0, event: event.clone() }).unwrap();
    }
}

fn ends(run: &RunDir) -> Vec<Ended> {
    let end = |record: Record| if let Event::Ended(ended) = record.event { Some(ended) } else { None };
    records(run).into_iter().filter_map(end).collect()
}

fn has_finished_once(run: &RunDir) -> bool {
    matches!(ends(run).as_slice(), [Ended { outcome: Outcome::Finished, .. }])
}

#[test]
fn a_finished_run_is_finished_for_all_commands() {
    let place = Workplace::new();
    let run = place.run();
    assert_eq!(place.output(place.train(&["--headless", "--max-steps", "4", "--probe", "0"])).status.code(), Some(0));
    place.wait_for_worker_to_leave();
    explain_a_lot(&run);

    let listed: serde_json::Value = serde_json::from_slice(&place.output(["runs", "--json"]).stdout).unwrap();
    assert_eq!((&listed["state"], &listed["step"]), (&"finished".into(), &4.into()), "{listed}");
    assert!(listed["resume"].is_null() && listed["metrics"]["valid/accuracy"].is_number(), "{listed}");
    let table = text(&place.output(["runs"]).stdout);
    assert!(table.contains("finished") && table.contains("step 4/4") && table.lines().count() == 1, "{table}");
    let mut picker = Terminal::pellucid(&place, &[] as &[&str]);
    picker.wait_for("✔ finished");
    picker.send("q");
    let front = text(&place.output(["frontier"]).stdout);
    assert_eq!(front.lines().count(), 2, "{front}");
    let stopped = text(&place.output(["stop", "test"]).stderr);
    assert!(stopped.contains("the run has ended"), "{stopped}");

    let mut terminal = Terminal::pellucid(&place, &["attach", "test"]);
    terminal.wait_for("✔ finished");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(place.output(["report", "test", "--explain", "0"]).status.code(), Some(0));
    let report = std::fs::read_to_string(run.root().join("report.md")).unwrap();
    assert!(report.contains("It finished after 4 steps."), "{report}");
    assert!(has_finished_once(&run));

    let resumed = place.output(["resume", "test", "--headless"]);
    let told = text(&resumed.stderr);
    assert!(resumed.status.code() == Some(0) && told.contains("finished at step 4"), "{told}");
    place.wait_for_worker_to_leave();
    assert!(ends(&run).iter().all(|ended| ended.outcome == Outcome::Finished), "{:?}", ends(&run));
}

/// The worker of a run that has ended stays as long as somebody asks it for explanations.
#[test]
fn a_worker_that_is_killed_after_the_end_changes_no_outcome() {
    let place = Workplace::new();
    let run = place.run();
    let flags = ["--headless", "--max-steps", "60", "--eval-every", "1000", "--probe", "0"];
    let mut child = place.pellucid(place.train(&flags)).stderr(Stdio::null()).spawn().unwrap();
    place.wait_for_event("the start", |event| matches!(event, Event::Started(_)));
    let client = UnixStream::connect(run.worker_info().unwrap().socket).unwrap();
    place.wait_for_event("the end", is_end);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    explain_a_lot(&run);
    assert!(is_alive(worker(&place)), "it stays for the client");
    signal("KILL", worker(&place));
    place.wait_for_worker_to_leave();
    drop(client);
    assert!(has_finished_once(&run), "{:?}", ends(&run));

    // A worker that comes back only to explain.
    let before = worker(&place);
    let mut terminal = Terminal::pellucid(&place, &["attach", "test"]);
    terminal.wait_for("✔ finished");
    terminal.send("3");
    terminal.wait_for("filter");
    terminal.send("e");
    wait_until("a worker that explains", || worker(&place) != before && is_alive(worker(&place)));
    signal("KILL", worker(&place));
    place.wait_for_worker_to_leave();
    assert!(has_finished_once(&run), "{:?}", ends(&run));
    terminal.send("q");
    let row = text(&place.output(["runs"]).stdout);
    assert!(row.contains("finished") && !row.contains("resume"), "{row}");
}
