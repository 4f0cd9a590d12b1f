//! Comma-separated values; quotes as in RFC 4180.

use super::table::{self, Dialect};
use super::{DataFile, Format, LabelNeed, Row};
use crate::error::Result;

pub(super) const FORMAT: Format = Format { endings: &["csv"], read: rows };

fn rows(file: &DataFile, need: LabelNeed) -> Result<Vec<Row>> {
    table::rows(file, Dialect { delimiter: b',', quoted: true }, need)
}
