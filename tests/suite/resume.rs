//! Runs that are killed and taken up again with the real programs, and settings that change while a run goes on.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use pellucid_protocol::Event;
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;
use pellucid_tests::numbers;

use crate::program::{Workplace, data, is_end, is_step, signal, text};

fn arguments(place: &Workplace) -> Vec<String> {
    let teacher = data().join("models/teacher").display().to_string();
    let flags = ["--max-steps", "60", "--eval-every", "20", "--checkpoint-every", "1", "--lr", "1e-3", "--l1", "1e-5"];
    let more = [flags.as_slice(), &["--headless", "--probe", "1", "--teacher", &teacher]].concat();
    place.train(&more)
}

#[test]
fn killed_again_and_again_a_run_ends_with_the_same_numbers() {
    let whole = Workplace::new();
    assert_eq!(whole.output(arguments(&whole)).status.code(), Some(0));
    let expected = numbers(&whole.run());

    let place = Workplace::new();
    let mut child = place.pellucid(arguments(&place)).stderr(Stdio::null()).spawn().unwrap();
    // A checkpoint is written at every step, so that kills fall into steps, checkpoints and evaluations alike.
    for (number, pause) in [7u64, 90, 41, 153, 19, 230].into_iter().enumerate() {
        let seen = numbers(&place.run()).len();
        place.wait_for_event("a step of this worker", |event| is_step(event) && numbers(&place.run()).len() > seen);
        std::thread::sleep(Duration::from_millis(pause));
        signal("KILL", place.run().worker_info().unwrap().owner.pid);
        let status = child.wait().unwrap();
        assert!(!status.success() || ended(&place.run()), "kill {number}");
        place.wait_for_worker_to_leave();
        let mut again = place.pellucid(["resume", &place.run().root().display().to_string(), "--headless"]);
        child = again.stderr(Stdio::null()).spawn().unwrap();
    }
    child.wait().unwrap();
    assert!(ended(&place.run()));
    assert_eq!(numbers(&place.run()), expected);
    let model =
        |place: &Workplace| std::fs::read(place.run().root().join("checkpoints/last/model.safetensors")).unwrap();
    assert!(model(&place) == model(&whole), "the weights are the same, byte for byte");
}

/// A power cut may take the end of the record and leave the checkpoints: what is missing is done again.
#[test]
fn a_record_that_ends_before_its_checkpoints_is_made_whole_again() {
    let place = Workplace::new();
    let flags = ["--headless", "--max-steps", "24", "--eval-every", "8", "--checkpoint-every", "4", "--probe", "0"];
    assert_eq!(place.output(place.train(&flags)).status.code(), Some(0));
    place.wait_for_worker_to_leave();
    let (run, expected) = (place.run(), numbers(&place.run()));
    let weights = || std::fs::read(run.root().join("checkpoints/last/model.safetensors")).unwrap();
    let (bytes, model) = (std::fs::read(run.events()).unwrap(), weights());
    let kept = LogReader::new(&run.events()).read_new().unwrap();
    let at = kept.iter().position(|record| matches!(&record.event, Event::Step(step) if step.step == 22)).unwrap();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    std::fs::write(run.events(), [lines[..at].concat(), lines[at][..20].to_vec()].concat()).unwrap();
    assert_ne!(numbers(&run), expected);
    let again = place.output(["resume", &run.root().display().to_string(), "--headless"]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    assert_eq!(numbers(&run), expected);
    assert!(weights() == model, "the weights are the same, byte for byte");
    let told = |part: &str| {
        let records = LogReader::new(&run.events()).read_new().unwrap();
        records.iter().any(|record| matches!(&record.event, Event::Alert(alert) if alert.message.contains(part)))
    };
    assert!(told("passed over the checkpoint of step 24: the record ends before it") && told("was torn"));
    assert_eq!(run.escaping_link().unwrap(), None);
}

fn ended(run: &RunDir) -> bool {
    LogReader::new(&run.events()).read_new().unwrap().iter().any(|record| is_end(&record.event))
}

#[test]
fn a_run_that_goes_on_is_not_taken_up_by_another_worker() {
    let place = Workplace::new();
    let mut child =
        place.pellucid(place.train(&["--headless", "--max-steps", "100000"])).stderr(Stdio::null()).spawn().unwrap();
    place.wait_for_event("a step", is_step);
    let again = place.output(["resume", &place.run().root().display().to_string(), "--headless"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("trained by another worker"), "{}", text(&again.stderr));
    signal("INT", child.id());
    child.wait().unwrap();
}

#[test]
fn settings_change_by_command_and_the_log_says_so() {
    let place = Workplace::new();
    let mut child =
        place.pellucid(place.train(&["--headless", "--max-steps", "100000"])).stderr(Stdio::null()).spawn().unwrap();
    place.wait_for_event("a step", is_step);
    let mut socket = UnixStream::connect(place.run().worker_info().unwrap().socket).unwrap();
    let mut replies = BufReader::new(socket.try_clone().unwrap()).lines().map(Result::unwrap);
    let mut ask = |id: u64, command: &str| {
        writeln!(socket, r#"{{"id":{id},"command":{command}}}"#).unwrap();
        replies.find(|line| line.contains("\"reply\"") && line.contains(&format!("\"id\":{id}"))).unwrap()
    };
    assert!(ask(1, r#"{"set":{"key":"lr","value":0.25}}"#).contains("null"));
    assert!(ask(2, r#"{"set":{"key":"l1","value":-1}}"#).contains("must be 0 or more"));
    assert!(ask(3, r#"{"set":{"key":"kd_alpha","value":0.5}}"#).contains("no teacher"));
    assert!(ask(4, "\"step\"").contains("not paused"));
    assert!(ask(5, "\"pause\"").contains("null"));
    assert!(ask(6, "\"step\"").contains("null"));
    let is_set = |event: &Event| matches!(event, Event::Setting(set) if set.key == "lr" && set.value == 0.25);
    place.wait_for_event("the change", is_set);
    signal("INT", child.id());
    child.wait().unwrap();
}
