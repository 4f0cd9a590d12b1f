//! Reads rows from TSV, CSV and JSON Lines files; every bad row is named by file and line.

use std::path::Path;

use pellucid_files::bounded;
use pellucid_protocol::explanation::Span;
use serde_json::Value;

use crate::error::{Error, Result};

/// A row as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line it starts at, from 1.
    pub line: u64,
    /// The text.
    pub text: String,
    /// The second text of a pair.
    pub pair: Option<String>,
    /// The label as written; `None` where labels are optional and the row has none.
    pub label: Option<String>,
    /// Characters of `text` that a person marked as the reason.
    pub rationale: Vec<Span>,
}

/// Whether rows need a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelNeed {
    /// Rows without a label are an error.
    Required,
    /// Labels are read where they are.
    Optional,
}

const TEXT_NAMES: &[&str] = &["text", "sentence", "sentence1", "premise", "question1", "question"];
const PAIR_NAMES: &[&str] = &["text_pair", "text2", "sentence2", "hypothesis", "question2", "pair"];
const LABEL_NAMES: &[&str] = &["label", "labels", "class", "category"];

/// Reads all rows of the file at `path`; its ending says the format: `.jsonl`, `.json`, `.csv`, `.tsv`, `.txt`.
///
/// # Errors
/// When the file cannot be read, is empty, misses a column, or has a row that is not UTF-8 or not complete.
pub fn read_rows(path: &Path, need: LabelNeed) -> Result<Vec<Row>> {
    let bytes = bounded::read(path, bounded::LINES).map_err(|error| Error::file(path, error))?;
    let text = utf8(path, &bytes)?;
    let ending = path.extension().map_or(String::new(), |ending| ending.to_string_lossy().to_lowercase());
    let rows = match ending.as_str() {
        "jsonl" | "json" | "ndjson" => json_rows(path, text, need)?,
        "csv" => table_rows(path, text, b',', need)?,
        "tsv" | "txt" | "tab" => table_rows(path, text, b'\t', need)?,
        _ => return Err(Error::file(path, "unknown format; name it .jsonl, .csv or .tsv")),
    };
    if rows.is_empty() {
        return Err(Error::file(path, "has no rows"));
    }
    Ok(rows)
}

fn utf8<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
        Error::row(path, line, "not UTF-8; convert the file, e.g. with `iconv -f latin1 -t utf-8`")
    })
}

fn json_rows(path: &Path, text: &str, need: LabelNeed) -> Result<Vec<Row>> {
    let lines = (1u64..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| json_row(line, number, need).map_err(|message| Error::row(path, number, message)))
        .collect()
}

fn json_row(line: &str, number: u64, need: LabelNeed) -> std::result::Result<Row, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("not a JSON object: {error}"))?;
    let object = value.as_object().ok_or("not a JSON object")?;
    let find = |names: &[&str]| names.iter().find_map(|name| object.get(*name)).filter(|value| !value.is_null());
    let text = find(TEXT_NAMES).ok_or("no key `text` (or `sentence`)")?.as_str().ok_or("`text` is not a string")?;
    let label = match find(LABEL_NAMES) {
        Some(Value::String(label)) => Some(label.clone()),
        Some(Value::Number(label)) => Some(label.to_string()),
        Some(Value::Bool(label)) => Some(label.to_string()),
        Some(_) => return Err("`label` is neither a string nor a number".to_owned()),
        None if need == LabelNeed::Required => return Err("no key `label`".to_owned()),
        None => None,
    };
    let pair = find(PAIR_NAMES).and_then(Value::as_str).map(str::to_owned);
    let row =
        Row { line: number, text: text.to_owned(), pair, label, rationale: rationale(object.get("rationale"), text)? };
    complete(row)
}

fn rationale(value: Option<&Value>, text: &str) -> std::result::Result<Vec<Span>, String> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let spans: Vec<Span> = serde_json::from_value(value.clone())
        .map_err(|_| "`rationale` is not a list of [start, end] pairs of characters".to_owned())?;
    let length = text.chars().count();
    match spans.iter().find(|span| span.start >= span.end || span.end > length) {
        Some(span) => {
            Err(format!("rationale [{}, {}] is not within the {length} characters of the text", span.start, span.end))
        }
        None => Ok(spans),
    }
}

/// Characters of a row's texts and label at most, in bytes.
const LONGEST_TEXT: usize = 1 << 20;

fn complete(row: Row) -> std::result::Result<Row, String> {
    let parts = [Some(&row.text), row.pair.as_ref(), row.label.as_ref()];
    if let Some(long) = parts.into_iter().flatten().find(|part| part.len() > LONGEST_TEXT) {
        return Err(format!("has a text of {} bytes; {LONGEST_TEXT} at most: cut it into rows", long.len()));
    }
    if row.text.trim().is_empty() {
        return Err("the text is empty; remove the row".to_owned());
    }
    Ok(row)
}

/// Columns of a table by position.
struct Columns {
    text: usize,
    pair: Option<usize>,
    label: Option<usize>,
    rationale: Option<usize>,
}

fn table_rows(path: &Path, text: &str, delimiter: u8, need: LabelNeed) -> Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        // A quote inside a tab-separated sentence is a quote, not a delimiter.
        .quoting(delimiter == b',')
        .from_reader(text.as_bytes());
    let mut records = reader.records().map(|record| record.map_err(|error| csv_error(path, &error))).peekable();
    let columns = match records.peek() {
        None => return Err(Error::file(path, "is empty")),
        Some(Err(_)) => Columns { text: 0, pair: None, label: None, rationale: None },
        Some(Ok(first)) => match header(first, need) {
            Ok(Some(columns)) => {
                records.next();
                columns
            }
            Ok(None) => headerless(first, need).map_err(|message| Error::row(path, 1, message))?,
            Err(message) => return Err(Error::row(path, 1, message)),
        },
    };
    records.map(|record| table_row(path, &record?, &columns, need)).collect()
}

fn csv_error(path: &Path, error: &csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    Error::row(path, line, error)
}

/// The columns named by a header; `None` when the first record is no header.
fn header(first: &csv::StringRecord, need: LabelNeed) -> std::result::Result<Option<Columns>, String> {
    let names: Vec<String> = first.iter().map(|name| name.trim().to_lowercase()).collect();
    let find = |known: &[&str]| known.iter().find_map(|name| names.iter().position(|other| other == name));
    let (text, label) = (find(TEXT_NAMES), find(LABEL_NAMES));
    let listed = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (text, label) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(format!("no column `text` (or `sentence`); the header has {}", listed())),
        (Some(_), None) if need == LabelNeed::Required => {
            Err(format!("no column `label`; the header has {}", listed()))
        }
        (Some(text), label) => {
            Ok(Some(Columns { text, pair: find(PAIR_NAMES), label, rationale: find(&["rationale"]) }))
        }
    }
}

/// Without a header: text, label; or text, second text, label.
fn headerless(first: &csv::StringRecord, need: LabelNeed) -> std::result::Result<Columns, String> {
    match (first.len(), need) {
        (2, _) => Ok(Columns { text: 0, pair: None, label: Some(1), rationale: None }),
        (1, LabelNeed::Optional) => Ok(Columns { text: 0, pair: None, label: None, rationale: None }),
        (n, _) => Err(format!(
            "no header with `text` and `label`, and {n} column{}; without a header there must be two: text, label",
            if n == 1 { "" } else { "s" }
        )),
    }
}

fn table_row(path: &Path, record: &csv::StringRecord, columns: &Columns, need: LabelNeed) -> Result<Row> {
    let line = record.position().map_or(1, csv::Position::line);
    let bad = |message: String| Error::row(path, line, message);
    let text = record.get(columns.text).ok_or_else(|| bad("has no text column".to_owned()))?;
    let label = columns.label.and_then(|at| record.get(at)).map(str::trim).filter(|label| !label.is_empty());
    if label.is_none() && need == LabelNeed::Required {
        return Err(bad("has no label; the row has too few columns".to_owned()));
    }
    let spans = match columns.rationale.and_then(|at| record.get(at)).filter(|cell| !cell.trim().is_empty()) {
        Some(cell) => {
            let value =
                serde_json::from_str(cell).map_err(|_| bad("`rationale` is not JSON, e.g. [[0,4]]".to_owned()))?;
            rationale(Some(&value), text).map_err(bad)?
        }
        None => Vec::new(),
    };
    let pair = columns.pair.and_then(|at| record.get(at)).map(str::to_owned);
    let row = Row { line, text: text.to_owned(), pair, label: label.map(str::to_owned), rationale: spans };
    complete(row).map_err(|message| Error::row(path, line, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, content: &[u8]) -> Result<Vec<Row>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        read_rows(&path, LabelNeed::Required)
    }

    fn message(name: &str, content: &[u8]) -> String {
        let text = read(name, content).unwrap_err().to_string();
        text[text.find(name).unwrap()..].to_owned()
    }

    #[test]
    fn the_three_formats_give_the_same_row() {
        let expected = |line| Row {
            line,
            text: "no chest pain".into(),
            pair: None,
            label: Some("routine".into()),
            rationale: vec![Span { start: 0, end: 2 }],
        };
        let json = br#"{"text":"no chest pain","label":"routine","rationale":[[0,2]]}"#;
        assert_eq!(read("a.jsonl", json).unwrap(), [expected(1)]);
        let csv = b"label,sentence,rationale\nroutine,no chest pain,\"[[0,2]]\"\n";
        assert_eq!(read("a.csv", csv).unwrap(), [expected(2)]);
        assert_eq!(read("a.tsv", b"text\tlabel\trationale\nno chest pain\troutine\t[[0,2]]\n").unwrap(), [expected(2)]);
    }

    #[test]
    fn a_headerless_tsv_works_as_it_is_and_keeps_its_quotes() {
        let rows = read("a.tsv", b"a \"fine film\t1\n\"bad\t0\n").unwrap();
        assert_eq!(rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["a \"fine film", "\"bad"]);
        assert_eq!(rows[1].line, 2);
    }

    #[test]
    fn bad_input_is_named_by_file_and_line() {
        let cases: [(&str, &[u8], &str); 10] = [
            ("a.csv", b"id,label\n1,x\n", "a.csv:1: no column `text` (or `sentence`); the header has `id`, `label`"),
            ("a.csv", b"text,id\nx,1\n", "a.csv:1: no column `label`; the header has `text`, `id`"),
            ("a.tsv", b"", "a.tsv: is empty"),
            ("a.jsonl", b"\n\n", "a.jsonl: has no rows"),
            ("a.jsonl", b"{\"text\":\"a\",\"label\":1}\n{\"text\":\"a\"}\n", "a.jsonl:2: no key `label`"),
            ("a.jsonl", b"{\"text\":\"a\",\"label\":1}\nnonsense\n", "a.jsonl:2: not a JSON object"),
            ("a.tsv", b"good\t1\nb\xe4d\t0\n", "a.tsv:2: not UTF-8"),
            ("a.tsv", b"good\t1\nalone\n", "a.tsv:2: has no label"),
            ("a.tsv", b"good\t1\n \t0\n", "a.tsv:2: the text is empty"),
            (
                "a.jsonl",
                b"{\"text\":\"ab\",\"label\":1,\"rationale\":[[1,3]]}",
                "a.jsonl:1: rationale [1, 3] is not within",
            ),
        ];
        for (name, content, part) in cases {
            let shown = message(name, content);
            assert!(shown.starts_with(part), "{shown}");
        }
        assert!(message("a.xls", b"x").contains("unknown format"));
    }

    #[test]
    fn rows_that_are_too_long_or_too_deep_are_named() {
        let long = "a".repeat(LONGEST_TEXT + 1);
        let shown = message("a.tsv", format!("good\t1\n{long}\t0\n").as_bytes());
        assert_eq!(shown, "a.tsv:2: has a text of 1048577 bytes; 1048576 at most: cut it into rows");
        let deep = "[".repeat(100_000);
        let rationale = format!("text\tlabel\trationale\na\t1\t{deep}\n");
        assert!(message("a.jsonl", format!("{{\"text\":{deep}").as_bytes()).contains("a.jsonl:1: not a JSON object"));
        assert!(message("a.tsv", rationale.as_bytes()).contains("a.tsv:2: `rationale` is not JSON"));
    }
}
