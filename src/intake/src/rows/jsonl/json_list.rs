//! A list of JSON objects, one after the other: of each only its own bytes are in memory.

use std::io::{BufRead, BufReader};

use pellucid_files::bounded;

use super::VisitPiece;
use crate::error::{Error, Result};
use crate::rows::data_file::DataFile;

/// Reads the bytes of all objects of the list in `file`, each with the line where it begins.
///
/// # Errors
/// Those of `visit`, where it is no list, and what the file system says.
pub(super) fn pieces(file: &DataFile, visit: &mut VisitPiece<'_>) -> Result<()> {
    let mut text = BufReader::new(file.text()?);
    let mut list = List { file, at: At::Before, item: Vec::new(), line: 1, begins: 1, depth: 0, string: InString::No };
    loop {
        let piece = text.fill_buf().map_err(|error| file.told(error))?;
        if piece.is_empty() {
            return if list.at == At::After { Ok(()) } else { Err(list.wrong("is cut off: its list does not end")) };
        }
        for &byte in piece {
            list.take(byte, visit)?;
            list.line += u64::from(byte == b'\n');
        }
        let length = piece.len();
        text.consume(length);
    }
}

/// Where in the file a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the list.
    Before,
    /// Before its first object, which it need not have.
    First,
    /// In an object, or what stands in the place of one.
    Item,
    /// Behind the list.
    After,
}

/// Whether a byte is in a string, where brackets are letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InString {
    No,
    Yes,
    /// Behind a backslash.
    Escaped,
}

/// A list that is read byte for byte.
struct List<'a> {
    file: &'a DataFile,
    at: At,
    /// The object so far.
    item: Vec<u8>,
    /// The line of the byte.
    line: u64,
    /// The line where the object begins.
    begins: u64,
    /// How many brackets are open in it.
    depth: u64,
    string: InString,
}

impl List<'_> {
    fn wrong(&self, why: impl ToString) -> Error {
        Error::row(self.file.path(), self.line, why)
    }

    fn take(&mut self, byte: u8, visit: &mut VisitPiece<'_>) -> Result<()> {
        match (self.at, byte) {
            (At::Before | At::First | At::After, b' ' | b'\t' | b'\r' | b'\n') => Ok(()),
            (At::Before, b'[') => {
                self.at = At::First;
                Ok(())
            }
            (At::Before, _) => Err(self.wrong("is no list of JSON objects")),
            (At::First, b']') => {
                self.at = At::After;
                Ok(())
            }
            (At::First, _) => {
                self.at = At::Item;
                self.item(byte, visit)
            }
            (At::Item, _) => self.item(byte, visit),
            (At::After, _) => Err(self.wrong("has more behind the end of its list; put it into the list")),
        }
    }

    /// A byte of an object, or the one behind it.
    fn item(&mut self, byte: u8, visit: &mut VisitPiece<'_>) -> Result<()> {
        match (self.string, byte) {
            (InString::Yes, b'\\') => self.string = InString::Escaped,
            (InString::Yes, b'"') => self.string = InString::No,
            (InString::Yes, _) => {}
            (InString::Escaped, _) => self.string = InString::Yes,
            (InString::No, b',' | b']') if self.depth == 0 => {
                self.at = if byte == b',' { At::Item } else { At::After };
                return self.end(visit);
            }
            (InString::No, b'"') => self.string = InString::Yes,
            (InString::No, b'{' | b'[') => self.depth += 1,
            (InString::No, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
            (InString::No, _) => {}
        }
        self.push(byte)
    }

    fn push(&mut self, byte: u8) -> Result<()> {
        if self.item.is_empty() && byte.is_ascii_whitespace() {
            return Ok(());
        }
        if self.item.is_empty() {
            self.begins = self.line;
        }
        if self.item.len() as u64 == bounded::LINE {
            let why = format!("begins an object of more than {} bytes; cut it into rows", bounded::LINE);
            return Err(Error::row(self.file.path(), self.begins, why));
        }
        self.item.push(byte);
        Ok(())
    }

    /// The object is whole.
    fn end(&mut self, visit: &mut VisitPiece<'_>) -> Result<()> {
        if self.item.is_empty() {
            return Err(self.wrong("has a comma with no object behind it; remove it"));
        }
        let done = visit(self.begins, &self.item);
        self.item.clear();
        done
    }
}
