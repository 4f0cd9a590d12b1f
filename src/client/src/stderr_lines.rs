//! Reads the stderr of a process line by line, whatever its bytes and however long its lines.

use tokio::io::{AsyncRead, AsyncReadExt};

/// Most bytes of a line; a longer one is split.
const LONGEST: usize = 16 * 1024;

/// A reader of lines.
pub(super) struct StderrLines<R> {
    source: R,
    waiting: Vec<u8>,
}

impl<R: AsyncRead + Unpin> StderrLines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, waiting: Vec::new() }
    }

    /// The next line, without surrounding white space; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            let end = self.waiting.iter().take(LONGEST).position(|&byte| byte == b'\n');
            let end = end.map(|at| at + 1).or_else(|| (self.waiting.len() >= LONGEST).then_some(LONGEST));
            if let Some(end) = end {
                return Some(line(&self.waiting.drain(..end).collect::<Vec<_>>()));
            }
            let mut bytes = [0; 4096];
            match self.source.read(&mut bytes).await {
                Ok(count @ 1..) => self.waiting.extend_from_slice(&bytes[..count]),
                _ if self.waiting.is_empty() => return None,
                _ => return Some(line(&std::mem::take(&mut self.waiting))),
            }
        }
    }
}

fn line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_of_any_bytes_and_length_come_in_pieces() {
        let long = vec![b'x'; LONGEST + 1];
        let said = [b"one\n\xff two \n".as_slice(), &long, b"\nlast"].concat();
        let mut words = StderrLines::new(said.as_slice());
        let mut heard = Vec::new();
        while let Some(line) = words.next().await {
            heard.push(line);
        }
        let whole = "x".repeat(LONGEST);
        assert_eq!(heard, ["one", "\u{fffd} two", whole.as_str(), "x", "last"]);
    }
}
