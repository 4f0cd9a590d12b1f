//! Tables of records: CSV, TSV and their relatives, with a header or without.

use std::borrow::Cow;
use std::collections::HashSet;

use csv::StringRecord;
use pellucid_protocol::settings::reading::{Header, Reading};

use super::columns::{is_known, is_number};
use super::data_file::DataFile;
use super::dialect::Dialect;
use super::quotes::{Fault, Quotes, Watched};
use super::table::{Cell, LabelNeed, Opened, Order, Record, Table, Visit, first_rows};
use crate::error::{Error, Result};

/// Rows that are looked at to know whether the first one is a header.
const LOOKED_AT: u64 = 10_000;

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
    let table = Box::new(Delimited { columns, header, ..unnamed });
    Ok(Opened { table, order, advice, notes: quotes_as_text(dialect) })
}

/// What to say of quotes that are read as characters although they look like those around fields.
fn quotes_as_text(dialect: Dialect) -> Vec<String> {
    let told = dialect.quotes_as_text.map(|line| {
        format!(
            "quotes are read as characters of the texts, because those of line {line} do not surround a field; if they \
             do elsewhere, mend that line"
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

/// The beginning of a table, from which it is known whether its first row names the columns.
struct Beginning<'a> {
    table: &'a Delimited,
    first: &'a [String],
    reading: &'a Reading,
    need: LabelNeed,
}

impl Beginning<'_> {
    /// Whether there is a header, and in a table without one the places of text and label, if they are known.
    fn header(&self) -> Result<(Header, Order)> {
        let columns = &self.reading.columns;
        let given: Vec<&str> =
            pellucid_protocol::settings::reading::Role::ALL.iter().filter_map(|role| columns.of(*role)).collect();
        if self.reading.header == Header::None {
            return Ok((Header::None, self.order_if_clear()?));
        }
        if self.first.iter().any(|name| is_known(name, self.reading)) {
            return Ok((Header::Auto, None));
        }
        if !given.is_empty() && given.iter().all(|name| is_number(name)) {
            return self.by_number().map(|()| (Header::None, None));
        }
        if !given.is_empty() {
            return Ok((Header::Auto, None));
        }
        self.without_names()
    }

    /// Columns that are given by their numbers are those of a table without a header. A first row that may be one is
    /// neither dropped nor read as data without a word.
    fn by_number(&self) -> Result<()> {
        let label = self.reading.columns.label.as_deref().and_then(|number| number.parse::<usize>().ok());
        let label = label.and_then(|number| number.checked_sub(1)).filter(|place| *place < self.first.len());
        let counts_up = |from: usize| self.first.iter().zip(from..).all(|(name, number)| *name == number.to_string());
        let is_data = match label {
            _ if counts_up(0) || counts_up(1) => false,
            Some(label) => self.recurs(label)?,
            None => self.first.iter().any(|name| !may_be_name(name)),
        };
        if is_data {
            return Ok(());
        }
        let first: Vec<String> = self.first.iter().map(|name| format!("`{}`", cut(name))).collect();
        Err(self.refused(&format!(
            "the first row may name the columns: {}; give --no-header if it is data, else name the columns as it does",
            first.join(", ")
        )))
    }

    /// Of a table in whose first row no name is known.
    fn without_names(&self) -> Result<(Header, Order)> {
        match (self.first.len(), self.need) {
            (1, LabelNeed::Optional) if self.table.file.ending() == "txt" => Ok((Header::None, Some((0, None)))),
            (1, LabelNeed::Optional) => Err(self.refused(&format!(
                "has one column, whose first row may be its name: `{}`; give --text-column 1 --no-header if it is a text, \
                 else --text-column with the name; if it has more columns, what separates them with --delimiter",
                cut(&self.first[0])
            ))),
            (1, LabelNeed::Required) => Err(self.refused("has one column; a text and a label are needed")),
            (2, _) => Ok(match self.order()? {
                Some(order) => (Header::None, Some(order)),
                None => (Header::Auto, None),
            }),
            _ if self.first.iter().any(|name| !may_be_name(name)) => Ok((Header::None, None)),
            _ => Ok((Header::Auto, None)),
        }
    }

    fn order_if_clear(&self) -> Result<Order> {
        match self.first.len() {
            1 => Ok(Some((0, None))),
            2 if !self.reading.columns.are_any() => match self.order()? {
                Some(order) => Ok(Some(order)),
                None => Ok(Some((0, Some(1)))),
            },
            _ => Ok(None),
        }
    }

    /// Text and label of a table of two columns that cannot have a header, because the label of the first row occurs again.
    fn order(&self) -> Result<Order> {
        let recurs = [self.recurs(0)?, self.recurs(1)?];
        match recurs {
            [false, false] => Ok(None),
            [false, true] => Ok(Some((0, Some(1)))),
            [true, false] => Ok(Some((1, Some(0)))),
            [true, true] => self.fewer_values(),
        }
    }

    /// Where both columns have values that recur, the label has fewer of them.
    fn fewer_values(&self) -> Result<Order> {
        let different = [self.different(0)?, self.different(1)?];
        match different {
            [first, second] if first >= 2 * second => Ok(Some((0, Some(1)))),
            [first, second] if second >= 2 * first => Ok(Some((1, Some(0)))),
            _ => Err(self.refused(
                "has no header, and either column could be the text; give --no-header --text-column 1 --label-column 2, \
                 or the other way round",
            )),
        }
    }

    /// Whether the first row cannot be a header by its field at `column`: a number, or a value that comes again.
    fn recurs(&self, column: usize) -> Result<bool> {
        if !may_be_name(&self.first[column]) {
            return Ok(true);
        }
        let (mut rows, mut again) = (0, false);
        self.look(column, &mut |text| {
            again |= rows > 0 && text.trim() == self.first[column];
            rows += 1;
        })?;
        Ok(again)
    }

    fn different(&self, column: usize) -> Result<usize> {
        let mut seen = HashSet::new();
        self.look(column, &mut |text| {
            seen.insert(text.trim().to_owned());
        })?;
        Ok(seen.len())
    }

    /// The first fields of a column; rows that cannot be read are named later.
    fn look(&self, column: usize, see: &mut dyn FnMut(&str)) -> Result<()> {
        first_rows(self.table, &[column], LOOKED_AT, &mut |row| {
            if let Ok(Record { cells: [Cell::Text(text)], .. }) = row {
                see(text);
            }
            Ok(())
        })
    }

    fn refused(&self, why: &str) -> Error {
        Error::row(self.table.file.path(), 1, why)
    }
}

/// The beginning of a field.
fn cut(field: &str) -> String {
    const SHOWN: usize = 40;
    let short: String = field.chars().take(SHOWN).collect();
    if short.len() < field.len() { format!("{short}…") } else { short }
}

/// Whether a field can be the name of a column: no number is one.
fn may_be_name(field: &str) -> bool {
    !field.is_empty() && field.parse::<f64>().is_err()
}
