//! Data as people have them: odd columns, shares, groups, leaks; read rightly from the training to the prediction.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pellucid_protocol::Event;
use serde_json::Value;

use crate::program::{Workplace, signal, text};
use crate::terminal::Terminal;

const SMALL: [&str; 9] =
    ["--headless", "--max-steps", "4", "--eval-every", "4", "--checkpoint-every", "2", "--probe", "0"];

/// A file of notes of patients, whose columns have no usual names.
fn notes(place: &Workplace, name: &str, rows: usize) -> String {
    let mut table = "patient,diagnosis_group,note_body\n".to_owned();
    for row in 0..rows {
        let (group, word) = [("cardiac", "chest"), ("skin", "rash"), ("other", "cough")][row % 3];
        writeln!(table, "p{},{group},\"{word}, seen by nurse {row} this morning\"", row / 4).unwrap();
    }
    let path = place.path().join(name);
    fs::write(&path, table).unwrap();
    path.display().to_string()
}

fn train(place: &Workplace, train: &str, valid: &str, more: &[&str]) -> (Option<i32>, String) {
    let files = ["--train", train, "--valid", valid];
    let output = place.output(place.train(&[&SMALL[..], &files, more].concat()));
    place.wait_for_worker_to_leave();
    (output.status.code(), text(&output.stderr))
}

const COLUMNS: [&str; 4] = ["--text-column", "note_body", "--label-column", "diagnosis_group"];

fn best(place: &Workplace) -> String {
    place.run().root().join("checkpoints/best").display().to_string()
}

#[test]
fn columns_that_nobody_can_know_are_shown_and_the_flags_to_type_work() {
    let place = Workplace::new();
    let file = notes(&place, "notes.csv", 60);
    let (code, told) = train(&place, &file, "0.2", &[]);
    assert_eq!(code, Some(1));
    let wanted = "`patient`: 15 values; `diagnosis_group`: 3 values; `note_body`: 60 texts of 7 words in the median; give \
                  --text-column note_body --label-column diagnosis_group";
    assert!(told.contains(wanted) && !place.run().root().exists(), "{told}");
    let (code, told) = train(&place, &file, "0.2", &COLUMNS);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("columns not used: patient") && told.contains("48 for training, 12 for validation"),
        "{told}"
    );
}

#[test]
fn a_checkpoint_knows_the_columns_and_the_limit_that_it_was_trained_with() {
    let place = Workplace::new();
    let file = notes(&place, "notes.csv", 60);
    assert_eq!(train(&place, &file, &file, &[&COLUMNS[..], &["--max-tokens", "6"]].concat()).0, Some(0));
    let output = place.output(["predict", "--model", &best(&place), "--data", &file, "--json"]);
    let rows: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((output.status.code(), rows.len()), (Some(0), 60), "{}", text(&output.stderr));
    assert!(rows.iter().all(|row| row["cut_words"].as_u64().unwrap() > 0 && row["gold"].is_string()), "{}", rows[0]);
    assert!(text(&output.stderr).contains("60 of 60 texts were cut"));
    // Another file, in which no column has the name.
    let other = place.path().join("other.csv");
    fs::write(&other, "patient_id,note\n17,a cough this morning\n18,a rash\n").unwrap();
    let output = place.output(["predict", "--model", &best(&place), "--data", other.to_str().unwrap()]);
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("give --text-column note"));
    let csv = place.path().join("out.csv");
    let args =
        ["predict", "--model", &best(&place), "--data", &file, "--format", "csv", "--out", csv.to_str().unwrap()];
    assert_eq!(place.output(args).status.code(), Some(0));
    let table = fs::read_to_string(csv).unwrap();
    assert!(table.starts_with("row,text,gold,prediction,cut_words,p(cardiac),p(other),p(skin)\n"), "{table}");
    assert_eq!(table.lines().count(), 61);
}

#[test]
fn a_split_is_repeatable_keeps_groups_together_and_survives_a_resume() {
    let (place, again) = (Workplace::new(), Workplace::new());
    let more = [&COLUMNS[..], &["--group-column", "patient", "--test", "0.2"]].concat();
    let split = |place: &Workplace| {
        let file = notes(place, "notes.csv", 240);
        let (code, told) = train(place, &file, "0.2", &more);
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains("no group on two sides") && !told.contains("leak"), "{told}");
        let split: Value = serde_json::from_slice(&fs::read(place.run().split()).unwrap()).unwrap();
        let rows = |part: &str| -> Vec<usize> {
            split[part].as_array().unwrap().iter().map(|row| row["line"].as_u64().unwrap() as usize).collect()
        };
        (rows("valid"), rows("test"), split["files"][0]["sha256"].clone())
    };
    let (valid, test, hash) = split(&place);
    assert_eq!((valid.clone(), test.clone(), hash), split(&again));
    // Line 2 is the first row; four rows are of one patient.
    let patients = |lines: &[usize]| lines.iter().map(|line| (line - 2) / 4).collect::<std::collections::BTreeSet<_>>();
    assert!(patients(&valid).is_disjoint(&patients(&test)) && valid.len() % 4 == 0);
    assert!((40..=56).contains(&valid.len()) && (40..=56).contains(&test.len()), "{valid:?} {test:?}");
}

#[test]
fn a_run_is_not_resumed_on_other_validation_or_test_data() {
    let place = Workplace::new();
    let (file, valid) = (notes(&place, "notes.csv", 60), notes(&place, "valid.csv", 30));
    let test = notes(&place, "test.csv", 30);
    let flags = ["--headless", "--max-steps", "100000", "--checkpoint-every", "5", "--probe", "0"];
    let files = ["--train", file.as_str(), "--valid", valid.as_str(), "--test", test.as_str()];
    let mut command = place.pellucid(place.train(&[&flags[..], &files, &COLUMNS].concat()));
    let mut child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    place.wait_for_event(
        "a checkpoint",
        |event| matches!(event, pellucid_protocol::Event::Checkpoint(saved) if saved.step >= 10),
    );
    signal("KILL", place.run().worker_info().unwrap().owner.pid);
    child.wait().unwrap();
    place.wait_for_worker_to_leave();
    for part in ["test", "valid"] {
        let name = format!("{part}.csv");
        notes(&place, &name, 12);
        let output = place.output(["resume", place.run().root().to_str().unwrap(), "--headless"]);
        let told = text(&output.stderr);
        let wanted = format!("{name}: the {part}");
        assert!(output.status.code() == Some(1) && told.contains(&wanted) && told.contains("has changed"), "{told}");
        notes(&place, &name, 30);
    }
}

#[test]
fn leaks_and_words_that_give_a_label_away_are_said_before_the_first_step() {
    let place = Workplace::new();
    let (file, valid) = (notes(&place, "notes.csv", 60), notes(&place, "valid.csv", 30));
    let output = place.output([&["data", &file, &valid][..], &COLUMNS].concat());
    let told = text(&output.stdout);
    assert!(told.starts_with("leak: 30 rows of ") && told.contains("gives away: `chest` in 20 rows, 100 %"), "{told}");
    let (code, told) = train(&place, &file, &valid, &COLUMNS);
    assert!(code == Some(0) && told.contains("leak: 30 rows of validation are in training as well"), "{told}");
    fs::remove_dir_all(place.run().root()).unwrap();
    let (code, told) = train(&place, &file, &valid, &[&COLUMNS[..], &["--drop-leaks"]].concat());
    assert!(code == Some(0) && told.contains("30 training and 30 validation examples"), "{told}");
    assert!(!told.contains("leak: "), "{told}");
}

#[test]
fn labels_that_the_model_does_not_know_count_as_wrong_and_a_reader_may_go() {
    let place = Workplace::new();
    let file = notes(&place, "notes.csv", 60);
    assert_eq!(train(&place, &file, &file, &COLUMNS).0, Some(0));
    let mixed: PathBuf = place.path().join("mixed.csv");
    fs::write(&mixed, "note_body,diagnosis_group\nchest pain,cardiac\nodd,unheard\nolder,unheard\n").unwrap();
    let output = place.output(["predict", "--model", &best(&place), "--data", mixed.to_str().unwrap()]);
    let told = text(&output.stderr);
    assert!(told.contains("`unheard` (2 rows, the first in line 3)"), "{told}");
    assert!(told.contains("on 3 labelled rows of 3, 2 of them with unknown labels"), "{told}");
    // Of labels beyond the limit nothing is said, and a long list is cut.
    let many: String = (0..40).map(|row| format!("words {row},unheard {row}\n")).collect();
    fs::write(&mixed, format!("note_body,diagnosis_group\nchest pain,cardiac\n{many}")).unwrap();
    let args = ["predict", "--model", &best(&place), "--data", mixed.to_str().unwrap(), "--limit", "21"];
    let output = place.output(args);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("`unheard 9` (1 row, the first in line 12), 10 more; its classes"), "{told}");
    let line = format!(
        "{} predict --model {} --data {file} --json | head -1",
        crate::program::program("pellucid").display(),
        best(&place)
    );
    let piped = std::process::Command::new("sh").args(["-c", &line]).envs(place.environment()).output().unwrap();
    let told = text(&piped.stderr);
    // The reader may go before all is written, or after it.
    assert_eq!(text(&piped.stdout).lines().count(), 1);
    assert!(told.contains("columns not used: patient") && !told.contains("error"), "{told}");
}

#[test]
fn long_texts_are_read_in_windows_from_the_training_to_the_explanation() {
    let place = Workplace::new();
    let file = notes(&place, "notes.csv", 60);
    let (code, told) = train(&place, &file, &file, &[&COLUMNS[..], &["--max-tokens", "6", "--stride", "1"]].concat());
    assert!(code == Some(2) || code == Some(1), "{told}");
    assert!(told.contains("--stride") && told.contains("add --long windows"), "{told}");
    let long = ["--max-tokens", "6", "--long", "windows", "--stride", "1", "--window-pooling", "max"];
    let (code, told) = train(&place, &file, &file, &[&COLUMNS[..], &long].concat());
    assert_eq!(code, Some(0), "{told}");
    let said = "read in windows of 6 tokens that share 1 with the next; the highest logit of each class counts";
    assert!(told.contains(&format!("60 of 60 training texts are {said}")), "{told}");
    let predict = |more: &[&str]| {
        let model = best(&place);
        let args = [&["predict", "--model", &model, "--data", &file, "--json"], more].concat();
        let output = place.output(args);
        let rows = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
        (rows, text(&output.stderr).to_owned())
    };
    let (rows, told) = predict(&[]);
    assert!(told.contains(said), "{told}");
    assert!(rows.iter().all(|row| row["windows"].as_u64().unwrap() > 1 && row["cut_words"] == 0), "{}", rows[0]);
    let (cut, _) = predict(&["--long", "truncate"]);
    assert!(cut.iter().all(|row| row["windows"] == 1 && row["cut_words"].as_u64().unwrap() > 0), "{}", cut[0]);
    assert_ne!(rows[0]["logits"], cut[0]["logits"]);
    let args = ["explain", "--model", &best(&place), "--data", &file, "--limit", "1", "--method", "gxi", "--json"];
    let output = place.output(args);
    let explained: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(explained["words"].as_array().unwrap().len(), 7, "{explained}");
}

/// Notes in which each row has a word that is in no other row, with ids that say nothing of them.
fn secret_notes(place: &Workplace, rows: usize) -> (String, Vec<String>) {
    let mut table = "patient,diagnosis_group,note_body\n".to_owned();
    let secrets: Vec<String> =
        (0..rows).map(|row| format!("Quill{}zan", (b'a' + (row % 26) as u8) as char).repeat(1 + row / 26)).collect();
    for (row, secret) in secrets.iter().enumerate() {
        let (group, word) = [("cardiac", "chest"), ("skin", "rash"), ("other", "cough")][row % 3];
        writeln!(table, "p{row},{group},\"{word}, {secret} was seen this morning\"").unwrap();
    }
    let path = place.path().join("secret.csv");
    fs::write(&path, table).unwrap();
    (path.display().to_string(), secrets)
}

/// The files below `folder` that hold one of `words`.
fn holding(folder: &Path, words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(holding(&entry, words));
        } else if let Ok(content) = fs::read(&entry) {
            let content = String::from_utf8_lossy(&content).to_lowercase();
            if let Some(word) = words.iter().find(|word| content.contains(&word.to_lowercase())) {
                found.push(format!("{}: {word}", entry.display()));
            }
        }
    }
    found
}

/// Explains a sample on the dashboard: who looks at it sees its words.
fn explain_a_sample(place: &Workplace) {
    let mut terminal = Terminal::pellucid(place, &["attach", "test"]);
    terminal.wait_until("the end", |screen| screen.to_lowercase().contains("finished"));
    terminal.send("3");
    terminal.wait_until("a row by its name", |screen| screen.contains(" p"));
    terminal.send("e");
    terminal.wait_until("the text", |screen| screen.contains("Quill"));
    place.wait_for_event("an explanation", |event| matches!(event, Event::Explained(_)));
    terminal.send("q");
    assert_eq!(terminal.exit_code(), 0);
    place.wait_for_worker_to_leave();
}

#[test]
fn of_a_private_run_no_text_is_written_anywhere() {
    let place = Workplace::new();
    let (file, secrets) = secret_notes(&place, 60);
    let columns = [&COLUMNS[..], &["--id-column", "patient"]].concat();
    let run = |more: &[&str]| {
        let all = [&SMALL[..7], &["--train", &file, "--valid", "0.3", "--probe", "4"], &columns, more].concat();
        let output = place.output(place.train(&all));
        place.wait_for_worker_to_leave();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    };
    run(&[]);
    assert!(!holding(place.run().root(), &secrets).is_empty(), "the words are found where they are");
    fs::remove_dir_all(place.run().root()).unwrap();
    run(&["--private"]);
    explain_a_sample(&place);
    let root = place.run().root().to_owned();
    let run = root.display().to_string();
    for args in [
        vec!["report", &run],
        vec!["export", &run, "--format", "jsonl"],
        vec!["screenshot", &run, "--screen", "samples", "--out", "picture.svg"],
    ] {
        let output = place.output(&args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
        fs::write(place.path().join("printed.txt"), [output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(holding(place.path(), &secrets), [format!("{file}: {}", secrets[0])], "{args:?}");
    }
    let model = best(&place);
    for (command, format) in
        [("predict", "jsonl"), ("predict", "csv"), ("predict", "parquet"), ("explain", "json"), ("explain", "html")]
    {
        let out = format!("{command}.{format}");
        let mut args = vec![command, "--model", &model, "--data", &file, "--id-column", "patient", "--private"];
        args.extend(["--format", format, "--out", &out, "--limit", "5"]);
        let output = place.output(&args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
        let written = fs::read(place.path().join(&out)).unwrap();
        assert!(String::from_utf8_lossy(&written).contains("p3"), "{out} names its rows");
    }
    let answers = fs::read_to_string(place.path().join("predict.jsonl")).unwrap();
    let rows: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.iter().all(|row| row["text"].is_null() && row["id"].is_string()), "{}", rows[0]);
    let table = fs::read_to_string(place.path().join("predict.csv")).unwrap();
    assert!(table.starts_with("id,row,text,gold,") && table.contains("\np3,4,,cardiac,"), "{table}");
    no_cell_is_told(&place, &file, &secrets);
    fs::remove_file(&file).unwrap();
    assert_eq!(holding(place.path(), &secrets), [""; 0]);
    let samples = fs::read_to_string(root.join("samples.jsonl")).unwrap();
    assert!(samples.lines().all(|line| line.contains("\"text\":\"p")), "{samples}");
    let log = fs::read_to_string(root.join("events.jsonl")).unwrap();
    let explained = log.lines().find(|line| line.contains("\"explained\"")).unwrap();
    assert!(explained.contains("\"masked\":\"p") && explained.contains('\u{2022}'), "{explained}");
    let report = fs::read_to_string(root.join("report.md")).unwrap();
    assert!(report.contains("the run is private and keeps no texts"), "{report}");
}

/// What is said of private data that are wrong, or whose columns are named wrongly, quotes none of their cells.
fn no_cell_is_told(place: &Workplace, file: &str, secrets: &[String]) {
    let (model, alone, none) = (best(place), place.path().join("alone.csv"), place.path().join("none.csv"));
    fs::write(&alone, format!("{} a b\n{} c d\n", secrets[0], secrets[1])).unwrap();
    fs::write(&none, format!("{0} a b,{1} c,1\n{1} a b,{0} c,2\n", secrets[0], secrets[1])).unwrap();
    let (alone, none) = (alone.display().to_string(), none.display().to_string());
    let swapped = ["--text-column", "diagnosis_group", "--label-column", "note_body"];
    let predict = ["predict", "--model", &model, "--private", "--data"];
    let ids = |column: &str| -> Vec<String> {
        predict.iter().chain(&[file, "--id-column", column]).map(|word| (*word).to_owned()).collect()
    };
    let other = place.path().join("other").display().to_string();
    let train = ["--headless", "--private", "--run-dir", &other, "--train", file, "--valid", "0.3"];
    let train = place.train(&[&train[..], &swapped].concat());
    let told = |args: Vec<String>, part: &str| {
        let output = place.output(&args);
        let told = text(&output.stderr);
        assert!(told.contains(part), "{args:?}: {told}");
        let told = told.to_lowercase();
        assert!(!secrets.iter().any(|secret| told.contains(&secret.to_lowercase())), "{args:?}: {told}");
    };
    let owned = |args: &[&str]| args.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    told(train, "is the label of line 2 a label?");
    told(owned(&[&predict[..], &[file], &swapped].concat()), "the label of line 2 (1 row, the first in line 2)");
    told(owned(&[&predict[..], &[file], &swapped].concat()), "50 more");
    told(ids("note_body"), "--id-column names a column of texts");
    told(owned(&[&predict[..], &[&alone]].concat()), "whose first row may be its name; give");
    told(owned(&[&predict[..], &[&none]].concat()), "give --text-column 1");
    told(owned(&[&predict[..], &[file, "--text-column", "absent"]].concat()), "there is no such column");
    [alone, none].iter().for_each(|made| fs::remove_file(made).unwrap());
}

#[test]
fn predictions_as_parquet_have_types_and_are_read_again_as_they_were() {
    let place = Workplace::new();
    let file = notes(&place, "notes.csv", 60);
    assert_eq!(train(&place, &file, &file, &COLUMNS).0, Some(0));
    let rows: PathBuf = place.path().join("rows.jsonl");
    // More than one batch, and texts that are no lines; some rows have no label.
    let line = |row: usize| {
        let label = if row.is_multiple_of(3) { String::new() } else { ", \"diagnosis_group\": \"skin\"".to_owned() };
        format!("{{\"id\": \"r{row}\", \"note_body\": \"=1+{row}\\u001b[2J\\na rash\"{label}}}\n")
    };
    fs::write(&rows, (0..1500).map(line).collect::<String>()).unwrap();
    let table = place.path().join("out.parquet");
    let (rows, table) = (rows.display().to_string(), table.display().to_string());
    let model = best(&place);
    let asked = ["predict", "--model", &model, "--data", &rows];
    let stdout = place.output([&asked[..], &["--format", "parquet"]].concat());
    assert!(stdout.status.code() == Some(2) && text(&stdout.stderr).contains("--out"), "{}", text(&stdout.stderr));
    let output = place.output([&asked[..], &["--format", "parquet", "--out", &table]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let json = |args: &[&str]| -> Vec<Value> {
        let output = place.output(args);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let plain = json(&[&asked[..], &["--json"]].concat());
    let columns = ["--text-column", "text", "--label-column", "gold", "--json"];
    let again = json(&[&["predict", "--model", &model, "--data", &table][..], &columns].concat());
    assert_eq!((plain.len(), again.len()), (1500, 1500));
    for (one, other) in plain.iter().zip(&again) {
        let keys = ["row", "id", "text", "gold", "label", "probabilities", "cut_words"];
        assert!(keys.iter().all(|key| one[key] == other[key]), "{one} {other}");
    }
    let columns = ["--text-column", "text", "--label-column", "prediction", "--json"];
    let predicted = json(&[&["predict", "--model", &model, "--data", &table][..], &columns].concat());
    assert!(predicted.iter().all(|row| row["gold"] == row["label"]), "{}", predicted[0]);
    // A file that cannot be written whole is not there.
    let nowhere = place.path().join("nowhere/out.parquet").display().to_string();
    let output = place.output([&asked[..], &["--format", "parquet", "--out", &nowhere]].concat());
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("nowhere/out.parquet"));
}

#[test]
fn rows_that_are_left_out_are_listed_by_file_and_line_and_not_by_content() {
    let place = Workplace::new();
    let file = notes(&place, "notes.csv", 60);
    let mut table = fs::read_to_string(&file).unwrap();
    table.push_str("p9,,a secret cough\np9,skin,\np9,skin,a rash\n");
    fs::write(&file, table).unwrap();
    let listed = |path: &std::path::Path| -> Vec<Value> {
        let lines = fs::read_to_string(path).unwrap();
        assert!(!lines.contains("secret"), "{lines}");
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (code, told) = train(&place, &file, "0.2", &[&COLUMNS[..], &["--skip-bad", "2"]].concat());
    assert!(code == Some(0) && told.contains("2 bad rows were left out") && told.contains("skipped.jsonl"), "{told}");
    let rows = listed(&place.run().skipped());
    let places = rows.iter().map(|row| (row["file"].as_str().unwrap(), row["line"].as_u64().unwrap()));
    assert_eq!(places.collect::<Vec<_>>(), [(file.as_str(), 62), (file.as_str(), 63)]);
    assert_eq!((&rows[0]["reason"], &rows[1]["reason"]), (&"the label is empty".into(), &rows[1]["reason"]));
    assert!(rows[1]["reason"].as_str().unwrap().contains("the text is empty"));
    let list = place.path().join("skipped.jsonl");
    let (model, path) = (best(&place), list.display().to_string());
    let more = ["--skip-bad", "2", "--skipped", &path];
    for command in
        [&["predict", "--model", &model, "--data", &file][..], &["data", &file], &["data", &file, "--model", &model]]
    {
        let columns: &[&str] = if command[0] == "data" { &COLUMNS } else { &[] };
        let output = place.output([command, columns, &more].concat());
        assert_eq!(output.status.code(), Some(0), "{command:?} {}", text(&output.stderr));
        // There, a label may be missing.
        assert_eq!(listed(&list).iter().map(|row| row["line"].as_u64().unwrap()).collect::<Vec<_>>(), [63]);
        fs::remove_file(&list).unwrap();
    }
    let twice = ["predict", "--model", &model, "--data", &file, "--out", &path];
    let output = place.output([&twice[..], &more].concat());
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("named for two outputs"));
    let output = place.output(["data", &file, "--skipped", &path]);
    assert_eq!(output.status.code(), Some(2), "without --skip-bad");
    let output = place.output(["rm", place.run().root().to_str().unwrap(), "--yes"]);
    assert!(output.status.success() && !place.run().root().exists(), "{}", text(&output.stderr));
}

/// The last event of the run.
fn ended(place: &Workplace) -> pellucid_protocol::event::Ended {
    let records = pellucid_record::log::reader::LogReader::new(&place.run().events()).read_new().unwrap();
    let mut ends = records.into_iter().filter_map(|record| match record.event {
        pellucid_protocol::Event::Ended(ended) => Some(ended),
        _ => None,
    });
    ends.next_back().unwrap()
}

#[test]
fn the_test_part_is_measured_at_the_end_and_predict_says_the_same() {
    let place = Workplace::new();
    let file = notes(&place, "notes.csv", 240);
    let (code, told) = train(&place, &file, "0.2", &[&COLUMNS[..], &["--test", "0.2"]].concat());
    assert!(code == Some(0) && told.contains("test: accuracy ") && told.contains("; test: loss "), "{told}");
    let metrics = ended(&place).metrics;
    let of = |name: &str| metrics.get(name).unwrap();
    let split: Value = serde_json::from_slice(&fs::read(place.run().split()).unwrap()).unwrap();
    let lines: Vec<u64> = split["test"].as_array().unwrap().iter().map(|row| row["line"].as_u64().unwrap()).collect();
    // What stands in the manual: the lines are cut out, and predicted again.
    let table = fs::read_to_string(&file).unwrap();
    let rows = table.lines().zip(1..).filter(|(_, line)| *line == 1 || lines.contains(line));
    let test = place.path().join("test.csv");
    fs::write(&test, rows.map(|(row, _)| format!("{row}\n")).collect::<String>()).unwrap();
    let output = place.output(["predict", "--model", &best(&place), "--data", test.to_str().unwrap(), "--json"]);
    let told = text(&output.stderr);
    let wanted =
        format!("accuracy {:.4}, F1 {:.4} on {} labelled rows", of("test/accuracy"), of("test/f1"), lines.len());
    assert!(told.contains(&wanted), "{wanted}: {told}");
    let step = fs::read_link(place.run().root().join("checkpoints/best")).unwrap().display().to_string();
    let answers = fs::read_to_string(place.run().root().join(format!("predictions/test-{step}.jsonl"))).unwrap();
    assert!(!answers.contains("seen by nurse"), "no text is kept");
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let again: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((answers.len(), again.len()), (lines.len(), lines.len()));
    for ((answer, again), line) in answers.iter().zip(&again).zip(&lines) {
        assert_eq!((&answer["label"], &answer["gold"]), (&again["label"], &again["gold"]));
        assert_eq!(answer["line"], *line);
    }
    let output = place.output(["report", place.run().root().to_str().unwrap()]);
    let page = fs::read_to_string(place.run().root().join("report.md")).unwrap();
    assert!(output.status.success() && page.contains("test/accuracy") && page.contains("0.2 of the training file"));
}

#[test]
fn a_test_file_is_measured_too_and_a_run_that_was_stopped_is_not_tested() {
    let place = Workplace::new();
    let (file, test) = (notes(&place, "notes.csv", 60), notes(&place, "test.csv", 30));
    let (code, told) = train(&place, &file, "0.2", &[&COLUMNS[..], &["--test", &test]].concat());
    assert!(code == Some(0) && told.contains(" on 30 rows, by the weights of step 4"), "{told}");
    assert!(ended(&place).metrics.get("test/loss").is_some());
    let place = Workplace::new();
    let file = notes(&place, "notes.csv", 60);
    let files = ["--train", file.as_str(), "--valid", "0.2", "--test", "0.2", "--max-steps", "100000", "--headless"];
    let mut command = place.pellucid(place.train(&[&files[..], &COLUMNS].concat()));
    let mut child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    place.wait_for_event("a step", |event| matches!(event, pellucid_protocol::Event::Step(_)));
    assert!(place.output(["stop", place.run().root().to_str().unwrap()]).status.success());
    child.wait().unwrap();
    place.wait_for_worker_to_leave();
    assert!(ended(&place).metrics.get("test/loss").is_none());
}

#[test]
fn folds_are_repeatable_hold_each_row_once_and_make_a_sweep() {
    let place = Workplace::new();
    let file = notes(&place, "notes.csv", 120);
    let model = crate::program::data().join("models/student").display().to_string();
    let out = place.path().join("folds");
    let more = ["--folds", "3", "--group-column", "patient", "--threads", "1", "--batch-size", "8"];
    let grid = ["sweep", "--grid", "fold=1,2,3", "--out", out.to_str().unwrap(), "--model", &model, "--train", &file];
    let output = place.output([&grid[..], &more, &SMALL[1..], &COLUMNS].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.lines().count() == 2 && table.contains(" to "), "one line for three folds: {table}");
    let split = |fold: usize| -> Value {
        serde_json::from_slice(&fs::read(out.join(format!("fold-{fold}/split.json"))).unwrap()).unwrap()
    };
    let lines = |part: &Value| -> Vec<usize> {
        part.as_array().unwrap().iter().map(|row| row["line"].as_u64().unwrap() as usize).collect()
    };
    let folds: Vec<Vec<usize>> = split(1)["folds"].as_array().unwrap().iter().map(lines).collect();
    let mut all = folds.concat();
    all.sort_unstable();
    assert_eq!((folds.len(), all), (3, (2..122).collect::<Vec<_>>()));
    for (number, fold) in folds.iter().enumerate() {
        let split = split(number + 1);
        assert_eq!((&lines(&split["valid"]), split["folds"].clone()), (fold, split_folds(&out)));
        assert_eq!(split["train"], 120 - fold.len());
        // Four rows are of one patient.
        assert!(fold.iter().all(|line| (0..4).all(|row| fold.contains(&((line - 2) / 4 * 4 + 2 + row)))));
    }
    for (more, part) in [
        (&["--folds", "3"][..], "--folds: needs --fold N"),
        (&["--fold", "3"], "--fold: needs --folds K"),
        (&["--folds", "3", "--fold", "4"], "--fold: must be at most the 3 of --folds, not 4"),
        (&["--folds", "3", "--fold", "1", "--valid", "0.1"], "--valid: give either --valid or --folds, not both"),
        (&["--folds", "200", "--fold", "1"], "--folds 200 are more than the 120 rows"),
    ] {
        let run = place.path().join("refused").display().to_string();
        let asked = ["train", "--headless", "--model", &model, "--train", &file, "--run-dir", &run];
        let output = place.output([&asked[..], &COLUMNS, more].concat());
        let told = text(&output.stderr);
        assert!(!output.status.success() && told.contains(part), "{more:?}: {told}");
        assert!(!place.path().join("refused").exists());
    }
}

/// The folds as the first run has them.
fn split_folds(out: &std::path::Path) -> Value {
    let split: Value = serde_json::from_slice(&fs::read(out.join("fold-1/split.json")).unwrap()).unwrap();
    split["folds"].clone()
}

#[test]
fn predictions_of_a_killed_command_leave_nothing_behind() {
    use std::os::unix::fs::OpenOptionsExt;
    let place = Workplace::new();
    let folder = place.path().join("answers");
    fs::create_dir(&folder).unwrap();
    let rows: PathBuf = place.path().join("rows.csv");
    fs::write(&rows, "text\n".to_owned() + &"a cough this morning and a rash\n".repeat(200_000)).unwrap();
    let model = crate::program::data().join("models/teacher-credit").display().to_string();
    let out = folder.join("out.jsonl").display().to_string();
    let asked = ["predict", "--model", &model, "--data", rows.to_str().unwrap(), "--format", "jsonl", "--out", &out];
    let mut child = place.pellucid(asked).spawn().unwrap();
    let fds = || -> Vec<PathBuf> {
        let of = |pid: u32| fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap_or_default();
        let pids = children.split_whitespace().map(|pid| pid.parse().unwrap()).chain([child.id()]);
        pids.flat_map(of).filter_map(|fd| fs::read_link(fd.path()).ok()).collect()
    };
    crate::program::wait_until("a file that is written", || fds().iter().any(|path| path.starts_with(&folder)));
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap_or_default();
    for pid in children.split_whitespace().map(|pid| pid.parse().unwrap()).chain([child.id()]) {
        signal("KILL", pid);
    }
    child.wait().unwrap();
    // Where the system has files without names, there was none; else the name says whose it is.
    let nameless = fs::OpenOptions::new().write(true).custom_flags(0o20_200_000).open(&folder).is_ok();
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), usize::from(!nameless), "{left:?}");
    assert!(left.iter().all(|name| name.to_str().unwrap().starts_with(".out.jsonl.pellucid-")));
}

#[test]
fn wrong_usage_of_the_worker_is_one_line() {
    let worker = crate::program::program("pellucid-worker");
    let run = |args: &[&str]| std::process::Command::new(&worker).args(args).output().unwrap();
    for args in
        [&["fly"][..], &[], &["pretrain"], &["halve", "a"], &["work", "--\u{1b}[2J"], &["pretrain", "--lr", "fast"]]
    {
        let output = run(args);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{args:?}: {told}");
        assert!(told.starts_with("error: ") && told.contains("pellucid-worker --help") && !told.contains('\u{1b}'));
        assert!(output.stdout.is_empty());
    }
    let help = run(&["--help"]);
    assert!(help.status.success() && text(&help.stdout).contains("Usage"));
}
