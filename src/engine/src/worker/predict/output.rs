//! Where predictions go, in the format that is asked for.

use pellucid_files::output::OutputFile;
use pellucid_intake::labels::Labels;
use pellucid_intake::rows::Rows;
use pellucid_protocol::work::{PredictFormat, PredictWork};

use super::answered::Answered;
use super::lines::{LineFormat, Lines, Style};
use super::parquet::ParquetTable;
use crate::error::{Error, Result};
use crate::worker::writer::Writer;

/// Where predictions go.
pub(super) enum Output {
    /// As text, on stdout or into a file.
    Lines(Lines),
    /// Into a Parquet file.
    Parquet(Box<ParquetTable>),
}

impl Output {
    /// Opens the file, or stdout if there is none, and writes what stands before the rows.
    ///
    /// # Errors
    /// When it cannot be written, or the format has no place on stdout.
    pub(super) fn new(work: &PredictWork, labels: &Labels, rows: &Rows, file: Option<OutputFile>) -> Result<Self> {
        let format = match work.format {
            PredictFormat::Parquet => return parquet(work, labels, rows, file),
            PredictFormat::Text => LineFormat::Text,
            PredictFormat::Json => LineFormat::Json,
            PredictFormat::Jsonl => LineFormat::Jsonl,
            PredictFormat::Csv => LineFormat::Csv,
        };
        let style = Style { format, private: work.private };
        Lines::new(style, labels, rows, Writer::open(file)?).map(Self::Lines)
    }

    /// Writes an answer.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn row(&mut self, answered: &Answered, rows: &Rows, labels: &Labels) -> Result<()> {
        match self {
            Self::Lines(lines) => lines.row(answered, rows, labels),
            Self::Parquet(table) => table.row(answered, rows, labels),
        }
    }

    /// Writes that a row has no answer. In a table it has no row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn failure(&mut self, row: usize, rows: &Rows, why: &str) -> Result<()> {
        match self {
            Self::Lines(lines) => lines.failure(row, rows, why),
            Self::Parquet(_) => Ok(()),
        }
    }

    /// Lets the rows so far appear, if they go to stdout.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn flush(&mut self) -> Result<()> {
        match self {
            Self::Lines(lines) => lines.flush(),
            Self::Parquet(_) => Ok(()),
        }
    }

    /// Writes what stands behind the rows; a file gets its name.
    ///
    /// # Errors
    /// When it cannot be written or renamed.
    pub(super) fn finish(self) -> Result<()> {
        match self {
            Self::Lines(lines) => lines.finish(),
            Self::Parquet(table) => table.finish(),
        }
    }
}

fn parquet(work: &PredictWork, labels: &Labels, rows: &Rows, file: Option<OutputFile>) -> Result<Output> {
    let on_stdout = || Error::Refused("--format parquet is no text for stdout; name a file with --out".to_owned());
    let table = ParquetTable::new(work.private, labels, rows, file.ok_or_else(on_stdout)?)?;
    Ok(Output::Parquet(Box::new(table)))
}
