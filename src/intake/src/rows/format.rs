//! The formats of data files: one line here for each.

use pellucid_protocol::settings::reading::Reading;

use super::data_file::DataFile;
use super::delimited;
use super::jsonl;
use super::table::{LabelNeed, Opened};
use crate::error::{Error, Result};

/// A format of data files.
struct Format {
    /// Endings of the names of its files, in lower case; messages name the first one.
    endings: &'static [&'static str],
    open: fn(DataFile, &Reading, LabelNeed) -> Result<Opened>,
}

/// The formats that can be read.
const FORMATS: &[Format] = &[
    Format { endings: &["jsonl", "ndjson"], open: jsonl::open },
    Format { endings: &["json"], open: jsonl::open },
    Format { endings: &["csv"], open: delimited::open_csv },
    Format { endings: &["tsv", "tab", "txt"], open: delimited::open_tsv },
];

/// Opens a data file, whose ending names the format.
///
/// # Errors
/// When no format has that ending, and what is wrong with the beginning of the file.
pub(super) fn open(file: DataFile, reading: &Reading, need: LabelNeed) -> Result<Opened> {
    let ending = file.ending();
    let format = FORMATS.iter().find(|format| format.endings.contains(&ending.as_str()));
    let Some(format) = format else {
        return Err(Error::file(file.path(), format!("unknown format; name it {}", known_endings())));
    };
    (format.open)(file, reading, need)
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
