//! What stands between the fields of a table, and whether quotes surround them: found in the file, or given.

mod spans;

use std::io::Read;

use pellucid_protocol::settings::reading::{Delimiter, Reading};

use self::spans::{Spans, Surrounded};
use super::columns::is_known;
use super::data_file::DataFile;
use super::quotes::Quotes;
use crate::error::{Error, Result};

/// Bytes from which the delimiter is found.
const SAMPLE: u64 = 256 << 10;
/// Bytes that are looked at at once.
const CHUNK: usize = 64 << 10;

/// How the fields of a record are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    /// What stands between two fields.
    pub(super) delimiter: Delimiter,
    /// Whether quotes surround fields, as in RFC 4180; else a quote is a quote.
    pub(super) quoted: bool,
    /// Where quotes are characters although some surround fields.
    pub(super) quotes_as_text: Option<QuotesAsText>,
}

/// A table whose quotes are characters although some of them surround fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuotesAsText {
    /// The line of the first that cannot surround a field.
    pub(super) line: u64,
    /// How many fields have quotes around them.
    pub(super) fields: u64,
    /// The line of the first of these.
    pub(super) first: u64,
}

impl Dialect {
    /// Of a file whose values are separated by commas, or by what some programs write in their place.
    ///
    /// # Errors
    /// When two delimiters are as good.
    pub(super) fn of_csv(file: &DataFile, reading: &Reading) -> Result<Self> {
        let found = || delimiter(file, reading);
        let delimiter = reading.delimiter.map_or_else(found, Ok)?;
        Ok(Self { delimiter, quoted: true, quotes_as_text: None })
    }

    /// Of a file whose values are separated by tabs. Many of these have quotes that are part of the texts, others are
    /// written with quotes around fields: by quotes that fit together, and between which there are no whole rows. All of
    /// the file decides.
    ///
    /// # Errors
    /// What the file system says.
    pub(super) fn of_tsv(file: &DataFile, reading: &Reading) -> Result<Self> {
        let delimiter = reading.delimiter.unwrap_or(Delimiter(b'\t'));
        let mut quotes = Quotes::new(delimiter.0, true);
        let (mut spans, mut surrounded) = (Spans::new(delimiter.0), Surrounded::new(delimiter.0));
        let mut fault = None;
        scan(file, &mut |bytes| {
            for &byte in bytes {
                surrounded.take(byte);
                if fault.is_none() {
                    fault = quotes.byte(byte).err();
                    spans.take(byte, quotes.are_open());
                }
            }
        })?;
        surrounded.end_file();
        if fault.is_none() {
            spans.end_file();
        }
        let fault = fault.or(quotes.end().err()).map(|fault| fault.line);
        let stray = fault.or(spans.rows_within);
        let Surrounded { count: fields, first, .. } = surrounded;
        let quotes_as_text = stray.filter(|_| fields > 0).map(|line| QuotesAsText { line, fields, first });
        Ok(Self { delimiter, quoted: stray.is_none() && quotes.any, quotes_as_text })
    }

    pub(super) fn reader<R: Read>(self, text: R) -> csv::Reader<R> {
        let mut builder = csv::ReaderBuilder::new();
        // With the library's own CRLF the line of a record is that of the one before.
        let feed = csv::Terminator::Any(b'\n');
        builder.delimiter(self.delimiter.0).quoting(self.quoted).terminator(feed).has_headers(false).flexible(true);
        builder.from_reader(text)
    }
}

/// Shows all of the file to `look`.
fn scan(file: &DataFile, look: &mut dyn FnMut(&[u8])) -> Result<()> {
    let (mut text, mut buffer) = (file.text()?, vec![0; CHUNK]);
    loop {
        match text.read(&mut buffer).map_err(|error| file.told(error))? {
            0 => return Ok(()),
            count => look(&buffer[..count]),
        }
    }
}

/// The delimiter that gives rows of one width and more than one column.
fn delimiter(file: &DataFile, reading: &Reading) -> Result<Delimiter> {
    let mut sample = Vec::new();
    let read = file.text()?.take(SAMPLE).read_to_end(&mut sample);
    read.map_err(|error| file.told(error))?;
    let whole = (sample.len() as u64) < SAMPLE;
    let fitting: Vec<Delimiter> =
        Delimiter::USUAL.into_iter().filter(|delimiter| fits(*delimiter, &sample, whole)).collect();
    let named = |delimiter: &&Delimiter| names_columns(**delimiter, &sample, reading);
    match (fitting.as_slice(), fitting.iter().find(named)) {
        ([], _) => Ok(Delimiter(b',')),
        ([one], _) | (_, Some(one)) => Ok(*one),
        (several, None) => {
            let several: Vec<String> = several.iter().map(|delimiter| format!("`{delimiter}`")).collect();
            let several = several.join(" and ");
            Err(Error::file(file.path(), format!("could be separated by {several}; name one with --delimiter")))
        }
    }
}

/// Whether all records of the sample have the same number of fields, two or more.
fn fits(delimiter: Delimiter, sample: &[u8], whole: bool) -> bool {
    let mut records = Dialect { delimiter, quoted: true, quotes_as_text: None }
        .reader(sample)
        .into_byte_records()
        .filter_map(|record| record.ok());
    let mut widths: Vec<usize> = records.by_ref().map(|record| record.len()).collect();
    if !whole {
        // It may be cut.
        widths.pop();
    }
    widths.first().is_some_and(|first| *first > 1 && widths.iter().all(|width| width == first))
}

/// Whether the first record names columns that are known, or that the user has named.
fn names_columns(delimiter: Delimiter, sample: &[u8], reading: &Reading) -> bool {
    let first = Dialect { delimiter, quoted: true, quotes_as_text: None }.reader(sample).into_records().next();
    first.and_then(|record| record.ok()).is_some_and(|record| record.iter().any(|name| is_known(name, reading)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str, dialect: fn(&DataFile, &Reading) -> Result<Dialect>) -> Result<Dialect> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        dialect(&DataFile::new(&path, None, crate::rows::data_file::Links::Followed).unwrap(), &Reading::default())
    }

    #[test]
    fn the_delimiter_is_that_of_rows_of_one_width() {
        for (text, delimiter) in [
            ("text,label\na; b,1\n", b','),
            ("text;label\na, b, c;1\nd;0\n", b';'),
            ("text\tlabel\na, b\t1\n", b'\t'),
            ("a,b|1\nc|0\n", b'|'),
            ("text,label\n\"a\n;b\",1\n", b','),
            ("text,label;more\na,1;2\n", b','),
            ("only\nsome words\n", b','),
            ("", b','),
        ] {
            let found = of("a.csv", text, Dialect::of_csv).unwrap();
            assert_eq!(
                found,
                Dialect { delimiter: Delimiter(delimiter), quoted: true, quotes_as_text: None },
                "{text}"
            );
        }
        let told = of("a.csv", "a,b;c\nd,e;f\n", Dialect::of_csv).unwrap_err().to_string();
        assert!(told.contains("could be separated by `,` and `;`"), "{told}");
    }

    #[test]
    fn quotes_of_a_tsv_surround_fields_only_if_all_of_them_do() {
        let quoted = |text: &str| of("a.tsv", text, Dialect::of_tsv).unwrap().quoted;
        assert!(quoted("\"a\tb\"\t1\nc\t0\n") && quoted("\"a\"\t1\n") && quoted("\"a\nb\"\t1\nc\t0\n"));
        assert!(!quoted("a \"b\" c\t1\n") && !quoted("\"a\" b\t1\n") && !quoted("\"a\t1\nb\t0\n"));
        assert!(!quoted("\"a b\t0\nc d\"\t1\n"), "two lines of one width");
    }

    #[test]
    fn rows_between_quotes_are_rows_whatever_else_the_file_has() {
        let quoted = |text: &str| of("a.tsv", text, Dialect::of_tsv).unwrap().quoted;
        let stray = "text\tlabel\n\"a b\t0\nfoo\t1\nc d\"\t1\n";
        for more in ["", "\n", "\r\n \n", "e\t1\tmore\n", "e\n", "\"e\nf\"\t1\n"] {
            assert!(!quoted(&format!("{stray}{more}")), "{more:?}");
            assert!(!quoted(&format!("\n{stray}{more}g\t0")), "{more:?}");
        }
        assert!(!quoted("text\tlabel\n\"a b\t0\n\nx\ty\tz\nc d\"\t1\n"), "a bad row and a blank line within");
        assert!(!quoted("text\n\"a\nb\"\n"), "lines of one field");
        for genuine in ["\"e\nf\"\t1\n", "\"e\n\n\"\t1\n\n", "e\t\"f\ng\nh\"\n"] {
            assert!(quoted(&format!("text\tlabel\n{genuine}x\ty\tz\n")), "{genuine:?}");
        }
    }

    #[test]
    fn quotes_are_told_alike_in_whatever_order_the_rows_stand() {
        let told = |text: &str| of("a.tsv", text, Dialect::of_tsv).unwrap().quotes_as_text;
        let (stray, around) = ("\"Go!\" he said\ta\n", "\"b \"\"c\"\" d\"\tb\n");
        let found = |line, first| Some(QuotesAsText { line, fields: 2, first });
        assert_eq!(told(&format!("{stray}{around}{around}")), found(1, 2));
        assert_eq!(told(&format!("{around}{around}{stray}")), found(3, 1));
        assert_eq!(told(&format!("{around}{around}\"a\tx\nb\"\ty")), found(3, 1), "of rows between quotes as well");
        assert_eq!(told(&format!("{stray}a \"b\"\tc\n")), None);
    }
}
