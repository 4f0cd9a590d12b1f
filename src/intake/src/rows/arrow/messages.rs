//! The messages of an Arrow file, one after the other: in a stream as they stand there, and in a file with random access
//! as its footer names them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use arrow_ipc::{Endianness, Footer, Message};
use arrow_schema::{ArrowError, Schema};
use flatbuffers::VerifierOptions;

use super::super::joined;
use super::super::typed::damaged;
use super::super::unpacked::invalid;

/// The mark of a file with random access; eight bytes with what fills it up.
const MAGIC: &[u8] = b"ARROW1";
/// The mark of the first version of Feather.
const FEATHER: &[u8] = b"FEA1";
/// What stands before the length of a message, since version 0.15.
const CONTINUED: u32 = u32::MAX;
/// Bytes that a message has at most, without its body.
const LONGEST: u64 = 16 << 20;
/// Parts of a message at most, however often each is pointed at.
const PARTS: usize = 200_000;

/// The messages of a file.
pub(super) struct Messages {
    file: BufReader<File>,
    size: u64,
    /// Bytes from here to the end.
    left: u64,
    order: Order,
}

/// Where the next message is.
enum Order {
    /// Behind the one before it.
    Stream,
    /// Where the footer says.
    Footer { footer: Vec<u8>, places: std::vec::IntoIter<u64> },
}

/// A message, and the bytes that go with it.
pub(super) struct Received {
    /// What it says, as [`message`] reads it.
    pub(super) header: Vec<u8>,
    /// The values of its columns.
    pub(super) body: Vec<u8>,
}

/// What a message says.
///
/// # Errors
/// When it is none.
pub(super) fn message(header: &[u8]) -> io::Result<Message<'_>> {
    let limits = VerifierOptions { max_tables: PARTS, ..VerifierOptions::default() };
    arrow_ipc::root_as_message_with_opts(&limits, header).map_err(|_| invalid("is damaged: it has no message there"))
}

/// What a footer says: the schema, and where the messages are.
fn footer(bytes: &[u8]) -> io::Result<Footer<'_>> {
    let limits = VerifierOptions { max_tables: PARTS, ..VerifierOptions::default() };
    arrow_ipc::root_as_footer_with_opts(&limits, bytes).map_err(|_| invalid("is damaged: its footer is none"))
}

/// Where one file ends and another begins.
const SEAM: &[u8] = b"ARROW1ARROW1";
/// Why a file with a mark at one end alone is not read.
const HALF: &str = "is cut off: it does not end with ARROW1";

impl Messages {
    /// The messages of `file`, from the first one on.
    ///
    /// # Errors
    /// When it is of another format or cut off, and what the file system says.
    pub(super) fn open(mut file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let mut start = [0; 8];
        if size < 16 {
            return Err(invalid("is no Arrow file, or cut off"));
        }
        file.read_exact(&mut start)?;
        if start.starts_with(FEATHER) {
            return Err(invalid("is Feather of version 1, which is not read; write it with version 2, or as Parquet"));
        }
        let order = if start.starts_with(MAGIC) { Order::of_footer(&mut file, size)? } else { Order::Stream };
        file.rewind()?;
        Ok(Self { file: BufReader::new(file), size, left: size, order })
    }

    /// Bytes of the file.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// What its columns are, which stands before all else.
    ///
    /// # Errors
    /// When there is no schema, or it cannot be read.
    pub(super) fn schema(&mut self) -> io::Result<Schema> {
        let none = || invalid("is no Arrow file: it does not begin with a schema");
        if let Order::Footer { footer: bytes, .. } = &self.order {
            return columns(footer(bytes)?.schema().ok_or_else(none)?);
        }
        let first = self.next()?.ok_or_else(none)?;
        columns(message(&first.header)?.header_as_schema().ok_or_else(none)?)
    }

    fn number(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.left = self.left.checked_sub(4).ok_or_else(cut_off)?;
        self.file.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn bytes(&mut self, count: u64) -> io::Result<Vec<u8>> {
        self.left = self.left.checked_sub(count).ok_or_else(cut_off)?;
        let mut bytes = vec![0; usize::try_from(count).map_err(invalid)?];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The next message; `None` at the end, which every stream names.
    ///
    /// # Errors
    /// When it is cut off or no message, and what the file system says.
    pub(super) fn next(&mut self) -> io::Result<Option<Received>> {
        match &mut self.order {
            Order::Stream => match self.here()? {
                None if self.left > 0 => Err(invalid(format!(
                    "has {} bytes behind the end of its rows: it is damaged, or several files in one",
                    self.left
                ))),
                received => Ok(received),
            },
            Order::Footer { places, .. } => {
                let Some(place) = places.next() else { return Ok(None) };
                self.left = self.size.checked_sub(place).ok_or_else(cut_off)?;
                self.file.seek(SeekFrom::Start(place))?;
                self.here()?.ok_or_else(cut_off).map(Some)
            }
        }
    }

    /// The message that begins here; `None` where the end is named.
    fn here(&mut self) -> io::Result<Option<Received>> {
        let first = self.number()?;
        let length = u64::from(if first == CONTINUED { self.number()? } else { first });
        if length == 0 {
            return Ok(None);
        }
        if length > LONGEST {
            return Err(invalid("is no Arrow file, or damaged: it names a message that is too long"));
        }
        let header = self.bytes(length)?;
        let body = u64::try_from(message(&header)?.bodyLength()).map_err(invalid)?;
        Ok(Some(Received { header, body: self.bytes(body)? }))
    }
}

fn cut_off() -> io::Error {
    invalid("is cut off: it does not end as such a file does; write it again")
}

impl Order {
    /// As the footer of a file of `size` bytes says: first the dictionaries, since the values of any batch may be there.
    fn of_footer(file: &mut File, size: u64) -> io::Result<Self> {
        let mut end = [0; 10];
        file.seek(SeekFrom::End(-10))?;
        file.read_exact(&mut end)?;
        let length = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
        if &end[4..] != MAGIC {
            return Err(invalid(HALF));
        }
        if length > LONGEST || length + 18 > size {
            return Err(invalid("is damaged: its footer is too long"));
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(invalid)?];
        file.seek(SeekFrom::Start(size - 10 - length))?;
        file.read_exact(&mut bytes)?;
        let said = footer(&bytes)?;
        let blocks = || said.dictionaries().into_iter().flatten().chain(said.recordBatches().into_iter().flatten());
        let end = |block: &arrow_ipc::Block| {
            let bytes = i64::from(block.metaDataLength()).checked_add(block.bodyLength());
            bytes.and_then(|bytes| u64::try_from(block.offset().checked_add(bytes)?).ok())
        };
        let end = blocks().filter_map(end).max().unwrap_or(MAGIC.len() as u64);
        joined::refuse(file, end..size - 10 - length, SEAM)?;
        let places =
            blocks().map(|block| u64::try_from(block.offset()).map_err(invalid)).collect::<io::Result<Vec<u64>>>()?;
        Ok(Self::Footer { footer: bytes, places: places.into_iter() })
    }
}

/// The columns of a schema.
fn columns(schema: arrow_ipc::Schema<'_>) -> io::Result<Schema> {
    if schema.endianness() != Endianness::Little {
        return Err(invalid("has its numbers with the largest byte first; write it on another machine"));
    }
    arrow_ipc::convert::try_fb_to_schema(schema).map_err(told)
}

/// What the library says of a file.
pub(super) fn told(error: ArrowError) -> io::Error {
    let why = error.to_string();
    invalid(damaged(why.split_once(" error: ").map_or(why.as_str(), |(_, why)| why)))
}
