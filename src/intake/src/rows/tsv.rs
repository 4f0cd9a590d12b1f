//! Tab-separated values, without quoting: a quote inside a sentence is a quote.

use super::table::{self, Dialect};
use super::{DataFile, Format, LabelNeed, Row};
use crate::error::Result;

pub(super) const FORMAT: Format = Format { endings: &["tsv", "txt", "tab"], read: rows };

fn rows(file: &DataFile, need: LabelNeed) -> Result<Vec<Row>> {
    table::rows(file, Dialect { delimiter: b'\t', quoted: false }, need)
}
