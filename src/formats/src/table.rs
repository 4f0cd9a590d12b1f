//! CSV tables (RFC 4180, lines end with LF) that spreadsheets open as they are meant.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use pellucid_protocol::scrub::scrub;

/// What makes a spreadsheet take a cell for a formula, in narrow and wide letters.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A table that is being written, cell by cell.
#[derive(Debug)]
pub struct Table<W: Write> {
    csv: csv::Writer<W>,
    /// The number that is being written.
    number: String,
}

impl<W: Write> Table<W> {
    /// An empty table on `out`.
    #[must_use]
    pub fn new(out: W) -> Self {
        // Rows may differ in length: a text without words has no row, and nothing else is checked.
        Self { csv: csv::WriterBuilder::new().flexible(true).from_writer(out), number: String::new() }
    }

    /// Adds a cell with text, which neither a terminal nor a spreadsheet takes for a command. Where text can be read
    /// as a number, it stays one.
    ///
    /// # Errors
    /// What `out` says.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.csv.write_field(cell(text).as_bytes()).map_err(of_out)
    }

    /// Adds a cell with a number, or with another value that is no text from outside.
    ///
    /// # Errors
    /// What `out` says.
    pub fn number(&mut self, number: impl Display) -> io::Result<()> {
        self.number.clear();
        // Writing to a string cannot fail.
        let _infallible = write!(self.number, "{number}");
        self.csv.write_field(&self.number).map_err(of_out)
    }

    /// Adds a cell with a number, empty if there is none.
    ///
    /// # Errors
    /// What `out` says.
    pub fn number_or_empty(&mut self, number: Option<impl Display>) -> io::Result<()> {
        match number {
            Some(number) => self.number(number),
            None => self.csv.write_field("").map_err(of_out),
        }
    }

    /// Ends the row.
    ///
    /// # Errors
    /// What `out` says.
    pub fn end_row(&mut self) -> io::Result<()> {
        self.csv.write_record(None::<&[u8]>).map_err(of_out)
    }

    /// Writes what is left, and gives `out` back.
    ///
    /// # Errors
    /// What `out` says.
    pub fn finish(self) -> io::Result<W> {
        self.csv.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// What `out` said, as it said it: who has gone away is told from a disk that is full.
fn of_out(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// Text as it may stand in a cell: nothing in it steers a terminal, and no spreadsheet takes it for a formula. As OWASP
/// advises ("CSV injection"), an apostrophe stands before one; numbers are left as they are.
fn cell(text: &str) -> Cow<'_, str> {
    let clean = scrub(text);
    let is_number = || clean.parse::<f64>().is_ok_and(f64::is_finite);
    // Some programs pass over blanks before it; tabs and line breaks have become blanks.
    if clean.trim_start().starts_with(FORMULA) && !is_number() {
        return Cow::Owned(format!("'{clean}"));
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_takes_no_text_for_a_formula_and_numbers_stay_numbers() {
        for text in ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n@x", "\u{ff1d}1", "-", "+inf"]
        {
            assert_eq!(cell(text), format!("'{}", scrub(text)), "{text:?}");
        }
        for text in ["-0.25", "+1e-9", "5", "a=1", "", " ", "e-mail", "'=1"] {
            assert!(matches!(cell(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    /// A reader that has gone away, as `head` does when it has enough.
    #[derive(Debug)]
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_reader_that_has_gone_away_is_known_as_such() {
        let mut table = Table::new(Closed);
        let long = "x".repeat(1 << 20);
        assert_eq!(table.text(&long).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let mut table = Table::new(Closed);
        table.text("short").unwrap();
        assert_eq!(table.finish().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let mut table = Table::new(Vec::new());
        for text in ["a", "b,c", "say \"no\"", "=1,2", "two\nlines"] {
            table.text(text).unwrap();
        }
        table.end_row().unwrap();
        table.number(1e-9).unwrap();
        table.number(f64::NAN).unwrap();
        table.number_or_empty(None::<f64>).unwrap();
        table.number_or_empty(Some(7)).unwrap();
        table.end_row().unwrap();
        let written = String::from_utf8(table.finish().unwrap()).unwrap();
        assert_eq!(written, "a,\"b,c\",\"say \"\"no\"\"\",\"'=1,2\",two lines\n0.000000001,NaN,,7\n");
    }
}
