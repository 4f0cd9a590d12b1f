//! Texts from the command line or a data file, for the jobs that run in the foreground.

use pellucid_files::output::OutputFile;
use pellucid_intake::rows::{LabelNeed, Row, Rows, read_rows};
use pellucid_protocol::scrub::scrub;
use pellucid_protocol::settings::reading::{ColumnNames, Reading};
use pellucid_protocol::work::Texts;

use super::writer::write_skipped;
use crate::error::{Error, Result};
use crate::model::pretrained::TrainedOn;

/// Rows without an answer that are named one by one.
const NAMED: usize = 20;

/// The rows of a request; a text from the command line is one row without a label. Columns are as in the data that the
/// model was trained on, where the file has such columns and the user names no others. Rows that are left out are listed
/// in `skipped`.
///
/// # Errors
/// See [`read_rows`].
pub fn rows(texts: &Texts, trained: &TrainedOn, skipped: Option<&OutputFile>) -> Result<Rows> {
    let trained_on = &trained.columns;
    if !trained.changed.is_empty() {
        note(&format!("not as the model was saved with: {}", trained.changed.join(", ")));
    }
    let rows = read(texts, trained_on)?;
    write_skipped(skipped, rows.skipped())?;
    let has_pairs = rows.columns().pair.is_some();
    let refused = match (trained_on.text.as_deref(), trained_on.pair.as_deref()) {
        (Some(text), Some(pair)) if !has_pairs => {
            format!(
                "the model was trained on pairs of texts (`{text}`, `{pair}`), and these are single; --pair-column names the second"
            )
        }
        (Some(text), None) if has_pairs => {
            format!("the model was trained on single texts (`{text}`), and these are pairs; --text-column names one")
        }
        _ => return Ok(rows),
    };
    Err(match texts {
        Texts::Text(_) => Error::Refused(refused),
        Texts::File { path, .. } => Error::file(path, refused),
    })
}

fn read(texts: &Texts, trained_on: &ColumnNames) -> Result<Rows> {
    match texts {
        Texts::Text(text) if text.trim().is_empty() => {
            Err(Error::Setting { key: "--text", message: "is empty; give a text".to_owned() })
        }
        Texts::Text(text) => Ok(Rows::of_text(text)),
        Texts::File { path, limit, reading, skipped } => {
            let reading = Reading { trained_on: trained_on.clone(), ..(**reading).clone() };
            let mut rows = read_rows(path, &reading, LabelNeed::Optional)?;
            rows.notes().iter().for_each(|told| note(told));
            if let Some(first) = rows.skipped().first() {
                let listed = match skipped {
                    Some(file) => format!("; {} lists them", file.display()),
                    None => "; --skipped FILE lists them".to_owned(),
                };
                note(&format!("{} bad rows were left out, the first: {first}{listed}", rows.skipped().len()));
            }
            if let Some(limit) = limit.filter(|limit| *limit < rows.len()) {
                rows = rows.head(limit);
            }
            Ok(rows)
        }
    }
}

/// Says something on stderr.
pub fn note(told: &str) {
    eprintln!("{}", scrub(told));
}

/// The rows of a job that have no answer. Each is named on stderr as soon as it is known; the others are written.
#[derive(Debug)]
pub struct FailedRows<'a> {
    texts: &'a Texts,
    count: usize,
    /// The last one, which is the error of the whole job.
    last: Option<Error>,
}

impl<'a> FailedRows<'a> {
    /// For the rows of `texts`.
    #[must_use]
    pub fn new(texts: &'a Texts) -> Self {
        Self { texts, count: 0, last: None }
    }

    /// `row` has no answer, and why; gives back what is said of it.
    pub fn add(&mut self, row: &Row, why: &dyn std::fmt::Display) -> String {
        let error = match self.texts {
            Texts::Text(_) => Error::Refused(format!("the text: {why}")),
            Texts::File { path, .. } => pellucid_intake::Error::row(path, row.line, why).into(),
        };
        let said = error.to_string();
        self.count += 1;
        if self.count <= NAMED
            && let Some(before) = self.last.replace(error)
        {
            eprintln!("error: {}", scrub(&before.to_string()));
        }
        said
    }

    /// Ends the job.
    ///
    /// # Errors
    /// When a row had no answer: the last one that is named, or how many there are.
    pub fn finish(self, rows: usize) -> Result<()> {
        let Self { count, last, .. } = self;
        let Some(last) = last else { return Ok(()) };
        if count <= NAMED {
            return Err(last);
        }
        eprintln!("error: {}", scrub(&last.to_string()));
        Err(Error::Refused(format!("{} more rows have no answer: {count} of {rows} in all", count - NAMED)))
    }
}
