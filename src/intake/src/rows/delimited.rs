//! Tables of records: CSV, TSV and their relatives, with a header or without.

mod beginning;

use std::borrow::Cow;

use csv::StringRecord;
use pellucid_protocol::settings::reading::{Header, Reading};

use self::beginning::Beginning;
use super::data_file::DataFile;
use super::dialect::{Dialect, QuotesAsText};
use super::quotes::{Fault, Quotes, Watched};
use super::table::{Cell, LabelNeed, Opened, Record, Table, Visit};
use crate::error::{Error, Result};

/// How a line begins that tells Excel what separates fields.
const HINT: &str = "sep=";

/// A table whose rows stand one after the other.
pub(super) struct Delimited {
    file: DataFile,
    dialect: Dialect,
    columns: Vec<String>,
    header: Header,
}

/// Opens a CSV file.
///
/// # Errors
/// When it is empty, or it is not known what separates its fields or whether it has a header.
pub(super) fn open_csv(file: DataFile, reading: &Reading, need: LabelNeed) -> Result<Opened> {
    let dialect = Dialect::of_csv(&file, reading)?;
    open(file, dialect, reading, need)
}

/// Opens a TSV file.
///
/// # Errors
/// As [`open_csv`].
pub(super) fn open_tsv(file: DataFile, reading: &Reading, need: LabelNeed) -> Result<Opened> {
    let dialect = Dialect::of_tsv(&file, reading)?;
    open(file, dialect, reading, need)
}

fn open(file: DataFile, dialect: Dialect, reading: &Reading, need: LabelNeed) -> Result<Opened> {
    let mut first = None;
    let all = Delimited { file, dialect, columns: Vec::new(), header: Header::None };
    all.records(&mut |record| {
        first = Some(record?.iter().map(|name| name.trim().to_owned()).collect::<Vec<_>>());
        Err(Error::file(all.file.path(), "enough"))
    })
    .or_else(|error| if first.is_some() { Ok(()) } else { Err(error) })?;
    let first = first.ok_or_else(|| Error::file(all.file.path(), "is empty"))?;
    if first[0].len() <= HINT.len() + 1 && first[0].starts_with(HINT) && first[1..].iter().all(String::is_empty) {
        return Err(Error::row(all.file.path(), 1, "tells Excel the delimiter and is no row; remove the line"));
    }
    let numbers = (1..=first.len()).map(|number| number.to_string()).collect();
    let unnamed = Delimited { columns: numbers, ..all };
    let beginning = Beginning { table: &unnamed, first: &first, reading, need };
    let (header, order) = beginning.header()?;
    let columns = if header == Header::None { unnamed.columns.clone() } else { first };
    let advice = if header == Header::None { " --no-header" } else { "; --no-header if the first row is data" };
    let notes = quotes_as_text(&unnamed.file, dialect);
    let table = Box::new(Delimited { columns, header, ..unnamed });
    Ok(Opened { table, order, advice, notes })
}

/// What to say of quotes that are read as characters although they look like those around fields.
fn quotes_as_text(file: &DataFile, dialect: Dialect) -> Vec<String> {
    let told = dialect.quotes_as_text.map(|QuotesAsText { line, fields, first }| {
        let plural = if fields == 1 { "field has" } else { "fields have" };
        format!(
            "{}: quotes are read as characters of the texts, because those of line {line} do not surround a field; {fields} \
             {plural} quotes around them, the first in line {first}: if these are none of their characters, mend line {line}",
            file.path().display()
        )
    });
    told.into_iter().collect()
}

impl Delimited {
    /// Reads all records.
    fn records(&self, visit: &mut dyn FnMut(Result<&StringRecord>) -> Result<()>) -> Result<()> {
        let quotes = Quotes::new(self.dialect.delimiter.0, self.dialect.quoted);
        let mut reader = self.dialect.reader(Watched::new(self.file.text()?, quotes));
        let mut record = StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => visit(Ok(&record))?,
                Ok(false) => return Ok(()),
                Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                    let line = error.position().map_or(1, csv::Position::line);
                    visit(Err(Error::row(self.file.path(), line, NOT_UTF8)))?;
                }
                Err(error) => return Err(self.fault(error)),
            }
        }
    }

    fn fault(&self, error: csv::Error) -> Error {
        let line = error.position().map(csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
                Some(fault) => Error::row(self.file.path(), fault.line, &fault.message),
                None => Error::file(self.file.path(), error),
            },
            other => Error::row(self.file.path(), line.unwrap_or(1), format!("{other:?}")),
        }
    }
}

/// What to do about bytes that are no text.
pub(super) const NOT_UTF8: &str =
    "is not UTF-8; name its encoding with --encoding: windows-1252, shift_jis, gb18030, ...";

impl Table for Delimited {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn each(&self, wanted: &[usize], visit: &mut Visit<'_>) -> Result<()> {
        let mut is_first = self.header == Header::Auto;
        self.records(&mut |record| {
            let record = match record {
                Ok(record) => record,
                Err(error) => return visit(Err(error)),
            };
            if std::mem::take(&mut is_first) {
                return Ok(());
            }
            let line = record.position().map_or(1, csv::Position::line);
            if record.len() != self.columns.len() {
                return visit(Err(Error::row(self.file.path(), line, self.wrong_width(record.len()))));
            }
            let cell = |at: &usize| record.get(*at).map_or(Cell::Missing, |text| Cell::Text(Cow::Borrowed(text)));
            let cells: Vec<Cell<'_>> = wanted.iter().map(cell).collect();
            visit(Ok(Record { line, cells: &cells }))
        })
    }
}

impl Delimited {
    fn wrong_width(&self, width: usize) -> String {
        let (wanted, delimiter) = (self.columns.len(), self.dialect.delimiter);
        let whose = if self.header == Header::Auto { "the header" } else { "the first row" };
        let plural = if width == 1 { "" } else { "s" };
        let what = format!("has {width} field{plural}, {whose} has {wanted}");
        if width > wanted && self.dialect.quoted {
            return format!("{what}; put texts with `{delimiter}` in quotes");
        }
        if width > wanted { format!("{what}; a text must have no {delimiter} in it") } else { what }
    }
}
