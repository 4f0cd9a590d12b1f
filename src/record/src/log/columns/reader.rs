//! Reads the copy of a log's steps.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use pellucid_files::regular::{self, Access};

use super::{Head, MAGIC, beside, stored};
use crate::log::line::checksum;
use crate::log::step_block::StepBlock;

/// Bytes of the log for each of its stretches at least, on the average: less than 64 of the shortest lines.
const SHORTEST: u64 = 1024;

/// The copy of a log's steps; empty if there is none.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnsReader {
    file: Option<Arc<File>>,
    /// In the order of the log.
    stretches: Arc<[Stretch]>,
}

/// A stretch of a log that has been copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    head: Head,
    /// The byte of the copy at which its block begins.
    place: u64,
}

impl Stretch {
    /// The byte of the log at which it begins.
    pub(crate) fn from(&self) -> u64 {
        self.head.from
    }

    /// The byte of the log at which it ends.
    pub(crate) fn end(&self) -> u64 {
        self.head.from + self.length()
    }

    /// Its bytes.
    pub(crate) fn length(&self) -> u64 {
        u64::from(self.head.length)
    }

    /// Whether it was made from text with this checksum.
    pub(crate) fn is_of(&self, sum: u32) -> bool {
        self.head.log_sum == sum
    }
}

impl ColumnsReader {
    /// The copy beside the log at `path`, which has `length` bytes. A copy that cannot be read counts as none.
    pub(crate) fn open(path: &Path, length: u64) -> Self {
        let Ok(file) = regular::open(&beside(path), Access::Read) else { return Self::default() };
        match heads(&file, length) {
            Ok(Some((stretches, _))) => Self { file: Some(Arc::new(file)), stretches: stretches.into() },
            _ => Self::default(),
        }
    }

    /// The first stretch that begins at byte `at` of the log or after it.
    pub(crate) fn next(&self, at: u64) -> Option<&Stretch> {
        self.stretches.get(self.stretches.partition_point(|stretch| stretch.from() < at))
    }

    /// The first byte of the log from `at` on that lies in no stretch.
    pub(crate) fn outside(&self, at: u64) -> u64 {
        let before = self.stretches.partition_point(|stretch| stretch.from() < at);
        before.checked_sub(1).map_or(at, |last| self.stretches[last].end().max(at))
    }

    /// The steps of a stretch, if its block is intact; `strip` is a buffer for its bytes.
    pub(crate) fn block(&self, stretch: &Stretch, strip: &mut Vec<u8>) -> Option<StepBlock> {
        let size = stretch.head.size as usize;
        strip.resize(strip.len().max(size), 0);
        let bytes = &mut strip[..size];
        self.file.as_ref()?.read_exact_at(bytes, stretch.place).ok()?;
        (checksum(bytes) == stretch.head.sum).then(|| stored::from_bytes(bytes))?
    }
}

/// The stretches for which `file` has blocks, in a log of `length` bytes, and the length of the file up to the end of the
/// last such block; `None` if the file is not a copy.
pub(super) fn heads(file: &File, length: u64) -> io::Result<Option<(Vec<Stretch>, u64)>> {
    let size = file.metadata()?.len();
    let mut magic = [0; MAGIC.len()];
    if size < MAGIC.len() as u64 || file.read_exact_at(&mut magic, 0).is_err() || magic != MAGIC {
        return Ok(None);
    }
    let (mut stretches, mut at, mut end) = (Vec::new(), MAGIC.len() as u64, 0);
    let mut bytes = [0; Head::SIZE];
    // Stretches are of many steps; blocks of a few bytes each would only fill memory.
    let most = length / SHORTEST;
    while at + Head::SIZE as u64 <= size && (stretches.len() as u64) < most {
        file.read_exact_at(&mut bytes, at)?;
        let head = Head::from_bytes(&bytes);
        let place = at + Head::SIZE as u64;
        let next = place + u64::from(head.size);
        if !head.lies_in((end, length)) || next > size {
            break;
        }
        end = head.end().unwrap_or(length);
        stretches.push(Stretch { head, place });
        at = next;
    }
    Ok(Some((stretches, at)))
}
