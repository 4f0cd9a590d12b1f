//! The summary of a run, from the end of its log and from all of it.

use std::fs;
use std::path::Path;

use pellucid_protocol::event::{Alert, Checkpoint, CheckpointKind, Ended, Eval, Setting, Step};
use proptest::prelude::*;

use super::*;
use crate::log::line::encode;

fn metrics(value: f64) -> Metrics {
    let mut metrics = Metrics::default();
    metrics.set("valid/accuracy", value);
    metrics
}

fn step(step: u64) -> Event {
    Event::Step(Step { step, epoch: 0.0, metrics: Metrics::default() })
}

fn eval(step: u64, accuracy: f64, best: bool) -> Event {
    Event::Eval(Eval { step, epoch: 0.0, metrics: metrics(accuracy), best, predictions: None })
}

fn ended(step: u64, outcome: Outcome, metrics: Metrics) -> Event {
    Event::Ended(Ended { step, outcome, message: None, metrics })
}

fn state(value: &str) -> Event {
    Event::Setting(Setting { step: 1, key: "state".to_owned(), value: value.into() })
}

fn started(resumed: Option<u64>) -> Event {
    let resumed = resumed.map_or(String::new(), |step| format!(r#""resumed":{step},"#));
    let text = format!(
        r#"{{"event":"started","version":"0.1.0","log":1,"run":"r","pid":1,"host":"h","device":"cpu",
        "model":{{"path":"m","family":"bert","layers":1,"hidden":8,"parameters":9}},"teacher":null,"labels":["a","b"],
        "train_examples":9,"valid_examples":9,"steps_per_epoch":9,"total_steps":99,{resumed}"settings":{}}}"#,
        settings()
    );
    serde_json::from_str(&text).unwrap()
}

fn settings() -> String {
    let path = Some("x".into());
    let raw = pellucid_protocol::RawSettings {
        model: Some("x".into()),
        train: path,
        valid: Some("x".into()),
        run_dir: Some("/r".into()),
        max_steps: Some(99),
        ..Default::default()
    };
    serde_json::to_string(&raw.check().unwrap()).unwrap()
}

/// An explanation whose line has about so many bytes.
fn explained(bytes: usize) -> Event {
    let text = format!(
        r#"{{"event":"explained","request":1,"step":9,"sample":null,"text":"{}","words":[[0,1]],"probabilities":[1.0],
        "teacher_probabilities":null,"target":0,"label":null,"rationale":[],"truncated_words":0,"partial":false,
        "attributions":[]}}"#,
        "x".repeat(bytes)
    );
    serde_json::from_str(&text).unwrap()
}

fn record(number: usize, event: Event) -> Record {
    Record { time: 100.0 + number as f64, event }
}

fn write(run: &RunDir, events: impl IntoIterator<Item = Event>) {
    let lines = events.into_iter().enumerate().flat_map(|(number, event)| encode(&record(number, event)).unwrap());
    fs::write(run.events(), lines.collect::<Vec<u8>>()).unwrap();
}

/// Some events that all runs have, by number, so that a failing case stays readable.
fn event(kind: u8, number: u64, bytes: usize) -> Event {
    let share = number as f64 / 100.0;
    match kind {
        0..=9 => step(number),
        10 => eval(number, share, true),
        11 | 12 => eval(number, share, false),
        13 => state("paused"),
        14 => state("running"),
        15 => Event::Setting(Setting { step: number, key: "lr".to_owned(), value: share.into() }),
        16 => Event::Alert(Alert::info(number, "m")),
        17 => Event::Checkpoint(Checkpoint { step: number, kind: CheckpointKind::Best, path: "p".to_owned() }),
        18 => started(Some(number)),
        19 => ended(number, Outcome::Finished, metrics(share)),
        20 => ended(number, Outcome::Died, Metrics::default()),
        _ => explained(bytes),
    }
}

/// An event of any kind, explanations and ends more often than others; most are small.
fn any_event() -> impl Strategy<Value = Event> {
    let bytes = prop_oneof![8 => 0usize..300, 1 => 0usize..200_000];
    (prop_oneof![0u8..24, 18u8..24], 0u64..99, bytes).prop_map(|(kind, number, bytes)| event(kind, number, bytes))
}

/// What a whole log of these bytes says, and what its end says.
fn both(run: &RunDir, bytes: &[u8]) -> (RunSummary, RunSummary) {
    fs::write(run.events(), bytes).unwrap();
    (RunSummary::read_whole(run).unwrap(), RunSummary::read(run).unwrap())
}

fn unsealed(record: &Record) -> Vec<u8> {
    [serde_json::to_vec(record).unwrap(), b"\n".to_vec()].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is recorded, also after the end and of any size, and wherever a kill has cut the log.
    #[test]
    fn the_end_of_a_log_says_what_all_of_it_says(
        events in prop::collection::vec(any_event(), 0..40), cut in any::<prop::sample::Index>(), torn: bool, old: bool,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let all: Vec<Record> = std::iter::once(started(None)).chain(events).enumerate().map(|(number, event)| record(number, event)).collect();
        let mut bytes: Vec<u8> = all.iter().flat_map(|record| encode(record).unwrap()).collect();
        if old {
            // From before there were checksums: starts do not say that the log has some.
            let line = |record: &Record| String::from_utf8(unsealed(record)).unwrap().replace(r#""log":1"#, r#""log":0"#).into_bytes();
            bytes = all.iter().flat_map(line).collect();
        }
        if torn {
            bytes.truncate(cut.index(bytes.len()));
        }
        let (whole, end) = both(&run, &bytes);
        prop_assert_eq!(whole, end);
    }

    /// One event after the other, as a server sees them, comes to the same.
    #[test]
    fn events_one_by_one_come_to_the_same(events in prop::collection::vec(any_event(), 0..30)) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        write(&run, events.clone());
        let mut one_by_one = RunSummary::default();
        events.into_iter().enumerate().for_each(|(number, event)| one_by_one.take(&record(number, event)));
        prop_assert_eq!(RunSummary::read_whole(&run).unwrap(), one_by_one);
    }
}

fn run() -> (tempfile::TempDir, RunDir) {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDir::new(folder.path());
    (folder, run)
}

#[test]
fn an_end_stays_the_outcome_whatever_follows_it() {
    let (_folder, run) = run();
    let end = ended(63, Outcome::Finished, metrics(0.875));
    let after = [state("running"), event(16, 63, 0)].into_iter().chain((0..30).map(|_| explained(100_000)));
    write(&run, [started(None), step(62), step(63), end].into_iter().chain(after));
    assert!(fs::metadata(run.events()).unwrap().len() > 3_000_000);
    let summary = RunSummary::read(&run).unwrap();
    assert_eq!((summary.outcome(), summary.step, summary.total_steps()), (Some(Outcome::Finished), 63, Some(99)));
    assert_eq!(summary.best.get("valid/accuracy"), Some(0.875));
    assert_eq!((summary.last_time, summary.started.unwrap().0), (Some(135.0), 100.0));
}

#[test]
fn a_run_that_is_taken_up_again_has_not_ended() {
    let (_folder, run) = run();
    let before = [started(None), eval(40, 0.5, true), ended(50, Outcome::Stopped, Metrics::default())];
    write(&run, before.into_iter().chain([started(Some(48))]));
    let summary = RunSummary::read(&run).unwrap();
    assert_eq!((summary.state, summary.step, summary.best), (RunState::Running, 48, metrics(0.5)));
}

#[test]
fn a_pause_lasts_over_single_steps_until_the_run_goes_on() {
    let (_folder, run) = run();
    let mut events = vec![started(None), step(3), state("paused"), explained(9), step(4), event(16, 4, 0), step(5)];
    let mut state_after = |more: Vec<Event>| {
        events.extend(more);
        write(&run, events.clone());
        let summary = RunSummary::read(&run).unwrap();
        assert_eq!(summary, RunSummary::read_whole(&run).unwrap());
        summary.state
    };
    assert_eq!(state_after(Vec::new()), RunState::Paused);
    assert_eq!(state_after(vec![state("running"), step(6)]), RunState::Running);
    assert_eq!(state_after(vec![state("paused"), step(7), started(Some(6))]), RunState::Running);
    let after_the_end = vec![ended(7, Outcome::Stopped, metrics(0.5)), state("paused"), step(8)];
    assert_eq!(state_after(after_the_end), RunState::Running, "a state that was set after the end says nothing");
}

#[test]
fn a_run_that_begins_anew_has_measured_nothing_yet() {
    let (_folder, run) = run();
    write(&run, [started(None), eval(50, 0.9, true), step(50), started(Some(0)), step(1)]);
    let summary = RunSummary::read(&run).unwrap();
    assert_eq!((summary.step, &summary.best), (1, &Metrics::default()));
    assert_eq!(summary, RunSummary::read_whole(&run).unwrap());
}

#[test]
fn a_start_of_any_length_is_read() {
    let (_folder, run) = run();
    let Event::Started(mut begun) = started(None) else { panic!("a start") };
    begun.settings.avoid = (0..40_000).map(|number| format!("word{number}")).collect();
    write(&run, [Event::Started(begun), step(1)]);
    let summary = RunSummary::read(&run).unwrap();
    assert_eq!((summary.total_steps(), &summary), (Some(99), &RunSummary::read_whole(&run).unwrap()));
}

#[test]
fn a_damaged_end_is_no_end() {
    let (_folder, run) = run();
    write(&run, [started(None), step(3), ended(4, Outcome::Finished, metrics(0.5))]);
    let mut bytes = fs::read(run.events()).unwrap();
    let at = bytes.windows(8).position(|bytes| bytes == b"finished").unwrap();
    bytes[at] = b'F';
    let (whole, end) = both(&run, &bytes);
    assert_eq!((end.outcome(), end.step), (None, 3));
    assert_eq!(whole, end);
}

#[test]
fn a_log_without_checksums_that_goes_on_with_them_is_read() {
    let (_folder, run) = run();
    let old: Vec<u8> = [step(1), step(2)].into_iter().flat_map(|event| unsealed(&record(0, event))).collect();
    let (whole, end) = both(&run, &old);
    assert_eq!((end.step, whole), (2, end.clone()));
    let new = encode(&record(1, ended(2, Outcome::Stopped, metrics(0.5)))).unwrap();
    let (whole, end) = both(&run, &[old, new].concat());
    assert_eq!((end.outcome(), whole), (Some(Outcome::Stopped), end.clone()));
}

#[test]
fn what_is_no_log_has_an_empty_summary() {
    let (_folder, run) = run();
    assert_eq!(RunSummary::read(&run).unwrap(), RunSummary::default());
    assert_eq!(RunSummary::read_whole(&run).unwrap(), RunSummary::default());
    for bytes in [b"".as_slice(), b"\n\n\n", b"not a record\n{\"time\":1", b"{}"] {
        let (whole, end) = both(&run, bytes);
        assert_eq!((whole, end), (RunSummary::default(), RunSummary::default()));
    }
    assert!(RunSummary::read(&RunDir::new(Path::new("/dev/null"))).is_err());
}

#[test]
fn only_the_ends_of_a_long_log_are_read() {
    let (_folder, run) = run();
    let end = ended(60_000, Outcome::Finished, metrics(0.5));
    write(&run, [started(None)].into_iter().chain((0..60_000).map(step)).chain([end]));
    let summary = RunSummary::read(&run).unwrap();
    let mut bytes = fs::read(run.events()).unwrap();
    let length = bytes.len();
    bytes[100_000..length - 100_000].fill(b'#');
    fs::write(run.events(), bytes).unwrap();
    assert_eq!((RunSummary::read(&run).unwrap(), summary.step), (summary, 60_000));
}

#[test]
fn a_long_log_is_read_in_pieces() {
    let (_folder, run) = run();
    let events = (0..60_000).map(step).chain([ended(60_000, Outcome::Finished, metrics(0.5))]);
    write(&run, [started(None)].into_iter().chain(events));
    assert!(fs::metadata(run.events()).unwrap().len() > crate::log::reader::CHUNK);
    let whole = RunSummary::read_whole(&run).unwrap();
    assert_eq!((whole.step, &whole), (60_000, &RunSummary::read(&run).unwrap()));
}
