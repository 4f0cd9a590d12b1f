//! Tables beside Python's `csv`: what is read here has the same cells there; what is refused here is read by nobody wrongly.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use pellucid_intake::rows::{LabelNeed, read_rows};
use pellucid_protocol::settings::reading::Reading;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const FILES: usize = 600;

/// Reads every file that is named on stdin after its delimiter, and prints its texts and labels, or `null`.
const PYTHON: &str = r#"
import csv, json, sys
csv.field_size_limit(1 << 24)
for line in sys.stdin:
    delimiter, path = line[0].replace("T", "\t"), line[1:].rstrip("\n")
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
    head = [name.strip().lower() for name in rows[0]] if rows else []
    if "text" not in head or "label" not in head:
        print("null"); continue
    text, label = head.index("text"), head.index("label")
    print(json.dumps([[row[text], row[label].strip()] for row in rows[1:]] if all(len(row) == len(head) for row in rows) else None))
"#;

/// A field as careful and careless programs write it.
fn field(random: &mut StdRng, delimiter: char) -> String {
    let pieces = ["a", "word ", "\u{e9}", "\"", "\"\"", "\n", "\r\n", ",", ";", " ", "'", "\\", "0", "\u{1f600}"];
    let raw: String = (0..random.random_range(1..5)).map(|_| *pieces.choose(random).unwrap()).collect();
    match random.random_range(0..10) {
        0 => raw,
        1 => format!("\"{raw}\""),
        2 => format!(" \"{}\"", raw.replace('"', "\"\"")),
        3..=5 => format!("\"{}\"", raw.replace('"', "\"\"")),
        _ => raw.replace(['"', '\n', '\r', delimiter], "x"),
    }
}

/// A table with the columns `text`, `label` and sometimes another.
fn table(random: &mut StdRng) -> (char, String) {
    let delimiter = *[',', ';', '\t', '|'].choose(random).unwrap();
    let (wide, end) = (random.random_bool(0.3), *["\n", "\r\n"].choose(random).unwrap());
    let join = |fields: Vec<String>| fields.join(&delimiter.to_string());
    let mut names = vec!["text".to_owned(), "label".to_owned()];
    if wide {
        names.push("other".to_owned());
    }
    let mut text = if random.random_bool(0.2) { "\u{feff}".to_owned() } else { String::new() };
    text += &join(names);
    for _ in 0..random.random_range(1..7) {
        text += end;
        let label = (*["yes", "no", " yes ", "\"no\""].choose(random).unwrap()).to_owned();
        let mut fields = vec![field(random, delimiter), label];
        if wide != random.random_bool(0.02) {
            fields.push(field(random, delimiter));
        }
        text += &join(fields);
    }
    text += if random.random_bool(0.8) { end } else { "" };
    (delimiter, text)
}

/// What Python reads of the files.
fn by_python(names: &str) -> Vec<Option<Vec<(String, String)>>> {
    let mut python = Command::new("python3");
    let mut child = python.args(["-c", PYTHON]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let names = names.to_owned();
    let feeding = std::thread::spawn(move || stdin.write_all(names.as_bytes()));
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn here(path: &Path) -> Option<Vec<(String, String)>> {
    let rows = read_rows(path, &Reading::default(), LabelNeed::Required).ok()?;
    let row = |at| (rows.text(at).to_owned(), rows.labels()[rows.label(at).unwrap()].name.clone());
    Some((0..rows.len()).map(row).collect())
}

#[test]
fn what_is_read_has_the_cells_that_python_reads() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(7);
    let (mut names, mut paths) = (String::new(), Vec::new());
    for number in 0..FILES {
        let (delimiter, text) = table(&mut random);
        let path = folder.path().join(format!("{number}.csv"));
        fs::write(&path, text).unwrap();
        names += &format!("{}{}\n", if delimiter == '\t' { 'T' } else { delimiter }, path.display());
        paths.push(path);
    }
    let (mut same, mut refused) = (0, 0);
    for (path, theirs) in paths.iter().zip(by_python(&names)) {
        match here(path) {
            Some(ours) => {
                assert_eq!(Some(ours), theirs, "{:?}", fs::read_to_string(path).unwrap());
                same += 1;
            }
            None => refused += 1,
        }
    }
    assert!(same > FILES / 4 && refused > FILES / 20, "{same} read, {refused} refused");
}
