//! What the quotes of a table whose fields are between tabs may be: around fields, or characters of the texts.

const QUOTE: u8 = b'"';

/// Records that have several lines because of their quotes. Where two of these lines have all the fields of a row, they
/// are rows, and the quotes between them belong to their texts.
#[derive(Debug, Default)]
pub(super) struct Spans {
    delimiter: u8,
    line: u64,
    /// Delimiters in the first record outside of quotes.
    first: Option<u64>,
    /// Delimiters in the record outside of quotes.
    outside: u64,
    /// Delimiters in the line.
    now: u64,
    /// The most and the second most delimiters of the lines of the record, less one line for each that is not there yet.
    most: [Option<u64>; 2],
    /// The line where the record begins.
    begins: u64,
    /// The first record whose lines are rows.
    pub(super) rows_within: Option<u64>,
}

impl Spans {
    pub(super) fn new(delimiter: u8) -> Self {
        Self { delimiter, line: 1, begins: 1, ..Self::default() }
    }

    /// Takes in the next byte, behind which quotes are open or not.
    pub(super) fn take(&mut self, byte: u8, is_open: bool) {
        if byte == self.delimiter {
            self.now += 1;
            self.outside += u64::from(!is_open);
        }
        if byte == b'\n' {
            self.end_line(is_open);
        }
    }

    fn end_line(&mut self, is_open: bool) {
        self.line += 1;
        let (most, now) = (self.most, Some(std::mem::take(&mut self.now)));
        self.most = if now > most[0] { [now, most[0]] } else { [most[0], most[1].max(now)] };
        if !is_open {
            self.end();
        }
    }

    /// The record ends.
    fn end(&mut self) {
        let [most, second] = std::mem::take(&mut self.most);
        let outside = std::mem::take(&mut self.outside);
        let begins = std::mem::replace(&mut self.begins, self.line);
        // A line without anything in it is no record.
        let is_record = second.is_some() || most != Some(0) || self.first == Some(0);
        if self.first.is_none() && is_record {
            self.first = Some(outside);
        }
        if second.is_some() && second >= self.first {
            self.rows_within.get_or_insert(begins);
        }
    }

    /// The file ends, with a line feed or without.
    pub(super) fn end_file(&mut self) {
        self.end_line(false);
    }
}

/// Where in a field of a line the reader is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    #[default]
    Start,
    Within,
    /// Behind a quote within quotes.
    Closed,
    /// In a field that no quotes surround.
    Other,
}

/// Counts the fields that have quotes around them, each line for itself.
#[derive(Debug, Default)]
pub(super) struct Surrounded {
    delimiter: u8,
    at: At,
    line: u64,
    /// How many there are.
    pub(super) count: u64,
    /// The line of the first.
    pub(super) first: u64,
}

impl Surrounded {
    pub(super) fn new(delimiter: u8) -> Self {
        Self { delimiter, line: 1, ..Self::default() }
    }

    pub(super) fn take(&mut self, byte: u8) {
        let ends = byte == self.delimiter || byte == b'\n';
        self.at = match (self.at, byte) {
            (_, b'\r') => self.at,
            (at, _) if ends => {
                self.end_field(at);
                At::Start
            }
            (At::Start | At::Closed, QUOTE) => At::Within,
            (At::Within, QUOTE) => At::Closed,
            (At::Within, _) => At::Within,
            _ => At::Other,
        };
        self.line += u64::from(byte == b'\n');
    }

    fn end_field(&mut self, at: At) {
        if at != At::Closed {
            return;
        }
        self.count += 1;
        if self.count == 1 {
            self.first = self.line;
        }
    }

    /// The file ends.
    pub(super) fn end_file(&mut self) {
        self.end_field(self.at);
    }
}
