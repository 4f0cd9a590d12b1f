//! JSON objects: one a line, or all of them in a list.

mod json_list;
mod keys;

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

use pellucid_files::bounded;
use pellucid_protocol::settings::reading::Reading;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::{Map, Value};

use self::keys::Keys;
use super::data_file::DataFile;
use super::delimited::NOT_UTF8;
use super::table::{Cell, LabelNeed, Opened, Record, Table, Visit};
use crate::error::{Error, Result};

/// How the objects stand in their file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One a line.
    Lines,
    /// All in a list.
    List,
}

/// A file of objects.
struct Objects {
    file: DataFile,
    columns: Vec<String>,
    layout: Layout,
}

/// What is wrong with an object, and in which of its own lines, from 1.
struct ObjectFault {
    line: u64,
    why: String,
}

/// What to do about JSON that is no list of rows.
const OTHER_JSON: &str = "write the rows as a list of objects [{..}, ..] or as an object a line, e.g. with pandas \
                          to_json(orient=\"records\")";

/// Opens a file of JSON lines.
///
/// # Errors
/// What the file system says, and what is wrong with its first lines.
pub(super) fn open(file: DataFile, _reading: &Reading, _need: LabelNeed) -> Result<Opened> {
    opened(Objects { file, columns: Vec::new(), layout: Layout::Lines }).map(|(opened, _)| opened)
}

/// Opens a JSON file, which is a list of objects or has an object a line.
///
/// # Errors
/// As [`open`], and when it holds one object in which the rows are.
pub(super) fn open_json(file: DataFile, _reading: &Reading, _need: LabelNeed) -> Result<Opened> {
    let layout = if first(&file)? == Some(b'[') { Layout::List } else { Layout::Lines };
    let path = file.path().to_owned();
    let (opened, nested) = opened(Objects { file, columns: Vec::new(), layout }).map_err(|error| match error {
        Error::Row { line: 1, message, .. } if layout == Layout::Lines => {
            Error::row(&path, 1, format!("{message}; {OTHER_JSON}"))
        }
        error => error,
    })?;
    match nested {
        Nested::Only if layout == Layout::Lines => {
            let columns = opened.table.columns().iter().take(5).map(String::as_str).collect::<Vec<_>>().join("`, `");
            Err(Error::row(&path, 1, format!("is one object, with the rows inside of `{columns}`; {OTHER_JSON}")))
        }
        _ => Ok(opened),
    }
}

/// The first byte that is not blank.
fn first(file: &DataFile) -> Result<Option<u8>> {
    for byte in BufReader::new(file.text()?).bytes() {
        let byte = byte.map_err(|error| file.told(error))?;
        if !byte.is_ascii_whitespace() {
            return Ok(Some(byte));
        }
    }
    Ok(None)
}

/// Whether a file has a single object that holds nothing but lists and objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nested {
    Only,
    No,
}

fn opened(all: Objects) -> Result<(Opened, Nested)> {
    let (mut keys, mut nested, mut good, mut wrong) = (Keys::default(), Nested::No, 0_u64, None);
    all.pieces(&mut |line, bytes| {
        keys.take(bytes);
        // The first objects say whether the rows are inside of one, and what is wrong where there is none.
        if good < 2 {
            match object(bytes) {
                Ok(object) => {
                    good += 1;
                    let is_nested =
                        !object.is_empty() && object.values().all(|value| value.is_array() || value.is_object());
                    nested = if is_nested && good == 1 { Nested::Only } else { Nested::No };
                }
                Err(fault) if good == 0 && wrong.is_none() => wrong = Some(all.fault(line, fault)),
                Err(_) => {}
            }
        }
        keys.too_many().map_or(Ok(()), |why| Err(Error::file(all.file.path(), why)))
    })?;
    if good == 0 {
        return Err(wrong.unwrap_or_else(|| Error::file(all.file.path(), "has no rows")));
    }
    if keys.names.is_empty() {
        return Err(Error::row(all.file.path(), 1, "its objects have no keys, and so there is no text"));
    }
    let table = Box::new(Objects { columns: keys.names, ..all });
    Ok((Opened { table, order: None, advice: "", notes: Vec::new() }, nested))
}

/// What is done with the bytes of an object, and the line where it begins.
type VisitPiece<'v> = dyn FnMut(u64, &[u8]) -> Result<()> + 'v;

impl Objects {
    /// Reads all objects, each with its line.
    fn objects(&self, visit: &mut dyn FnMut(u64, Result<Map<String, Value>>) -> Result<()>) -> Result<()> {
        self.pieces(&mut |line, bytes| visit(line, object(bytes).map_err(|fault| self.fault(line, fault))))
    }

    /// What is wrong with the object that begins at `line`.
    fn fault(&self, line: u64, fault: ObjectFault) -> Error {
        Error::row(self.file.path(), line + fault.line.saturating_sub(1), fault.why)
    }

    /// Reads the bytes of all objects.
    fn pieces(&self, visit: &mut VisitPiece<'_>) -> Result<()> {
        if self.layout == Layout::List {
            return json_list::pieces(&self.file, visit);
        }
        let mut text = BufReader::new(self.file.text()?);
        let (mut line, mut number) = (Vec::new(), 0);
        loop {
            line.clear();
            number += 1;
            let read = text.by_ref().take(bounded::LINE + 1).read_until(b'\n', &mut line);
            if read.map_err(|error| self.file.told(error))? == 0 {
                return Ok(());
            }
            if line.len() as u64 > bounded::LINE {
                let why = format!("has more than {} bytes; cut it into rows", bounded::LINE);
                return Err(Error::row(self.file.path(), number, why));
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            visit(number, &line)?;
        }
    }
}

/// The object that these bytes are.
///
/// # Errors
/// What is wrong with it.
fn object(bytes: &[u8]) -> std::result::Result<Map<String, Value>, ObjectFault> {
    let fault = |why: &str| ObjectFault { line: 1, why: why.to_owned() };
    if bytes.contains(&0) {
        return Err(fault("has a NUL, which no text has; if the file is UTF-16, --encoding utf-16le or utf-16be"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| fault(NOT_UTF8))?;
    match serde_json::from_str(text.trim_end()) {
        Ok(Object(object)) => Ok(object),
        Err(error) => {
            let told = error.to_string();
            let what = told.rsplit_once(" at line ").map_or(told.as_str(), |(what, _)| what);
            match (what.starts_with(TWICE), error.classify()) {
                (true, _) => return Err(ObjectFault { line: error.line() as u64, why: what.to_owned() }),
                (false, Category::Data) => return Err(fault("not a JSON object")),
                _ => {}
            }
            let why = format!("not a JSON object: {what} at column {}", error.column());
            Err(ObjectFault { line: error.line() as u64, why })
        }
    }
}

/// How the message of a key begins that an object has twice.
const TWICE: &str = "has the key ";
/// Characters of such a key that are shown.
const SHOWN: usize = 40;

/// An object that has each of its keys once; the library keeps the last value without a word.
struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueKeys)
    }
}

struct UniqueKeys;

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Object;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Object, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if object.contains_key(&key) {
                let key: String = key.chars().take(SHOWN).collect();
                return Err(A::Error::custom(format_args!("{TWICE}`{key}` twice; which of them counts?")));
            }
            object.insert(key, map.next_value()?);
        }
        Ok(Object(object))
    }
}

impl Table for Objects {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn each(&self, wanted: &[usize], visit: &mut Visit<'_>) -> Result<()> {
        self.objects(&mut |line, object| {
            let object = match object {
                Ok(object) => object,
                Err(error) => return visit(Err(error)),
            };
            let cells: Vec<Cell<'_>> = wanted.iter().map(|at| cell(object.get(&self.columns[*at]))).collect();
            visit(Ok(Record { line, cells: &cells }))
        })
    }
}

/// From here on not every whole number is a fraction of the machine.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What a value of JSON is as a cell.
pub(super) fn cell(value: Option<&Value>) -> Cell<'_> {
    match value {
        None | Some(Value::Null) => Cell::Missing,
        Some(Value::String(text)) => Cell::Text(Cow::Borrowed(text)),
        // Whole numbers that are larger than these are fractions to the library, which have some sixteen digits.
        Some(Value::Number(number)) if number.as_f64().is_some_and(|value| number.is_f64() && value.abs() >= EXACT) => {
            Cell::Rounded(Cow::Owned(number.to_string()))
        }
        Some(Value::Number(number)) => Cell::Plain(Cow::Owned(number.to_string())),
        Some(Value::Bool(truth)) => Cell::Plain(Cow::Owned(truth.to_string())),
        Some(nested) => Cell::Nested(Cow::Borrowed(nested)),
    }
}
