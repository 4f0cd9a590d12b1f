//! What comes out of compressed bytes, within bounds: a small file must not fill the memory.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use pellucid_files::bounded;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::panic_guard::caught;

/// Bytes that any file may expand to, however small it is.
const ALWAYS: u64 = 64 << 20;
/// How many times its size a file may expand to beyond that; text comes to less than 50.
const RATIO: u64 = 200;
/// Bytes that a decoder of Zstandard looks back at most: what the zstd program takes unless told otherwise.
const WINDOW: u64 = 128 << 20;

/// How much may still come out of a file.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    left: u64,
    why: String,
}

impl Budget {
    /// Of a file of `size` bytes.
    pub(super) fn of(size: u64) -> Self {
        let by_size = size.saturating_mul(RATIO).max(ALWAYS);
        let why = if by_size < bounded::LINES {
            format!("expands to more than {RATIO} times its size; it is damaged, or made to fill the memory")
        } else {
            format!("expands to more than {} GiB, the most that is read; cut it into several", bounded::LINES >> 30)
        };
        Self { left: by_size.min(bounded::LINES), why }
    }

    /// How much is left.
    #[must_use]
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Takes `count` bytes.
    ///
    /// # Errors
    /// When they are too many.
    pub(super) fn take(&mut self, count: u64) -> io::Result<()> {
        match self.left.checked_sub(count) {
            Some(left) => self.left = left,
            None => return Err(invalid(&self.why)),
        }
        Ok(())
    }
}

/// An error about what a file holds.
pub(super) fn invalid(why: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_string())
}

/// What a decoder says of bytes that it cannot read.
pub(super) fn torn(why: impl ToString) -> io::Error {
    invalid(format!("is damaged: {}", why.to_string().lines().next().unwrap_or_default()))
}

/// A reader that takes no more than its budget, and whose panics are errors.
pub(super) struct Within<R> {
    inner: R,
    budget: Budget,
}

impl<R: Read> Within<R> {
    pub(super) fn new(inner: R, budget: Budget) -> Self {
        Self { inner, budget }
    }
}

impl<R: Read> Read for Within<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = caught(|| self.inner.read(buffer)).unwrap_or_else(|why| Err(invalid(why)));
        let count = read.map_err(|error| invalid(format!("is damaged or cut off: {error}; make it again")))?;
        self.budget.take(count as u64)?;
        Ok(count)
    }
}

/// The text in members of gzip.
pub(super) fn gzip<R: BufRead>(packed: R) -> impl Read {
    MultiGzDecoder::new(packed)
}

/// The text in frames of Zstandard.
pub(super) struct Zstd<R> {
    packed: R,
    decoder: FrameDecoder,
    /// Bytes of the frame so far; `None` between frames.
    given: Option<u64>,
}

impl<R: BufRead> Zstd<R> {
    pub(super) fn new(packed: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        Self { packed, decoder, given: None }
    }

    /// Begins the next frame; frames that hold no data are skipped.
    fn begin(&mut self) -> io::Result<()> {
        match self.decoder.reset(&mut self.packed) {
            Ok(()) => self.given = Some(0),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = u64::from(length);
                if io::copy(&mut self.packed.by_ref().take(length), &mut io::sink())? < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Err(error) => return Err(invalid(error)),
        }
        Ok(())
    }

    fn piece(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            let one = BlockDecodingStrategy::UptoBlocks(1);
            self.decoder.decode_blocks(&mut self.packed, one).map_err(invalid)?;
        }
        self.decoder.read(buffer)
    }

    /// Ends a frame, whose sum and size must be those that it names.
    fn end(&mut self, given: u64) -> io::Result<()> {
        let named = self.decoder.get_checksum_from_data();
        if named.is_some() && named != self.decoder.get_calculated_checksum() {
            return Err(invalid("its checksum is of other data"));
        }
        let size = self.decoder.content_size();
        if size != 0 && size != given {
            return Err(invalid(format!("has {given} bytes where it names {size}")));
        }
        self.given = None;
        Ok(())
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let Some(given) = self.given else {
                if self.packed.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.begin()?;
                continue;
            };
            match self.piece(buffer)? {
                0 => self.end(given)?,
                count => {
                    self.given = Some(given + count as u64);
                    return Ok(count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
