//! The records of a run from two sources, log and socket, each of them once and in order.

use std::io;

use pellucid_record::log::reader::LogReader;
use pellucid_record::{Piece, RunDir};

/// Bytes of the first chunk: few, so that the screen shows something at once.
const FIRST: u64 = 256 << 10;
/// Most bytes of a chunk, so that a long log does not fill memory.
const LARGEST: u64 = 4 << 20;

/// Reads the log, and skips the records that came over the socket already.
///
/// The worker appends a record to the log before it sends it. So the records that came over the socket are in the log,
/// directly after what was read from it, and it is enough to count them.
#[derive(Debug, Clone)]
pub(super) struct Feed {
    log: LogReader,
    path: std::path::PathBuf,
    /// The log was read up to this byte, or to the last line before it.
    asked: u64,
    /// Bytes of the next chunk.
    chunk: u64,
    /// Records after those that were read from the log that came over the socket already.
    ahead: usize,
    /// Damaged lines that were reported.
    reported: usize,
    /// Whether it was reported that a later version has written to the log.
    later_reported: bool,
}

impl Feed {
    pub(super) fn new(run: &RunDir) -> Self {
        Self::from_offset(run, 0)
    }

    /// The feed of the log from byte `offset` on, where a line must begin.
    pub(super) fn from_offset(run: &RunDir, offset: u64) -> Self {
        Self {
            log: LogReader::from_offset(&run.events(), offset),
            path: run.events(),
            asked: offset,
            chunk: FIRST,
            ahead: 0,
            reported: 0,
            later_reported: false,
        }
    }

    /// Notes that the next record of the log has come over the socket.
    pub(super) fn skip_one(&mut self) {
        self.ahead += 1;
    }

    /// Length of the log now, in bytes; 0 if there is no log.
    pub(super) fn length(&self) -> io::Result<u64> {
        match std::fs::metadata(&self.path) {
            Ok(meta) => Ok(meta.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Once, for people, that a later version has written to the log.
    pub(super) fn later(&mut self) -> Option<String> {
        let later = self.log.later().filter(|_| !self.later_reported)?;
        self.later_reported = true;
        Some(later)
    }

    /// Damage that was not reported yet, for people.
    pub(super) fn damage(&mut self) -> Option<String> {
        let damage = self.log.damage();
        let news = damage.count > self.reported;
        self.reported = damage.count;
        if news { damage.message(&self.path) } else { None }
    }

    /// An unfinished last record, for people: once the worker is gone, nobody finishes it.
    pub(super) fn torn(&self) -> Option<String> {
        let torn = self.length().ok()?.saturating_sub(self.log.offset());
        let path = self.path.display();
        (torn > 0).then(|| format!("{path}: the last record is torn, its {torn} bytes are left out"))
    }

    /// Whether the log was read up to byte `end`.
    pub(super) fn is_at(&self, end: u64) -> bool {
        self.asked >= end
    }

    /// The next records up to byte `end` that were not seen yet; `None` once `end` is reached.
    pub(super) fn next_chunk(&mut self, end: u64) -> io::Result<Option<Vec<Piece>>> {
        while !self.is_at(end) {
            self.asked = self.log.break_from(self.asked + self.chunk).min(end);
            self.chunk = (self.chunk * 2).min(LARGEST);
            let mut pieces = self.log.read_pieces(self.asked)?;
            self.skip_known(&mut pieces);
            if !pieces.is_empty() {
                return Ok(Some(pieces));
            }
        }
        Ok(None)
    }

    /// Removes the records that came over the socket already.
    fn skip_known(&mut self, pieces: &mut Vec<Piece>) {
        let whole = pieces.iter().scan(0, |sum, piece| {
            *sum += piece.len();
            Some(*sum)
        });
        let whole = whole.take_while(|&sum| sum <= self.ahead).count();
        self.ahead -= pieces.drain(..whole).map(|piece| piece.len()).sum::<usize>();
        if let Some(Piece::Steps(block)) = pieces.first_mut() {
            block.skip(self.ahead);
            self.ahead = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::Metrics;
    use pellucid_protocol::event::{Alert, Step};
    use pellucid_protocol::{Event, Record};
    use pellucid_record::log::writer::LogWriter;
    use proptest::prelude::*;

    use super::*;

    fn record(number: u64, length: usize) -> Record {
        let event = if number % 3 == 2 {
            let mut metrics = Metrics::default();
            metrics.set("loss/total", 0.5);
            Event::Step(Step { step: number, epoch: 0.0, metrics })
        } else {
            Event::Alert(Alert::info(number, "x".repeat(length)))
        };
        Record { time: 0.0, event }
    }

    fn numbers(records: &[Record]) -> Vec<u64> {
        let number = |record: &Record| match &record.event {
            Event::Alert(alert) => alert.step,
            Event::Step(step) => step.step,
            _ => 0,
        };
        records.iter().map(number).collect()
    }

    fn read_to(feed: &mut Feed, end: u64) -> Vec<u64> {
        let mut seen = Vec::new();
        while let Some(pieces) = feed.next_chunk(end).unwrap() {
            let records: Vec<_> = pieces.into_iter().flat_map(Piece::into_records).collect();
            seen.extend(numbers(&records));
        }
        seen
    }

    #[test]
    fn lines_longer_than_a_chunk_come_through() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let mut writer = LogWriter::open(&run.events()).unwrap();
        let long = usize::try_from(FIRST).unwrap() * 2;
        for (number, length) in [(0, 3), (1, long), (2, 5), (3, long), (4, long)] {
            writer.append(&record(number, length)).unwrap();
        }
        assert_eq!(read_to(&mut Feed::new(&run), writer.length()), [0, 1, 2, 3, 4]);
    }

    proptest! {
        /// Any order of appending, hearing over the socket and losing the socket gives each record once.
        #[test]
        fn never_a_gap_and_never_twice(rounds in prop::collection::vec((0u64..9, 0u64..9), 1..12)) {
            let folder = tempfile::tempdir().unwrap();
            let run = RunDir::new(folder.path());
            let mut writer = LogWriter::open(&run.events()).unwrap();
            let (mut feed, mut seen, mut written) = (Feed::new(&run), Vec::new(), 0);
            for (heard, missed) in rounds {
                seen.extend(read_to(&mut feed, writer.length()));
                for over_socket in (0..heard).map(|_| true).chain((0..missed).map(|_| false)) {
                    writer.append(&record(written, 2)).unwrap();
                    if over_socket {
                        feed.skip_one();
                        seen.push(written);
                    }
                    written += 1;
                }
            }
            seen.extend(read_to(&mut feed, writer.length()));
            prop_assert_eq!(seen, (0..written).collect::<Vec<_>>());
        }
    }
}
