//! Copies the event log to stdout, line by line, while it grows.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use pellucid_files::bounded;
use pellucid_files::regular::{self, Access};
use pellucid_protocol::scrub::escape_json;
use pellucid_record::log::line::{Integrity, check};
use serde::Deserialize;

/// A copy in progress. It ends with the line that says how the run ended.
pub(super) struct LogCopy {
    path: PathBuf,
    offset: u64,
    ended: bool,
    /// Whether what comes next is the rest of a line that is too long.
    within_line: bool,
}

/// What is read of a line.
#[derive(Deserialize)]
struct Tag {
    event: String,
}

impl LogCopy {
    /// Copies the log at `path` from byte `offset` on, where a line must begin.
    pub(super) fn from(path: &Path, offset: u64) -> Self {
        Self { path: path.to_owned(), offset, ended: false, within_line: false }
    }

    /// Whether the log is where it was.
    pub(super) fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// Goes on with the same log at `path`, to which it was moved.
    pub(super) fn move_to(&mut self, path: &Path) {
        path.clone_into(&mut self.path);
    }

    /// Copies the lines that were completed since the last call. Damaged lines are left out, and what is longer than any
    /// line.
    pub(super) fn copy_new(&mut self, out: &mut impl Write) -> io::Result<()> {
        let named = |error: io::Error| io::Error::other(format!("{}: {error}", self.path.display()));
        let mut file = regular::open(&self.path, Access::Read).map_err(named)?;
        file.seek(SeekFrom::Start(self.offset)).map_err(named)?;
        let (mut lines, mut line) = (BufReader::new(file), Vec::new());
        loop {
            line.clear();
            Read::by_ref(&mut lines).take(bounded::LINE).read_until(b'\n', &mut line).map_err(named)?;
            let is_whole = line.ends_with(b"\n");
            if !is_whole && (line.len() as u64) < bounded::LINE {
                return out.flush();
            }
            self.offset += line.len() as u64;
            // What follows a part that is too long is the rest of its line.
            if is_whole && !self.within_line {
                self.ended |= self.copy(&line, out)?;
            }
            self.within_line = !is_whole;
        }
    }

    /// Copies a line; whether it says that the run has ended.
    fn copy(&self, line: &[u8], out: &mut impl Write) -> io::Result<bool> {
        if self.ended || check(line) == Integrity::Corrupt {
            return Ok(false);
        }
        // A log that another program wrote may hold control characters; pellucid has escaped its own.
        let (Ok(tag), Ok(text)) = (serde_json::from_slice::<Tag>(line), std::str::from_utf8(line)) else {
            return Ok(false);
        };
        out.write_all(escape_json(text).as_bytes())?;
        Ok(tag.event == "ended")
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
    fn a_line_that_is_too_long_is_left_out_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let line = b"{\"event\":\"step\"}\n";
        let long = vec![b' '; usize::try_from(bounded::LINE).unwrap()];
        std::fs::write(&path, [&long[..], line, line, &long[..9]].concat()).unwrap();
        let (mut copy, mut out) = (LogCopy::from(&path, 0), Vec::new());
        copy.copy_new(&mut out).unwrap();
        assert_eq!((out.as_slice(), copy.offset), (line.as_slice(), (long.len() + 2 * line.len()) as u64));
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
