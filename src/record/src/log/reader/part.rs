//! Reads a part of a log, with all processor cores if it is long.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::thread;

use memchr::memchr;
use pellucid_files::bounded;
use pellucid_protocol::event::Record;

use super::{Damage, MOST_NAMED, Piece};
use crate::log::columns::{ColumnsReader, Stretch};
use crate::log::line::{self, Checksum, Checksums, Content, Integrity};
use crate::log::step_line::StepLines;
use crate::log::version::{self, LaterFormat};

/// Bytes that are read at once: few enough to stay in the processor's cache until they are parsed.
const STRIP: usize = 64 * 1024;

/// Fewest bytes for each thread.
const BYTES_PER_THREAD: u64 = 512 * 1024;

/// A log and the copy of its steps.
pub(super) struct Log<'a> {
    pub(super) file: &'a File,
    pub(super) columns: ColumnsReader,
}

/// What was read of a part of a log.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Bytes of the whole lines.
    pub(super) read: u64,
    /// Number of whole lines.
    pub(super) lines: u64,
    pub(super) pieces: Vec<Piece>,
    /// Whether the lines after this part must have checksums.
    pub(super) checksums: Checksums,
    /// The damaged lines; their numbers count from the first line of the part.
    pub(super) damage: Damage,
    /// Number of intact records of a newer version, which were left out.
    pub(super) newer: usize,
    /// The later format in which the log goes on.
    pub(super) later: Option<LaterFormat>,
    steps: StepLines,
    /// Whether the part ends within a line that is too long.
    pub(super) within: Within,
}

/// Where a part stands between its whole lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Within {
    /// At the start of a line.
    #[default]
    NoLine,
    /// In a line that is longer than any that is written, and so damaged.
    LongLine,
}

/// What is known before the first byte of a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) checksums: Checksums,
    pub(super) within: Within,
}

/// Reads the whole lines between two bytes, the first of which must begin a line, but within a line that is too long;
/// returns them in consecutive parts.
///
/// # Errors
/// What the file system says.
pub(super) fn read_parts(log: &Log<'_>, (start, end): (u64, u64), before: Before) -> io::Result<Vec<Part>> {
    let threads = (end.saturating_sub(start) / BYTES_PER_THREAD).clamp(1, cores());
    if threads == 1 {
        return Ok(vec![Part::read_after(log, (start, end), before)?]);
    }
    // All threads must know whether there are checksums, and the first lines tell that of nearly every log.
    let first = match before {
        Before { within: Within::LongLine, .. } => line_start(log.file, start, end)?,
        Before { checksums: Checksums::Optional, .. } => edge(log, start + STRIP as u64, end)?,
        Before { .. } => start,
    };
    let mut parts = vec![Part::read_after(log, (start, first), before)?];
    let checksums = parts[0].checksums;
    parts.extend(read_along(log, &edges(log, (first, end), threads)?, checksums)?);
    Ok(parts)
}

/// Reads the parts between `edges`, each on a thread of its own.
fn read_along(log: &Log<'_>, edges: &[u64], checksums: Checksums) -> io::Result<Vec<Part>> {
    let parts: io::Result<Vec<Part>> = thread::scope(|scope| {
        let read = |edge: &[u64]| {
            let ends = (edge[0], edge[1]);
            scope.spawn(move || Part::read(log, ends, checksums))
        };
        let readers: Vec<_> = edges.windows(2).map(read).collect();
        let lost = |_| Err(io::Error::other("a thread that read the log was lost"));
        readers.into_iter().map(|reader| reader.join().unwrap_or_else(lost)).collect()
    });
    let mut parts = parts?;
    // A part that is shorter than its edges say means that the file was cut meanwhile: what comes after it is dropped.
    let short = parts.iter().zip(edges.windows(2)).position(|(part, edge)| part.read < edge[1] - edge[0]);
    parts.truncate(short.map_or(usize::MAX, |at| at + 1));
    // Checksums began within a part, and the threads of the later parts did not know it: those are read again. This
    // happens only for a log that an older version began.
    if let Some(first) = parts.iter().position(|part| part.checksums != checksums)
        && first + 1 < parts.len()
    {
        parts.truncate(first + 1);
        parts.extend(read_along(log, &edges[first + 1..], Checksums::Required)?);
    }
    Ok(parts)
}

fn cores() -> u64 {
    static CORES: OnceLock<u64> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, |count| count.get() as u64))
}

/// The edges of `parts` about equal parts, each at the start of a line.
fn edges(log: &Log<'_>, (start, end): (u64, u64), parts: u64) -> io::Result<Vec<u64>> {
    let mut edges = vec![start];
    for part in 1..parts {
        let edge = edge(log, start + (end - start) / parts * part, end)?;
        edges.push(edge.max(*edges.last().unwrap_or(&start)));
    }
    edges.push(end);
    Ok(edges)
}

/// The start of a line after byte `at` that does not lie within a block of copied steps; `end` if there is none before.
fn edge(log: &Log<'_>, at: u64, end: u64) -> io::Result<u64> {
    match log.columns.outside(at) {
        outside if outside > at => Ok(outside.min(end)),
        _ => line_start(log.file, at, end),
    }
}

/// The start of the first line after byte `at`; `end` if there is none before.
fn line_start(file: &File, mut at: u64, end: u64) -> io::Result<u64> {
    let mut bytes = [0; 4096];
    while at < end {
        let read = read_at(file, &mut bytes, at)?;
        if read == 0 {
            break;
        }
        if let Some(found) = bytes[..read].iter().position(|&byte| byte == b'\n') {
            return Ok((at + found as u64 + 1).min(end));
        }
        at += read as u64;
    }
    Ok(end)
}

fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    loop {
        match file.read_at(bytes, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Whether the log still has the whole text that was copied.
fn is_copied(file: &File, stretch: &Stretch, strip: &mut [u8]) -> io::Result<bool> {
    let (mut at, end, mut sum, mut last) = (stretch.from(), stretch.end(), Checksum::default(), 0);
    while at < end {
        let more = usize::try_from(end - at).unwrap_or(strip.len()).min(strip.len());
        let read = read_at(file, &mut strip[..more], at)?;
        let Some(&newest) = strip[..read].last() else { return Ok(false) };
        sum.update(&strip[..read]);
        (at, last) = (at + read as u64, newest);
    }
    Ok(last == b'\n' && stretch.is_of(sum.finish()))
}

impl Part {
    /// Reads a part that begins at the start of a line.
    fn read(log: &Log<'_>, ends: (u64, u64), checksums: Checksums) -> io::Result<Self> {
        Self::read_after(log, ends, Before { checksums, within: Within::NoLine })
    }

    fn read_after(log: &Log<'_>, (start, end): (u64, u64), before: Before) -> io::Result<Self> {
        let mut part = Self { checksums: before.checksums, within: before.within, ..Self::default() };
        let (mut strip, mut from) = (vec![0; STRIP], start);
        while let Some(stretch) = log.columns.next(from).filter(|stretch| stretch.end() <= end) {
            part.read_text(log.file, (start + part.read, stretch.from()), &mut strip)?;
            // The copy can only be used if it begins at the start of a line.
            if start + part.read == stretch.from() && is_copied(log.file, stretch, &mut strip)? {
                part.take_copy(&log.columns, stretch, &mut strip);
            }
            from = stretch.end();
        }
        part.read_text(log.file, (start + part.read, end), &mut strip)?;
        part.end_steps();
        Ok(part)
    }

    /// Takes the steps of a stretch from the copy, if its block is intact.
    fn take_copy(&mut self, columns: &ColumnsReader, stretch: &Stretch, strip: &mut Vec<u8>) {
        if let Some(block) = columns.block(stretch, strip) {
            self.end_steps();
            self.read += stretch.length();
            self.lines += block.len() as u64;
            self.checksums = Checksums::Required;
            self.pieces.push(Piece::Steps(block));
        }
    }

    /// Reads the whole lines between two bytes.
    fn read_text(&mut self, file: &File, (mut at, end): (u64, u64), bytes: &mut Vec<u8>) -> io::Result<()> {
        let mut kept = 0;
        while at < end {
            if kept as u64 >= bounded::LINE {
                self.pass_over(kept as u64);
                kept = 0;
            } else if kept == bytes.len() {
                // The line is longer than that.
                bytes.resize(2 * kept, 0);
            }
            let room = bytes.len() - kept;
            let more = usize::try_from(end - at).unwrap_or(room).min(room);
            let read = read_at(file, &mut bytes[kept..kept + more], at)?;
            if read == 0 {
                break;
            }
            at += read as u64;
            let filled = kept + read;
            let whole = bytes[kept..filled].iter().rposition(|&byte| byte == b'\n').map_or(0, |last| kept + last + 1);
            self.take(&bytes[..whole]);
            bytes.copy_within(whole..filled, 0);
            kept = filled - whole;
        }
        if self.within == Within::LongLine {
            self.pass_over(kept as u64);
        }
        Ok(())
    }

    /// Passes over `bytes` of a line that is too long. They count as read even if the line has no end yet: otherwise
    /// whoever follows the log would read them again and again.
    fn pass_over(&mut self, bytes: u64) {
        self.read += bytes;
        if self.within == Within::NoLine {
            self.note_damage(self.lines + 1);
            self.within = Within::LongLine;
        }
    }

    /// Parses whole lines.
    fn take(&mut self, mut lines: &[u8]) {
        self.read += lines.len() as u64;
        if self.within == Within::LongLine
            && let Some(end) = memchr(b'\n', lines)
        {
            self.lines += 1;
            self.within = Within::NoLine;
            lines = &lines[end + 1..];
        }
        while !lines.is_empty() {
            self.lines += 1;
            let length = match self.steps.take(lines, self.checksums) {
                Some((Integrity::Intact, length)) => {
                    self.checksums = Checksums::Required;
                    length
                }
                Some((_, length)) => length,
                None => self.general(lines),
            };
            lines = &lines[length..];
            if self.steps.is_full() {
                self.end_steps();
            }
        }
    }

    /// Parses the line of any event at the start of `lines`; returns its length.
    fn general(&mut self, lines: &[u8]) -> usize {
        let length = lines.iter().position(|&byte| byte == b'\n').map_or(lines.len(), |at| at + 1);
        if let Some(record) = self.parse(&lines[..length]) {
            self.end_steps();
            self.pieces.push(Piece::Record(record));
        }
        length
    }

    fn parse(&mut self, line: &[u8]) -> Option<Record> {
        self.later = self.later.or_else(|| version::of_line(line));
        let (integrity, content) = line::read(line, self.checksums);
        if integrity == Integrity::Intact {
            self.checksums = Checksums::Required;
        }
        match content {
            Content::Record(record) => return Some(record),
            Content::Newer => self.newer += 1,
            Content::Damaged => self.note_damage(self.lines),
            Content::Unknown => {}
        }
        None
    }

    fn note_damage(&mut self, line: u64) {
        if self.damage.lines.len() < MOST_NAMED {
            self.damage.lines.push(line);
        }
        self.damage.count += 1;
    }

    fn end_steps(&mut self) {
        self.pieces.extend(self.steps.finish().map(Piece::Steps));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::log::line::encode;

    /// A log without a copy of its steps.
    fn bare(file: &File) -> Log<'_> {
        Log { file, columns: ColumnsReader::default() }
    }

    /// A log whose lines have checksums from step `sealed` on, with odd lines here and there.
    fn log(sealed: u64) -> String {
        let mut text = String::new();
        for step in 0..40_000u64 {
            let metrics = if step % 7 == 0 { r#""a":0.25,"b":null"# } else { r#""a":1e-3"# };
            let line = format!(r#"{{"time":{step},"event":"step","step":{step},"epoch":0.5,"metrics":{{{metrics}}}}}"#);
            let setting = r#"{"time":1.0,"event":"setting","step":3,"key":"lr","value":1}"#;
            let mut put = |line: &str| match serde_json::from_str::<Record>(line) {
                Ok(record) if step >= sealed => text += std::str::from_utf8(&encode(&record).unwrap()).unwrap(),
                _ => text += &format!("{line}\n"),
            };
            put(&line);
            match step % 1000 {
                1 => put(setting),
                2 => put("not a record"),
                _ => {}
            }
        }
        text + "{\"time\":9,"
    }

    #[test]
    fn parts_are_the_whole_in_its_order() {
        for sealed in [0, 23_456, u64::MAX] {
            let (mut file, text) = (tempfile::tempfile().unwrap(), log(sealed));
            file.write_all(text.as_bytes()).unwrap();
            let length = text.len() as u64;
            let one = Part::read(&bare(&file), (0, length), Checksums::Optional).unwrap();
            let records = |parts: &[Part]| -> Vec<Record> {
                parts.iter().flat_map(|part| part.pieces.clone()).flat_map(Piece::into_records).collect()
            };
            let expected = records(std::slice::from_ref(&one));
            assert_eq!((expected.len(), one.damage.count, one.read), (40_040, 40, length - 10));
            for threads in [2, 3, 7] {
                let edges = edges(&bare(&file), (0, length), threads).unwrap();
                assert_eq!(edges.len() as u64, threads + 1);
                let parts = read_along(&bare(&file), &edges, Checksums::Optional).unwrap();
                assert!(records(&parts) == expected, "{threads} parts, sealed from {sealed} on");
                let sum = |of: fn(&Part) -> u64| parts.iter().map(of).sum::<u64>();
                assert_eq!(sum(|part| part.damage.count as u64), 40);
                assert_eq!((sum(|part| part.read), sum(|part| part.lines)), (one.read, one.lines));
                assert_eq!(parts.last().map(|part| part.checksums), Some(one.checksums));
            }
        }
    }

    #[test]
    fn a_line_without_its_checksum_is_damaged_in_every_part() {
        let (mut file, mut text) = (tempfile::tempfile().unwrap(), log(0));
        let at = text.len() - 5000;
        let start = at + text[at..].find('\n').unwrap() + 1;
        text.insert_str(start, "{\"time\":1.0,\"event\":\"step\",\"step\":1,\"epoch\":0.5,\"metrics\":{\"a\":1.0}}\n");
        file.write_all(text.as_bytes()).unwrap();
        let edges = edges(&bare(&file), (0, text.len() as u64), 3).unwrap();
        let parts = read_along(&bare(&file), &edges, Checksums::Optional).unwrap();
        assert_eq!(parts.iter().map(|part| part.damage.count).sum::<usize>(), 41);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_without_taking_its_memory() {
        let (mut file, step) = (tempfile::tempfile().unwrap(), |number: u64| {
            let step = pellucid_protocol::event::Step { step: number, epoch: 0.0, metrics: Default::default() };
            encode(&Record { time: 0.0, event: pellucid_protocol::Event::Step(step) }).unwrap()
        });
        let line = usize::try_from(bounded::LINE).unwrap();
        let long = vec![b'x'; 2 * line + 5];
        let bytes = [step(1).as_slice(), &long, b"\n", &step(2), &long].concat();
        file.write_all(&bytes).unwrap();
        let part = Part::read(&bare(&file), (0, bytes.len() as u64), Checksums::Optional).unwrap();
        let steps: Vec<Record> = part.pieces.into_iter().flat_map(Piece::into_records).collect();
        assert_eq!((steps.len(), part.damage.lines, part.lines), (2, vec![2, 4], 3));
        assert_eq!((part.read, part.within), (bytes.len() as u64, Within::LongLine));
    }

    #[test]
    fn one_long_line_has_no_start_within() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'x'; 20_000]).unwrap();
        assert_eq!(edges(&bare(&file), (0, 20_000), 3).unwrap(), [0, 20_000, 20_000, 20_000]);
    }
}
