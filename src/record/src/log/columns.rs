//! A copy of the steps of a log as columns of numbers, in a file beside the log, which is faster to read than the text.
//!
//! ```text
//! events.jsonl     {"time":..,"event":"step",..}⏎ {..}⏎ ... {..}⏎ {"event":"eval",..}⏎ {..}⏎ ...
//!                  ╰───────────── a stretch ─────────────╯                            ╰─ ...
//! events.columns   magic │ head │ block │ head │ block │ ...
//!                          from, length and checksum of the stretch; length and checksum of the block
//! ```
//!
//! The log alone is enough. A block replaces its stretch of the log only if the log still has the text that the block was
//! made from, by its checksum; otherwise the text is read. So a copy that is missing, torn, damaged or of another log costs
//! time and nothing else, and a writer that cannot write it goes on without.

mod reader;
mod stored;
mod writer;

use std::path::{Path, PathBuf};

pub(crate) use self::reader::{ColumnsReader, Stretch};
pub(crate) use self::writer::ColumnsWriter;

/// The first bytes of the file; another format has other digits.
const MAGIC: [u8; 8] = *b"pelcol01";

/// Largest block that is read, in bytes: some hundred times the size of those that are written.
const LARGEST: u32 = 16 << 20;

/// The path of the copy for the log at `path`.
pub(crate) fn beside(path: &Path) -> PathBuf {
    path.with_extension("columns")
}

/// The header of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Head {
    /// The byte of the log at which the stretch begins.
    from: u64,
    /// Its bytes.
    length: u32,
    /// Their CRC-32C.
    log_sum: u32,
    /// Bytes of the block.
    size: u32,
    /// Their CRC-32C.
    sum: u32,
}

impl Head {
    const SIZE: usize = 24;

    fn to_bytes(&self) -> [u8; Head::SIZE] {
        let mut bytes = [0; Head::SIZE];
        bytes[..8].copy_from_slice(&self.from.to_le_bytes());
        let words = [self.length, self.log_sum, self.size, self.sum];
        bytes[8..].chunks_exact_mut(4).zip(words).for_each(|(chunk, word)| chunk.copy_from_slice(&word.to_le_bytes()));
        bytes
    }

    fn from_bytes(bytes: &[u8; Head::SIZE]) -> Self {
        let (from, words) = bytes.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        let mut words = words.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap_or_default()));
        let mut word = || words.next().unwrap_or_default();
        Self { from: u64::from_le_bytes(*from), length: word(), log_sum: word(), size: word(), sum: word() }
    }

    /// Where the stretch ends in the log.
    fn end(&self) -> Option<u64> {
        self.from.checked_add(u64::from(self.length))
    }

    /// Whether the header makes sense, for a stretch between these bytes of the log.
    fn lies_in(&self, (start, end): (u64, u64)) -> bool {
        self.length > 0 && self.size <= LARGEST && self.from >= start && self.end().is_some_and(|last| last <= end)
    }
}
