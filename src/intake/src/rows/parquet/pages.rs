//! The pages of a column: decompressed here, so that none takes more memory than the file may.

use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parquet::basic::{Compression, CompressionCodec, Encoding};
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use super::super::unpacked::{Budget, Zstd, gzip, invalid, torn};

/// Bytes of a page at most.
const LONGEST: u64 = 256 << 20;
/// Times that Snappy makes bytes more at most: 64 bytes from 3.
const SNAPPY: u64 = 22;
/// Lengths of texts that a byte can stand for at most, where all are alike.
const LENGTHS: u64 = 64;
/// Times that LZ4 makes bytes more at most.
const LZ4: usize = 255;

/// What is known of all pages of a file.
pub(super) struct Pool {
    /// What they may take.
    pub(super) budget: Budget,
    /// Why a page was refused here: the library hands on no more than the words of an error.
    pub(super) refused: Option<String>,
}

/// The pool, which the library's readers hold.
pub(super) type Shared = Arc<Mutex<Pool>>;

/// The pool for a while.
pub(super) fn locked(pool: &Shared) -> MutexGuard<'_, Pool> {
    pool.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The pages of one column of one row group.
pub(super) struct Pages {
    packed: SerializedPageReader<File>,
    codec: CompressionCodec,
    /// Bytes that each value may come to beside those of its page: rows take memory, however few bytes they stand in.
    weight: u64,
    /// How many kinds of levels stand before the values of a page.
    levels: usize,
    pool: Shared,
}

impl Pages {
    /// Opens the pages of `chunk`, which must lie within the file.
    ///
    /// # Errors
    /// What is wrong with the chunk.
    pub(super) fn open(file: Arc<File>, chunk: &ColumnChunkMetaData, rows: usize, pool: Shared) -> Result<Self> {
        let weight = if chunk.column_descr().max_rep_level() > 0 { 8 } else { 1 };
        let (column, some) = (chunk.column_descr(), |level: i16| usize::from(level > 0));
        let levels = some(column.max_rep_level()) + some(column.max_def_level());
        // The library is not told of the compression, so it hands over the pages as they are.
        let plain = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        let packed = SerializedPageReader::new(file, &plain, rows, None)?;
        Ok(Self { packed, codec: chunk.compression_codec(), weight, levels, pool })
    }

    fn unpack(&self, packed: &[u8]) -> io::Result<Vec<u8>> {
        let left = locked(&self.pool).budget.left();
        unpack(self.codec, packed, left.min(LONGEST))
    }

    /// A page with its bytes decompressed, and paid for.
    fn unpacked(&self, page: Page) -> io::Result<Page> {
        let (start, is_packed) = match &page {
            Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, is_compressed, .. } => {
                (*def_levels_byte_len as usize + *rep_levels_byte_len as usize, *is_compressed)
            }
            _ => (0, true),
        };
        let packed = page.buffer();
        let (levels, values) =
            packed.split_at_checked(start).ok_or_else(|| invalid("is damaged: a page is shorter than its levels"))?;
        let page = if is_packed && self.codec != CompressionCodec::UNCOMPRESSED && !values.is_empty() {
            let bytes = [levels, &self.unpack(values)?].concat();
            with(page, bytes)
        } else {
            page
        };
        self.pay(&page)?;
        check(&page, self.levels).map(|()| page)
    }

    fn pay(&self, page: &Page) -> io::Result<()> {
        let cost = page.buffer().len() as u64 + u64::from(page.num_values()) * self.weight;
        locked(&self.pool).budget.take(cost)
    }
}

/// Decompresses a page to `limit` bytes at most.
fn unpack(codec: CompressionCodec, packed: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    match codec {
        CompressionCodec::SNAPPY => snappy(packed, limit),
        CompressionCodec::GZIP => all(gzip(packed), limit),
        CompressionCodec::ZSTD => all(Zstd::new(packed), limit),
        CompressionCodec::BROTLI => all(brotli_decompressor::Decompressor::new(packed, 4096), limit),
        CompressionCodec::LZ4_RAW => lz4(packed, limit),
        other => Err(invalid(format!("is compressed with {other}, which is not read; write it with snappy or zstd"))),
    }
}

fn too_long(limit: u64) -> io::Error {
    invalid(format!("has a page of more than {limit} bytes; write it with smaller pages"))
}

fn all(packed: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    packed.take(limit + 1).read_to_end(&mut bytes).map_err(torn)?;
    if bytes.len() as u64 > limit { Err(too_long(limit)) } else { Ok(bytes) }
}

fn snappy(packed: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    let length = snap::raw::decompress_len(packed).map_err(torn)? as u64;
    if length > limit {
        return Err(too_long(limit));
    }
    if length > SNAPPY * packed.len() as u64 {
        return Err(invalid("is damaged: a page names more bytes than it can have"));
    }
    snap::raw::Decoder::new().decompress_vec(packed).map_err(torn)
}

/// A block of LZ4, which does not say how long it is.
fn lz4(packed: &[u8], limit: u64) -> io::Result<Vec<u8>> {
    let most = (packed.len() * LZ4 + 64).min(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut room = (packed.len() * 4 + 64).min(most);
    loop {
        let mut bytes = vec![0; room];
        match lz4_flex::block::decompress_into(packed, &mut bytes) {
            Ok(length) => {
                bytes.truncate(length);
                return Ok(bytes);
            }
            Err(lz4_flex::block::DecompressError::OutputTooSmall { .. }) if room < most => room = (room * 4).min(most),
            Err(lz4_flex::block::DecompressError::OutputTooSmall { .. }) => return Err(too_long(limit)),
            Err(error) => return Err(torn(error)),
        }
    }
}

/// Refuses pages for which the library would reserve memory that no byte of the file stands for.
fn check(page: &Page, levels: usize) -> io::Result<()> {
    let refused = |why: String| Err(invalid(why));
    match (page, page.encoding()) {
        (Page::DictionaryPage { num_values, .. }, _) if *num_values as usize > page.buffer().len() => {
            refused("is damaged: a dictionary names more values than it has bytes".to_owned())
        }
        (Page::DictionaryPage { .. }, _) => Ok(()),
        #[expect(deprecated, reason = "an encoding of old files that is refused by name")]
        (_, encoding @ (Encoding::BIT_PACKED | Encoding::DELTA_BYTE_ARRAY)) => {
            refused(format!("has the encoding {encoding}, which is not read; write it with the usual ones"))
        }
        (_, Encoding::DELTA_LENGTH_BYTE_ARRAY) if !lengths_fit(page, levels) => {
            refused("is damaged: a page names more texts than it has".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether the lengths of texts, which stand before them, are as many as their page has values, and bytes for them.
fn lengths_fit(page: &Page, levels: usize) -> bool {
    let mut bytes: &[u8] = page.buffer();
    let behind_levels = match page {
        Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
            bytes.split_off(..*def_levels_byte_len as usize + *rep_levels_byte_len as usize).is_some()
        }
        _ => (0..levels).all(|_| {
            let length = bytes.split_off(..4).and_then(|length| Some(u32::from_le_bytes(length.try_into().ok()?)));
            length.is_some_and(|length| bytes.split_off(..length as usize).is_some())
        }),
    };
    let count = (varint(&mut bytes), varint(&mut bytes), varint(&mut bytes)).2;
    behind_levels
        && count.is_some_and(|count| count <= page.num_values().into() && count <= LENGTHS * bytes.len() as u64)
}

/// A number in groups of seven bits.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn with(mut page: Page, bytes: Vec<u8>) -> Page {
    let (Page::DataPage { buf, .. } | Page::DataPageV2 { buf, .. } | Page::DictionaryPage { buf, .. }) = &mut page;
    *buf = bytes.into();
    page
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(page) = self.packed.get_next_page()? else { return Ok(None) };
        self.unpacked(page).map(Some).map_err(|error| {
            locked(&self.pool).refused = Some(error.to_string());
            error.into()
        })
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.packed.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.packed.skip_next_page()
    }
}

/// The pages of one column, as the library asks for them.
pub(super) struct Once(pub(super) Option<Pages>);

impl Iterator for Once {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take().map(|pages| Ok(Box::new(pages) as Box<dyn PageReader>))
    }
}

impl PageIterator for Once {}
