//! Training without a dashboard: what is printed where, and the exit code.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::Value;

use crate::program::{Workplace, is_end, is_step, signal, text, wait_until};

fn lines(stdout: &[u8]) -> Vec<Value> {
    text(stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn json_is_the_log_line_by_line_and_nothing_else() {
    let place = Workplace::new();
    let args = place.train(&["--headless", "--json", "--max-steps", "12", "--eval-every", "6"]);
    let output = place.output(&args);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let log = std::fs::read_to_string(place.run().events()).unwrap();
    assert_eq!(text(&output.stdout), log);
    let events = lines(&output.stdout);
    let kinds: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], kinds[kinds.len() - 1]), ("started", "ended"));
    assert_eq!(kinds.iter().filter(|&&kind| kind == "step").count(), 12);
    assert!(kinds.contains(&"eval") && kinds.contains(&"checkpoint"));
    let step = events.iter().find(|event| event["event"] == "step").unwrap();
    assert!(step["step"] == 1 && step["metrics"]["loss/total"].is_f64(), "{step}");
    assert!(text(&output.stderr).contains("finished at step 12"));
    place.wait_for_worker_to_leave();
}

#[test]
fn people_are_told_on_stderr() {
    let place = Workplace::new();
    let output = place.output(place.train(&["--headless", "--max-steps", "4", "--eval-every", "2"]));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
    let told = text(&output.stderr);
    for part in ["test began:", "step 2/4", "step 4/4", "finished at step 4"] {
        assert!(told.contains(part), "no `{part}` in:\n{told}");
    }
    assert!(!told.contains('\u{1b}'), "control sequences where there is no terminal");
}

#[test]
fn an_interrupt_stops_after_a_checkpoint() {
    let place = Workplace::new();
    let mut command = place.pellucid(place.train(&["--headless", "--max-steps", "100000"]));
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    place.wait_for_event("a step", is_step);
    signal("INT", child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("stopping after a checkpoint"));
    assert!(place.run().root().join("checkpoints/last/model.safetensors").is_file());
    place.wait_for_event("the end", is_end);
    place.wait_for_worker_to_leave();
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let place = Workplace::new();
    let mut command = place.pellucid(place.train(&["--headless", "--json", "--max-steps", "100000"]));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("\"started\""));
    let status = child.wait().unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(status.code(), Some(0), "{told}");
    assert!(told.contains("the run goes on") && !told.contains("panicked"), "{told}");
}

#[test]
fn without_a_terminal_train_is_headless() {
    let place = Workplace::new();
    let output = place.output(place.train(&["--max-steps", "2"]));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("no dashboard"));
}

#[test]
fn what_the_log_has_can_be_listed_and_exported() {
    let place = Workplace::new();
    place.output(place.train(&["--headless", "--max-steps", "5", "--eval-every", "5"]));
    let table = text(&place.output(["export", "test"]).stdout);
    let titles = table.lines().next().unwrap();
    assert!(titles.starts_with("step,time,epoch,loss/total,loss/task"), "{titles}");
    // The evaluation before the first step has a row of its own.
    assert_eq!(table.lines().count(), 1 + 1 + 5, "{table}");
    let listed = lines(&place.output(["runs", "--json"]).stdout);
    assert_eq!((&listed[0]["name"], &listed[0]["state"]), (&Value::from("test"), &Value::from("finished")));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let metrics = || {
        let place = Workplace::new();
        let args = ["--headless", "--json", "--max-steps", "6", "--seed", "3", "--eval-every", "6"];
        let output = place.output(place.train(&args));
        let mut events = lines(&output.stdout);
        events.retain(|event| event["event"] == "step" || event["event"] == "eval");
        events.iter().map(|event| untimed(&event["metrics"])).collect::<Vec<_>>()
    };
    let first = metrics();
    assert!(!first.is_empty());
    assert_eq!(first, metrics());
}

/// The metrics without those of speed.
fn untimed(metrics: &Value) -> Vec<(String, Value)> {
    let all = metrics.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone()));
    all.filter(|(name, _)| !name.starts_with("speed/") && !name.starts_with("system/")).collect()
}

#[test]
fn the_demo_runs_on_each_of_the_three_sets() {
    for set in ["triage", "credit", "clauses"] {
        let place = Workplace::new();
        let output = place.output(["demo", set, "--headless", "--json", "--max-steps", "2"]);
        assert_eq!(output.status.code(), Some(0), "{set}: {}", text(&output.stderr));
        let started = &lines(&output.stdout)[0];
        assert!(started["run"].as_str().unwrap().ends_with(set) && started["teacher"].is_object(), "{started}");
    }
}

#[test]
fn a_settings_file_stands_under_the_flags() {
    let place = Workplace::new();
    let data = crate::program::data();
    let config = place.path().join("run.toml");
    let settings = format!(
        "model = {:?}\ntrain = {:?}\nvalid = {:?}\nmax_steps = 3\nseed = 5\nbatch_size = 4\n",
        data.join("models/student"),
        data.join("triage/train.jsonl"),
        data.join("triage/valid.jsonl")
    );
    std::fs::write(&config, settings).unwrap();
    let args = ["train", "--config", "run.toml", "--headless", "--json", "--seed", "6", "--run-dir", "runs/test"];
    let started = lines(&place.output(args).stdout)[0].clone();
    assert_eq!((&started["settings"]["seed"], &started["settings"]["max_steps"]), (&Value::from(6), &Value::from(3)));
}

#[test]
fn a_terminated_dashboardless_run_stops_too() {
    let place = Workplace::new();
    let mut command = place.pellucid(place.train(&["--headless", "--max-steps", "100000"]));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    place.wait_for_event("a step", is_step);
    signal("TERM", child.id());
    wait_until("the end", || child.try_wait().unwrap().is_some_and(|status| status.code() == Some(130)));
}

#[test]
fn settings_are_printed_back_complete_and_read_again() {
    let place = Workplace::new();
    let args =
        place.train(&["--print-settings", "--lr", "3e-4", "--freeze", "layers:1", "--class-weights", "balanced"]);
    let first = place.output(&args);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let printed = text(&first.stdout);
    for line in ["lr = 0.0003", "freeze = [\"layers:1\"]", "class_weights = \"balanced\"", "label_smoothing = 0.0"] {
        assert!(printed.lines().any(|known| known == line), "no `{line}` in\n{printed}");
    }
    let path = place.path().join("run.toml");
    std::fs::write(&path, &printed).unwrap();
    let again = place.output(["train", "--print-settings", "--config", &path.display().to_string()]);
    assert_eq!(text(&again.stdout), printed);
    std::fs::write(&path, printed.replace("label_smoothing", "label_smothing")).unwrap();
    let wrong = place.output(["train", "--config", &path.display().to_string()]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("did you mean `label_smoothing`?"), "{}", text(&wrong.stderr));
    assert!(!place.run().root().exists());
}
