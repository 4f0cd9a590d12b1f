//! Rows that were left out because they are bad: where they are and why, and not what they hold.

use std::fmt;
use std::fmt::Write as _;

use pellucid_protocol::scrub::escape_json;
use serde::Serialize;

use crate::error::Error;

/// Rows that are listed at most; beyond that they are counted.
const LISTED: usize = 100_000;

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedRow {
    /// The file.
    pub file: String,
    /// The line where the row starts, or its number, from 1; `None` where it has none.
    pub line: Option<u64>,
    /// Why.
    pub reason: String,
}

/// The rows of a data set that were left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skipped {
    rows: Vec<SkippedRow>,
    count: usize,
}

impl fmt::Display for SkippedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

impl From<Error> for SkippedRow {
    fn from(error: Error) -> Self {
        match error {
            Error::Row { path, line, message } => Self { file: path, line: Some(line), reason: message },
            Error::File { path, message } => Self { file: path, line: None, reason: message },
        }
    }
}

impl Skipped {
    /// Adds a row with what is wrong with it.
    pub(super) fn add(&mut self, error: Error) {
        self.count += 1;
        if self.rows.len() < LISTED {
            self.rows.push(error.into());
        }
    }

    /// Adds those of another data set.
    pub fn extend(&mut self, others: &Self) {
        self.count += others.count;
        self.rows.extend(others.rows.iter().take(LISTED.saturating_sub(self.rows.len())).cloned());
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first.
    #[must_use]
    pub fn first(&self) -> Option<&SkippedRow> {
        self.rows.first()
    }

    /// A JSON object a line for each, which may be printed; if there are very many, the last says how many more.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut lines = String::new();
        for row in &self.rows {
            // What is made of texts and numbers can be written.
            let object = serde_json::to_string(row).unwrap_or_default();
            lines.push_str(&escape_json(&object));
            lines.push('\n');
        }
        if self.count > self.rows.len() {
            let _infallible = writeln!(lines, "{{\"not_listed\":{}}}", self.count - self.rows.len());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn rows_are_listed_by_file_and_line_and_very_many_are_counted() {
        let mut skipped = Skipped::default();
        skipped.add(Error::row(Path::new("a\u{1b}[2J.csv"), 7, "the label is empty"));
        assert_eq!(skipped.first().unwrap().to_string(), "a\u{1b}[2J.csv:7: the label is empty");
        assert_eq!(skipped.lines(), "{\"file\":\"a\\u001b[2J.csv\",\"line\":7,\"reason\":\"the label is empty\"}\n");
        (0..LISTED).for_each(|row| skipped.add(Error::row(Path::new("b"), row as u64, "")));
        let mut both = Skipped::default();
        both.extend(&skipped);
        both.extend(&skipped);
        assert_eq!((skipped.len(), both.len()), (LISTED + 1, 2 * LISTED + 2));
        assert!(skipped.lines().ends_with("\n{\"not_listed\":1}\n"));
        assert_eq!(both.lines().lines().count(), LISTED + 1);
    }
}
