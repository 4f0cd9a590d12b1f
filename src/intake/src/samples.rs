//! Rows as samples: each label becomes a class.

use pellucid_protocol::Sample;

use crate::error::{Error, Result};
use crate::labels::{Labels, Naming};
use crate::rows::Rows;

/// The class of each row.
///
/// # Errors
/// A label that is not among `labels`, by file and line.
pub fn classes(rows: &Rows, labels: &Labels, naming: Naming) -> Result<Vec<u32>> {
    let by_label: Vec<Option<usize>> = rows.labels().iter().map(|label| labels.named(&label.name, naming)).collect();
    if let Some((unknown, _)) = rows.labels().iter().zip(&by_label).find(|(_, class)| class.is_none()) {
        let (known, name) = (labels.names().join("`, `"), rows.told_label(unknown));
        let why = format!("unknown label {name}; the classes are `{known}`");
        let (file, line) = rows.place(unknown.first);
        return Err(Error::row(file, line, why));
    }
    let class = |row| rows.label(row).and_then(|label| by_label[label]).unwrap_or_default();
    Ok((0..rows.len()).map(|row| class(row) as u32).collect())
}

/// The row at `row` as a sample of `class`.
#[must_use]
pub fn sample(rows: &Rows, row: usize, class: usize) -> Sample {
    Sample {
        text: rows.text(row).to_owned(),
        pair: rows.pair(row).map(str::to_owned),
        label: class,
        rationale: rows.rationale(row).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::settings::reading::Reading;

    use super::*;
    use crate::rows::{LabelNeed, read_rows};

    #[test]
    fn an_unknown_label_is_named_with_its_line() {
        let labels = Labels::new(vec!["no".into(), "yes".into()]);
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            let path = folder.path().join("train.csv");
            std::fs::write(&path, text).unwrap();
            read_rows(&path, &Reading::default(), LabelNeed::Required).unwrap()
        };
        let found = classes(&read("text,label\na,yes\nb,no\n"), &labels, Naming::Names).unwrap();
        assert_eq!(found, [1, 0]);
        let message = classes(&read("text,label\na,yes\nb,maybe\n"), &labels, Naming::Names).unwrap_err().to_string();
        assert!(message.ends_with("train.csv:3: unknown label `maybe`; the classes are `no`, `yes`"), "{message}");
        let by_number = classes(&read("text,label\na,1\nb,0\n"), &labels, Naming::Numbers).unwrap();
        assert_eq!(by_number, [1, 0]);
    }
}
