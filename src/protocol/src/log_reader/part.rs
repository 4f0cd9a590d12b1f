//! A stretch of a log, read on as many cores as there are.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::thread;

use super::Piece;
use crate::event::{Event, Record};
use crate::step_line::StepLines;

/// Bytes that are read at once: they stay in the cache until they are parsed.
const STRIP: usize = 256 * 1024;

/// Bytes that are worth a thread.
const WORTH_A_THREAD: u64 = 512 * 1024;

/// What a stretch of a log has.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Bytes of its whole lines.
    pub(super) read: u64,
    pub(super) pieces: Vec<Piece>,
    /// Lines that were no records.
    pub(super) damaged: usize,
    steps: StepLines,
}

/// The whole lines of the bytes `start..end`; a line begins at `start`. In parts, which follow each other.
///
/// # Errors
/// What the file system says.
pub(super) fn read_parts(file: &File, start: u64, end: u64) -> io::Result<Vec<Part>> {
    let threads = (end.saturating_sub(start) / WORTH_A_THREAD).clamp(1, cores());
    if threads == 1 {
        return Ok(vec![Part::read(file, start, end)?]);
    }
    let edges = edges(file, (start, end), threads)?;
    let parts: io::Result<Vec<Part>> = thread::scope(|scope| {
        let read = |edge: &[u64]| {
            let (from, to) = (edge[0], edge[1]);
            scope.spawn(move || Part::read(file, from, to))
        };
        let readers: Vec<_> = edges.windows(2).map(read).collect();
        let lost = |_| Err(io::Error::other("a thread that read the log was lost"));
        readers.into_iter().map(|reader| reader.join().unwrap_or_else(lost)).collect()
    });
    let mut parts = parts?;
    // What follows a part that is not whole does not follow it yet: the file was cut meanwhile.
    let short = parts.iter().zip(edges.windows(2)).position(|(part, edge)| part.read < edge[1] - edge[0]);
    parts.truncate(short.map_or(usize::MAX, |at| at + 1));
    Ok(parts)
}

fn cores() -> u64 {
    static CORES: OnceLock<u64> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, |count| count.get() as u64))
}

/// The ends of about equal parts, each at the start of a line.
fn edges(file: &File, (start, end): (u64, u64), parts: u64) -> io::Result<Vec<u64>> {
    let mut edges = vec![start];
    for part in 1..parts {
        let edge = line_start(file, start + (end - start) / parts * part, end)?;
        edges.push(edge.max(*edges.last().unwrap_or(&start)));
    }
    edges.push(end);
    Ok(edges)
}

/// Where the first line after byte `at` begins; `end` if none does before it.
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

impl Part {
    fn read(file: &File, start: u64, end: u64) -> io::Result<Self> {
        let mut part = Self::default();
        let mut bytes = Vec::new();
        let mut at = start;
        while at < end {
            let kept = bytes.len();
            let more = usize::try_from(end - at).unwrap_or(STRIP).min(STRIP);
            bytes.resize(kept + more, 0);
            let read = read_at(file, &mut bytes[kept..], at)?;
            bytes.truncate(kept + read);
            if read == 0 {
                break;
            }
            at += read as u64;
            if let Some(last) = bytes[kept..].iter().rposition(|&byte| byte == b'\n') {
                let whole = kept + last + 1;
                part.take(&bytes[..whole]);
                bytes.drain(..whole);
            }
        }
        part.end_steps();
        Ok(part)
    }

    /// Takes in whole lines.
    fn take(&mut self, mut lines: &[u8]) {
        self.read += lines.len() as u64;
        while !lines.is_empty() {
            let length = self.steps.take(lines).unwrap_or_else(|| self.general(lines));
            lines = &lines[length..];
        }
    }

    /// Takes in one line of any event; gives its length.
    fn general(&mut self, lines: &[u8]) -> usize {
        let length = lines.iter().position(|&byte| byte == b'\n').map_or(lines.len(), |at| at + 1);
        match serde_json::from_slice::<Record>(&lines[..length]) {
            Ok(Record { event: Event::Unknown, .. }) => {}
            Ok(record) => {
                self.end_steps();
                self.pieces.push(Piece::Record(record));
            }
            Err(_) => self.damaged += 1,
        }
        length
    }

    fn end_steps(&mut self) {
        self.pieces.extend(self.steps.finish().map(Piece::Steps));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn parts_are_the_whole_in_its_order() {
        let mut file = tempfile::tempfile().unwrap();
        let mut text = String::new();
        for step in 0..40_000 {
            let metrics = if step % 7 == 0 { r#""a":0.25,"b":null"# } else { r#""a":1e-3"# };
            text += &format!(r#"{{"time":{step},"event":"step","step":{step},"epoch":0.5,"metrics":{{{metrics}}}}}"#);
            text += match step % 1000 {
                1 => "\n{\"time\":1,\"event\":\"setting\",\"step\":3,\"key\":\"lr\",\"value\":1}\n",
                2 => "\nnot a record\n",
                3 => "\n{\"time\":1,\"event\":\"teleported\"}\n",
                _ => "\n",
            };
        }
        text += "{\"time\":9,";
        file.write_all(text.as_bytes()).unwrap();
        let one = Part::read(&file, 0, text.len() as u64).unwrap();
        for threads in [2, 3, 7] {
            let edges = edges(&file, (0, text.len() as u64), threads).unwrap();
            assert_eq!(edges.len() as u64, threads + 1);
            let parts: Vec<_> = edges.windows(2).map(|edge| Part::read(&file, edge[0], edge[1]).unwrap()).collect();
            let pieces = || parts.iter().flat_map(|part| part.pieces.clone());
            let read: Vec<_> = pieces().flat_map(Piece::into_records).collect();
            let expected: Vec<_> = one.pieces.iter().cloned().flat_map(Piece::into_records).collect();
            assert!(read == expected && read.len() == 40_040, "{}", read.len());
            assert_eq!(parts.iter().map(|part| part.damaged).sum::<usize>(), 40);
            assert_eq!(parts.iter().map(|part| part.read).sum::<u64>(), one.read);
        }
        assert_eq!(one.read, text.len() as u64 - 10);
    }

    #[test]
    fn one_long_line_has_no_start_within() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'x'; 20_000]).unwrap();
        assert_eq!(edges(&file, (0, 20_000), 3).unwrap(), [0, 20_000, 20_000, 20_000]);
    }
}
