//! The bytes of a data file as UTF-8: its marks, encodings and compression are dealt with here, for all formats of text.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_16BE, UTF_16LE};
use pellucid_files::bounded;
use pellucid_files::regular::{self, Access};

use super::charset::Charset;
use super::quotes::Fault;
use super::unpacked::{Budget, Within, Zstd, gzip};
use crate::error::{Error, Result};
use crate::hub_snapshot;

/// Bytes that are read and decoded at once.
const CHUNK: usize = 64 << 10;

/// A data file that can be read several times.
#[derive(Debug, Clone)]
pub(super) struct DataFile {
    path: PathBuf,
    encoding: Option<Charset>,
    packed: Option<Packed>,
    links: Links,
}

/// What becomes of a file that is a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Links {
    /// It is followed: the user has named it.
    Followed,
    /// It is refused: it stands in a folder that anybody may have made.
    Refused,
    /// It is followed into this folder: the cache of Hugging Face has its files there.
    Into(Arc<Path>),
}

impl Links {
    /// In the data set that `folder` holds.
    pub(super) fn of_folder(folder: &Path) -> Self {
        let blobs = folder.canonicalize().ok().and_then(|home| hub_snapshot::blobs(&home)?.canonicalize().ok());
        blobs.map_or(Self::Refused, |blobs| Self::Into(blobs.into()))
    }

    /// Opens the file at `path`.
    fn open(&self, path: &Path) -> io::Result<File> {
        let name_it = "name the files themselves, e.g. by a pattern";
        let refused = |why: String| io::Error::new(io::ErrorKind::InvalidInput, why);
        match self {
            Self::Followed => regular::open_named(path),
            Self::Into(blobs) if path.is_symlink() => {
                let found = path.canonicalize()?;
                if !found.starts_with(blobs) {
                    let found = found.display();
                    return Err(refused(format!("is a link that leads out of the cache, to {found}; {name_it}")));
                }
                regular::open(&found, Access::Read)
            }
            Self::Refused | Self::Into(_) => regular::open(path, Access::Read)
                .map_err(|error| if path.is_symlink() { refused(format!("{error}; {name_it}")) } else { error }),
        }
    }
}

/// How all of a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packed {
    Gzip,
    Zstd,
}

impl Packed {
    /// By the ending of a name.
    fn of(path: &Path) -> Option<Self> {
        match ending(path).as_str() {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The text in `file`.
    fn text(self, file: File) -> io::Result<Box<dyn Read>> {
        let budget = Budget::of(file.metadata()?.len());
        let bytes = BufReader::with_capacity(CHUNK, file);
        Ok(match self {
            Self::Gzip => Box::new(Within::new(gzip(bytes), budget)),
            Self::Zstd => Box::new(Within::new(Zstd::new(bytes), budget)),
        })
    }
}

/// Whether all of a file of that name is compressed.
pub(super) fn is_packed(path: &Path) -> bool {
    Packed::of(path).is_some()
}

/// The ending of a name, in lower case; that before `.gz` or `.zst`.
pub(super) fn inner_ending(path: &Path) -> String {
    match (Packed::of(path), path.file_stem()) {
        (Some(_), Some(stem)) => ending(Path::new(stem)),
        _ => ending(path),
    }
}

/// The ending of a name, in lower case.
fn ending(path: &Path) -> String {
    path.extension().map_or(String::new(), |ending| ending.to_string_lossy().to_lowercase())
}

impl DataFile {
    /// The file at `path`, in the encoding of that name if it is not UTF-8 and has no mark of UTF-16.
    ///
    /// # Errors
    /// When there is no encoding of that name.
    pub(super) fn new(path: &Path, encoding: Option<&str>, links: Links) -> Result<Self> {
        let known = |name: &str| {
            let unknown = || format!("--encoding {name}: no encoding of that name; e.g. latin1, windows-1252, gbk");
            Charset::named(name).ok_or_else(|| Error::file(path, unknown()))
        };
        Ok(Self { path: path.to_owned(), encoding: encoding.map(known).transpose()?, packed: Packed::of(path), links })
    }

    /// Its path.
    #[must_use]
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The ending of its name, in lower case; that before `.gz` or `.zst`.
    #[must_use]
    pub(super) fn ending(&self) -> String {
        inner_ending(&self.path)
    }

    /// The file itself.
    ///
    /// # Errors
    /// When it is no regular file, is too large, or what the file system says.
    fn open(&self) -> Result<File> {
        let told = |error: io::Error| Error::file(&self.path, error);
        let file = self.links.open(&self.path).map_err(told)?;
        let limit = bounded::LINES;
        if file.metadata().map_err(told)?.len() > limit {
            return Err(Error::file(&self.path, format!("is larger than {} GiB, the most that is read", limit >> 30)));
        }
        Ok(file)
    }

    /// The file itself, of a format that compresses its parts.
    ///
    /// # Errors
    /// As [`DataFile::open`], and when all of it is compressed.
    pub(super) fn open_plain(&self) -> Result<File> {
        match self.packed {
            Some(_) => Err(Error::file(&self.path, "is compressed a second time; unpack it first")),
            None => self.open(),
        }
    }

    /// Refuses an encoding that is given for a file which is UTF-8: with it, letters would be read as others.
    ///
    /// # Errors
    /// When all of the file is UTF-8 and the encoding reads it otherwise, and as [`DataFile::open`].
    pub(super) fn refuse_other_encoding(&self) -> Result<()> {
        let Some(charset) = self.encoding.as_ref().filter(|charset| !charset.is_utf8()) else { return Ok(()) };
        let (text, marked) = self.bytes()?;
        if marked.is_some() {
            // It is read as its mark says.
            return Ok(());
        }
        let Some(utf8) = Utf8::of(text).map_err(|error| Error::file(&self.path, error))? else { return Ok(()) };
        let is_meant = if charset.is_utf16() { utf8.has_nul || utf8.is_empty } else { utf8.is_ascii };
        let name = &charset.name;
        let why = format!("is UTF-8, whose letters --encoding {name} would read as others; leave --encoding out");
        if is_meant { Ok(()) } else { Err(Error::file(&self.path, why)) }
    }

    /// Its text, without the mark of its encoding. What is not of the encoding is an error of the reader; UTF-8 is not
    /// checked here.
    ///
    /// # Errors
    /// As [`DataFile::open`].
    pub(super) fn text(&self) -> Result<Box<dyn Read>> {
        let (bytes, marked) = self.bytes()?;
        let charset = marked.map(Charset::from).or_else(|| self.encoding.clone());
        Ok(match charset.filter(|charset| !charset.is_utf8()) {
            Some(charset) => Box::new(Decoded::new(bytes, charset)),
            None => bytes,
        })
    }

    /// What is wrong with its text, with the line if that is known.
    pub(super) fn told(&self, error: io::Error) -> Error {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
            Some(fault) => Error::row(&self.path, fault.line, &fault.message),
            None => Error::file(&self.path, error),
        }
    }

    /// Its bytes without the mark of an encoding, and the encoding that the mark names.
    fn bytes(&self) -> Result<(Box<dyn Read>, Option<&'static Encoding>)> {
        let told = |error: io::Error| Error::file(&self.path, error);
        let file = self.open()?;
        let mut file: Box<dyn Read> = match self.packed {
            Some(packed) => packed.text(file).map_err(told)?,
            None => Box::new(BufReader::with_capacity(CHUNK, file)),
        };
        let (start, marked) = start(&mut file).map_err(told)?;
        Ok((Box::new(io::Cursor::new(start).chain(file)), marked))
    }
}

/// What is known of a text that is UTF-8.
struct Utf8 {
    is_empty: bool,
    is_ascii: bool,
    /// The line ends of UTF-16 have one, so that a file of more than one line is no text of UTF-8.
    has_nul: bool,
}

impl Utf8 {
    /// Looks at all of a text; `None` if it is not UTF-8.
    fn of(mut text: impl Read) -> io::Result<Option<Self>> {
        let mut found = Self { is_empty: true, is_ascii: true, has_nul: false };
        let (mut bytes, mut kept) = (vec![0; CHUNK], 0);
        loop {
            let read = match text.read(&mut bytes[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let end = kept + read;
            found.is_empty &= end == 0;
            found.is_ascii &= bytes[..end].is_ascii();
            found.has_nul |= bytes[..end].contains(&0);
            let valid = match std::str::from_utf8(&bytes[..end]) {
                Ok(_) => end,
                // The piece may end within a character.
                Err(error) if error.error_len().is_none() && read > 0 => error.valid_up_to(),
                Err(_) => return Ok(None),
            };
            bytes.copy_within(valid..end, 0);
            kept = end - valid;
            if read == 0 {
                return Ok(Some(found));
            }
        }
    }
}

/// The first bytes without the mark of an encoding, and the encoding.
fn start(file: &mut impl Read) -> io::Result<(Vec<u8>, Option<&'static Encoding>)> {
    let mut first = Vec::new();
    file.by_ref().take(3).read_to_end(&mut first)?;
    Ok(match first.as_slice() {
        [0xef, 0xbb, 0xbf] => (Vec::new(), Some(encoding_rs::UTF_8)),
        [0xff, 0xfe, rest @ ..] => (rest.to_vec(), Some(UTF_16LE)),
        [0xfe, 0xff, rest @ ..] => (rest.to_vec(), Some(UTF_16BE)),
        _ => (first, None),
    })
}

/// A text of another encoding as UTF-8.
struct Decoded<R> {
    bytes: R,
    charset: Charset,
    decoder: Decoder,
    /// The line of what is not decoded yet.
    line: u64,
    raw: Vec<u8>,
    /// What of `raw` is not decoded yet.
    left: std::ops::Range<usize>,
    text: Vec<u8>,
    given: usize,
    at_end: bool,
}

impl<R: Read> Decoded<R> {
    fn new(bytes: R, charset: Charset) -> Self {
        let decoder = charset.encoding.new_decoder_without_bom_handling();
        Self {
            bytes,
            charset,
            decoder,
            line: 1,
            raw: vec![0; CHUNK],
            left: 0..0,
            text: Vec::new(),
            given: 0,
            at_end: false,
        }
    }

    /// Decodes the next piece.
    fn more(&mut self) -> io::Result<()> {
        if self.left.is_empty() {
            let read = self.bytes.read(&mut self.raw)?;
            self.left = 0..read;
            if let Some(at) = self.charset.refused(&self.raw[..read]) {
                let what = format!("has the byte 0x{:02x}, which", self.raw[at]);
                return Err(self.wrong(&self.raw[..at], &what, "does not have"));
            }
        }
        let last = self.left.is_empty();
        self.text.resize(4 * CHUNK, 0);
        let raw = &self.raw[self.left.clone()];
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(raw, &mut self.text, last);
        self.left.start += read;
        self.text.truncate(written);
        self.given = 0;
        self.at_end = last && result == DecoderResult::InputEmpty;
        if let Some(at) = self.charset.meaningless(&self.text) {
            return Err(self.wrong(&self.text[..at], "has a byte that", "does not have"));
        }
        if let DecoderResult::Malformed(..) = result {
            return Err(self.wrong(&self.text, "is not", "throughout"));
        }
        self.line += lines(&self.text);
        Ok(())
    }

    /// What is wrong in the line where `before`, which comes next, ends.
    fn wrong(&self, before: &[u8], what: &str, how: &str) -> io::Error {
        let (name, advice) = (&self.charset.name, self.charset.advice());
        let fault = Fault { line: self.line + lines(before), message: format!("{what} {name} {how}{advice}") };
        io::Error::new(io::ErrorKind::InvalidData, fault)
    }
}

/// How many lines end in `text`.
fn lines(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.at_end {
            self.more()?;
        }
        let count = buffer.len().min(self.text.len() - self.given);
        buffer[..count].copy_from_slice(&self.text[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], encoding: Option<&str>) -> io::Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, bytes).unwrap();
        let mut text = String::new();
        DataFile::new(&path, encoding, Links::Followed).unwrap().text().unwrap().read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn marks_and_encodings_give_the_same_text() {
        let utf16 = |order: fn(u16) -> [u8; 2], mark: [u8; 2], text: &str| {
            mark.into_iter().chain(text.encode_utf16().flat_map(order)).collect::<Vec<u8>>()
        };
        for text in ["", "a", "text,label\nköstlich 😀,1\n", &"größe ".repeat(40_000)] {
            assert_eq!(read(text.as_bytes(), None).unwrap(), text);
            assert_eq!(read(&[b"\xef\xbb\xbf", text.as_bytes()].concat(), None).unwrap(), text);
            assert_eq!(read(&utf16(u16::to_le_bytes, [0xff, 0xfe], text), None).unwrap(), text);
            assert_eq!(read(&utf16(u16::to_be_bytes, [0xfe, 0xff], text), None).unwrap(), text);
        }
        assert_eq!(read(b"k\xf6stlich", Some("latin1")).unwrap(), "köstlich");
    }

    #[test]
    fn an_encoding_for_a_file_that_is_utf8_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let check = |bytes: &[u8], encoding: &str| {
            std::fs::write(&path, bytes).unwrap();
            DataFile::new(&path, Some(encoding), Links::Followed).unwrap().refuse_other_encoding()
        };
        // Characters that lie across pieces as well.
        for text in ["köstlich", &"aéz".repeat(40_000), &format!("{}é", "a".repeat(CHUNK - 1))] {
            let told = check(text.as_bytes(), "latin1").unwrap_err().to_string();
            assert!(
                told.ends_with("is UTF-8, whose letters --encoding latin1 would read as others; leave --encoding out"),
                "{told}"
            );
            assert!(check(text.as_bytes(), "utf-8").is_ok());
        }
        for bytes in [&b"plain"[..], b"", b"k\xf6stlich", b"ends with \xc3", &[b"a".repeat(CHUNK), vec![0xe9]].concat()]
        {
            assert!(check(bytes, "latin1").is_ok());
        }
        assert!(check(b"plain\n", "utf-16le").unwrap_err().to_string().contains("is UTF-8"));
        for bytes in [&b"p\0l\0\n\0"[..], b"", "ä\0ö\n\0".as_bytes()] {
            assert!(check(bytes, "utf-16le").is_ok());
        }
        for marked in [&b"\xef\xbb\xbfk\xc3\xb6stlich"[..], b"\xff\xfek\0\xf6\0"] {
            assert!(check(marked, "latin1").is_ok(), "it is read as its mark says");
        }
    }

    // What Python's codecs read and refuse, but for the control characters of Latin-1.
    #[test]
    fn bytes_are_read_as_the_name_of_the_encoding_says() {
        let table = |byte: u8| [b"text,label\n", &[byte][..], b",1\n"].concat();
        for (encoding, byte, letter) in [
            ("windows-1252", 0x80, "\u{20ac}"),
            ("cp1252", 0x9c, "\u{153}"),
            ("latin1", 0xa4, "\u{a4}"),
            ("iso-8859-15", 0xa4, "\u{20ac}"),
            ("iso-8859-9", 0xf0, "\u{11f}"),
            ("windows-1254", 0x80, "\u{20ac}"),
            ("ascii", b'a', "a"),
            ("koi8-r", 0x80, "\u{2500}"),
        ] {
            assert_eq!(read(&table(byte), Some(encoding)).unwrap(), format!("text,label\n{letter},1\n"), "{encoding}");
        }
        let told = |encoding: &str, byte: u8| read(&table(byte), Some(encoding)).unwrap_err().to_string();
        assert_eq!(told("ascii", 0x80), "line 2: has the byte 0x80, which ascii does not have; name its --encoding");
        assert_eq!(
            told("ISO-8859-1", 0x92),
            "line 2: has the byte 0x92, which iso-8859-1 does not have; windows-1252 may be meant"
        );
        assert_eq!(
            told("latin-1", 0x85),
            "line 2: has the byte 0x85, which latin1 does not have; windows-1252 may be meant"
        );
        assert_eq!(told("latin5", 0x80), "line 2: has the byte 0x80, which latin5 does not have; name its --encoding");
        for byte in [0x81, 0x8d, 0x8f, 0x90, 0x9d] {
            assert_eq!(told("cp1252", byte), "line 2: has a byte that windows-1252 does not have; name its --encoding");
        }
        let far = [&b"a\n".repeat(CHUNK)[..], b"\x81"].concat();
        let far = read(&far, Some("cp1252")).unwrap_err().to_string();
        assert!(far.starts_with(&format!("line {}: ", CHUNK + 1)), "{far}");
        assert_eq!(read(b"\xff\xfe\x85\0", None).unwrap(), "\u{85}", "Unicode has its control characters");
    }

    #[test]
    fn what_is_not_of_the_encoding_is_no_text() {
        assert!(read(b"\xff\xfea\0b", None).unwrap_err().to_string().contains("is not UTF-16LE"));
        assert!(read(b"\xff\xfe\0\xd8a\0", None).unwrap_err().to_string().contains("is not UTF-16LE"));
        assert!(read(b"\x82", Some("shift_jis")).unwrap_err().to_string().contains("is not Shift_JIS"));
        let unknown = DataFile::new(Path::new("a.csv"), Some("klingon"), Links::Followed).unwrap_err().to_string();
        assert!(unknown.starts_with("a.csv: --encoding klingon: no encoding"), "{unknown}");
    }
}
