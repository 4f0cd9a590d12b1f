//! `predict`, `explain`, `bench train`, `doctor`: one JSON line a row, on stdout alone.

use serde_json::Value;

use crate::program::{Workplace, data, text};
use crate::terminal::Terminal;

fn model() -> String {
    data().join("models/teacher").display().to_string()
}

fn lines(place: &Workplace, args: &[&str]) -> Vec<Value> {
    let output = place.output(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn predictions_have_logits_and_probabilities() {
    let (place, model) = (Workplace::new(), model());
    let data = crate::program::data().join("triage/test.jsonl").display().to_string();
    for (args, rows) in [(vec!["--text", "denies chest pain"], 1), (vec!["--data", &data, "--limit", "3"], 3)] {
        let all = [&["predict", "--model", &model, "--json"], args.as_slice()].concat();
        let found = lines(&place, &all);
        assert_eq!(found.len(), rows);
        for row in found {
            let probabilities = row["probs"].as_array().unwrap();
            let sum: f64 = probabilities.iter().map(|value| value.as_f64().unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-5, "{row}");
            assert_eq!(row["logits"].as_array().unwrap().len(), probabilities.len());
            assert!(row["text"].is_string() && row["label"].is_string(), "{row}");
        }
    }
}

#[test]
fn every_explanation_comes_with_its_checks() {
    let (place, model) = (Workplace::new(), model());
    let text = "Patient reports crushing chest pain since morning.";
    let found = lines(&place, &["explain", "--model", &model, "--text", text, "--method", "gxi,ig,lime", "--json"]);
    let (methods, words) = (found[0]["methods"].as_object().unwrap(), found[0]["words"].as_array().unwrap());
    assert_eq!(methods.keys().collect::<Vec<_>>(), ["gxi", "ig", "lime"]);
    for (name, made) in methods {
        assert!(!made["checks"].as_array().unwrap().is_empty(), "{name}: {made}");
        assert_eq!(made["word_scores"].as_array().unwrap().len(), words.len(), "{name}");
    }
}

#[test]
fn the_bench_prints_the_peers_line() {
    let (place, model) = (Workplace::new(), model());
    let data = crate::program::data().join("triage/train.jsonl").display().to_string();
    let args =
        ["bench", "train", "--model", &model, "--data", &data, "--mode", "l1+kd", "--steps", "2", "--batch", "4"];
    let found = lines(&place, &args);
    assert_eq!(found.len(), 1);
    for key in ["mode", "step_ms_median", "examples_per_s", "tokens_per_s", "peak_rss_mb", "loss_first", "loss_last10"]
    {
        assert!(found[0].get(key).is_some(), "no `{key}` in {}", found[0]);
    }
}

#[test]
fn the_doctor_finds_the_worker_and_libtorch() {
    let place = Workplace::new();
    let output = place.output(["doctor"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("ok       worker") && told.contains("ok       libtorch"), "{told}");
    let found = lines(&place, &["doctor", "--json"]);
    let subject = |name: &str| found.iter().find(|line| line["subject"] == name);
    let libtorch = subject("libtorch").unwrap()["detail"].as_str().unwrap();
    assert!(libtorch.contains("libtorch_cpu.so") && !libtorch.starts_with('?'), "{libtorch}");
    for name in ["device", "terminal", "runs", "disk", "sockets"] {
        assert!(subject(name).is_some_and(|line| line["verdict"].is_string()), "no {name} in {found:?}");
    }
}

#[test]
fn the_doctor_asks_the_terminal_and_waits_for_none_that_is_silent() {
    let place = Workplace::new();
    let mut terminal = Terminal::pellucid(&place, &["doctor"]);
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_for("answers no questions");
    terminal.wait_until_restored();
    let mut terminal = Terminal::pellucid(&place, &["doctor"]);
    terminal.send("\u{1b}]11;rgb:1e1e/1e1e/2e2e\u{7}\u{1b}[?2026;2$y\u{1b}[?62;52c");
    assert_eq!(terminal.exit_code(), 0);
    terminal.wait_until("the answers", |screen| {
        ["rgb:1e1e", "shown whole", "can be written to"].iter().all(|part| screen.contains(part))
    });
    terminal.wait_until_restored();
}

#[test]
fn a_failing_worker_is_passed_through() {
    let place = Workplace::new();
    let output = place.output(["predict", "--model", "nowhere", "--text", "a"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.starts_with("error: ") && told.contains("nowhere") && told.lines().count() == 1, "{told}");
}
