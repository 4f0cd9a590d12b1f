//! Reads the log of a run, also while it is being written.

mod part;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use self::part::{Part, read_parts};
use crate::event::Record;
use crate::step_block::StepBlock;

/// A reader of an event log that remembers how far it has come.
#[derive(Debug, Clone)]
pub struct LogReader {
    path: PathBuf,
    offset: u64,
    damaged: usize,
}

/// What a log has, piece by piece, in its order.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// One event.
    Record(Record),
    /// Steps that follow each other.
    Steps(StepBlock),
}

impl Piece {
    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Piece::Record(_) => 1,
            Piece::Steps(block) => block.len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes its records out one by one.
    pub fn into_records(self) -> Vec<Record> {
        match self {
            Piece::Record(record) => vec![record],
            Piece::Steps(block) => block.records().collect(),
        }
    }
}

impl LogReader {
    /// A reader of the log at `path`, at its start. The file need not exist yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), offset: 0, damaged: 0 }
    }

    /// A reader of what the log at `path` has beyond byte `offset`, where a line must begin.
    #[must_use]
    pub fn beyond(path: &Path, offset: u64) -> Self {
        Self { offset, ..Self::new(path) }
    }

    /// The records that are whole and were not read yet. An unfinished last line waits for the next
    /// call; events of a newer version are left out; damaged lines are left out and counted.
    ///
    /// # Errors
    /// What the file system says; a missing file has no records.
    pub fn read_new(&mut self) -> io::Result<Vec<Record>> {
        self.read_until(u64::MAX)
    }

    /// As [`LogReader::read_new`], no further than byte `end`.
    ///
    /// # Errors
    /// As [`LogReader::read_new`].
    pub fn read_until(&mut self, end: u64) -> io::Result<Vec<Record>> {
        Ok(self.read_pieces(end)?.into_iter().flat_map(Piece::into_records).collect())
    }

    /// As [`LogReader::read_until`], with steps in blocks: for long logs, which are read on all cores.
    ///
    /// # Errors
    /// As [`LogReader::read_new`].
    pub fn read_pieces(&mut self, end: u64) -> io::Result<Vec<Piece>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let end = end.min(file.metadata()?.len());
        let mut pieces = Vec::new();
        for Part { read, pieces: more, damaged, .. } in read_parts(&file, self.offset, end)? {
            self.offset += read;
            self.damaged += damaged;
            pieces.extend(more);
        }
        Ok(pieces)
    }

    /// Lines that were no records.
    #[must_use]
    pub fn damaged(&self) -> usize {
        self.damaged
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::event::{Event, Step};
    use crate::log_writer::LogWriter;
    use crate::metric::Metrics;

    fn step(number: u64) -> Record {
        let step = Step { step: number, epoch: 0.0, metrics: Metrics::default() };
        Record { time: 0.0, event: Event::Step(step) }
    }

    #[test]
    fn a_log_cut_at_any_byte_reads_to_its_last_whole_line_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut writer = LogWriter::open(&path).unwrap();
        let ends: Vec<u64> = (0..4).map(|n| writer.append(&step(n)).unwrap()).collect();
        let bytes = std::fs::read(&path).unwrap();
        for cut in 0..=bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let whole = ends.iter().filter(|&&end| end <= cut as u64).count();
            assert_eq!(LogReader::new(&path).read_new().unwrap().len(), whole, "cut at {cut}");
            LogWriter::open(&path).unwrap().append(&step(9)).unwrap();
            let mut reader = LogReader::new(&path);
            assert_eq!(reader.read_new().unwrap().last(), Some(&step(9)));
            assert_eq!(reader.damaged(), 0);
        }
    }

    #[test]
    fn a_reader_follows_and_never_reads_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut reader = LogReader::new(&path);
        assert!(reader.read_new().unwrap().is_empty());
        let mut writer = LogWriter::open(&path).unwrap();
        let first = writer.append(&step(1)).unwrap();
        writer.append(&step(2)).unwrap();
        assert_eq!(reader.read_until(first).unwrap(), [step(1)]);
        assert_eq!(reader.read_new().unwrap(), [step(2)]);
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{half").unwrap();
        assert!(reader.read_new().unwrap().is_empty());
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b" a line\n").unwrap();
        assert!(reader.read_new().unwrap().is_empty());
        assert_eq!(reader.damaged(), 1);
    }
}
