//! Looks at the quotes of a table while it is read: `csv` takes a quote that is never closed, and text after one that is,
//! and rows vanish into the text of another.

use std::fmt;
use std::io::{self, Read};

use pellucid_files::bounded;

use super::columns::MOST;

const QUOTE: u8 = b'"';

/// Where in a field the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At its start.
    Start,
    /// In a field without quotes.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a quote within quotes: the end, or the first of two that stand for one.
    Closed,
}

/// What is wrong with a table, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line, from 1.
    pub(super) line: u64,
    /// What is wrong and what to do.
    pub(super) message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for Fault {}

/// Follows the quotes of a table byte by byte.
#[derive(Debug, Clone)]
pub(super) struct Quotes {
    delimiter: u8,
    /// Whether quotes surround fields; without, only what no text has is looked for.
    quoted: bool,
    state: State,
    line: u64,
    field: u64,
    /// Bytes of the record so far.
    length: u64,
    /// Whether the last byte was a carriage return that a line feed must follow.
    returned: bool,
    /// Line and field of the last quote that was opened.
    opened: (u64, u64),
    /// Whether a field is quoted.
    pub(super) any: bool,
}

impl Quotes {
    pub(super) fn new(delimiter: u8, quoted: bool) -> Self {
        let opened = (1, 1);
        Self {
            delimiter,
            quoted,
            state: State::Start,
            line: 1,
            field: 1,
            length: 0,
            returned: false,
            opened,
            any: false,
        }
    }

    /// Whether the last byte is between quotes.
    pub(super) fn are_open(&self) -> bool {
        self.state == State::Quoted
    }

    /// Takes in the next bytes.
    #[cfg(test)]
    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        bytes.iter().try_for_each(|&byte| self.byte(byte))
    }

    /// Takes in the next byte.
    pub(super) fn byte(&mut self, byte: u8) -> Result<(), Fault> {
        if std::mem::take(&mut self.returned) && byte != b'\n' {
            return Err(self.fault("has a carriage return without a line feed; put it in quotes, or take it out"));
        }
        self.length += 1;
        if self.length > bounded::LINE {
            return Err(self.too_long());
        }
        match (self.state, byte) {
            (_, 0) => {
                return Err(
                    self.fault("has a NUL, which no text has; if the file is UTF-16, --encoding utf-16le or utf-16be")
                );
            }
            (State::Start, QUOTE) if self.quoted => {
                self.opened = (self.line, self.field);
                self.any = true;
                self.state = State::Quoted;
            }
            (State::Quoted, QUOTE) => self.state = State::Closed,
            (State::Closed, QUOTE) => self.state = State::Quoted,
            (State::Quoted, _) => {}
            (_, b'\r') => self.returned = true,
            (_, b'\n') => (self.state, self.field, self.length) = (State::Start, 1, 0),
            (_, other) if other == self.delimiter => {
                self.state = State::Start;
                self.field += 1;
                if self.field > MOST as u64 {
                    let message =
                        format!("has more than {MOST} fields, the most that are read; name another --delimiter");
                    return Err(Fault { line: self.line, message });
                }
            }
            (State::Closed, _) => {
                return Err(self.fault("has text after a closing quote; write a quote within a field as two: \"\""));
            }
            _ => self.state = State::Plain,
        }
        self.line += u64::from(byte == b'\n');
        Ok(())
    }

    /// At the end of the file.
    pub(super) fn end(&self) -> Result<(), Fault> {
        if self.state != State::Quoted {
            return Ok(());
        }
        let (line, field) = self.opened;
        Err(Fault { line, message: format!("the quote that opens field {field} is still open at the end of the file") })
    }

    fn too_long(&self) -> Fault {
        if self.state == State::Quoted {
            let (line, field) = self.opened;
            let message = format!("the quote that opens field {field} is still open after {} bytes", bounded::LINE);
            return Fault { line, message };
        }
        Fault { line: self.line, message: format!("has more than {} bytes; cut it into rows", bounded::LINE) }
    }

    fn fault(&self, message: &str) -> Fault {
        Fault { line: self.line, message: format!("field {} {message}", self.field) }
    }
}

/// Bytes that are looked at while they are read, with plain line feeds at the ends of lines. A fault is the error of the
/// reader.
pub(super) struct Watched<R> {
    bytes: R,
    quotes: Quotes,
    /// Whether a line is begun and has not ended.
    within_line: bool,
}

impl<R: Read> Watched<R> {
    pub(super) fn new(bytes: R, quotes: Quotes) -> Self {
        Self { bytes, quotes, within_line: false }
    }
}

impl<R: Read> Watched<R> {
    /// Looks at the first `count` bytes of `buffer` and takes out carriage returns before a line feed; gives how many are
    /// left.
    fn look(&mut self, buffer: &mut [u8], count: usize) -> Result<usize, Fault> {
        let mut kept = 0;
        for at in 0..count {
            self.quotes.byte(buffer[at])?;
            if !self.quotes.returned {
                buffer[kept] = buffer[at];
                kept += 1;
            }
        }
        Ok(kept)
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let faulty = |fault: Fault| io::Error::new(io::ErrorKind::InvalidData, fault);
        loop {
            let count = self.bytes.read(buffer)?;
            if buffer.is_empty() {
                return Ok(0);
            }
            if count == 0 {
                self.quotes.end().map_err(faulty)?;
                // The last line ends as the others do.
                buffer[0] = b'\n';
                return Ok(usize::from(std::mem::take(&mut self.within_line)));
            }
            match self.look(buffer, count).map_err(faulty)? {
                // One carriage return alone.
                0 => {}
                kept => {
                    self.within_line = buffer[kept - 1] != b'\n';
                    return Ok(kept);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<String> {
        let mut quotes = Quotes::new(b',', true);
        quotes.take(text.as_bytes()).and_then(|()| quotes.end()).err().map(|fault| fault.to_string())
    }

    #[test]
    fn quotes_that_belong_together_are_no_fault() {
        for text in ["", "a,b\n", "\"a\",\"b\"\r\n", "\"a \"\"b\"\", c\nd\",1", "a \"b\" c,1\n", "\"\",\"\"\n", "\"a\""]
        {
            assert_eq!(fault(text), None, "{text}");
        }
    }

    #[test]
    fn lines_end_with_line_feeds_and_quoted_texts_stay_as_they_are() {
        for size in 1..9 {
            let text = "a,\"b\r\n\r\"\r\n\r\nc\n";
            let mut watched = Watched::new(text.as_bytes(), Quotes::new(b',', true));
            let (mut read, mut buffer) = (Vec::new(), vec![0; size]);
            while let Ok(count @ 1..) = watched.read(&mut buffer) {
                read.extend_from_slice(&buffer[..count]);
            }
            assert_eq!(String::from_utf8(read).unwrap(), "a,\"b\r\n\r\"\n\nc\n");
        }
    }

    #[test]
    fn a_fault_is_named_with_its_line_and_field() {
        let told = |text: &str| fault(text).unwrap();
        assert!(told("a,b\n1,\"open\n2,3\n").starts_with("line 2: the quote that opens field 2 is still open"));
        assert!(told("a,b\n\"x\" y,1\n").starts_with("line 2: field 1 has text after a closing quote"));
        assert!(told("a,b\n\"said \\\"hi\\\", ok\",1\n").starts_with("line 2: field 1 has text after a closing"));
        assert!(told("a,b\nc\rd,1\n").contains("line 2: field 1 has a carriage return"));
        assert!(told("a\nb\0").starts_with("line 2: field 1 has a NUL"));
        let long = "a".repeat(bounded::LINE as usize);
        assert_eq!(told(&format!("a\nb\n{long},1\n")), "line 3: has more than 16777216 bytes; cut it into rows");
        let open = told(&format!("a\n,\"b\n{long}"));
        assert_eq!(open, "line 2: the quote that opens field 2 is still open after 16777216 bytes");
        assert_eq!(fault(&format!("{}\n", ",".repeat(MOST - 1))), None);
        assert!(told(&",".repeat(MOST)).starts_with("line 1: has more than 16384 fields"));
    }
}
