//! Files with an index at their end that were put behind one another: the last index knows nothing of the files before.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::unpacked::invalid;

/// Bytes that are looked at at once.
const CHUNK: usize = 1 << 20;

/// Refuses a file that has `seam`, the end of one file and the beginning of another, among the bytes at `place`.
///
/// # Errors
/// When it is there, and what the file system says.
pub(super) fn refuse(file: &mut File, place: Range<u64>, seam: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(place.start))?;
    let mut left = file.take(place.end.saturating_sub(place.start));
    let mut bytes = Vec::new();
    loop {
        if left.by_ref().take(CHUNK as u64).read_to_end(&mut bytes)? == 0 {
            return Ok(());
        }
        if bytes.windows(seam.len()).any(|window| window == seam) {
            return Err(invalid("is several files in one, of which only the last would count; name a folder of them"));
        }
        // The seam may lie across pieces.
        bytes.drain(..bytes.len().saturating_sub(seam.len() - 1));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_seam_is_found_wherever_it_lies() {
        let refused = |before: usize, place: Range<u64>| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&[&vec![b'-'; before][..], b"PAR1PAR1", &[b'-'; 9]].concat()).unwrap();
            refuse(&mut file, place, b"PAR1PAR1").is_err()
        };
        for before in [0, 1, CHUNK - 9, CHUNK - 8, CHUNK - 1, CHUNK, 2 * CHUNK - 4] {
            let end = before as u64 + 8;
            assert!(refused(before, 0..end) && refused(before, 0..u64::MAX), "{before}");
            assert!(!refused(before, 0..end - 1) && !refused(before, before as u64 + 1..u64::MAX), "{before}");
        }
        assert!(!refused(0, 5..5));
    }
}
