//! Writes the copy of a log's steps while the log is written.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pellucid_files::regular::{self, Access};

use super::reader::heads;
use super::{Head, MAGIC, beside, stored};
use crate::log::line::{Checksum, Checksums, Integrity, checksum};
use crate::log::step_line::StepLines;

/// Fewest steps of a block.
const FEWEST: usize = 64;

/// The writer of the copy.
#[derive(Debug)]
pub(crate) struct ColumnsWriter {
    path: PathBuf,
    /// `None` until there is a block to write.
    file: Option<File>,
    /// The steps of the current stretch.
    steps: StepLines,
    /// The byte of the log at which the current stretch begins.
    from: u64,
    /// Bytes of the current stretch.
    length: u32,
    sum: Checksum,
}

impl ColumnsWriter {
    /// A writer of the copy for the log at `path`, which has `length` bytes. Blocks that are torn or lie beyond that
    /// length are cut off.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn open(path: &Path, length: u64) -> io::Result<Self> {
        let path = beside(path);
        let file = match regular::open(&path, Access::Append) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let file = file.map(|file| trimmed(file, length)).transpose()?;
        Ok(Self { path, file, steps: StepLines::default(), from: length, length: 0, sum: Checksum::default() })
    }

    /// Takes in the line that begins at byte `at` of the log.
    ///
    /// # Errors
    /// What the file system says; the copy then ends there.
    pub(crate) fn take(&mut self, line: &[u8], at: u64) -> io::Result<()> {
        if self.from + u64::from(self.length) != at {
            self.finish()?;
        }
        if self.length == 0 {
            self.from = at;
        }
        if self.steps.take(line, Checksums::Required) != Some((Integrity::Intact, line.len())) {
            return self.finish();
        }
        self.sum.update(line);
        // A block is full long before its lines have 4 GiB.
        self.length += line.len() as u32;
        if self.steps.is_full() { self.finish() } else { Ok(()) }
    }

    /// Completes the stretch.
    fn finish(&mut self) -> io::Result<()> {
        let (from, length) = (self.from, std::mem::take(&mut self.length));
        let log_sum = std::mem::take(&mut self.sum).finish();
        let Some(block) = self.steps.finish().filter(|block| block.len() >= FEWEST) else { return Ok(()) };
        let body = stored::to_bytes(&block).map_err(io::Error::other)?;
        let head = Head { from, length, log_sum, size: body.len() as u32, sum: checksum(&body) };
        self.append(&[&head.to_bytes()[..], &body].concat())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            return file.write_all(bytes);
        }
        let mut file = regular::open(&self.path, Access::AppendOrCreate)?;
        file.write_all(&MAGIC)?;
        self.file.insert(file).write_all(bytes)
    }
}

/// Cuts the copy to the blocks that fit a log of `length` bytes.
fn trimmed(mut file: File, length: u64) -> io::Result<File> {
    match heads(&file, length)? {
        Some((_, whole)) => file.set_len(whole)?,
        None => {
            file.set_len(0)?;
            file.write_all(&MAGIC)?;
        }
    }
    Ok(file)
}
