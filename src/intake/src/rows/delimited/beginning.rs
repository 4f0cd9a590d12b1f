//! The beginning of a table: whether its first row names the columns.

use std::collections::HashSet;

use pellucid_protocol::settings::Switch;
use pellucid_protocol::settings::reading::{Header, Reading, Role};

use super::Delimited;
use crate::error::{Error, Result};
use crate::rows::columns::{is_known, is_number};
use crate::rows::table::{Cell, LabelNeed, Order, Record, first_rows};

/// Rows that are looked at to know whether the first one is a header.
const LOOKED_AT: u64 = 10_000;
/// Words that the name of a column has at most.
const NAME_WORDS: usize = 2;
/// Characters that the name of a column has at most.
const NAME_LENGTH: usize = 30;

/// The beginning of a table, from which it is known whether its first row names the columns.
pub(super) struct Beginning<'a> {
    pub(super) table: &'a Delimited,
    pub(super) first: &'a [String],
    pub(super) reading: &'a Reading,
    pub(super) need: LabelNeed,
}

/// What the first rows of a column hold.
#[derive(Debug, Default)]
struct Look {
    /// The field in the first row.
    first: String,
    /// The rows behind it.
    rows: usize,
    /// How many of these are numbers.
    numbers: usize,
    /// How many count up from 0.
    counted: usize,
    /// Whether the first field comes again.
    again: bool,
    different: HashSet<String>,
}

impl Look {
    fn take(&mut self, field: &str) {
        let field = field.trim();
        self.numbers += usize::from(is_value(field));
        self.counted += usize::from(field.parse() == Ok(self.rows));
        self.again |= field == self.first;
        self.rows += 1;
        self.different.insert(field.to_owned());
    }

    /// Whether the first field is a number, as nearly all others are.
    fn is_of_numbers(&self) -> bool {
        is_value(&self.first) && 10 * self.numbers >= 9 * self.rows
    }

    /// Whether the first field can name the column, by its looks and by what is below it.
    fn may_be_named(&self) -> bool {
        match is_value(&self.first) {
            true => !self.is_of_numbers(),
            false => self.first.chars().count() <= NAME_LENGTH && self.first.split_whitespace().count() <= NAME_WORDS,
        }
    }

    /// Whether this is the index that pandas writes, in a column without a name.
    fn is_index(&self) -> bool {
        self.first.is_empty() && self.rows > 0 && self.counted == self.rows
    }

    /// Whether the first field is one of few values, or may be.
    fn is_label(&self) -> bool {
        self.again || self.rows < 3 || self.different.len() < self.rows
    }

    /// Whether another field has as many characters as the first.
    fn has_its_length(&self) -> bool {
        self.different.iter().any(|field| field.len() == self.first.len())
    }
}

impl Beginning<'_> {
    /// Whether there is a header, and in a table without one the places of text and label, if they are known.
    pub(super) fn header(&self) -> Result<(Header, Order)> {
        let columns = &self.reading.columns;
        let given: Vec<&str> = Role::ALL.iter().filter_map(|role| columns.of(*role)).collect();
        if self.reading.header == Header::None {
            return Ok((Header::None, self.order_if_clear()?));
        }
        if self.first.iter().any(|name| is_known(name, self.reading)) || self.has_index()? {
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

    /// Whether pandas has written its index as the first column.
    fn has_index(&self) -> Result<bool> {
        Ok(self.first.len() > 1 && self.first[0].is_empty() && self.look(0)?.is_index())
    }

    /// Columns that are given by their numbers are those of a table without a header. A first row that may be one is
    /// neither dropped nor read as data without a word.
    fn by_number(&self) -> Result<()> {
        let place = |role: Role| {
            let number = self.reading.columns.of(role).and_then(|number| number.parse::<usize>().ok());
            number.and_then(|number| number.checked_sub(1)).filter(|place| *place < self.first.len())
        };
        let is_data = match (place(Role::Text), place(Role::Label)) {
            _ if self.counts_up() => false,
            (Some(text), Some(label)) if text != label => self.is_row(text, label)?,
            _ => self.has_number()?,
        };
        if is_data {
            return Ok(());
        }
        Err(self.refused(&format!(
            "the first row may name the columns{}; give --no-header if it is data, else name the columns as it does",
            self.quoted(self.first)
        )))
    }

    /// Fields of the first row as they are told: not at all where the data are private, for they may be texts.
    fn quoted(&self, fields: &[String]) -> String {
        let quoted = |field: &String| format!("`{}`", cut(field));
        match self.reading.private {
            Switch::On => String::new(),
            Switch::Off => format!(": {}", fields.iter().map(quoted).collect::<Vec<_>>().join(", ")),
        }
    }

    /// Whether the first row has the names that pandas gives to columns without any.
    fn counts_up(&self) -> bool {
        let from = |from: usize| self.first.iter().zip(from..).all(|(name, number)| *name == number.to_string());
        from(0) || from(1)
    }

    /// Of a table in whose first row no name is known.
    fn without_names(&self) -> Result<(Header, Order)> {
        match (self.first.len(), self.need) {
            (1, LabelNeed::Optional) if self.table.file.ending() == "txt" => Ok((Header::None, Some((0, None)))),
            (1, LabelNeed::Optional) => Err(self.refused(&format!(
                "has one column, whose first row may be its name{}; give --text-column 1 --no-header if it is a text, \
                 else --text-column with the name; if it has more columns, what separates them with --delimiter",
                self.quoted(&self.first[..1])
            ))),
            (1, LabelNeed::Required) => Err(self.refused("has one column; a text and a label are needed")),
            (2, _) => Ok(match self.chosen([self.is_row(1, 0)?, self.is_row(0, 1)?])? {
                Some(order) => (Header::None, Some(order)),
                None => (Header::Auto, None),
            }),
            _ if !self.counts_up() && self.has_number()? => Ok((Header::None, None)),
            _ => Ok((Header::Auto, None)),
        }
    }

    fn order_if_clear(&self) -> Result<Order> {
        match self.first.len() {
            1 => Ok(Some((0, None))),
            2 if !self.reading.columns.are_any() => {
                let recurs = |column: usize| self.look(column).map(|look| look.again || look.is_of_numbers());
                Ok(self.chosen([recurs(0)?, recurs(1)?])?.or(Some((0, Some(1)))))
            }
            _ => Ok(None),
        }
    }

    /// Text and label of a table of two columns; `may_be` says which of them may be the label.
    fn chosen(&self, may_be: [bool; 2]) -> Result<Order> {
        let different = [self.look(0)?.different.len(), self.look(1)?.different.len()];
        match may_be {
            [false, false] => Ok(None),
            [false, true] if different[1] <= different[0] => Ok(Some((0, Some(1)))),
            [true, false] if different[0] <= different[1] => Ok(Some((1, Some(0)))),
            // The label has fewer values than the text.
            [true, true] if different[0] >= 2 * different[1] => Ok(Some((0, Some(1)))),
            [true, true] if different[1] >= 2 * different[0] => Ok(Some((1, Some(0)))),
            _ => Err(self.refused(
                "has no header, and either column could be the text; give --no-header --text-column 1 --label-column 2, \
                 or the other way round",
            )),
        }
    }

    /// Whether the first row cannot be a header if these are its text and its label: the label comes again below, or is a
    /// number as the others are, and the text is too long for a name. A number that comes again, or is as long as another,
    /// is enough.
    fn is_row(&self, text: usize, label: usize) -> Result<bool> {
        let (text, label) = (self.look(text)?, self.look(label)?);
        if label.first.is_empty() || is_value(&text.first) && text.may_be_named() {
            return Ok(false);
        }
        let (of_numbers, is_name) = (label.is_of_numbers(), text.may_be_named());
        Ok(match (label.again, of_numbers) {
            (true, true) => true,
            (true, false) => !is_name && label.different.len() <= text.different.len(),
            (false, true) => label.is_label() && (!is_name || label.has_its_length()),
            (false, false) => false,
        })
    }

    /// Whether a field of the first row is a number as those below it.
    fn has_number(&self) -> Result<bool> {
        for column in (0..self.first.len()).filter(|column| is_value(&self.first[*column])) {
            if self.look(column)?.is_of_numbers() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The first fields of a column; rows that cannot be read are named later.
    fn look(&self, column: usize) -> Result<Look> {
        let mut look = Look { first: self.first[column].clone(), ..Look::default() };
        let mut is_first = true;
        first_rows(self.table, &[column], LOOKED_AT, &mut |row| {
            let is_header = std::mem::take(&mut is_first);
            if let (false, Ok(Record { cells: [Cell::Text(text)], .. })) = (is_header, row) {
                look.take(text);
            }
            Ok(())
        })?;
        Ok(look)
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

/// Whether a field is a number.
fn is_value(field: &str) -> bool {
    field.parse::<f64>().is_ok_and(f64::is_finite)
}
