//! Rows as samples: each label becomes a class.

use std::path::Path;

use pellucid_protocol::Sample;

use crate::error::{Error, Result};
use crate::labels::Labels;
use crate::rows::Row;

/// The samples of `rows`, which come from the file at `path`, in their order.
///
/// # Errors
/// A label that is not among `labels`, by file and line.
pub fn samples(path: &Path, rows: Vec<Row>, labels: &Labels) -> Result<Vec<Sample>> {
    rows.into_iter().map(|row| sample(path, row, labels)).collect()
}

fn sample(path: &Path, row: Row, labels: &Labels) -> Result<Sample> {
    let written = row.label.unwrap_or_default();
    let Some(label) = labels.index(&written) else {
        let known = labels.names().join("`, `");
        return Err(Error::row(path, row.line, format!("unknown label `{written}`; the classes are `{known}`")));
    };
    Ok(Sample { text: row.text, pair: row.pair, label, rationale: row.rationale })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_label_is_named_with_its_line() {
        let labels = Labels::new(vec!["no".into(), "yes".into()]);
        let row = |line, label: &str| Row {
            line,
            text: "a".into(),
            pair: None,
            label: Some(label.to_owned()),
            rationale: Vec::new(),
        };
        let path = Path::new("train.csv");
        let found = samples(path, vec![row(2, "yes"), row(3, "0")], &labels).unwrap();
        assert_eq!(found.iter().map(|sample| sample.label).collect::<Vec<_>>(), [1, 0]);
        let message = samples(path, vec![row(2, "yes"), row(3, "maybe")], &labels).unwrap_err().to_string();
        assert_eq!(message, "train.csv:3: unknown label `maybe`; the classes are `no`, `yes`");
    }
}
