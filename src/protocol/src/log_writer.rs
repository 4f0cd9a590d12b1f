//! Appends events to the log of a run, one whole line at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::event::Record;

/// The writer of an event log. A line that a kill left unfinished is cut off when the log is opened.
#[derive(Debug)]
pub struct LogWriter {
    file: File,
    length: u64,
}

impl LogWriter {
    /// Opens the log at `path` for appending, and creates it if there is none.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let length = whole_lines(&mut file)?;
        file.set_len(length)?;
        Ok(Self { file, length })
    }

    /// Appends one record in one write and returns the length of the log after it.
    ///
    /// # Errors
    /// What the file system says; the log is then as it was before.
    pub fn append(&mut self, record: &Record) -> io::Result<u64> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += line.len() as u64;
        Ok(self.length)
    }

    /// Length of the log in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Waits until the disk has what was appended.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Bytes up to and with the last line break.
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
