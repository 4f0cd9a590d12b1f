//! Tables of records: CSV, TSV and their relatives, with a header or without.

mod beginning;

use std::borrow::Cow;

use csv::{ByteRecord, StringRecord};
use pellucid_protocol::settings::reading::{Header, Reading};

use self::beginning::Beginning;
use super::data_file::DataFile;
use super::dialect::{Dialect, QuotesAsText};
use super::quotes::{Quotes, Watched};
use super::table::{Cell, LabelNeed, Opened, Record, Table, Visit};
use crate::error::{Error, Result};

/// How a line begins that tells Excel what separates fields.
const HINT: &str = "sep=";

/// What is done with a record, or with what is wrong with it, and the line where it begins.
type VisitRecord<'v> = dyn FnMut(u64, Result<&StringRecord>) -> Result<()> + 'v;

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
    all.records(&mut |_, record| {
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
    let mut notes = quotes_as_text(&unnamed.file, dialect);
    if header == Header::None && unnamed.columns.len() == 1 && !dialect.quoted {
        notes.extend(unnamed.empty_lines()?);
    }
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
    /// Reads all records, each with the line where it begins.
    fn records(&self, visit: &mut VisitRecord<'_>) -> Result<()> {
        let quotes = Quotes::new(self.dialect.delimiter.0, self.dialect.quoted);
        let mut reader = self.dialect.reader(Watched::new(self.file.text()?, quotes));
        let mut bytes = ByteRecord::new();
        while reader.read_byte_record(&mut bytes).map_err(|error| self.fault(error))? {
            // The library counts empty lines before a record as its own, so it is counted from its end.
            let within = bytes.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
            let line = reader.position().line().saturating_sub(within + 1).max(1);
            bytes = match StringRecord::from_byte_record(bytes) {
                Ok(record) => {
                    visit(line, Ok(&record))?;
                    record.into_byte_record()
                }
                Err(error) => {
                    visit(line, Err(Error::row(self.file.path(), line, NOT_UTF8)))?;
                    error.into_byte_record()
                }
            };
        }
        Ok(())
    }

    fn fault(&self, error: csv::Error) -> Error {
        let line = error.position().map(csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(error) => self.file.told(error),
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
        self.records(&mut |line, record| {
            let record = match record {
                Ok(record) => record,
                Err(error) => return visit(Err(error)),
            };
            if std::mem::take(&mut is_first) {
                return Ok(());
            }
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
    /// Says that there are fewer rows than lines, where each line is a text.
    fn empty_lines(&self) -> Result<Option<String>> {
        let (mut rows, mut last) = (0, 0);
        self.records(&mut |line, _| {
            rows += 1;
            last = line;
            Ok(())
        })?;
        let empty = u64::saturating_sub(last, rows);
        let path = self.file.path().display();
        let note =
            || format!("{path}: empty lines are no rows: {empty} of them stand before or between the {rows} rows");
        Ok((empty > 0).then(note))
    }

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
