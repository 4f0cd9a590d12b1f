//! The dashboard on a real terminal with a real worker: what a user does on a first day.

use std::os::unix::fs::PermissionsExt;

use pellucid_protocol::event::Outcome;
use pellucid_protocol::{Event, Record};

use crate::program::{Workplace, is_alive, is_end, is_state, is_step, text};
use crate::terminal::Terminal;

/// Steps that no test waits for.
const ENDLESS: &str = "100000";

/// A training that goes on until it is told otherwise, on a terminal.
pub(crate) fn training(place: &Workplace) -> Terminal {
    let terminal = Terminal::pellucid(place, &place.train(&["--max-steps", ENDLESS, "--eval-every", "20"]));
    place.wait_for_event("a step", is_step);
    terminal
}

fn outcome(records: &[Record]) -> Option<Outcome> {
    records.iter().find_map(|record| if let Event::Ended(ended) = &record.event { Some(ended.outcome) } else { None })
}

#[test]
fn the_first_frame_comes_before_the_worker_is_ready() {
    let place = Workplace::new();
    let worker = place.path().join("worker");
    std::fs::write(
        &worker,
        "#!/bin/sh\nread job\necho '{\"launch\":\"phase\",\"text\":\"thinking it over\"}'\nexec sleep 600\n",
    )
    .unwrap();
    std::fs::set_permissions(&worker, std::fs::Permissions::from_mode(0o755)).unwrap();
    let variables = [("PELLUCID_WORKER", worker.to_str().unwrap())];
    let mut terminal = Terminal::with(&place, &place.train(&["--max-steps", "1"]), &variables);
    terminal.wait_for("Explain");
    terminal.wait_for("thinking it over");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 130);
    terminal.wait_until_restored();
    assert!(!place.run().root().exists());
}

#[test]
fn the_number_keys_lead_to_the_five_screens() {
    let place = Workplace::new();
    let mut terminal = training(&place);
    for (key, sign) in [("2", "type a text"), ("3", "filter"), ("4", "ayer"), ("5", "other list"), ("1", "log scale")] {
        terminal.send(key);
        terminal.wait_for(sign);
    }
    terminal.send("?");
    terminal.wait_for("Everywhere");
}

/// Before the program reads, around the terminal's answer to its question, and within one that is slow.
#[test]
fn no_key_is_lost_while_the_terminal_is_asked_for_its_colour() {
    let place = Workplace::new();
    assert_eq!(place.output(place.train(&["--headless", "--max-steps", "2"])).status.code(), Some(0));
    let mut terminal = Terminal::pellucid(&place, &["replay", "test"]);
    terminal.send("5");
    crate::program::wait_until("the question", || String::from_utf8_lossy(&terminal.raw()).contains("\u{1b}]11;?"));
    terminal.wait_for("other list");
    for (keys, sign) in [
        ("\u{1b}]11;rgb:ffff/ffff/ffff\u{1b}\\1", "log scale"),
        ("3\u{1b}]11;rgb:1e1e/", "filter"),
        ("1e1e/1e1e\u{7}2", "Nothing was explained"),
        ("\u{1b}]11;rgb:1e1e/\u{1b}[Z", "log scale"),
    ] {
        terminal.send(keys);
        terminal.wait_for(sign);
    }
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_sample_is_explained_while_training_goes_on() {
    let place = Workplace::new();
    let mut terminal = training(&place);
    terminal.send("3");
    terminal.wait_for("filter");
    place.wait_for_event("an evaluation", |event| matches!(event, Event::Eval(_)));
    terminal.send("e");
    let records = place.wait_for_event("an explanation", |event| matches!(event, Event::Explained(_)));
    let after = records.iter().rposition(|record| matches!(record.event, Event::Explained(_))).unwrap();
    terminal.wait_for("in order of trust");
    assert!(after > 0 && outcome(&records).is_none());
}

#[test]
fn pause_holds_the_training_and_resume_goes_on() {
    let place = Workplace::new();
    let mut terminal = training(&place);
    terminal.send("p");
    place.wait_for_event("the pause", |event| is_state(event, "paused"));
    terminal.wait_until("`paused`", |screen| screen.to_lowercase().contains("paused"));
    terminal.send("p");
    let records = place.wait_for_event("the end of the pause", |event| is_state(event, "running"));
    let paused = records.iter().position(|record| is_state(&record.event, "paused")).unwrap();
    let resumed = records.iter().rposition(|record| is_state(&record.event, "running")).unwrap();
    assert!(!records[paused..resumed].iter().any(|record| is_step(&record.event)), "a step while it was paused");
}

#[test]
fn detach_leaves_the_run_and_attach_comes_back_to_stop_it() {
    let place = Workplace::new();
    let mut terminal = training(&place);
    terminal.send("q");
    terminal.wait_for("detach");
    terminal.send("d");
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_until_restored();
    let worker = place.run().worker_info().unwrap();
    assert!(is_alive(worker.owner.pid));
    let listed = text(&place.output(["runs", "--json"]).stdout);
    assert!(listed.contains("\"running\""), "{listed}");

    let mut terminal = Terminal::pellucid(&place, &["attach", "test"]);
    terminal.wait_for("log scale");
    terminal.send("q");
    terminal.wait_for("stop");
    terminal.send("s");
    terminal.exit_code();
    let records = place.wait_for_event("the end", is_end);
    assert_eq!(outcome(&records), Some(Outcome::Stopped));
    place.wait_for_worker_to_leave();
}

#[test]
fn stopping_from_the_keyboard_ends_the_run_with_130() {
    let place = Workplace::new();
    let mut terminal = training(&place);
    terminal.send("S");
    terminal.wait_for("train on");
    terminal.send("y");
    place.wait_for_event("the end", is_end);
    assert!(place.run().root().join("checkpoints/last/model.safetensors").is_file());
    terminal.wait_until("`stopped`", |screen| screen.to_lowercase().contains("stopped"));
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 130);
    place.wait_for_worker_to_leave();
}

#[test]
fn a_lost_terminal_is_not_the_end_of_the_run() {
    let place = Workplace::new();
    let mut terminal = training(&place);
    #[cfg(target_os = "linux")]
    let before = terminal.processor_seconds();
    terminal.hang_up();
    crate::program::wait_until("the end of the dashboard", || !is_alive(terminal.pid()));
    // Reading what is gone again and again would take as much as there is, until somebody ends it.
    #[cfg(target_os = "linux")]
    assert!(terminal.processor_seconds() - before < 0.5, "{} s of work", terminal.processor_seconds() - before);
    terminal.exit_code();
    let worker = place.run().worker_info().unwrap();
    assert!(is_alive(worker.owner.pid));
    let steps = place.wait_for_event("a step", is_step).len();
    let mut terminal = Terminal::pellucid(&place, &["attach"]);
    terminal.wait_for("log scale");
    let more = |records: &[Record]| records.len() > steps;
    crate::program::wait_until("more steps", || more(&place.wait_for_event("a step", is_step)));
    terminal.send("q");
    terminal.wait_for("detach");
    terminal.send("d");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_panic_gives_the_terminal_back_and_leaves_the_run() {
    for fault in ["panic-on-redraw", "panic-beside"] {
        let place = Workplace::new();
        let arguments = place.train(&["--max-steps", ENDLESS]);
        let mut terminal = Terminal::with(&place, &arguments, &[("PELLUCID_FAULT", fault), ("RUST_BACKTRACE", "0")]);
        place.wait_for_event("a step", is_step);
        terminal.wait_for("log scale");
        terminal.send("\u{c}");
        assert_eq!(terminal.exit_code(), 101, "{fault}");
        terminal.wait_until_restored();
        terminal.wait_for("a fault on purpose");
        terminal.wait_for("pellucid attach");
        let worker = place.run().worker_info().unwrap();
        assert!(is_alive(worker.owner.pid), "{fault}");
    }
}

#[test]
fn any_size_will_do_and_the_old_one_comes_back() {
    let place = Workplace::new();
    let mut terminal = training(&place);
    for (columns, rows) in [(60, 16), (20, 6), (1, 1), (200, 50), (80, 24)] {
        terminal.resize(columns, rows);
        terminal.send("2");
        terminal.send("1");
    }
    terminal.wait_for("log scale");
    terminal.resize(20, 6);
    terminal.wait_until("the state in few words", |screen| screen.contains("training") && screen.contains("60 x 16"));
    terminal.resize(80, 24);
    terminal.wait_for("log scale");
}

#[test]
fn no_color_means_no_colour() {
    let place = Workplace::new();
    let args = place.train(&["--max-steps", "3"]);
    let mut terminal = Terminal::with(&place, &args, &[("NO_COLOR", "1")]);
    place.wait_for_event("the end", is_end);
    terminal.wait_until("`finished`", |screen| screen.to_lowercase().contains("finished"));
    for key in ["2", "3", "4", "5", "1"] {
        terminal.send(key);
    }
    terminal.wait_for("log scale");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(colours(&terminal.raw()), Vec::<String>::new());
}

/// The SGR sequences in `raw` that set a colour.
fn colours(raw: &[u8]) -> Vec<String> {
    let raw = String::from_utf8_lossy(raw);
    let sequences = raw.split("\u{1b}[").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        rest[end..].starts_with('m').then(|| rest[..end].to_owned())
    });
    let colour = |code: &str| matches!(code.parse(), Ok(30u8..=38 | 40..=48 | 90..=97 | 100..=107));
    sequences.filter(|codes| codes.split([';', ':']).any(colour)).collect()
}

#[test]
fn colours_are_seen_where_they_are() {
    assert_eq!(colours(b"\x1b[1;31mred\x1b[0m \x1b[38;2;1;2;3mx\x1b[4mu\x1b[39mz\x1b[2Jy"), ["1;31", "38;2;1;2;3"]);
}

#[test]
fn a_refused_start_is_told_after_the_screen_is_gone() {
    let place = Workplace::new();
    let mut terminal = Terminal::pellucid(&place, &place.train(&["--train", "nothing.csv"]));
    // Not the phase that names the file, but the reason.
    terminal.wait_until("the reason", |screen| screen.contains("No such") || screen.contains("os error"));
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 1);
    terminal.wait_until_restored();
    terminal.wait_until("one line of error", |screen| screen.contains("error: ") && screen.contains("nothing.csv"));
    assert!(!place.run().root().exists());
}

#[test]
fn an_ended_run_is_replayed() {
    let place = Workplace::new();
    place.output(place.train(&["--headless", "--max-steps", "4", "--eval-every", "2"]));
    for command in ["replay", "attach"] {
        let mut terminal = Terminal::pellucid(&place, &[command, "test"]);
        terminal.wait_until("`finished`", |screen| screen.to_lowercase().contains("finished"));
        terminal.send("q");
        assert_eq!(terminal.exit_code(), 0);
    }
}

#[test]
fn the_picker_opens_the_newest_run() {
    let place = Workplace::new();
    place.output(place.train(&["--headless", "--max-steps", "2"]));
    let mut terminal = Terminal::pellucid(&place, &[] as &[&str]);
    terminal.wait_for("1 run");
    terminal.wait_for("▸  test");
    terminal.send("\r");
    terminal.wait_for("log scale");
    // One reader of keys for both screens: two would take each other's.
    for (key, sign) in [("4", "ayer"), ("3", "filter"), ("1", "log scale")] {
        terminal.send(key);
        terminal.wait_for(sign);
    }
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_until_restored();
}

#[test]
fn with_no_runs_yet_the_demo_is_offered() {
    let place = Workplace::new();
    let mut terminal = Terminal::pellucid(&place, &[] as &[&str]);
    terminal.wait_for("Start the demo");
    terminal.send("n\r");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_record_is_played_and_gone_through_step_by_step() {
    let place = Workplace::new();
    let output = place.output(place.train(&["--headless", "--max-steps", "12", "--eval-every", "6", "--probe", "0"]));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let mut terminal = Terminal::pellucid(&place, &["replay", "test"]);
    terminal.wait_for("step 12 of 12");
    terminal.wait_for("finished");
    for (keys, seen) in [("<<", "step 11 of 12"), ("(", "step  6 of 12"), (">", "step  7 of 12"), ("$", "finished")] {
        terminal.send(keys);
        terminal.wait_for(seen);
    }
    terminal.send("5^");
    terminal.wait_until("an empty log", |screen| !screen.contains("checkpoint"));
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    let mut terminal = Terminal::pellucid(&place, &["replay", "test", "--speed", "1000"]);
    terminal.wait_for("step 12 of 12");
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
}
