//! Reads lines from another process, up to a limit of their length.

use pellucid_files::bounded;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// A reader of lines.
#[derive(Debug)]
pub(super) struct Lines<R> {
    source: R,
    /// The part of the next line that has come so far.
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

    /// The next line; `None` at the end, and at a line that is too long, since nothing after that can be trusted.
    /// Cancel-safe.
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
