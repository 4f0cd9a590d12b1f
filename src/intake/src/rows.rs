//! Rows of data files in any of the listed formats; a bad row is named by file and line.

mod csv;
mod fields;
mod jsonl;
mod table;
mod tsv;

use std::path::{Path, PathBuf};

use pellucid_files::bounded;
use pellucid_protocol::explanation::Span;

use crate::error::{Error, Result};

pub use fields::LONGEST_TEXT;

/// The formats that can be read.
const FORMATS: &[Format] = &[jsonl::FORMAT, csv::FORMAT, tsv::FORMAT];

/// A row as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line where it starts, from 1.
    pub line: u64,
    /// The text.
    pub text: String,
    /// The second text of a pair.
    pub pair: Option<String>,
    /// The label as written; `None` where labels are optional and the row has none.
    pub label: Option<String>,
    /// The parts of `text`, in characters, that a person marked as the reason for the label.
    pub rationale: Vec<Span>,
}

/// Whether rows need a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelNeed {
    /// A row without a label is an error.
    Required,
    /// A row may have no label.
    Optional,
}

/// A format of data files.
struct Format {
    /// Endings of the names of its files, in lower case; messages name the first one.
    endings: &'static [&'static str],
    /// Reads all rows of a file.
    read: fn(&DataFile, LabelNeed) -> Result<Vec<Row>>,
}

/// A data file in memory.
struct DataFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl DataFile {
    /// Its text, without the byte order mark.
    fn text(&self) -> Result<&str> {
        let bytes = self.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.bytes);
        std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
            Error::row(&self.path, line, "not UTF-8; convert the file, e.g. with `iconv -f latin1 -t utf-8`")
        })
    }
}

/// Reads all rows of the file at `path`, whose ending names the format: `.jsonl`, `.json`, `.csv`, `.tsv`, `.txt`.
///
/// # Errors
/// When the file cannot be read, is empty, lacks a column, or has a row that is not UTF-8 or not complete.
pub fn read_rows(path: &Path, need: LabelNeed) -> Result<Vec<Row>> {
    let bytes = bounded::read(path, bounded::LINES).map_err(|error| Error::file(path, error))?;
    let ending = path.extension().map_or(String::new(), |ending| ending.to_string_lossy().to_lowercase());
    let Some(format) = FORMATS.iter().find(|format| format.endings.contains(&ending.as_str())) else {
        return Err(Error::file(path, format!("unknown format; name it {}", known_endings())));
    };
    let rows = (format.read)(&DataFile { path: path.to_owned(), bytes }, need)?;
    if rows.is_empty() {
        return Err(Error::file(path, "has no rows"));
    }
    Ok(rows)
}

/// `.jsonl, .csv or .tsv`
fn known_endings() -> String {
    let names: Vec<String> =
        FORMATS.iter().filter_map(|format| format.endings.first()).map(|ending| format!(".{ending}")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
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
        // Made into values, a line of numbers would take many times its length.
        let wide = format!("{{\"text\":\"a\",\"label\":1,\"more\":[{}0]}}", "0,".repeat(9 << 20));
        let expected = format!("a.jsonl:1: has {} bytes; 16777216 at most: cut it into rows", wide.len());
        assert_eq!(message("a.jsonl", wide.as_bytes()), expected);
        let deep = "[".repeat(100_000);
        let rationale = format!("text\tlabel\trationale\na\t1\t{deep}\n");
        assert!(message("a.jsonl", format!("{{\"text\":{deep}").as_bytes()).contains("a.jsonl:1: not a JSON object"));
        assert!(message("a.tsv", rationale.as_bytes()).contains("a.tsv:2: `rationale` is not JSON"));
    }
}
