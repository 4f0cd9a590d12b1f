//! Finds the few records that decide what a run came to, from the end of its log.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use pellucid_files::bounded;
use pellucid_files::regular::{self, Access};
use pellucid_protocol::event::{Event, Record};
use pellucid_protocol::metric::Metrics;

use crate::log::backward::BackwardReader;
use crate::log::line::{self, Checksums, Content, Integrity};
use crate::log::writer::whole_length;

/// How far before the last step or end the best evaluation and a pause are looked for, in bytes: some 10,000 steps.
const WITHIN: u64 = 4 << 20;

/// The records of the log at `path` that its summary depends on, in their order: the first one if it is a start, and
/// from the end of the log back to the last step, start or end, to the best evaluation and to what says whether the run
/// is paused, those that count. None if there is no log.
///
/// # Errors
/// What the file system says.
pub(super) fn deciding_records(path: &Path) -> io::Result<Vec<Record>> {
    let file = match regular::open(path, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // A line that is being written, or that a kill has left unfinished, does not count; a worker may cut it off meanwhile.
    let length = whole_length(path)?;
    let (checksums, start) = first_record(&file)?;
    let mut found = Found::default();
    let mut lines = BackwardReader::new(&file, length);
    let mut line = Vec::new();
    while !found.is_all(lines.end()) && lines.next_line(&mut line)? {
        if found.may_need(&line) {
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
    BufReader::new(file).take(bounded::LINE).read_until(b'\n', &mut line)?;
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
    pause: Search,
}

/// Whether something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Search {
    #[default]
    GoesOn,
    /// A candidate was found; it counts unless the run had ended before it.
    Candidate,
    Done,
}

impl Found {
    /// Whether nothing before byte `at` counts, or is worth a look.
    fn is_all(&self, at: u64) -> bool {
        let searched = self.best == Search::Done && self.pause == Search::Done;
        self.decided.is_some_and(|decided| searched || decided - at > WITHIN)
    }

    /// Whether a line may count, by the name of its event: most of what is recorded after the end of a run are
    /// explanations, which are long.
    fn may_need(&self, line: &[u8]) -> bool {
        match line::event_name(line) {
            // The last event of any kind tells when something was recorded last.
            _ if self.records.is_empty() => true,
            Some(b"ended" | b"started" | b"eval") | None => true,
            Some(b"step") => self.decided.is_none() || self.pause == Search::Candidate,
            Some(b"setting") => self.pause == Search::GoesOn,
            Some(_) => false,
        }
    }

    /// Takes in the line that begins at byte `at`.
    fn take(&mut self, (_, content): (Integrity, Content), at: u64) {
        let Content::Record(record) = content else { return };
        let counts = [self.records.is_empty(), self.decides(&record.event, at), self.pauses(&record.event)];
        if counts.contains(&true) | self.is_best(&record.event) {
            self.records.push(record);
        }
    }

    /// Whether this is the last step, start or end.
    fn decides(&mut self, event: &Event, at: u64) -> bool {
        let decides = self.decided.is_none() && matches!(event, Event::Ended(_) | Event::Step(_) | Event::Started(_));
        if decides {
            self.decided = Some(at);
        }
        decides
    }

    /// Whether the event says if the run is paused: the last state that was set, unless it was set after an end.
    fn pauses(&mut self, event: &Event) -> bool {
        let next = match (self.pause, event) {
            (Search::GoesOn | Search::Candidate, Event::Started(_) | Event::Ended(_)) => Search::Done,
            (Search::GoesOn, Event::Setting(setting)) if setting.key == "state" => Search::Candidate,
            (Search::Candidate, Event::Step(_)) => Search::Done,
            _ => return false,
        };
        self.pause = next;
        true
    }

    /// Whether the event says what the best evaluation measured, or that none counts before it.
    fn is_best(&mut self, event: &Event) -> bool {
        let begins_anew = matches!(event, Event::Started(started) if started.resumed.unwrap_or(0) == 0);
        let is_best = self.best != Search::Done && (sets_best(event) || begins_anew);
        if is_best {
            self.best = Search::Done;
        }
        is_best
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
