//! `pellucid evaluate`: of a model, of any program's answers, and of a run.

use std::fs;

use pellucid_protocol::Event;
use serde_json::Value;

use crate::program::{Workplace, data, is_end, text};

fn evaluated(place: &Workplace, args: &[&str]) -> Value {
    let output = place.output([&["evaluate", "--draws", "200", "--json"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn value(found: &Value, name: &str) -> f64 {
    found["evaluation"]["overall"][name]["value"].as_f64().unwrap()
}

#[test]
fn a_model_a_file_of_its_answers_and_lists_of_numbers_come_to_the_same() {
    let place = Workplace::new();
    let (model, valid) = (data().join("models/teacher").display().to_string(), data().join("triage/valid.jsonl"));
    let valid = valid.display().to_string();
    let of_model = evaluated(&place, &["--model", &model, "--data", &valid]);
    assert_eq!(of_model["classes"], serde_json::json!(["emergency", "routine", "urgent"]));
    assert_eq!((&of_model["chose_the_model"], &of_model["without_label"]), (&false.into(), &0.into()));
    let answers = place.output(["predict", "--model", &model, "--data", &valid, "--json"]);
    fs::write(place.path().join("answers.jsonl"), &answers.stdout).unwrap();
    let of_file = evaluated(&place, &["--predictions", "answers.jsonl"]);
    assert_eq!(of_model["evaluation"], of_file["evaluation"]);
    let told = text(&answers.stderr);
    assert!(told.contains(&format!(
        "accuracy {:.4}, F1 {:.4}",
        value(&of_file, "accuracy"),
        value(&of_file, "macro_f1")
    )));
    // The same from another program, which has lists and numbers.
    let numbered: Vec<String> = text(&answers.stdout)
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let class = ["emergency", "routine", "urgent"].iter().position(|name| line["gold"] == *name);
            serde_json::json!({"probabilities": line["probs"], "gold": class}).to_string()
        })
        .collect();
    fs::write(place.path().join("numbers.jsonl"), numbered.join("\n")).unwrap();
    assert_eq!(evaluated(&place, &["--predictions", "numbers.jsonl"])["evaluation"], of_model["evaluation"]);
}

#[test]
fn it_is_told_in_lines_the_worst_first() {
    let place = Workplace::new();
    let line =
        |gold: &str, p: f64| format!("{{\"probabilities\":{{\"no\":{},\"yes\":{p}}},\"gold\":\"{gold}\"}}\n", 1.0 - p);
    let lines: String = (0..20)
        .map(|row| line(if row < 8 { "yes" } else { "no" }, if (2..17).contains(&row) { 0.2 } else { 0.9 }))
        .collect();
    fs::write(
        place.path().join("a.jsonl"),
        lines + "{\"probs\":[0.5,0.5],\"probabilities\":{\"no\":0.5,\"yes\":0.5}}\n",
    )
    .unwrap();
    let output = place.output(["evaluate", "--predictions", "a.jsonl"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for part in [
        "20 texts: a.jsonl; 6 of 8 yes are missed (75 %)",
        "rows without a label, left out: 1",
        "accuracy              0.550 [0.342, 0.742]   always the most frequent class: 0.600",
        "label \\ answer",
        "intervals: 95 %",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

#[test]
fn a_run_is_evaluated_on_the_texts_that_chose_its_weights_and_says_so() {
    let place = Workplace::new();
    let args = place.train(&["--headless", "--max-steps", "4", "--eval-every", "2", "--probe", "0"]);
    let trained = place.output(args);
    assert_eq!(trained.status.code(), Some(0), "{}", text(&trained.stderr));
    let records = place.wait_for_event("the end", is_end);
    let evals =
        records.into_iter().filter_map(|record| if let Event::Eval(eval) = record.event { Some(eval) } else { None });
    let best = evals.filter(|eval| eval.best).reduce(|_, later| later).unwrap();
    let found = evaluated(&place, &["--run", &place.run().root().display().to_string()]);
    assert_eq!(found["chose_the_model"], true);
    let told = best.metrics.get("valid/accuracy").unwrap();
    assert!((value(&found, "accuracy") - told).abs() < 1e-6, "{best:?}");
}

#[test]
fn what_cannot_be_evaluated_is_one_line() {
    let place = Workplace::new();
    fs::write(place.path().join("bad.jsonl"), "{\"probs\":[0.5,0.5],\"gold\":\"maybe\"}\n").unwrap();
    let model = data().join("models/teacher").display().to_string();
    for (args, code, part) in [
        (vec!["--predictions", "bad.jsonl"], 1, "line 1: its label `maybe` is no class"),
        (vec!["--predictions", "none.jsonl"], 1, "none.jsonl"),
        (vec!["--run", "nothing"], 1, "nothing"),
        (vec!["--model", &model], 2, "--data"),
        (vec![], 2, "--predictions"),
    ] {
        let output = place.output([&["evaluate"], args.as_slice()].concat());
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
        assert!(told.contains(part) && told.trim_end().lines().count() == 1, "{told}");
    }
}
