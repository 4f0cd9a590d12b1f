//! Finds the few records that decide what a run came to, from the end of its log.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use pellucid_protocol::event::{Event, Record};
use pellucid_protocol::metric::Metrics;

use crate::log::backward::BackwardReader;
use crate::log::line::{self, Checksums, Content, Integrity};

/// Longest first line that is read, in bytes.
const LONGEST_START: u64 = 256 << 10;
/// How far before the last step or end the best evaluation is looked for, in bytes.
const BEST_WITHIN: u64 = 4 << 20;

/// The records of the log at `path` that its summary depends on, in their order: the first one if it is a start, and
/// from the end of the log back to the last step, start or end and to the best evaluation, those that count. None if
/// there is no log.
///
/// # Errors
/// What the file system says.
pub(super) fn deciding_records(path: &Path) -> io::Result<Vec<Record>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let (checksums, start) = first_record(&file)?;
    let mut found = Found::default();
    let mut lines = BackwardReader::new(&file, length);
    let mut line = Vec::new();
    while !found.is_all(lines.end()) && lines.next_line(&mut line)? {
        // A line that is being written, or that a kill has left unfinished, has no line break.
        if line.ends_with(b"\n") && found.may_need(&line) {
            found.take(line::read(&line, checksums), lines.end());
        }
    }
    found.records.extend(start);
    found.records.reverse();
    Ok(found.records)
}

/// Whether the lines of a log have checksums, and its first record if that is a start.
fn first_record(file: &File) -> io::Result<(Checksums, Option<Record>)> {
    let mut line = Vec::new();
    BufReader::new(file).take(LONGEST_START).read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") {
        return Ok((Checksums::Optional, None));
    }
    let (integrity, content) = line::read(&line, Checksums::Optional);
    let checksums = if integrity == Integrity::Intact { Checksums::Required } else { Checksums::Optional };
    let start = match content {
        Content::Record(record) if matches!(record.event, Event::Started(_)) => Some(record),
        _ => None,
    };
    Ok((checksums, start))
}

/// What was found on the way back.
#[derive(Default)]
struct Found {
    /// The newest first.
    records: Vec<Record>,
    /// The byte at which the last step, start or end begins.
    decided: Option<u64>,
    best: Search,
}

/// Whether something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Search {
    #[default]
    GoesOn,
    Done,
}

impl Found {
    /// Whether nothing before byte `at` counts, or is worth a look.
    fn is_all(&self, at: u64) -> bool {
        self.decided.is_some_and(|decided| self.best == Search::Done || decided - at > BEST_WITHIN)
    }

    /// Whether a line may count, by the name of its event: most of what is recorded after the end of a run are
    /// explanations, which are long.
    fn may_need(&self, line: &[u8]) -> bool {
        match line::event_name(line) {
            // The last event of any kind tells when something was recorded last.
            _ if self.records.is_empty() => true,
            Some(b"ended" | b"eval") | None => true,
            Some(b"step" | b"started" | b"setting") => self.decided.is_none(),
            Some(_) => false,
        }
    }

    /// Takes in the line that begins at byte `at`.
    fn take(&mut self, (_, content): (Integrity, Content), at: u64) {
        let Content::Record(record) = content else { return };
        let is_first = self.records.is_empty();
        let decides =
            self.decided.is_none() && matches!(record.event, Event::Ended(_) | Event::Step(_) | Event::Started(_));
        let sets_best = self.best == Search::GoesOn && sets_best(&record.event);
        let may_pause = self.decided.is_none() && matches!(record.event, Event::Setting(_));
        if decides {
            self.decided = Some(at);
        }
        if sets_best {
            self.best = Search::Done;
        }
        if is_first || decides || sets_best || may_pause {
            self.records.push(record);
        }
    }
}

/// Whether an event says what the best evaluation measured.
fn sets_best(event: &Event) -> bool {
    match event {
        Event::Eval(eval) => eval.best,
        Event::Ended(ended) => ended.metrics != Metrics::default(),
        _ => false,
    }
}
