//! Whether a later version of this program has written to a log. Such a log is read as far as it is understood, and
//! never written to: what this version appends could be wrong to that one.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use memchr::memmem;
use pellucid_files::bounded;
use pellucid_files::regular::{self, Access};
use serde::Deserialize;

use super::line::{self, Checksums, Content, FORMAT, Integrity};

/// The format of a log that a later version has written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaterFormat(Option<u64>);

impl fmt::Display for LaterFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is of a later version of pellucid")?;
        match self.0 {
            Some(format) => write!(f, " (log format {format}, this one knows {FORMAT})"),
            None => write!(f, ", whose start of a run this one cannot read"),
        }?;
        write!(f, ": nothing is written to it; update pellucid")
    }
}

/// What is read of the start of a run, whatever else a later version writes there.
#[derive(Deserialize)]
struct Start {
    event: String,
    #[serde(default)]
    log: u64,
}

/// The later format in which a line says that the log goes on.
pub(crate) fn of_line(line: &[u8]) -> Option<LaterFormat> {
    const NAME: &str = "started";
    match line::event_name(line) {
        Some(name) if name != NAME.as_bytes() => return None,
        Some(_) => {}
        None => drop(memmem::find(line, NAME.as_bytes())?),
    }
    let start: Start = serde_json::from_slice(line).ok().filter(|start: &Start| start.event == NAME)?;
    match line::read(line, Checksums::Optional) {
        // A damaged line says nothing.
        (Integrity::Corrupt, _) => None,
        _ if start.log > u64::from(FORMAT) => Some(LaterFormat(Some(start.log))),
        (Integrity::Intact, Content::Newer) => Some(LaterFormat(None)),
        _ => None,
    }
}

/// The later format of the log at `path`, if a later version has begun it or gone on with it. Reads it once, line by
/// line; a log that is not there is of no version.
///
/// # Errors
/// What the file system says.
pub fn later(path: &Path) -> io::Result<Option<LaterFormat>> {
    let file = match regular::open(path, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (mut lines, mut line) = (BufReader::with_capacity(64 << 10, file), Vec::new());
    while Read::by_ref(&mut lines).take(bounded::LINE).read_until(b'\n', &mut line)? > 0 {
        // What a kill has left unfinished says nothing.
        if let Some(later) = of_line(&line).filter(|_| line.ends_with(b"\n")) {
            return Ok(Some(later));
        }
        line.clear();
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::line::checksum;

    fn sealed(body: &str) -> Vec<u8> {
        format!("{body},\"crc\":\"{:08x}\"}}\n", checksum(body.as_bytes())).into_bytes()
    }

    fn start(log: &str) -> String {
        format!(r#"{{"time":0.0,"event":"started"{log},"run":"r""#)
    }

    #[test]
    fn a_later_format_is_known_by_its_start_however_the_rest_is_written() {
        let told = |line: &[u8]| of_line(line).map(|later| later.to_string());
        let two = "is of a later version of pellucid (log format 2, this one knows 1): nothing is written to it; update pellucid";
        assert_eq!(told(&sealed(&start(",\"log\":2"))), Some(two.to_owned()));
        // Without the checksum of this version, and with the keys in another order.
        assert_eq!(told(b"{\"log\":2,\"event\":\"started\",\"seal\":\"x\"}\n"), Some(two.to_owned()));
        assert!(told(&sealed(&start(",\"log\":1"))).unwrap().contains("whose start of a run this one cannot read"));
        assert_eq!(told(&start(",\"log\":1").into_bytes()), None, "a start that has lost its end");
        for other in
            ["{\"time\":0.0,\"event\":\"alert\",\"message\":\"started\"", "{\"event\":\"started \"", "{\"a\":1"]
        {
            assert_eq!(told(&sealed(other)), None, "{other}");
        }
    }

    #[test]
    fn a_damaged_start_says_nothing() {
        let line = sealed(&start(",\"log\":1"));
        let at = line.windows(7).position(|part| part == b"\"log\":1").unwrap() + 6;
        let flipped = [&line[..at], b"3", &line[at + 1..]].concat();
        assert_eq!(of_line(&flipped), None);
    }
}
