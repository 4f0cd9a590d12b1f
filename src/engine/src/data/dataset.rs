//! A file of rows as encoded examples with class indices.

use std::path::{Path, PathBuf};

use pellucid_protocol::Sample;

use super::labels::Labels;
use super::read::{LabelNeed, Row, read_rows};
use super::tokenise::{Encoded, TextEncoder};
use crate::error::{Error, Result};

/// Rows whose labels are known classes.
#[derive(Debug, Clone)]
pub struct Dataset {
    path: PathBuf,
    samples: Vec<Sample>,
}

impl Dataset {
    /// Reads the rows of `path`; the labels are yet to be given classes.
    ///
    /// # Errors
    /// See [`read_rows`].
    pub fn rows(path: &Path) -> Result<Vec<Row>> {
        read_rows(path, LabelNeed::Required)
    }

    /// Gives each row the class of its label.
    ///
    /// # Errors
    /// A label that is not among `labels`, by file and line.
    pub fn new(path: &Path, rows: Vec<Row>, labels: &Labels) -> Result<Self> {
        let samples = rows.into_iter().map(|row| sample(path, row, labels)).collect::<Result<_>>()?;
        Ok(Self { path: path.to_owned(), samples })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The samples in the order of the file.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Token ids of every sample.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub fn encode(&self, encoder: &TextEncoder) -> Result<Vec<Encoded>> {
        let texts: Vec<_> = self.samples.iter().map(|sample| (sample.text.as_str(), sample.pair.as_deref())).collect();
        encoder.encode(&texts)
    }
}

fn sample(path: &Path, row: Row, labels: &Labels) -> Result<Sample> {
    let written = row.label.unwrap_or_default();
    let Some(label) = labels.index(&written) else {
        let known = labels.names().join("`, `");
        return Err(Error::row(path, row.line, format!("unknown label `{written}`; the classes are `{known}`")));
    };
    Ok(Sample { text: row.text, pair: row.pair, label, rationale: row.rationale })
}
