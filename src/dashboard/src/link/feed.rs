//! The records of a run from two sources, log file and socket, each once and in order.

use std::io;

use pellucid_protocol::log_reader::LogReader;
use pellucid_protocol::{Record, RunDir};

/// How far the reader goes in one call, so that a long log neither blocks the screen nor fills memory.
const CHUNK: u64 = 1 << 20;

/// Reads the log and knows which of the records ahead of it came over the socket already.
///
/// The worker appends to the log first and then sends, so whatever came over the socket is in the
/// file, right after what was read from it: those records are skipped by their number.
#[derive(Debug)]
pub(super) struct Feed {
    log: LogReader,
    path: std::path::PathBuf,
    /// The reader was sent up to this byte.
    asked: u64,
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
        Self { log: LogReader::beyond(&run.events(), offset), path: run.events(), asked: offset, ahead: 0, told: 0 }
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

    /// The next records not seen yet within the first `end` bytes; `None` when that end is reached.
    pub(super) fn next_chunk(&mut self, end: u64) -> io::Result<Option<Vec<Record>>> {
        while self.asked < end {
            self.asked = (self.asked + CHUNK).min(end);
            let mut records = self.log.read_until(self.asked)?;
            let known = self.ahead.min(records.len());
            self.ahead -= known;
            records.drain(..known);
            if !records.is_empty() {
                return Ok(Some(records));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::Event;
    use pellucid_protocol::event::{Alert, Level};
    use pellucid_protocol::log_writer::LogWriter;
    use proptest::prelude::*;

    use super::*;

    fn record(number: u64, length: usize) -> Record {
        let alert = Alert { step: number, level: Level::Info, message: "x".repeat(length) };
        Record { time: 0.0, event: Event::Alert(alert) }
    }

    fn numbers(records: &[Record]) -> Vec<u64> {
        records.iter().map(|record| if let Event::Alert(alert) = &record.event { alert.step } else { 0 }).collect()
    }

    fn read_to(feed: &mut Feed, end: u64) -> Vec<u64> {
        let mut seen = Vec::new();
        while let Some(records) = feed.next_chunk(end).unwrap() {
            seen.extend(numbers(&records));
        }
        seen
    }

    #[test]
    fn lines_longer_than_a_chunk_come_through() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let mut writer = LogWriter::open(&run.events()).unwrap();
        let long = usize::try_from(CHUNK).unwrap() * 2;
        for (number, length) in [(0, 3), (1, long), (2, 5), (3, long), (4, 1)] {
            writer.append(&record(number, length)).unwrap();
        }
        assert_eq!(read_to(&mut Feed::new(&run), writer.length()), [0, 1, 2, 3, 4]);
    }

    proptest! {
        /// Any order of appending, hearing over the socket and losing the socket gives each record once.
        #[test]
        fn never_a_gap_and_never_twice(rounds in prop::collection::vec((0u64..4, 0u64..4), 1..12)) {
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
