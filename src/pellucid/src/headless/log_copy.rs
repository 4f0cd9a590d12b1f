//! Copies the event log to stdout, line by line, while it grows.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use pellucid_files::regular::{self, Access};
use pellucid_protocol::scrub::escape_json;
use pellucid_record::log::line::{Integrity, check};
use serde::Deserialize;

/// A copy in progress. It ends with the line that says how the run ended.
pub(super) struct LogCopy {
    path: PathBuf,
    offset: u64,
    ended: bool,
}

/// What is read of a line.
#[derive(Deserialize)]
struct Tag {
    event: String,
}

impl LogCopy {
    /// Copies the log at `path` from byte `offset` on, where a line must begin.
    pub(super) fn from(path: &Path, offset: u64) -> Self {
        Self { path: path.to_owned(), offset, ended: false }
    }

    /// Copies the lines that were completed since the last call. Damaged lines are left out.
    pub(super) fn copy_new(&mut self, out: &mut impl Write) -> io::Result<()> {
        let bytes = self.new_bytes()?;
        for line in bytes.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n")) {
            self.offset += line.len() as u64;
            if let (false, Ok(tag)) =
                (self.ended || check(line) == Integrity::Corrupt, serde_json::from_slice::<Tag>(line))
            {
                // A log that another program wrote may hold control characters; pellucid has escaped its own.
                let Ok(text) = std::str::from_utf8(line) else { continue };
                out.write_all(escape_json(text).as_bytes())?;
                self.ended = tag.event == "ended";
            }
        }
        out.flush()
    }

    fn new_bytes(&self) -> io::Result<Vec<u8>> {
        let named = |error: io::Error| io::Error::other(format!("{}: {error}", self.path.display()));
        let mut file = regular::open(&self.path, Access::Read).map_err(named)?;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.offset)).and_then(|_| file.read_to_end(&mut bytes)).map_err(named)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_are_copied_as_they_are_up_to_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut copy = LogCopy::from(&path, 0);
        let mut out = Vec::new();
        let parts = [
            "{\"time\":0.1000,\"event\":\"step\"}\n{\"time\":1,",
            " \"event\":\"a newer one\"}\nnot json\n",
            "{\"event\":\"ended\"}\n{\"event\":\"explained\"}\n",
        ];
        let mut log = String::new();
        for part in parts {
            log += part;
            std::fs::write(&path, &log).unwrap();
            copy.copy_new(&mut out).unwrap();
        }
        let wanted =
            "{\"time\":0.1000,\"event\":\"step\"}\n{\"time\":1, \"event\":\"a newer one\"}\n{\"event\":\"ended\"}\n";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }

    #[test]
    fn nothing_that_steers_a_terminal_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let lines = b"{\"event\":\"x\",\"a\":\"\xff\"}\n{\"event\":\"x\",\"a\":\"\x1b[2J\"}\n{\"event\":\"x\",\"a\":\"\xc2\x9b2J\"}\n";
        std::fs::write(&path, lines).unwrap();
        let mut out = Vec::new();
        LogCopy::from(&path, 0).copy_new(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "{\"event\":\"x\",\"a\":\"\\u009b2J\"}\n");
    }

    #[test]
    fn a_reader_that_left_is_a_broken_pipe() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        std::fs::write(&path, "{\"event\":\"step\"}\n").unwrap();
        let error = LogCopy::from(&path, 0).copy_new(&mut Closed).unwrap_err();
        assert_eq!(pellucid_client::failure::Failure::from(error), pellucid_client::failure::Failure::Closed);
    }
}
