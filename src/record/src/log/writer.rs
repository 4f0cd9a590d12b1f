//! Appends events to the log of a run, one whole line at a time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use pellucid_files::regular::{self, Access};
use pellucid_protocol::event::Record;

use crate::log::columns::ColumnsWriter;
use crate::log::line::encode;
use crate::log::version;

/// The storage of a log: a file, or a test's stand-in for one.
pub trait Medium {
    /// Writes all of `bytes` at the end.
    ///
    /// # Errors
    /// What the file system says; some of the bytes may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Truncates it to `length` bytes.
    ///
    /// # Errors
    /// What the file system says; nothing is cut then.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Waits until everything is on the disk.
    ///
    /// # Errors
    /// What the file system says.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that was opened for appending.
impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// The writer of an event log. Opening the log cuts off a last line that a kill left unfinished.
#[derive(Debug)]
pub struct LogWriter<M = File> {
    medium: M,
    length: u64,
    torn: u64,
    end: End,
    /// `None` if the copy of the steps cannot be written.
    columns: Option<ColumnsWriter>,
}

/// The state of the log's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// A whole line, or nothing.
    Whole,
    /// A part of a line, which could be neither finished nor cut off.
    Torn,
}

impl LogWriter {
    /// Opens the log at `path` for appending, and creates it if there is none, for this user alone.
    ///
    /// # Errors
    /// What the file system says, and when a later version has written to the log: nothing is changed then.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(later) = version::later(path)? {
            return Err(io::Error::new(io::ErrorKind::Unsupported, later.to_string()));
        }
        let mut file = regular::open(path, Access::AppendOrCreate)?;
        let length = whole_lines(&mut file)?;
        let torn = file.metadata()?.len() - length;
        if torn > 0 {
            file.set_len(length)?;
        }
        // Without the copy readers are slower, and nothing else.
        let columns = ColumnsWriter::open(path, length).ok();
        Ok(Self { torn, columns, ..Self::on(file, length) })
    }
}

impl<M: Medium> LogWriter<M> {
    /// A log on `medium`, which has `length` bytes, all of them whole lines.
    #[must_use]
    pub fn on(medium: M, length: u64) -> Self {
        Self { medium, length, torn: 0, end: End::Whole, columns: None }
    }

    /// Appends one record in one write and returns the length of the log after it.
    ///
    /// # Errors
    /// What the file system says; the log is then as it was before.
    pub fn append(&mut self, record: &Record) -> io::Result<u64> {
        self.append_line(&encode(record)?)
    }

    /// Appends a line made by [`encode`], as [`LogWriter::append`] does.
    ///
    /// # Errors
    /// As [`LogWriter::append`].
    pub fn append_line(&mut self, line: &[u8]) -> io::Result<u64> {
        self.cut_torn_end()?;
        if let Err(error) = self.medium.append(line) {
            self.end = End::Torn;
            // If this fails too, the next append tries it again first.
            let _ = self.cut_torn_end();
            return Err(error);
        }
        let at = self.length;
        self.length += line.len() as u64;
        if self.columns.as_mut().is_some_and(|columns| columns.take(line, at).is_err()) {
            self.columns = None;
        }
        Ok(self.length)
    }

    fn cut_torn_end(&mut self) -> io::Result<()> {
        if self.end == End::Torn {
            self.medium.cut(self.length)?;
            self.end = End::Whole;
        }
        Ok(())
    }

    /// Length of the log in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of an unfinished record that were cut off when the log was opened.
    #[must_use]
    pub fn torn(&self) -> u64 {
        self.torn
    }

    /// The storage of the log.
    #[must_use]
    pub fn medium(&self) -> &M {
        &self.medium
    }

    /// The storage of the log, for a test that makes it fail.
    #[cfg(test)]
    pub(crate) fn medium_mut(&mut self) -> &mut M {
        &mut self.medium
    }

    /// Waits until all appended records are on the disk.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sync(&mut self) -> io::Result<()> {
        self.medium.sync()
    }
}

/// Length of the whole lines of the log at `path`, in bytes; 0 if there is no log.
///
/// # Errors
/// What the file system says.
pub fn whole_length(path: &Path) -> io::Result<u64> {
    match regular::open(path, Access::Read) {
        Ok(mut file) => whole_lines(&mut file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Length of a file up to and including its last line break, in bytes.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut chunk = vec![0; 64 * 1024];
    while end > 0 {
        let start = end.saturating_sub(chunk.len() as u64);
        let part = &mut chunk[..usize::try_from(end - start).unwrap_or(0)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
