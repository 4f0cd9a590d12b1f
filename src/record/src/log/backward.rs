//! Reads the lines of a log from its end to its start.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memrchr;
use pellucid_files::bounded;

/// Bytes that are read at once, as long as no line is longer.
const BLOCK: usize = 64 * 1024;

/// A reader that goes from the end of a log to its start.
#[derive(Debug)]
pub(crate) struct BackwardReader<'a> {
    file: &'a File,
    /// The byte of the file at which the next line ends.
    end: u64,
    /// What was read of the file and not given yet, up to `end`.
    bytes: Vec<u8>,
    /// Longest line that is given.
    longest: usize,
}

impl<'a> BackwardReader<'a> {
    /// A reader of the first `length` bytes of `file`.
    pub(crate) fn new(file: &'a File, length: u64) -> Self {
        Self::within(file, length, usize::try_from(bounded::LINE).unwrap_or(usize::MAX))
    }

    fn within(file: &'a File, length: u64, longest: usize) -> Self {
        Self { file, end: length, bytes: Vec::new(), longest }
    }

    /// The byte of the file at which the line ends that [`BackwardReader::next_line`] gives next.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Writes the line before the last one given into `line`, with its line break; whether there is one. The first call
    /// gives the last line of the file, which may have no line break. Lines longer than any that is written are passed
    /// over, so that no file takes more than its share of memory.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        let mut unsearched = self.bytes.len().saturating_sub(1);
        while self.end > 0 {
            if let Some(found) = memrchr(b'\n', &self.bytes[..unsearched]) {
                self.give(found + 1, line);
                return Ok(true);
            }
            if self.bytes.len() > self.longest {
                self.pass_over()?;
                unsearched = self.bytes.len().saturating_sub(1);
            } else if self.at() == 0 {
                self.give(0, line);
                return Ok(true);
            } else {
                // The last byte of a line may be a line break, but not one before it.
                let last = usize::from(self.bytes.is_empty());
                unsearched = self.read_before()? - last;
            }
        }
        Ok(false)
    }

    /// The byte of the file at which what was read begins.
    fn at(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    fn give(&mut self, from: usize, line: &mut Vec<u8>) {
        line.extend_from_slice(&self.bytes[from..]);
        self.end -= line.len() as u64;
        self.bytes.truncate(from);
    }

    /// Reads what stands before the bytes that are there, about as much again; how much that is.
    fn read_before(&mut self) -> io::Result<usize> {
        let more = BLOCK.max(self.bytes.len());
        let more = usize::try_from(self.at()).map_or(more, |before| before.min(more));
        let mut bytes = vec![0; more + self.bytes.len()];
        self.file.read_exact_at(&mut bytes[..more], self.at() - more as u64)?;
        bytes[more..].copy_from_slice(&self.bytes);
        self.bytes = bytes;
        Ok(more)
    }

    /// Goes to the end of the line before the one that is too long.
    fn pass_over(&mut self) -> io::Result<()> {
        self.end = self.at();
        self.bytes.clear();
        while self.end > 0 {
            self.read_before()?;
            if let Some(found) = memrchr(b'\n', &self.bytes) {
                self.end = self.at() + found as u64 + 1;
                self.bytes.truncate(found + 1);
                return Ok(());
            }
            self.end = self.at();
            self.bytes.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn backwards(bytes: &[u8], longest: usize) -> Vec<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut reader = BackwardReader::within(&file, bytes.len() as u64, longest);
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        while reader.next_line(&mut line).unwrap() {
            lines.push(line.clone());
        }
        lines.reverse();
        lines
    }

    #[test]
    fn lines_that_are_too_long_are_passed_over() {
        let long = vec![b'x'; 3 * BLOCK];
        let bytes = [b"one\n".as_slice(), &long, b"\ntwo\n", &long, b"\n", &long].concat();
        assert_eq!(backwards(&bytes, BLOCK), [b"one\n", b"two\n"]);
        assert_eq!(backwards(&bytes, usize::MAX).len(), 5);
        assert!(backwards(&long, BLOCK).is_empty());
    }

    proptest! {
        #[test]
        fn the_lines_are_those_of_the_file(lengths in prop::collection::vec(prop_oneof![0usize..9, 0..200_000usize], 0..9), torn: bool) {
            let mut bytes: Vec<u8> = lengths.iter().flat_map(|&length| [vec![b'a'; length], b"\n".to_vec()].concat()).collect();
            if torn {
                bytes.pop();
            }
            let expected: Vec<Vec<u8>> = bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
            prop_assert_eq!(backwards(&bytes, usize::MAX), expected);
        }
    }
}
