//! Texts from the command line or a data file, for the jobs that run in the foreground.

use pellucid_intake::rows::{LabelNeed, Row, read_rows};
use pellucid_protocol::work::Texts;

use crate::error::Result;

/// The rows of a request; a text from the command line is one row without a label.
///
/// # Errors
/// See [`read_rows`].
pub fn rows(texts: &Texts) -> Result<Vec<Row>> {
    match texts {
        Texts::Text(text) => {
            Ok(vec![Row { line: 1, text: text.clone(), pair: None, label: None, rationale: Vec::new() }])
        }
        Texts::File { path, limit } => {
            let mut rows = read_rows(path, LabelNeed::Optional)?;
            rows.truncate(limit.unwrap_or(usize::MAX));
            Ok(rows)
        }
    }
}
