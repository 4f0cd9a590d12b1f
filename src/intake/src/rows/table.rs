//! Tables of records with or without a header: what CSV and TSV have in common.

use std::path::Path;

use csv::StringRecord;

use super::fields::{self, complete, rationale};
use super::{DataFile, LabelNeed, Row};
use crate::error::{Error, Result};

/// How the fields of a record are told apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// What stands between two fields.
    pub(super) delimiter: u8,
    /// Whether quotes surround fields.
    pub(super) quoted: bool,
}

/// Columns by position.
struct Columns {
    text: usize,
    pair: Option<usize>,
    label: Option<usize>,
    rationale: Option<usize>,
}

/// Reads all rows of a table.
pub(super) fn rows(file: &DataFile, dialect: Dialect, need: LabelNeed) -> Result<Vec<Row>> {
    let path = &file.path;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(dialect.delimiter)
        .has_headers(false)
        .flexible(true)
        .quoting(dialect.quoted)
        .from_reader(file.text()?.as_bytes());
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
    records.map(|record| row(path, &record?, &columns, need)).collect()
}

fn csv_error(path: &Path, error: &csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    Error::row(path, line, error)
}

/// The columns that a header names; `None` when the first record is no header.
fn header(first: &StringRecord, need: LabelNeed) -> std::result::Result<Option<Columns>, String> {
    let names: Vec<String> = first.iter().map(|name| name.trim().to_lowercase()).collect();
    let find = |known: &[&str]| known.iter().find_map(|name| names.iter().position(|other| other == name));
    let listed = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (find(fields::TEXT), find(fields::LABEL)) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(format!("no column `text` (or `sentence`); the header has {}", listed())),
        (Some(_), None) if need == LabelNeed::Required => {
            Err(format!("no column `label`; the header has {}", listed()))
        }
        (Some(text), label) => {
            Ok(Some(Columns { text, pair: find(fields::PAIR), label, rationale: find(&[fields::RATIONALE]) }))
        }
    }
}

/// The columns of a table without a header: text, label.
fn headerless(first: &StringRecord, need: LabelNeed) -> std::result::Result<Columns, String> {
    match (first.len(), need) {
        (2, _) => Ok(Columns { text: 0, pair: None, label: Some(1), rationale: None }),
        (1, LabelNeed::Optional) => Ok(Columns { text: 0, pair: None, label: None, rationale: None }),
        (n, _) => Err(format!(
            "no header with `text` and `label`, and {n} column{}; without a header there must be two: text, label",
            if n == 1 { "" } else { "s" }
        )),
    }
}

fn row(path: &Path, record: &StringRecord, columns: &Columns, need: LabelNeed) -> Result<Row> {
    let line = record.position().map_or(1, csv::Position::line);
    fields_of(record, columns, need)
        .and_then(|row| complete(Row { line, ..row }))
        .map_err(|message| Error::row(path, line, message))
}

fn fields_of(record: &StringRecord, columns: &Columns, need: LabelNeed) -> std::result::Result<Row, String> {
    let text = record.get(columns.text).ok_or("has no text column")?;
    let label = columns.label.and_then(|at| record.get(at)).map(str::trim).filter(|label| !label.is_empty());
    if label.is_none() && need == LabelNeed::Required {
        return Err("has no label; the row has too few columns".to_owned());
    }
    let cell = columns.rationale.and_then(|at| record.get(at)).filter(|cell| !cell.trim().is_empty());
    let marked = cell.map(serde_json::from_str).transpose();
    let marked = marked.map_err(|_| "`rationale` is not JSON, e.g. [[0,4]]")?;
    Ok(Row {
        line: 0,
        text: text.to_owned(),
        pair: columns.pair.and_then(|at| record.get(at)).map(str::to_owned),
        label: label.map(str::to_owned),
        rationale: rationale(marked.as_ref(), text)?,
    })
}
