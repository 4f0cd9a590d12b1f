//! JSON Lines: an object a line.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

use pellucid_files::bounded;
use pellucid_protocol::settings::reading::Reading;
use serde_json::{Map, Value};

use super::data_file::DataFile;
use super::delimited::NOT_UTF8;
use super::table::{Cell, LabelNeed, Opened, Record, Table, Visit};
use crate::error::{Error, Result};

/// Objects whose keys are the columns; a key that only later ones have is found if the user names it.
const LOOKED_AT: usize = 1000;

/// A file with an object a line.
struct Lines {
    file: DataFile,
    columns: Vec<String>,
}

/// Opens a file of JSON lines.
///
/// # Errors
/// What the file system says, and what is wrong with its first lines.
pub(super) fn open(file: DataFile, reading: &Reading, _need: LabelNeed) -> Result<Opened> {
    let mut columns: Vec<String> = Vec::new();
    let mut seen = 0;
    let all = Lines { file, columns: Vec::new() };
    let looked = all.objects(&mut |_, object| {
        object?.keys().for_each(|key| {
            if !columns.contains(key) {
                columns.push(key.clone());
            }
        });
        seen += 1;
        if seen < LOOKED_AT { Ok(()) } else { Err(Error::file(all.file.path(), "enough")) }
    });
    if seen == 0 {
        looked?;
        return Err(Error::file(all.file.path(), "has no rows"));
    }
    let named = pellucid_protocol::settings::reading::Role::ALL.iter().filter_map(|role| reading.columns.of(*role));
    for name in named {
        if !columns.iter().any(|column| column == name) && !super::columns::is_number(name) && seen == LOOKED_AT {
            columns.push(name.to_owned());
        }
    }
    Ok(Opened { table: Box::new(Lines { columns, ..all }), order: None, notes: Vec::new() })
}

impl Lines {
    /// Reads all objects, each with its line.
    fn objects(&self, visit: &mut dyn FnMut(u64, Result<Map<String, Value>>) -> Result<()>) -> Result<()> {
        let mut text = BufReader::new(self.file.text()?);
        let (mut line, mut number) = (Vec::new(), 0);
        loop {
            line.clear();
            number += 1;
            let read = text.by_ref().take(bounded::LINE + 1).read_until(b'\n', &mut line);
            if read.map_err(|error| Error::file(self.file.path(), error))? == 0 {
                return Ok(());
            }
            if line.len() as u64 > bounded::LINE {
                let why = format!("has more than {} bytes; cut it into rows", bounded::LINE);
                return Err(Error::row(self.file.path(), number, why));
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            visit(number, object(&line).map_err(|why| Error::row(self.file.path(), number, why)))?;
        }
    }
}

fn object(line: &[u8]) -> std::result::Result<Map<String, Value>, String> {
    if line.contains(&0) {
        return Err("has a NUL, which no text has; if the file is UTF-16, --encoding utf-16le".to_owned());
    }
    let text = std::str::from_utf8(line).map_err(|_| NOT_UTF8.to_owned())?;
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("not a JSON object".to_owned()),
        Err(error) => Err(format!("not a JSON object: {error}")),
    }
}

impl Table for Lines {
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

/// What a value of JSON is as a cell.
pub(super) fn cell(value: Option<&Value>) -> Cell<'_> {
    match value {
        None | Some(Value::Null) => Cell::Missing,
        Some(Value::String(text)) => Cell::Text(Cow::Borrowed(text)),
        Some(Value::Number(number)) => Cell::Plain(Cow::Owned(number.to_string())),
        Some(Value::Bool(truth)) => Cell::Plain(Cow::Owned(truth.to_string())),
        Some(nested) => Cell::Nested(Cow::Borrowed(nested)),
    }
}
