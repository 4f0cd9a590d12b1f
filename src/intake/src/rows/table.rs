//! A data file as rows of cells, whatever its format.

use std::borrow::Cow;

use serde_json::Value;

use crate::error::{Error, Result};

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// Nothing: the row has no such field, or null.
    Missing,
    /// A text; in formats without types everything is one.
    Text(Cow<'a, str>),
    /// A number or a truth value, as it is written.
    Plain(Cow<'a, str>),
    /// A number that is not kept as it is written: of other digits the same number is made.
    Rounded(Cow<'a, str>),
    /// A list or an object.
    Nested(Cow<'a, Value>),
}

/// A row: the cells of the columns that were asked for.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// The line where it starts, or the number of the row, from 1.
    pub line: u64,
    /// The cells, in the order in which the columns were asked for.
    pub cells: &'a [Cell<'a>],
}

/// What is done with each row, or with what is wrong with it; an error ends the reading.
pub(super) type Visit<'a> = dyn FnMut(Result<Record<'_>>) -> Result<()> + 'a;

/// A data file that has been opened.
pub(super) trait Table {
    /// The names of its columns in their order. A table without a header numbers them from 1.
    fn columns(&self) -> &[String];

    /// The names of the classes that the numbers of a column stand for, if the file has them.
    fn classes(&self, _column: usize) -> Option<&[String]> {
        None
    }

    /// Refuses columns whose values can be no cells. [`Table::each`] reads these as nothing in particular.
    ///
    /// # Errors
    /// The name of such a column, and what it holds.
    fn check(&self, _wanted: &[usize]) -> Result<()> {
        Ok(())
    }

    /// Reads all rows, from the first one on, and of each the columns at `wanted`.
    ///
    /// # Errors
    /// What ends the reading: an error of `visit`, or one after which the file cannot be read any further.
    fn each(&self, wanted: &[usize], visit: &mut Visit<'_>) -> Result<()>;
}

/// The places of text and label in a table without names, if they are known.
pub(super) type Order = Option<(usize, Option<usize>)>;

/// Whether rows need a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelNeed {
    /// A row without a label is an error.
    Required,
    /// A row may have no label.
    Optional,
}

/// A file that has been opened.
pub(super) struct Opened {
    /// Its rows.
    pub(super) table: Box<dyn Table>,
    /// The places of text and label in a table without names, if they are known.
    pub(super) order: Order,
    /// What else to say where its columns are not clear.
    pub(super) advice: &'static str,
    /// What to tell the user of it.
    pub(super) notes: Vec<String>,
}

/// Ends a reading that has seen enough, and is no error then.
pub(super) fn first_rows(table: &dyn Table, wanted: &[usize], count: u64, visit: &mut Visit<'_>) -> Result<()> {
    let (mut left, mut done) = (count, false);
    let read = table.each(wanted, &mut |row| {
        visit(row)?;
        left = left.saturating_sub(1);
        done = left == 0;
        if done { Err(Error::file(std::path::Path::new(""), "enough")) } else { Ok(()) }
    });
    if done { Ok(()) } else { read }
}
