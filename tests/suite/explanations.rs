//! `pellucid explain` beside torch and `lime` on a tiny model, and in all its formats.

use std::fs;

use serde_json::Value;

use crate::program::{Workplace, checkout, data, text};
use crate::terminal::Terminal;

const WORDS: &str = "a <b>slowly</b> untold plot, not good, not bad";

fn golden() -> String {
    checkout().join("tests/golden/explanations").display().to_string()
}

fn explain(place: &Workplace, args: &[&str]) -> String {
    let output = place.output([&["explain", "--model", &golden(), "--device", "cpu"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn text_of(output: &std::process::Output) -> String {
    text(&output.stderr)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Expected values: `tests/golden/make_explanations.py`.
#[test]
fn scores_are_those_of_torch_and_lime() {
    let place = Workplace::new();
    let expected = fs::read_to_string(format!("{}/expected.jsonl", golden())).unwrap();
    for line in expected.lines() {
        let expected: Value = serde_json::from_str(line).unwrap();
        let written = expected["text"].as_str().unwrap();
        let methods = "grad,gxi,ig,occlusion,lime,kernelshap";
        let found: Value = serde_json::from_str(&explain(
            &place,
            &["--text", written, "--method", methods, "--checks", "gates", "--json"],
        ))
        .unwrap();
        for key in ["text", "tokens", "target"] {
            assert_eq!(found[key], expected[key]);
        }
        assert!(furthest(&numbers(&found["probs"]), &numbers(&expected["probs"])) < 1e-5);
        let words = found["words"].as_array().unwrap().len();
        for (name, method) in expected["methods"].as_object().unwrap() {
            let (ours, theirs) = (numbers(&found["methods"][name]["scores"]), numbers(&method["scores"]));
            assert_eq!(ours.len(), theirs.len(), "{name} of {written}");
            assert_eq!(numbers(&found["methods"][name]["word_scores"]).len(), words);
            // LIME is drawn; so is Kernel SHAP of more tokens than all of whose maskings fit into its samples.
            let (least, most) = match name.as_str() {
                "lime" => (0.98, f64::INFINITY),
                "kernelshap" if theirs.len() > 12 => (0.995, 0.02),
                "ig" => (0.999, 0.02),
                _ => (0.9999, 1e-4),
            };
            let (cosine, furthest) = (cosine(&ours, &theirs), furthest(&ours, &theirs));
            assert!(cosine >= least && furthest <= most, "{name} of {written}: cosine {cosine}, {furthest} off");
        }
    }
}

#[test]
fn a_class_and_a_scalar_can_be_asked_for() {
    let place = Workplace::new();
    let found = |class: &str, scalar: &str| -> Value {
        let args = ["--text", WORDS, "--method", "gxi,kernelshap", "--class", class, "--scalar", scalar, "--json"];
        serde_json::from_str(&explain(&place, &args)).unwrap()
    };
    let (logit, margin) = (found("bad", "logit"), found("0", "margin"));
    for found in [&logit, &margin] {
        assert_eq!((&found["class"], &found["target"]), (&Value::from("bad"), &Value::from(0)));
    }
    assert_eq!(logit["methods"]["kernelshap"]["scalar"], "logit");
    let scores = |found: &Value| numbers(&found["methods"]["gxi"]["word_scores"]);
    assert!(furthest(&scores(&logit), &scores(&margin)) > 1e-3);
    let refused = place.output(["explain", "--model", &golden(), "--text", "good", "--class", "best"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("no class `best`; there are bad, fair, good"));
    assert!(explain(&place, &["--text", "good", "--class", "fair"]).contains("(probability of fair)"));
}

#[test]
fn a_table_has_a_row_a_word() {
    let place = Workplace::new();
    fs::write(
        place.path().join("texts.jsonl"),
        format!("{{\"text\":\"{WORDS}\",\"label\":\"bad\"}}\n{{\"text\":\"good\"}}\n"),
    )
    .unwrap();
    let table = explain(&place, &["--data", "texts.jsonl", "--method", "gxi,lime", "--format", "csv"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 1 + 8 + 1);
    assert!(
        lines[0].ends_with("word,start,end,written,gxi,gxi_trusted,gxi_grade,lime,lime_trusted,lime_grade"),
        "{}",
        lines[0]
    );
    assert!(lines[4].starts_with("1,1,,bad,") && lines[4].contains(",\"plot,\","), "{}", lines[4]);
}

#[test]
fn a_method_that_is_left_out_leaves_its_columns_empty() {
    let place = Workplace::new();
    let methods = ["--method", "gxi,rollout,grad", "--long", "windows", "--format", "csv"];
    let table = explain(&place, &[&["--text", &"good bad plot ".repeat(60)][..], &methods].concat());
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let columns = rows.headers().unwrap().clone();
    let row = rows.records().next().unwrap().unwrap();
    for (name, cell) in columns.iter().zip(&row).skip(11) {
        assert_eq!(cell.is_empty(), name.starts_with("rollout"), "{name}: {cell}");
    }
}

#[test]
fn a_terminal_shows_how_far_a_batch_is_and_what_becomes_of_its_file() {
    let place = Workplace::new();
    let (model, texts) = (data().join("models/teacher"), data().join("triage/train.jsonl"));
    let args = ["explain", "--model", &model.display().to_string(), "--data", &texts.display().to_string()];
    let more = ["--method", "gxi,lime", "--out", "maps.csv"];
    let mut terminal = Terminal::pellucid(&place, &[&args[..], &more].concat());
    terminal.wait_for("text 2 of ");
    terminal.wait_for(" left");
    terminal.send("\u{3}");
    terminal.wait_for("maps.csv is not written");
    assert_eq!(terminal.exit_code(), 130);
    assert!(!place.path().join("maps.csv").exists());
}

#[test]
fn what_has_no_time_is_null_and_words_without_texts_stay_in_step() {
    let place = Workplace::new();
    let lines = explain(&place, &["--text", WORDS, "--method", "gxi,ig,smoothgrad", "--budget", "1us", "--json"]);
    let found: Value = serde_json::from_str(&lines).unwrap();
    assert!(found["methods"]["gxi"]["scores"].is_null() && found["methods"]["gxi"]["word_scores"].is_array());
    assert_eq!(found["left_out"].as_array().unwrap().len(), 2);
    let text = explain(&place, &["--text", WORDS, "--method", "gxi,ig", "--budget", "1us"]);
    assert!(text.contains("integrated gradients is left out: the time had ended"), "{text}");
    let lines = explain(&place, &["--text", "good bad good plot", "--method", "lime", "--json", "--private"]);
    let found: Value = serde_json::from_str(&lines).unwrap();
    let lime = &found["methods"]["lime"];
    assert_eq!(lime["units"].as_array().unwrap().len(), lime["scores"].as_array().unwrap().len());
    let few =
        place.output(["explain", "--model", &golden(), "--text", WORDS, "--method", "kernelshap", "--samples", "9"]);
    assert_eq!(few.status.code(), Some(1));
    assert!(text_of(&few).contains("needs 34; --samples sets them"), "{}", text_of(&few));
}

#[test]
fn a_page_is_whole_needs_nothing_else_and_takes_no_text_for_markup() {
    let place = Workplace::new();
    let methods = "gxi,lime,occlusion,tree,grad";
    explain(&place, &["--text", WORDS, "--method", methods, "--format", "html", "--out", "page.html"]);
    let page = fs::read_to_string(place.path().join("page.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</body>\n</html>\n"));
    assert!(page.contains("&lt;b&gt;slowly&lt;/b&gt;") && !page.contains("<b>slowly"));
    for outside in ["http:", "https:", "src=", "url(", "<script", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<section class=\"map").count(), 5);
    assert!(page.contains("Agreement") && page.contains("probability of") && page.contains("coverage"));
    // A map either passes or says why not.
    assert_eq!(page.matches("class=\"map failed\">\n").count(), page.matches("not to be trusted</small>").count());
    let refused =
        place.output(["explain", "--model", &golden(), "--text", "a", "--format", "html", "--out", "no/p.html"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(text(&refused.stderr).lines().count(), 1);
}

#[test]
fn the_bench_prints_the_peers_lines_and_memory_stays_flat() {
    let place = Workplace::new();
    fs::write(place.path().join("texts.tsv"), "not good\t0\nthe film was good\t1\n").unwrap();
    let model = golden();
    let bench = |rest: &[&str]| -> Vec<Value> {
        let args = [&["bench", "explain", "--model", &model, "--data", "texts.tsv"], rest].concat();
        let output = place.output(args);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let lines = bench(&["--lime-samples", "50", "--shap-samples", "50", "--threads", "1"]);
    assert_eq!(lines.len(), 3);
    for key in ["text", "label", "tokens", "probs", "target", "methods"] {
        assert!(lines[0].get(key).is_some(), "no `{key}` in {}", lines[0]);
    }
    assert_eq!(lines[2]["median_ms"].as_object().unwrap().len(), 6);
    let soak = bench(&["--soak", "600", "--methods", "grad,occlusion,lime", "--lime-samples", "64", "--threads", "1"]);
    assert_eq!(soak[0]["soak"], 600);
    assert!(soak[0]["change_percent"].as_f64().unwrap() < 5.0, "{}", soak[0]);
}
