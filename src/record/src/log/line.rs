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

/// The format of logs written by this version: 1, with a checksum in each line. Format 0 has none.
pub const FORMAT: u32 = 1;

/// The text before the digits.
const KEY: &[u8] = b",\"crc\":\"";
/// The text after the digits.
const END: &[u8] = b"\"}";
const DIGITS: usize = 8;
const TAIL: usize = KEY.len() + DIGITS + END.len();

/// Whether a line is as it was written, by its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrity {
    /// The checksum matches.
    Intact,
    /// The checksum does not match.
    Corrupt,
    /// The line has no checksum: it is of an older log, or its end is damaged.
    NoChecksum,
}

/// Whether the lines of a log must have checksums. A log that an older version began has lines without them, then lines
/// with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Checksums {
    /// No line with a checksum was read yet.
    #[default]
    Optional,
    /// A line with a checksum was read: a later line without one is damaged.
    Required,
}

/// The line of `record`, with its checksum and line break. Terminal control characters are escaped.
///
/// # Errors
/// When the record cannot be written as JSON.
pub fn encode(record: &Record) -> serde_json::Result<Vec<u8>> {
    let mut line = to_json(record)?.into_bytes();
    // The checksum goes before the closing brace.
    line.pop();
    let digits = digits(&line);
    line.extend_from_slice(KEY);
    line.extend_from_slice(&digits);
    line.extend_from_slice(END);
    line.push(b'\n');
    Ok(line)
}

/// Checks the checksum of a line, given with or without its line break.
#[must_use]
pub fn check(line: &[u8]) -> Integrity {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let Some((body, tail)) = line.split_last_chunk::<TAIL>() else { return Integrity::NoChecksum };
    if !tail.starts_with(KEY) || !tail.ends_with(END) {
        return Integrity::NoChecksum;
    }
    if tail[KEY.len()..KEY.len() + DIGITS] == digits(body) { Integrity::Intact } else { Integrity::Corrupt }
}

/// For a line at the start of `lines` whose content has `body` bytes: whether it is intact, and its length with the line
/// break. `None` if the line does not end after the content, or its checksum does not match.
pub(crate) fn ending(lines: &[u8], body: usize) -> Option<(Integrity, usize)> {
    if lines.get(body..)?.starts_with(b"}\n") {
        return Some((Integrity::NoChecksum, body + 2));
    }
    let line = lines.get(..=body + TAIL)?;
    (line.ends_with(b"\n") && check(line) == Integrity::Intact).then_some((Integrity::Intact, line.len()))
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

/// Reads a line of any event, and whether it is intact.
pub(crate) fn read(line: &[u8], checksums: Checksums) -> (Integrity, Content) {
    let integrity = check(line);
    let content = match integrity {
        Integrity::Intact => match serde_json::from_slice(line) {
            Ok(Record { event: Event::Unknown, .. }) | Err(_) => Content::Newer,
            Ok(record) => Content::Record(record),
        },
        Integrity::NoChecksum if checksums == Checksums::Optional => read_unchecked(line),
        Integrity::NoChecksum | Integrity::Corrupt => Content::Damaged,
    };
    (integrity, content)
}

/// Reads a line without a checksum. A `started` event that says that its log has checksums has lost its own.
fn read_unchecked(line: &[u8]) -> Content {
    match serde_json::from_slice(line) {
        Ok(Record { event: Event::Unknown, .. }) => Content::Unknown,
        Ok(Record { event: Event::Started(started), .. }) if started.log > 0 => Content::Damaged,
        Ok(record) => Content::Record(record),
        Err(_) => Content::Damaged,
    }
}

/// The name of a line's event, if the line begins as [`encode`] spells it. Its bytes are not checked.
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
    // The library returns all its checksums in 64 bits; this one has 32.
    crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

/// Computes the CRC-32C of bytes that come in parts.
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
        encode(&Record { time: 1.5, event: Event::Step(Step { step: 12, epoch: 0.25, metrics }) }).unwrap()
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
            line.ends_with(b"\"}\n")
                && check(&line) == Integrity::Intact
                && check(&line[..line.len() - 1]) == Integrity::Intact
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
            assert_ne!(check(&flipped), Integrity::Intact, "bit {bit}");
        }
        assert_eq!(
            (check(b""), check(b"{}"), check(b"\n")),
            (Integrity::NoChecksum, Integrity::NoChecksum, Integrity::NoChecksum)
        );
    }
}
