//! Wrong input: one clear line that names file, line or key, the right exit code, and nothing half-written.

use std::path::{Path, PathBuf};

use crate::program::{Workplace, data, text};

/// Trains with `more`, which must fail with `code` and one line that has all of `parts`.
fn refused(place: &Workplace, more: &[&str], code: i32, parts: &[&str]) {
    let mut more = more.to_vec();
    more.extend(["--headless", "--json", "--max-steps", "2"]);
    let output = place.output(place.train(&more));
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    let errors: Vec<_> = told.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!((errors.len(), told.lines().last()), (1, errors.first().copied()), "{told}");
    for part in parts {
        assert!(errors[0].contains(part), "no `{part}` in: {}", errors[0]);
    }
    assert!(!told.contains("Location:") && !told.contains("panicked") && !told.contains("Traceback"), "{told}");
    assert_eq!(text(&output.stdout), "");
    assert!(!place.run().root().exists(), "a run folder was left behind");
}

fn file(place: &Workplace, name: &str, content: &[u8]) -> String {
    let path = place.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.display().to_string()
}

/// A copy of the student, without the files in `without`.
fn model(place: &Workplace, without: &[&str]) -> PathBuf {
    let (from, to) = (data().join("models/student"), place.path().join("model"));
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_file() && !without.contains(&name.to_str().unwrap()) {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
    to
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_missing_column_is_named() {
    let place = Workplace::new();
    let path = file(&place, "no-label.csv", b"text,colour\na fine day,blue\n");
    refused(&place, &["--train", &path], 1, &["no-label.csv", "label"]);
}

#[test]
fn a_missing_key_of_a_row_is_named_with_its_line() {
    let place = Workplace::new();
    let path = file(&place, "t.jsonl", b"{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\"}\n");
    refused(&place, &["--train", &path], 1, &["t.jsonl:2:", "label"]);
}

#[test]
fn a_label_that_training_does_not_know_is_named() {
    let place = Workplace::new();
    let train = file(&place, "t.tsv", b"text\tlabel\none\tgood\ntwo\tbad\n");
    let valid = file(&place, "v.tsv", b"text\tlabel\none\tgood\ntwo\tugly\n");
    refused(&place, &["--train", &train, "--valid", &valid], 1, &["v.tsv:3:", "ugly"]);
}

#[test]
fn shares_and_limits_that_leave_nothing_are_refused() {
    let place = Workplace::new();
    let rows: String = (0..60).map(|row| format!("some words {row},{}\n", ["x", "y"][row % 2])).collect();
    let path = file(&place, "t.csv", format!("text,label\n{rows}").as_bytes());
    refused(&place, &["--train", &path, "--valid", "0.999"], 1, &["t.csv: no row is left to train on"]);
    for limit in ["1", "2"] {
        refused(
            &place,
            &["--train", &path, "--valid", "10%", "--max-tokens", limit],
            1,
            &["--max-tokens: ", "leaves no room for a word"],
        );
    }
}

#[test]
fn a_run_folder_is_no_model_and_an_empty_text_is_none() {
    let place = Workplace::new();
    let best = place.path().join("run/checkpoints/best");
    std::fs::create_dir_all(&best).unwrap();
    let told = |model: &str, words: &str| {
        let output = place.output(["predict", "--model", model, "--text", words]);
        assert!(output.status.code() != Some(0), "{}", text(&output.stdout));
        text(&output.stderr).to_owned()
    };
    let of_run = told(&shown(&place.path().join("run")), "a fine day");
    assert!(of_run.contains(&format!("is the folder of a run; its best model is {}", best.display())), "{of_run}");
    let empty = told(&shown(&data().join("models/student")), "  ");
    assert!(empty.contains("--text: is empty; give a text"), "{empty}");
}

#[test]
fn what_the_worker_refuses_of_data_is_told_once() {
    let place = Workplace::new();
    let path = file(&place, "t.jsonl", b"{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",,}\n");
    let output = place.output(["data", &path, "--model", &shown(&data().join("models/student"))]);
    let told = text(&output.stderr);
    assert!(output.status.code() == Some(1) && told.lines().count() == 1, "{told}");
    assert!(told.starts_with("error: ") && told.contains("t.jsonl:2:"), "{told}");
}

#[test]
fn an_empty_file_is_named() {
    let place = Workplace::new();
    for name in ["t.csv", "t.jsonl", "t.tsv"] {
        let path = file(&place, name, b"");
        refused(&place, &["--train", &path], 1, &[name]);
    }
}

#[test]
fn a_row_that_is_not_utf8_is_named() {
    let place = Workplace::new();
    let path = file(&place, "t.tsv", b"text\tlabel\nfine\tgood\ncaf\xe9\tbad\n");
    refused(&place, &["--train", &path], 1, &["t.tsv:3:", "UTF-8"]);
}

#[test]
fn a_model_without_its_tokenizer_is_named() {
    let place = Workplace::new();
    let folder = model(&place, &["tokenizer.json"]);
    refused(&place, &["--model", &shown(&folder)], 1, &[&shown(&folder), "tokenizer.json"]);
}

#[test]
fn a_pickle_is_refused_with_a_remedy() {
    let place = Workplace::new();
    let folder = model(&place, &["model.safetensors"]);
    std::fs::write(folder.join("pytorch_model.bin"), b"\x80\x02").unwrap();
    refused(&place, &["--model", &shown(&folder)], 1, &["pytorch_model.bin", "`pellucid import "]);
}

#[test]
fn a_teacher_of_another_trade_is_named() {
    let place = Workplace::new();
    let teacher = shown(&data().join("models/teacher-credit"));
    refused(&place, &["--teacher", &teacher], 1, &["teacher-credit", "approve", "emergency"]);
}

#[test]
fn settings_out_of_range_are_wrong_usage() {
    let place = Workplace::new();
    refused(&place, &["--l1", "-0.1"], 2, &["--l1", "-0.1"]);
    refused(&place, &["--l2=-1"], 2, &["--l2"]);
    refused(&place, &["--lr", "nan"], 2, &["--lr"]);
    refused(&place, &["--kd-alpha", "1.5"], 2, &["--kd-alpha"]);
}

#[test]
fn a_settings_file_is_named_with_its_line() {
    let place = Workplace::new();
    let path = file(&place, "run.toml", b"seed = 1\nl1 = -3\n");
    refused(&place, &["--config", &path], 2, &["run.toml:2:", "l1"]);
    let path = file(&place, "other.toml", b"learning_rate = 3\n");
    refused(&place, &["--config", &path], 2, &["other.toml:1:", "learning_rate"]);
}

#[test]
fn a_missing_folder_or_file_is_named() {
    let place = Workplace::new();
    refused(&place, &["--model", "nowhere"], 1, &["nowhere"]);
    refused(&place, &["--train", "nothing.csv"], 1, &["nothing.csv"]);
    refused(&place, &["--config", "none.toml"], 1, &["none.toml"]);
}

#[test]
fn text_that_would_steer_the_terminal_is_shown_not_sent() {
    let place = Workplace::new();
    let train = file(&place, "t.tsv", b"text\tlabel\none\tgood\ntwo\tbad\n");
    let valid = file(&place, "v.tsv", b"text\tlabel\none\tev\x1b]0;il\x07\n");
    let more = ["--train", &train, "--valid", &valid];
    refused(&place, &more, 1, &["v.tsv:2:"]);
    let output = place.output(place.train(&[&more[..], &["--headless"]].concat()));
    assert!(!output.stderr.contains(&0x1b) && !output.stderr.contains(&0x07));
}

#[test]
fn wrong_usage_is_2_and_what_cannot_be_done_1() {
    let place = Workplace::new();
    let code = |args: &[&str]| place.output(args).status.code();
    assert_eq!(code(&["fly"]), Some(2));
    assert_eq!(code(&["train", "--json"]), Some(2));
    assert_eq!(code(&["train"]), Some(2));
    assert_eq!(code(&["export", "no-such-run"]), Some(1));
    assert_eq!(code(&["attach"]), Some(1));
    assert_eq!(code(&["--help"]), Some(0));
}

#[test]
fn a_missing_worker_is_one_line() {
    let place = Workplace::new();
    let mut command = place.pellucid(place.train(&["--headless"]));
    let output = command.env("PELLUCID_WORKER", "/nowhere/worker").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr).lines().count(), 1);
    assert!(text(&output.stderr).contains("/nowhere/worker"));
}
