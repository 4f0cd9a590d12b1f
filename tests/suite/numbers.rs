//! A model whose answers are no numbers: each such row is an error with its place, the other rows are written, and
//! neither a class nor a number is made up.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::program::{Workplace, data, text};

/// A word of the vocabulary of the teacher of triage.
const WORD: &str = "chest";
const TABLE: &str = "bert.embeddings.word_embeddings.weight";

/// A copy of the teacher in which the row of `word` in the table of words holds numbers with these bits. The table is of
/// the type BF16, which has room for numbers whose sum has none in 32 bits.
pub(crate) fn model_with(place: &Workplace, word: &str, bits: u16) -> PathBuf {
    let (from, to) = (data().join("models/teacher"), place.path().join("model"));
    std::fs::create_dir(&to).unwrap();
    for name in ["config.json", "tokenizer.json"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
    let tokenizer: Value = serde_json::from_slice(&std::fs::read(from.join("tokenizer.json")).unwrap()).unwrap();
    let row = tokenizer["model"]["vocab"][word].as_u64().unwrap();
    let file = std::fs::read(from.join("model.safetensors")).unwrap();
    let (length, rest) = file.split_first_chunk().unwrap();
    let (header, tensors) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
    let mut header: Value = serde_json::from_slice(header).unwrap();
    let table = &mut header[TABLE];
    let hidden = table["shape"][1].as_u64().unwrap();
    let begin = usize::try_from(table["data_offsets"][0].as_u64().unwrap() + row * hidden * 2).unwrap();
    table["dtype"] = "BF16".into();
    let mut tensors = tensors.to_vec();
    let end = begin + usize::try_from(hidden).unwrap() * 2;
    tensors[begin..end].chunks_mut(2).for_each(|number| number.copy_from_slice(&bits.to_le_bytes()));
    let header = header.to_string().into_bytes();
    let length = (header.len() as u64).to_le_bytes();
    std::fs::write(to.join("model.safetensors"), [&length[..], &header, &tensors].concat()).unwrap();
    to
}

/// The largest numbers of BF16: a text with the word overflows, all others do not.
pub(crate) const ENORMOUS: u16 = 0x7f7f;

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Rows, the second of which has the word.
fn rows(place: &Workplace) -> String {
    let path = place.path().join("rows.jsonl");
    let texts = ["no fever today", "severe chest pain", "a small cut"];
    let lines: String = texts.iter().map(|text| format!("{{\"text\":\"{text}\",\"label\":\"urgent\"}}\n")).collect();
    std::fs::write(&path, lines).unwrap();
    shown(&path)
}

/// The one error of an output with exit code 1.
fn error(output: &Output) -> String {
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let errors: Vec<&str> = told.lines().filter(|line| line.starts_with("error: ")).collect();
    let [error] = errors.as_slice() else { panic!("{told}") };
    (*error).to_owned()
}

const EXPECTED: &str = "rows.jsonl:2: the model's answer is not a number";

#[test]
fn a_row_without_an_answer_is_named_and_the_others_are_predicted() {
    let place = Workplace::new();
    let (model, rows) = (shown(&model_with(&place, WORD, ENORMOUS)), rows(&place));
    let output = place.output(["predict", "--model", &model, "--data", &rows, "--json"]);
    let told = error(&output);
    assert!(told.contains(EXPECTED) && told.contains("from bert.embeddings on"), "{told}");
    let lines: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line["label"].is_string()).count(), 2, "{lines:?}");
    assert!(lines[1]["error"].as_str().unwrap().contains(EXPECTED) && lines[1]["text"] == "severe chest pain");
    assert!(!text(&output.stdout).contains("null") && text(&output.stderr).contains("on 2 labelled rows of 3"));
    let output = place.output(["predict", "--model", &model, "--data", &rows]);
    assert!(error(&output).contains(EXPECTED));
    let shown = text(&output.stdout);
    assert!(shown.lines().count() == 2 && !shown.contains("NaN") && !shown.contains("chest"), "{shown}");
    let output = place.output(["predict", "--model", &model, "--text", "severe chest pain"]);
    assert!(error(&output).contains("the text: the model's answer is not a number") && output.stdout.is_empty());
}

#[test]
fn a_row_without_an_answer_has_no_explanation_in_any_format() {
    let place = Workplace::new();
    let (model, rows) = (shown(&model_with(&place, WORD, ENORMOUS)), rows(&place));
    for format in ["text", "json", "csv", "html"] {
        let args = ["explain", "--model", &model, "--data", &rows, "--method", "gxi,occlusion", "--format", format];
        let output = place.output(args);
        let told = error(&output);
        assert!(told.contains(EXPECTED), "{format}: {told}");
        // Where the error stands among the explanations it says which number.
        let written = text(&output.stdout).replace("(NaN)", "");
        assert!(
            written.contains("fever") && written.contains("cut") && !written.contains("NaN"),
            "{format}: {written}"
        );
        assert_eq!(written.contains("not a number"), matches!(format, "json" | "html"), "{format}: {written}");
    }
}

#[test]
fn many_rows_without_an_answer_are_counted() {
    let place = Workplace::new();
    let model = shown(&model_with(&place, WORD, ENORMOUS));
    let path = place.path().join("rows.tsv");
    std::fs::write(&path, "text\tlabel\n".to_owned() + &"severe chest pain\turgent\n".repeat(30)).unwrap();
    let output = place.output(["predict", "--model", &model, "--data", &shown(&path), "--json"]);
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), told.lines().count()), (Some(1), 21), "{told}");
    assert!(told.ends_with("error: 10 more rows have no answer: 30 of 30 in all\n"), "{told}");
    assert_eq!(text(&output.stdout).lines().count(), 30);
}

#[test]
fn weights_that_are_no_numbers_are_refused_by_name() {
    let place = Workplace::new();
    // A NaN of BF16.
    let model = shown(&model_with(&place, WORD, 0x7fc0));
    let output = place.output(["predict", "--model", &model, "--text", "no fever today"]);
    let told = error(&output);
    assert!(told.contains(&format!("model.safetensors: the tensor {TABLE} holds NaN")), "{told}");
}

#[test]
fn nobody_learns_from_a_teacher_whose_answers_are_no_numbers() {
    let place = Workplace::new();
    let model = shown(&model_with(&place, WORD, ENORMOUS));
    for (flag, told) in [("--train", "the teacher, training text "), ("--valid", "the teacher, validation text ")] {
        let path = place.path().join("with.tsv");
        std::fs::write(&path, "text\tlabel\nsevere chest pain\turgent\na small cut\troutine\nhe is dying\temergency\n")
            .unwrap();
        let other = place.path().join("without.tsv");
        std::fs::write(&other, "text\tlabel\nno fever\turgent\na small cut\troutine\nhe is dying\temergency\n")
            .unwrap();
        let (train, valid) = if flag == "--train" { (&path, &other) } else { (&other, &path) };
        let (train, valid) = (shown(train), shown(valid));
        let run = shown(&place.path().join(&flag[2..]));
        let args = ["--train", &train, "--valid", &valid, "--teacher", &model, "--run-dir", &run];
        let more = [&args[..], &["--headless", "--max-steps", "2", "--device", "cpu"]].concat();
        let output = place.output(place.train(&more));
        let said = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(told) && said.contains("the model's answer is not a number"), "{said}");
    }
}
