//! Columns with types, of Parquet and Arrow files, as cells: what can be read, and what its values are.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type,
};
use arrow_array::{Array, ArrayRef, downcast_integer_array};
use arrow_schema::{DataType, Field};
use pellucid_files::bounded;
use serde_json::Value;

use super::table::{Cell, Record, Visit};
use super::unpacked::Budget;
use crate::error::{Error, Result};

/// Characters that are shown of what a library says.
const LONGEST: usize = 200;

type Read<T> = std::result::Result<T, String>;

/// A column with a type.
#[derive(Debug, Clone)]
pub(super) struct TypedColumn {
    /// Whether its values can be cells.
    pub(super) readable: bool,
    /// What it holds in words.
    holds: &'static str,
    /// The names of its classes by their numbers, if the file has them.
    pub(super) classes: Option<Vec<String>>,
}

impl TypedColumn {
    pub(super) fn new(field: &Field, classes: Option<Vec<String>>) -> Self {
        let data = field.data_type();
        Self { readable: is_readable(data), holds: holds(data), classes }
    }
}

/// What is wrong with a file, from what a library says of it: its first line, without the names of its modules.
pub(super) fn damaged(why: &str) -> String {
    let mut why = why.lines().next().unwrap_or_default();
    let layers = ["Arrow: ", "External: ", "Parquet argument error: ", "Parquet error: ", "Parser error: ", "EOF: "];
    while let Some(rest) = layers.iter().find_map(|layer| why.strip_prefix(layer)) {
        why = rest;
    }
    let short: String = why.chars().take(LONGEST).collect();
    format!("cannot be read; it is damaged, or of a kind that is not known: {short}")
}

/// Refuses columns whose values can be no cells.
///
/// # Errors
/// The name of the first such column among those at `wanted`, and what it holds.
pub(super) fn refuse(names: &[String], columns: &[TypedColumn], wanted: &[usize]) -> Read<()> {
    match wanted.iter().find(|at| !columns[**at].readable) {
        Some(at) => Err(format!(
            "column `{}` holds {}; only texts, numbers, truth values and lists of them are read: name another column, or \
             convert it",
            names[*at], columns[*at].holds
        )),
        None => Ok(()),
    }
}

/// Whether values of this type can be cells.
fn is_readable(data: &DataType) -> bool {
    match data {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Boolean | DataType::Null => true,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => true,
        DataType::Dictionary(_, value) => !is_nested(value) && is_readable(value),
        data => {
            data.is_decimal() || data.is_integer() || inner(data).is_some_and(|inner| is_readable(inner.data_type()))
        }
    }
}

fn is_nested(data: &DataType) -> bool {
    inner(data).is_some() || matches!(data, DataType::Dictionary(..))
}

/// What a list is a list of.
pub(super) fn inner(data: &DataType) -> Option<&Field> {
    match data {
        DataType::List(inner) | DataType::LargeList(inner) | DataType::FixedSizeList(inner, _) => Some(inner),
        _ => None,
    }
}

fn holds(data: &DataType) -> &'static str {
    match data {
        DataType::Struct(_) => "objects",
        DataType::Map(..) => "maps",
        DataType::Union(..) => "values of several types",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "bytes",
        data if data.is_temporal() => "times",
        data => inner(data).map_or("values of an unusual type", |_| "lists of what is no text and no number"),
    }
}

/// Rows of a batch: where they stand in their file, and how they become cells.
pub(super) struct Batch<'a> {
    /// The wanted columns in the order of the cells; `None` for one that cannot be read.
    pub(super) arrays: &'a [Option<&'a ArrayRef>],
    /// The names of the classes of each.
    pub(super) classes: &'a [Option<&'a [String]>],
    /// How many rows there are.
    pub(super) rows: usize,
    /// The rows before it.
    pub(super) before: u64,
    /// What the texts of all rows may come to: one that stands in the file once may be that of many rows.
    pub(super) given: &'a mut Budget,
}

impl Batch<'_> {
    /// Visits the rows; `wrong` makes an error of a row that cannot be read.
    ///
    /// # Errors
    /// Those of `visit`, and when the texts are too many.
    pub(super) fn each(&mut self, wrong: &dyn Fn(u64, String) -> Error, visit: &mut Visit<'_>) -> Result<()> {
        let arrays: Vec<Option<ArrayRef>> = self.arrays.iter().map(|array| array.map(unbelieved)).collect();
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(self.arrays.len());
        for row in 0..self.rows {
            let line = self.before + row as u64 + 1;
            cells.clear();
            let read: Read<()> = arrays.iter().zip(self.classes).try_for_each(|(array, classes)| {
                // Of a column that is looked at and not used.
                let unread = || Ok(Cell::Nested(Cow::Owned(Value::Null)));
                cells.push(array.as_ref().map_or_else(unread, |array| cell(array, row, *classes))?);
                Ok(())
            });
            let texts = cells.iter().map(|cell| if let Cell::Text(text) = cell { text.len() as u64 } else { 0 }).sum();
            self.given.take(texts).map_err(|error| wrong(line, error.to_string()))?;
            match read {
                Ok(()) => visit(Ok(Record { line, cells: &cells }))?,
                Err(why) => visit(Err(wrong(line, why)))?,
            }
        }
        Ok(())
    }
}

/// Texts as the bytes that they are. The library looks at some texts of Parquet together and not at each, so that one
/// may end within a character.
fn unbelieved(array: &ArrayRef) -> ArrayRef {
    match array.as_string_view_opt() {
        Some(texts) => Arc::new(texts.clone().to_binary_view()),
        None => Arc::clone(array),
    }
}

/// The value at `row`.
fn cell<'a>(array: &'a dyn Array, row: usize, classes: Option<&[String]>) -> Read<Cell<'a>> {
    // An array of nulls has no marks for them.
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Ok(Cell::Missing);
    }
    Ok(match array.data_type() {
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).into()),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row).into()),
        DataType::BinaryView => match std::str::from_utf8(array.as_binary_view().value(row)) {
            Ok(text) => Cell::Text(text.into()),
            Err(_) => return Err("has a text that is not UTF-8".to_owned()),
        },
        DataType::Boolean => Cell::Plain(array.as_boolean().value(row).to_string().into()),
        DataType::Float16 => float(f64::from(array.as_primitive::<Float16Type>().value(row).to_f32())),
        DataType::Float32 => float32(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Dictionary(..) => return of_dictionary(array, row, classes),
        data if data.is_integer() => return class(integer(array, row)?, classes),
        data if data.is_decimal() => Cell::Plain(decimal(array, row)?.into()),
        _ => {
            let mut left = bounded::LINE;
            Cell::Nested(Cow::Owned(list(array, row, classes, &mut left)?))
        }
    })
}

/// A number with a point; none is what pandas writes where nothing is.
fn float<'a>(value: f64) -> Cell<'a> {
    if value.is_nan() { Cell::Missing } else { Cell::Plain(value.to_string().into()) }
}

/// As [`float`], in the fewest digits that are this number and no other of its size.
fn float32<'a>(value: f32) -> Cell<'a> {
    if value.is_nan() { Cell::Missing } else { Cell::Plain(value.to_string().into()) }
}

fn integer(array: &dyn Array, row: usize) -> Read<i128> {
    downcast_integer_array!(
        array => Ok(i128::from(array.value(row))),
        data => Err(format!("has a value of type {data}"))
    )
}

/// A number as databases keep it: digits, and how many of them stand behind the point.
fn decimal(array: &dyn Array, row: usize) -> Read<String> {
    Ok(match array.data_type() {
        DataType::Decimal32(_, scale) => pointed(&array.as_primitive::<Decimal32Type>().value(row).to_string(), *scale),
        DataType::Decimal64(_, scale) => pointed(&array.as_primitive::<Decimal64Type>().value(row).to_string(), *scale),
        DataType::Decimal128(_, scale) => {
            pointed(&array.as_primitive::<Decimal128Type>().value(row).to_string(), *scale)
        }
        DataType::Decimal256(_, scale) => {
            pointed(&array.as_primitive::<Decimal256Type>().value(row).to_string(), *scale)
        }
        data => return Err(format!("has a value of type {data}")),
    })
}

/// `digits` with `scale` of them behind the point; a scale below zero is of zeros that are left out.
fn pointed(digits: &str, scale: i8) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let places = usize::from(scale.unsigned_abs());
    match scale {
        0 => format!("{sign}{digits}"),
        ..0 if digits == "0" => digits.to_owned(),
        ..0 => format!("{sign}{digits}{}", "0".repeat(places)),
        _ => {
            let digits = format!("{digits:0>width$}", width = places + 1);
            let (whole, rest) = digits.split_at(digits.len() - places);
            format!("{sign}{whole}.{rest}")
        }
    }
}

/// A whole number, or the class that it stands for; -1 is what datasets writes where there is none.
fn class<'a>(value: i128, classes: Option<&[String]>) -> Read<Cell<'a>> {
    let Some(classes) = classes else { return Ok(Cell::Plain(value.to_string().into())) };
    match usize::try_from(value).ok().and_then(|value| classes.get(value)) {
        Some(name) => Ok(Cell::Text(name.clone().into())),
        None if value == -1 => Ok(Cell::Missing),
        None => Err(format!("has the class {value}, and the file names {} classes from 0 on", classes.len())),
    }
}

fn of_dictionary<'a>(array: &'a dyn Array, row: usize, classes: Option<&[String]>) -> Read<Cell<'a>> {
    let dictionary = array.as_any_dictionary();
    let values = dictionary.values();
    match usize::try_from(integer(dictionary.keys(), row)?) {
        Ok(key) if key < values.len() => cell(values, key, classes),
        _ => Err("has a value that its dictionary does not have".to_owned()),
    }
}

/// A list with all that is in it; `left` is how many bytes it may still take.
fn list(array: &dyn Array, row: usize, classes: Option<&[String]>, left: &mut u64) -> Read<Value> {
    let items = match array.data_type() {
        DataType::List(_) => array.as_list::<i32>().value(row),
        DataType::LargeList(_) => array.as_list::<i64>().value(row),
        DataType::FixedSizeList(..) => array.as_fixed_size_list().value(row),
        data => return Err(format!("has a value of type {data}")),
    };
    let items = unbelieved(&items);
    let mut item = |at: usize| {
        let value = if inner(items.data_type()).is_some() && items.is_valid(at) {
            list(&items, at, classes, left)?
        } else {
            plain(cell(&items, at, classes)?)
        };
        let size = 16 + value.as_str().map_or(0, str::len) as u64;
        *left = left.checked_sub(size).ok_or_else(|| format!("has a list of more than {} bytes", bounded::LINE))?;
        Ok(value)
    };
    (0..items.len()).map(&mut item).collect::<Read<Vec<Value>>>().map(Value::Array)
}

/// What a cell is in a list.
fn plain(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Missing => Value::Null,
        Cell::Text(text) => Value::String(text.into_owned()),
        Cell::Plain(written) | Cell::Rounded(written) => {
            serde_json::from_str(&written).unwrap_or_else(|_| Value::String(written.into_owned()))
        }
        Cell::Nested(value) => value.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_their_point_where_their_scale_says() {
        for (digits, scale, number) in [
            ("150", 2, "1.50"),
            ("5", 2, "0.05"),
            ("-5", 2, "-0.05"),
            ("-150", 0, "-150"),
            ("0", 3, "0.000"),
            ("12", -3, "12000"),
            ("0", -3, "0"),
        ] {
            assert_eq!(pointed(digits, scale), number);
        }
    }
}
