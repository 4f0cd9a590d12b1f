//! The formats of data files: one line here for each.

use pellucid_protocol::settings::reading::Reading;

use super::arrow;
use super::data_file::DataFile;
use super::delimited;
use super::jsonl;
use super::parquet;
use super::table::{LabelNeed, Opened};
use crate::error::{Error, Result};

/// A format of data files.
#[derive(Clone, Copy)]
struct Format {
    /// Endings of the names of its files, in lower case; messages name the first one.
    endings: &'static [&'static str],
    kind: Kind,
    open: fn(DataFile, &Reading, LabelNeed) -> Result<Opened>,
}

/// What the bytes of a format are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text, in an encoding.
    Text,
    /// Values with types, whose texts are UTF-8.
    Typed,
}

/// The formats that can be read.
const FORMATS: &[Format] = &[
    Format { endings: &["jsonl", "ndjson"], kind: Kind::Text, open: jsonl::open },
    Format { endings: &["json"], kind: Kind::Text, open: jsonl::open_json },
    Format { endings: &["csv"], kind: Kind::Text, open: delimited::open_csv },
    Format { endings: &["tsv", "tab", "txt"], kind: Kind::Text, open: delimited::open_tsv },
    Format { endings: &["parquet"], kind: Kind::Typed, open: parquet::open },
    Format { endings: &["arrow", "feather", "ipc"], kind: Kind::Typed, open: arrow::open },
];

/// Endings of files of spreadsheets, which are not read.
const SPREADSHEETS: [&str; 5] = ["xlsx", "xlsm", "xlsb", "xls", "ods"];

/// Opens a data file, whose ending names the format.
///
/// # Errors
/// When no format has that ending, and what is wrong with the beginning of the file.
pub(super) fn open(file: DataFile, reading: &Reading, need: LabelNeed) -> Result<Opened> {
    let ending = file.ending();
    if SPREADSHEETS.contains(&ending.as_str()) {
        return Err(Error::file(file.path(), "is a spreadsheet; save the sheet as CSV (UTF-8)"));
    }
    let Some(format) = number(&ending) else {
        return Err(Error::file(
            file.path(),
            format!("unknown format; name it {}, text also with .gz or .zst", known_endings()),
        ));
    };
    let Format { kind, open, .. } = FORMATS[format];
    match (kind, &reading.encoding) {
        (Kind::Typed, Some(_)) => {
            return Err(Error::file(file.path(), "has texts in UTF-8, as its format says; leave --encoding out"));
        }
        (Kind::Text, Some(_)) => file.refuse_other_encoding()?,
        (_, None) => {}
    }
    open(file, reading, need)
}

/// Which of the formats has an ending.
pub(super) fn number(ending: &str) -> Option<usize> {
    FORMATS.iter().position(|format| format.endings.contains(&ending))
}

/// `.jsonl, .csv or .tsv`
pub(super) fn known_endings() -> String {
    let names: Vec<String> =
        FORMATS.iter().filter_map(|format| format.endings.first()).map(|ending| format!(".{ending}")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}
