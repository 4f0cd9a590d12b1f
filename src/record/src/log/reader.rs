//! Reads the log of a run, also while it is being written.

mod part;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memchr::memchr_iter;
use pellucid_files::regular::{self, Access};
use pellucid_protocol::event::Record;

use self::part::{Before, Log, Part, Within, read_parts};
use crate::log::columns::ColumnsReader;
use crate::log::line::Checksums;
use crate::log::step_block::StepBlock;
use crate::log::version::LaterFormat;
use crate::log::writer::whole_length;

/// From so many bytes on, a log's copy of its steps is used.
const COLUMNS_FROM: u64 = 512 << 10;

/// Bytes of a long log that are read at once, so that it does not fill memory.
pub(crate) const CHUNK: u64 = 4 << 20;

/// Damaged lines whose numbers are kept; more are only counted.
const MOST_NAMED: usize = 100;

/// A reader of an event log that remembers how far it has come.
#[derive(Debug, Clone)]
pub struct LogReader {
    path: PathBuf,
    /// The byte at which reading began.
    begin: u64,
    /// Lines before that byte; `None` until a damaged line is to be named.
    before: Option<u64>,
    offset: u64,
    /// Lines read.
    lines: u64,
    /// Whether the lines from here on must have checksums.
    checksums: Checksums,
    /// Whether what comes next is the rest of a line that is too long.
    within: Within,
    damage: Damage,
    newer: usize,
    later: Option<LaterFormat>,
    /// The copy of its steps; `None` until it is needed.
    columns: Option<ColumnsReader>,
}

/// A piece of a log: one event, or many steps.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// One event.
    Record(Record),
    /// Consecutive steps.
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

    /// Whether it has no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its records `from..to`; `None` if there are none.
    #[must_use]
    pub fn part(&self, from: usize, to: usize) -> Option<Self> {
        match self {
            Piece::Record(record) => (from == 0 && to > 0).then(|| Piece::Record(record.clone())),
            Piece::Steps(block) => Some(Piece::Steps(block.part(from, to))).filter(|part| !part.is_empty()),
        }
    }

    /// The time of its record of this index.
    #[must_use]
    pub fn time(&self, index: usize) -> Option<f64> {
        match self {
            Piece::Record(record) => (index == 0).then_some(record.time),
            Piece::Steps(block) => block.rows().get(index).map(|row| row.time),
        }
    }

    /// Its records, one by one.
    #[must_use]
    pub fn into_records(self) -> Vec<Record> {
        match self {
            Piece::Record(record) => vec![record],
            Piece::Steps(block) => block.records().collect(),
        }
    }
}

/// Damaged lines of a log, which were left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damage {
    /// The line numbers of the first of them, from 1.
    pub lines: Vec<u64>,
    /// How many there are.
    pub count: usize,
}

impl Damage {
    /// One line for people: where the damage is and what was done about it. `None` if nothing is damaged.
    #[must_use]
    pub fn message(&self, path: &Path) -> Option<String> {
        let first = self.lines.first()?;
        let others = self.lines.iter().skip(1).take(4).map(u64::to_string);
        let named: Vec<_> = [first.to_string()].into_iter().chain(others).collect();
        let more = if self.count > named.len() { ", ..." } else { "" };
        let (records, are) = if self.count == 1 { ("record", "is") } else { ("records", "are") };
        let (named, count) = (named.join(", "), self.count);
        Some(format!("{}:{first}: {count} {records} {are} damaged and left out (line {named}{more})", path.display()))
    }
}

impl LogReader {
    /// A reader of the log at `path`, from its start. The file need not exist yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        let damage = Damage::default();
        let (begin, offset, lines, newer) = (0, 0, 0, 0);
        Self {
            path: path.to_owned(),
            begin,
            before: None,
            offset,
            lines,
            checksums: Checksums::Optional,
            within: Within::NoLine,
            damage,
            newer,
            later: None,
            columns: None,
        }
    }

    /// A reader of the log at `path` from byte `offset` on, where a line must begin.
    #[must_use]
    pub fn from_offset(path: &Path, offset: u64) -> Self {
        let checksums = if offset == 0 { Checksums::Optional } else { Checksums::Required };
        Self { begin: offset, offset, checksums, ..Self::new(path) }
    }

    /// The records that were not read yet. An unfinished last line is left for the next call. Events of a newer version
    /// are left out; so are damaged lines, which are counted.
    ///
    /// # Errors
    /// What the file system says; a missing file has no records.
    pub fn read_new(&mut self) -> io::Result<Vec<Record>> {
        self.read_until(u64::MAX)
    }

    /// As [`LogReader::read_new`], up to byte `end`.
    ///
    /// # Errors
    /// As [`LogReader::read_new`].
    pub fn read_until(&mut self, end: u64) -> io::Result<Vec<Record>> {
        Ok(self.read_pieces(end)?.into_iter().flat_map(Piece::into_records).collect())
    }

    /// As [`LogReader::read_until`], with steps in blocks: for long logs, which are read on all processor cores.
    ///
    /// # Errors
    /// As [`LogReader::read_new`].
    pub fn read_pieces(&mut self, end: u64) -> io::Result<Vec<Piece>> {
        let file = match regular::open(&self.path, Access::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let end = end.min(length);
        if self.columns.is_none() && end.saturating_sub(self.offset) >= COLUMNS_FROM {
            self.columns = Some(ColumnsReader::open(&self.path, length));
        }
        let columns = self.columns.clone().unwrap_or_default();
        let mut pieces = Vec::new();
        let before = Before { checksums: self.checksums, within: self.within };
        for part in read_parts(&Log { file: &file, columns }, (self.offset, end), before)? {
            pieces.extend(self.append(part));
        }
        Ok(pieces)
    }

    /// The first byte from `end` on that does not lie within a block of copied steps. Reading up to there is fastest.
    #[must_use]
    pub fn break_from(&self, end: u64) -> u64 {
        self.columns.as_ref().map_or(end, |columns| columns.outside(end))
    }

    /// Appends the next part of the log.
    fn append(&mut self, part: Part) -> Vec<Piece> {
        self.offset += part.read;
        self.checksums = part.checksums;
        // A part without a byte, after the end of what could be shared out, says nothing.
        if part.read > 0 {
            self.within = part.within;
        }
        self.newer += part.newer;
        self.later = self.later.or(part.later);
        self.damage.count += part.damage.count;
        for line in part.damage.lines {
            if self.damage.lines.len() < MOST_NAMED {
                // Counted once: it takes a look at all that was passed over.
                let before = *self.before.get_or_insert_with(|| lines_before(&self.path, self.begin).unwrap_or(0));
                self.damage.lines.push(before + self.lines + line);
            }
        }
        self.lines += part.lines;
        part.pieces
    }

    /// The byte up to which the log was read, which is the end of a line.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The damaged lines so far, which were left out.
    #[must_use]
    pub fn damage(&self) -> &Damage {
        &self.damage
    }

    /// One line for people if a later version has written to the log: what of it can be read is read.
    #[must_use]
    pub fn later(&self) -> Option<String> {
        self.later.map(|later| format!("{}: {later}", self.path.display()))
    }

    /// As [`LogReader::read_pieces`] up to the last whole line, some megabytes at a time, each piece given to `take`: for
    /// those that keep little of a long log.
    ///
    /// # Errors
    /// As [`LogReader::read_new`].
    pub fn read_in_chunks(&mut self, take: &mut dyn FnMut(Piece)) -> io::Result<()> {
        let (length, mut end) = (whole_length(&self.path)?, self.offset);
        while end < length {
            end = self.break_from(end + CHUNK).min(length);
            self.read_pieces(end)?.into_iter().for_each(&mut *take);
        }
        Ok(())
    }

    /// Number of intact records of a newer version, which were left out.
    #[must_use]
    pub fn newer(&self) -> usize {
        self.newer
    }
}

/// Number of line breaks in the first `end` bytes of a file.
fn lines_before(path: &Path, end: u64) -> io::Result<u64> {
    let (mut file, mut bytes, mut count) = (regular::open(path, Access::Read)?.take(end), vec![0; 64 << 10], 0);
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(count),
            read => count += memchr_iter(b'\n', &bytes[..read]).count() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use pellucid_protocol::event::{Event, Step};
    use pellucid_protocol::metric::Metrics;
    use proptest::prelude::*;

    use super::*;
    use crate::log::line::{checksum, encode};
    use crate::log::writer::LogWriter;

    fn step(number: u64) -> Record {
        let step = Step { step: number, epoch: 0.0, metrics: Metrics::default() };
        Record { time: 0.0, event: Event::Step(step) }
    }

    fn started() -> Record {
        let line = r#"{"time":0.0,"event":"started","version":"9","log":1,"run":"r","pid":1,"host":"h","device":"cpu",
            "model":{"path":"m","family":"bert","layers":1,"hidden":2,"parameters":3},"teacher":null,"labels":["a"],
            "train_examples":1,"valid_examples":1,"steps_per_epoch":1,"total_steps":1,"settings":"#;
        let raw = pellucid_protocol::RawSettings {
            model: Some("m".into()),
            train: Some("t".into()),
            valid: Some("v".into()),
            ..pellucid_protocol::RawSettings::default()
        };
        let settings = serde_json::to_string(&raw.check().unwrap()).unwrap();
        serde_json::from_str(&format!("{line}{settings}}}")).unwrap()
    }

    fn read(bytes: &[u8]) -> (Vec<Record>, LogReader) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        fs::write(&path, bytes).unwrap();
        let mut reader = LogReader::new(&path);
        (reader.read_new().unwrap(), reader)
    }

    #[test]
    fn a_log_cut_at_any_byte_reads_to_its_last_whole_line_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut writer = LogWriter::open(&path).unwrap();
        let ends: Vec<u64> = (0..4).map(|n| writer.append(&step(n)).unwrap()).collect();
        let bytes = fs::read(&path).unwrap();
        for cut in 0..=bytes.len() {
            fs::write(&path, &bytes[..cut]).unwrap();
            let whole = ends.iter().filter(|&&end| end <= cut as u64).count();
            assert_eq!(LogReader::new(&path).read_new().unwrap().len(), whole, "cut at {cut}");
            let mut again = LogWriter::open(&path).unwrap();
            let kept = whole.checked_sub(1).map_or(0, |last| ends[last]);
            assert_eq!(again.torn(), cut as u64 - kept, "cut at {cut}");
            again.append(&step(9)).unwrap();
            let mut reader = LogReader::new(&path);
            assert_eq!(reader.read_new().unwrap().last(), Some(&step(9)));
            assert_eq!(reader.damage().count, 0);
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_found_and_named_by_line() {
        let lines: Vec<Vec<u8>> =
            [started(), step(1), step(2), step(3)].iter().map(|record| encode(record).unwrap()).collect();
        let bytes = lines.concat();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let (records, reader) = read(&flipped);
            let line = bytes[..bit / 8].iter().filter(|&&byte| byte == b'\n').count();
            let torn = reader.offset() < flipped.len() as u64;
            assert!(reader.damage().count > 0 || torn, "bit {bit} of byte {} passed unseen", bit / 8);
            assert!(torn || reader.damage().lines[0] == line as u64 + 1, "bit {bit}: {:?}", reader.damage());
            // A lost line break costs two records, everything else one.
            assert!(records.len() >= 2 && records.iter().all(|record| *record != step(9)), "bit {bit}");
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
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{half").unwrap();
        assert!(reader.read_new().unwrap().is_empty());
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b" a line\n").unwrap();
        assert!(reader.read_new().unwrap().is_empty());
        assert_eq!(reader.damage().lines, [3]);
        let mut late = LogReader::from_offset(&path, first);
        assert_eq!(late.read_new().unwrap(), [step(2)]);
        assert_eq!(late.damage().lines, [3], "lines are counted from the start of the file");
    }

    #[test]
    fn a_log_from_before_there_were_checksums_opens_and_goes_on_with_them() {
        let old = |record: &Record| [serde_json::to_vec(record).unwrap(), b"\n".to_vec()].concat();
        let mut bytes = [old(&step(1)), old(&step(2)), encode(&step(3)).unwrap()].concat();
        let (records, reader) = read(&bytes);
        assert_eq!((records, reader.damage().count), (vec![step(1), step(2), step(3)], 0));
        bytes.extend(old(&step(4)));
        let (records, reader) = read(&bytes);
        assert_eq!((records.len(), reader.damage().lines.clone()), (3, vec![4]), "a checksum was lost");
    }

    #[test]
    fn what_a_newer_pellucid_wrote_is_no_damage() {
        let (body, mut bytes) = (r#"{"time":0.0,"event":"step","step":1,"epoch":0.0,"metrics":{}"#, Vec::new());
        let bodies = [
            format!("{body},\"weather\":\"fine\""),
            r#"{"time":0.0,"event":"teleported","to":[1,2]"#.to_owned(),
            r#"{"time":0.0,"event":"ended","step":1,"outcome":"dreamt","message":null,"metrics":{}"#.to_owned(),
        ];
        for body in bodies {
            bytes.extend(format!("{body},\"crc\":\"{:08x}\"}}\n", checksum(body.as_bytes())).into_bytes());
        }
        bytes.extend(encode(&step(2)).unwrap());
        let (records, reader) = read(&bytes);
        assert_eq!(records, [step(1), step(2)], "an unknown field is passed over, an unknown event left out");
        assert_eq!((reader.newer(), reader.damage().count), (2, 0));
    }

    #[test]
    fn what_a_later_version_goes_on_with_is_read_and_nothing_is_appended() {
        let body = r#"{"time":0.0,"event":"started","log":2,"crew":["a"]"#;
        let later = format!("{body},\"crc\":\"{:08x}\"}}\n", checksum(body.as_bytes())).into_bytes();
        let bytes = [encode(&step(1)).unwrap(), later, encode(&step(2)).unwrap(), b"{torn".to_vec()].concat();
        let (records, reader) = read(&bytes);
        assert_eq!((records, reader.damage().count), (vec![step(1), step(2)], 0));
        assert!(reader.later().unwrap().ends_with("this one knows 1): nothing is written to it; update pellucid"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        fs::write(&path, &bytes).unwrap();
        let error = LogWriter::open(&path).unwrap_err();
        assert!(
            error.kind() == std::io::ErrorKind::Unsupported && error.to_string().contains("log format 2"),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), bytes, "its torn end is not cut off either");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nor a copy of its steps begun");
        assert_eq!(read(&encode(&step(1)).unwrap()).1.later(), None);
    }

    #[test]
    fn a_line_that_is_too_long_is_one_damaged_line_however_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let long = vec![b'x'; 40 << 20];
        let bytes = [&encode(&step(1)).unwrap()[..], &long, b"\n", &encode(&step(2)).unwrap(), &long].concat();
        fs::write(&path, &bytes).unwrap();
        let mut steps = Vec::new();
        let mut reader = LogReader::new(&path);
        reader.read_in_chunks(&mut |piece| steps.extend(piece.into_records())).unwrap();
        assert_eq!((&steps, reader.damage().lines.as_slice()), (&vec![step(1), step(2)], &[2][..]));
        let mut whole = LogReader::new(&path);
        assert_eq!(whole.read_new().unwrap(), steps);
        // The last one has no end yet; what follows it is read once it has.
        assert_eq!((whole.damage().lines.as_slice(), whole.offset()), (&[2, 4][..], bytes.len() as u64));
        let more = [b"rest\n".to_vec(), encode(&step(3)).unwrap()].concat();
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(&more).unwrap();
        assert_eq!((whole.read_new().unwrap(), whole.damage().count), (vec![step(3)], 2));
    }

    #[test]
    fn damage_is_told_with_its_lines() {
        assert_eq!(Damage::default().message(Path::new("log")), None);
        let one = Damage { lines: vec![7], count: 1 };
        assert_eq!(one.message(Path::new("log")).unwrap(), "log:7: 1 record is damaged and left out (line 7)");
        let many = Damage { lines: (2..9).collect(), count: 7 };
        let message = many.message(Path::new("log")).unwrap();
        assert_eq!(message, "log:2: 7 records are damaged and left out (line 2, 3, 4, 5, 6, ...)");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_stumble(noise in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..400) {
            let mut bytes: Vec<u8> = (1..4).flat_map(|number| encode(&step(number)).unwrap()).collect();
            let at = at.min(bytes.len());
            bytes.splice(at..at, noise);
            bytes.extend(b"\n");
            bytes.extend(encode(&step(9)).unwrap());
            let (records, _) = read(&bytes);
            prop_assert_eq!(records.last(), Some(&step(9)));
        }
    }
}
