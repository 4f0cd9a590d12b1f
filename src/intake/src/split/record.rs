//! How a file was split, as it is kept with a run.

use std::io;
use std::path::{Path, PathBuf};

use pellucid_files::regular;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Folds, Split};
use crate::rows::Rows;

/// How a file was split: the same files and seed give the same parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitRecord {
    /// The files.
    pub files: Vec<SplitFile>,
    /// The seed.
    pub seed: u64,
    /// How many rows are trained on.
    pub train: usize,
    /// The rows for validation.
    pub valid: Vec<RowPlace>,
    /// The rows for the test.
    pub test: Vec<RowPlace>,
    /// The rows that are in no part, because their texts are in validation or test as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<RowPlace>,
    /// The rows of each fold, with cross-validation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folds: Vec<Vec<RowPlace>>,
}

/// A file that was split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitFile {
    /// Its path.
    pub file: String,
    /// SHA-256 of what is in it; none of what is no regular file, such as a pipe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Where a row is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowPlace {
    /// Its file, as a place among the files; the first where none is said.
    #[serde(default, skip_serializing_if = "is_first")]
    pub file: usize,
    /// The line of the file where it starts, or its number there, from 1.
    pub line: u64,
    /// What it is called, where rows have a name. Several may have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_first(file: &usize) -> bool {
    *file == 0
}

impl SplitRecord {
    /// Of `rows`, which were split with `seed`; of which folds, if they were put into some. `left_out` are rows that would
    /// be trained on.
    #[must_use]
    pub fn of(rows: &Rows, split: &Split, folds: &Folds, seed: u64) -> Self {
        let places = |part: &Vec<usize>| part.iter().map(|row| place(rows, *row)).collect::<Vec<_>>();
        let file = |path: &PathBuf| SplitFile { file: path.display().to_string(), sha256: sha256(path) };
        Self {
            files: rows.files().iter().map(file).collect(),
            seed,
            train: split.train.len(),
            valid: places(&split.valid),
            test: places(&split.test),
            left_out: Vec::new(),
            folds: folds.iter().map(places).collect(),
        }
    }

    /// Takes these of the rows `train` out of those that are trained on.
    pub fn leave_out(&mut self, train: &Rows, rows: impl Iterator<Item = usize>) {
        self.left_out = rows.map(|row| place(train, row)).collect();
        self.train -= self.left_out.len();
    }
}

fn place(rows: &Rows, row: usize) -> RowPlace {
    RowPlace { file: rows.file_of(row), line: rows.line(row), id: rows.id(row).map(str::to_owned) }
}

fn sha256(path: &Path) -> Option<String> {
    let mut hash = Sha256::new();
    regular::open_named(path).and_then(|mut file| io::copy(&mut file, &mut hash)).ok()?;
    Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pellucid_protocol::settings::reading::Reading;

    use super::*;
    use crate::rows::{LabelNeed, read_rows};

    #[test]
    fn rows_are_found_again_by_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.csv"), "text,label,patient,id\none,x,7.0,p1\ntwo,y,8,p1\n").unwrap();
        fs::write(folder.path().join("b.csv"), "text,label,patient,id\n\"three\nlines\",x,7,p2\nfour,y,+8,\n").unwrap();
        let mut reading = Reading::default();
        (reading.columns.group, reading.columns.id) = (Some("patient".to_owned()), Some("id".to_owned()));
        let rows = read_rows(folder.path(), &reading, LabelNeed::Required).unwrap();
        let groups: Vec<_> = rows.groups().into_iter().map(|group| (group.name, group.count)).collect();
        assert_eq!(groups, [("7".to_owned(), 2), ("8".to_owned(), 2)]);
        let split = Split { train: vec![0, 1], valid: vec![2], test: vec![3] };
        let mut record = SplitRecord::of(&rows, &split, &Vec::new(), 3);
        let train = rows.subset(&split.train);
        record.leave_out(&train, std::iter::once(1));
        let row = |file, line, id: &str| RowPlace { file, line, id: Some(id.to_owned()) };
        assert_eq!((record.train, &record.left_out), (1, &vec![row(0, 3, "p1")]));
        assert_eq!((&record.valid, &record.test), (&vec![row(1, 2, "p2")], &vec![row(1, 4, "")]));
        let first = Sha256::digest(fs::read(folder.path().join("a.csv")).unwrap());
        let first: String = first.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(record.files.len() == 2 && record.files[0].file.ends_with("a.csv"));
        assert_eq!(record.files[0].sha256.as_ref(), Some(&first));
        let part = rows.subset(&split.valid);
        assert!(part.place(0).0.ends_with("b.csv") && part.line(0) == 2);
    }

    #[test]
    fn labels_that_the_first_rows_do_not_have_count_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, "text,label\none,x\ntwo,y\nthree,z\n").unwrap();
        let head = read_rows(&path, &Reading::default(), LabelNeed::Required).unwrap().head(2);
        assert_eq!(head.labels().iter().map(|label| label.count).collect::<Vec<_>>(), [1, 1, 0]);
    }
}
