//! A line of the event log: a record with a checksum as its last key.
//!
//! ```text
//! {"time":1.5,"event":"step","step":12,...,"crc":"1f0a33c9"}
//!  ╰──────────────── checked ────────────╯
//! ```
//!
//! The checksum is CRC-32C (Castagnoli; RFC 3720, section 12.1) of all bytes before `,"crc"`, in eight lower-case
//! hexadecimal digits. A line stays a JSON object that any reader takes.

use crc_fast::{CrcAlgorithm, Digest};

use pellucid_protocol::event::{Event, Record};
use pellucid_protocol::scrub::to_json;

/// Format of the logs that are written: 0 without checksums, 1 with them.
pub const FORMAT: u32 = 1;

/// What stands before the digits.
const KEY: &[u8] = b",\"crc\":\"";
/// What stands after them.
const END: &[u8] = b"\"}";
const DIGITS: usize = 8;
const TAIL: usize = KEY.len() + DIGITS + END.len();

/// What a line's checksum says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// The line is as it was written.
    Whole,
    /// It is not.
    Broken,
    /// There is no checksum: a line of an older log, or one whose end is damaged.
    Missing,
}

/// Whether the records of a log are checked. A log that an older pellucid began has records of both kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Age {
    /// No checksum was seen yet.
    #[default]
    Unchecked,
    /// Every line has one.
    Checked,
}

/// The line of `record`, with its checksum and line break. What could steer a terminal is escaped in it.
///
/// # Errors
/// When the record cannot be written as JSON.
pub fn seal(record: &Record) -> serde_json::Result<Vec<u8>> {
    let mut line = to_json(record)?.into_bytes();
    // The object is closed after the checksum.
    line.pop();
    let digits = digits(&line);
    line.extend_from_slice(KEY);
    line.extend_from_slice(&digits);
    line.extend_from_slice(END);
    line.push(b'\n');
    Ok(line)
}

/// Checks a line; whether its line break is there makes no difference.
#[must_use]
pub fn check(line: &[u8]) -> Seal {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let Some((body, tail)) = line.split_last_chunk::<TAIL>() else { return Seal::Missing };
    if !tail.starts_with(KEY) || !tail.ends_with(END) {
        return Seal::Missing;
    }
    if tail[KEY.len()..KEY.len() + DIGITS] == digits(body) { Seal::Whole } else { Seal::Broken }
}

/// What stands after the first `body` bytes of the line that `lines` begins with: its checksum, if there is one and
/// it fits, and the length of the line. `None` when that is not the end of a line.
pub(crate) fn ending(lines: &[u8], body: usize) -> Option<(Seal, usize)> {
    if lines.get(body..)?.starts_with(b"}\n") {
        return Some((Seal::Missing, body + 2));
    }
    let line = lines.get(..=body + TAIL)?;
    (line.ends_with(b"\n") && check(line) == Seal::Whole).then_some((Seal::Whole, line.len()))
}

/// What a line of a log holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// A record.
    Record(Record),
    /// A record that only a newer pellucid can read: an unknown event, or a known one with an unknown value.
    Newer,
    /// An unknown event in a log without checksums.
    Unknown,
    /// No record: the line is damaged, or has lost its checksum.
    Damaged,
}

/// Reads the line of any event, and whether its checksum fits. `age` says whether lines must have a checksum here.
pub(crate) fn read(line: &[u8], age: Age) -> (Seal, Content) {
    let seal = check(line);
    let content = match seal {
        Seal::Whole => match serde_json::from_slice(line) {
            Ok(Record { event: Event::Unknown, .. }) | Err(_) => Content::Newer,
            Ok(record) => Content::Record(record),
        },
        Seal::Missing if age == Age::Unchecked => read_unchecked(line),
        Seal::Missing | Seal::Broken => Content::Damaged,
    };
    (seal, content)
}

/// A line from before there were checksums. A start that says that the log has checksums has lost its own.
fn read_unchecked(line: &[u8]) -> Content {
    match serde_json::from_slice(line) {
        Ok(Record { event: Event::Unknown, .. }) => Content::Unknown,
        Ok(Record { event: Event::Started(started), .. }) if started.log > 0 => Content::Damaged,
        Ok(record) => Content::Record(record),
        Err(_) => Content::Damaged,
    }
}

/// The name of a line's event, if the line begins as [`seal`] spells it. Its bytes are not checked.
pub(crate) fn event_name(line: &[u8]) -> Option<&[u8]> {
    /// Longest number and longest name that are looked for.
    const LONGEST: usize = 64;
    let rest = line.strip_prefix(b"{\"time\":")?;
    let number = rest.iter().take(LONGEST).position(|&byte| byte == b',')?;
    let rest = rest[number..].strip_prefix(b",\"event\":\"")?;
    let name = rest.iter().take(LONGEST).position(|&byte| byte == b'"')?;
    Some(&rest[..name])
}

/// The CRC-32C of `bytes`.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    // The algorithm has 32 bits; it is given out in as many as the longest of them has.
    crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

/// The CRC-32C of bytes that come one after the other.
#[derive(Debug)]
pub(crate) struct Checksum(Digest);

impl Default for Checksum {
    fn default() -> Self {
        Self(Digest::new(CrcAlgorithm::Crc32Iscsi))
    }
}

impl Checksum {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> u32 {
        self.0.finalize() as u32
    }
}

fn digits(body: &[u8]) -> [u8; DIGITS] {
    let sum = checksum(body);
    std::array::from_fn(|place| b"0123456789abcdef"[(sum >> (28 - 4 * place)) as usize & 15])
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::event::{Event, Step};
    use pellucid_protocol::metric::Metrics;

    use super::*;

    fn line() -> Vec<u8> {
        let mut metrics = Metrics::default();
        metrics.set("loss/total", 0.61);
        seal(&Record { time: 1.5, event: Event::Step(Step { step: 12, epoch: 0.25, metrics }) }).unwrap()
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // RFC 3720, section B.4: 32 bytes of zeros, and of ones.
        assert_eq!(&digits(&[0; 32]), b"8a9136aa");
        assert_eq!(&digits(&[0xff; 32]), b"62a8ab43");
    }

    #[test]
    fn a_sealed_line_is_a_json_object_with_its_checksum_last() {
        let line = line();
        assert!(
            line.ends_with(b"\"}\n") && check(&line) == Seal::Whole && check(&line[..line.len() - 1]) == Seal::Whole
        );
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!((value["event"].as_str(), value["crc"].as_str().map(str::len)), (Some("step"), Some(8)));
        assert_eq!(serde_json::from_slice::<Record>(&line).unwrap().time, 1.5);
    }

    #[test]
    fn the_name_of_an_event_stands_near_the_start() {
        assert_eq!(event_name(&line()), Some(b"step".as_slice()));
        for odd in
            ["", "{}", "{\"event\":\"step\",\"time\":1}", "{\"time\":1,\"event\":\"st", "{\"time\":1, \"event\":\"a\"}"]
        {
            assert_eq!(event_name(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn any_flipped_bit_of_a_line_is_found() {
        let line = line();
        for bit in 0..(line.len() - 1) * 8 {
            let mut flipped = line.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(check(&flipped), Seal::Whole, "bit {bit}");
        }
        assert_eq!((check(b""), check(b"{}"), check(b"\n")), (Seal::Missing, Seal::Missing, Seal::Missing));
    }
}
