//! The records of a run from two sources, log file and socket, each once and in order.

use std::io;

use pellucid_record::log_reader::LogReader;
use pellucid_record::{Piece, RunDir};

/// How far the reader goes in its first call, so that something is seen at once.
const FIRST: u64 = 256 << 10;
/// How far it goes in one call later, so that a long log does not fill memory.
const LARGEST: u64 = 4 << 20;

/// Reads the log and knows which of the records ahead of it came over the socket already.
///
/// The worker appends to the log first and then sends, so whatever came over the socket is in the
/// file, right after what was read from it: those records are skipped by their number.
#[derive(Debug, Clone)]
pub(super) struct Feed {
    log: LogReader,
    path: std::path::PathBuf,
    /// The reader was sent up to this byte.
    asked: u64,
    /// Bytes of the next call.
    chunk: u64,
    /// Records beyond the reader that came over the socket.
    ahead: usize,
    /// Damaged lines that were told.
    told: usize,
}

impl Feed {
    pub(super) fn new(run: &RunDir) -> Self {
        Self::beyond(run, 0)
    }

    /// Of what the log has beyond byte `offset`, where a line must begin.
    pub(super) fn beyond(run: &RunDir, offset: u64) -> Self {
        Self {
            log: LogReader::beyond(&run.events(), offset),
            path: run.events(),
            asked: offset,
            chunk: FIRST,
            ahead: 0,
            told: 0,
        }
    }

    /// Notes that the next record of the log came over the socket.
    pub(super) fn heard_one(&mut self) {
        self.ahead += 1;
    }

    /// Bytes in the log now; none if there is no log.
    pub(super) fn length(&self) -> io::Result<u64> {
        match std::fs::metadata(&self.path) {
            Ok(meta) => Ok(meta.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// What is damaged and was not told yet, for people.
    pub(super) fn damage(&mut self) -> Option<String> {
        let damage = self.log.damage();
        let news = damage.count > self.told;
        self.told = damage.count;
        if news { damage.told(&self.path) } else { None }
    }

    /// A last record that nobody will finish, for people.
    pub(super) fn torn(&self) -> Option<String> {
        let torn = self.length().ok()?.saturating_sub(self.log.offset());
        let path = self.path.display();
        (torn > 0).then(|| format!("{path}: the last record is torn, its {torn} bytes are left out"))
    }

    /// Whether the reader was sent as far as byte `end`.
    pub(super) fn is_at(&self, end: u64) -> bool {
        self.asked >= end
    }

    /// The next records not seen yet within the first `end` bytes; `None` when that end is reached.
    pub(super) fn next_chunk(&mut self, end: u64) -> io::Result<Option<Vec<Piece>>> {
        while !self.is_at(end) {
            self.asked = self.log.break_from(self.asked + self.chunk).min(end);
            self.chunk = (self.chunk * 2).min(LARGEST);
            let mut pieces = self.log.read_pieces(self.asked)?;
            self.leave_known(&mut pieces);
            if !pieces.is_empty() {
                return Ok(Some(pieces));
            }
        }
        Ok(None)
    }

    /// Leaves out the records that came over the socket.
    fn leave_known(&mut self, pieces: &mut Vec<Piece>) {
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
    use pellucid_record::log_writer::LogWriter;
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
                        feed.heard_one();
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
