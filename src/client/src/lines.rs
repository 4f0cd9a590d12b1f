//! Lines that another process sends: none longer than the longest there can be.

use pellucid_files::bounded;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// Reads lines one after the other.
#[derive(Debug)]
pub(super) struct Lines<R> {
    source: R,
    /// What has come of the next line.
    line: Vec<u8>,
    limit: usize,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self::within(source, usize::try_from(bounded::LINE).unwrap_or(usize::MAX))
    }

    fn within(source: R, limit: usize) -> Self {
        Self { source, line: Vec::new(), limit }
    }

    /// The next line; `None` at the end, and for a line that is too long: nothing that comes after it is to be
    /// trusted. May be dropped while it waits.
    pub(super) async fn next(&mut self) -> Option<Vec<u8>> {
        let left = (self.limit - self.line.len()) as u64;
        let read = (&mut self.source).take(left).read_until(b'\n', &mut self.line).await;
        (read.is_ok() && self.line.ends_with(b"\n")).then(|| std::mem::take(&mut self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_whole_and_a_long_one_ends_them() {
        let mut lines = Lines::within(b"one\ntwo\n123456789\nthree\n".as_slice(), 8);
        assert_eq!(lines.next().await.unwrap(), b"one\n");
        assert_eq!(lines.next().await.unwrap(), b"two\n");
        assert_eq!((lines.next().await, lines.next().await), (None, None));
        assert_eq!(Lines::new(b"half".as_slice()).next().await, None);
    }

    #[tokio::test]
    async fn a_line_that_drips_is_counted_whole() {
        let (mut write, read) = tokio::io::duplex(64);
        let mut lines = Lines::within(tokio::io::BufReader::new(read), 8);
        for _ in 0..4 {
            tokio::io::AsyncWriteExt::write_all(&mut write, b"abc").await.unwrap();
            let waited = tokio::time::timeout(std::time::Duration::from_millis(5), lines.next()).await;
            assert!(!matches!(waited, Ok(Some(_))));
        }
        assert!(lines.line.len() <= 8);
    }
}
