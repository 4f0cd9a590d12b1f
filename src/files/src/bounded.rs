//! Reads files that anybody may have written: regular files alone, and none larger than its kind can be.
//!
//! What is read as JSON or TOML nests no deeper than its library allows (128 and 80 levels), so that neither a large
//! nor a deep file takes more than its share of memory, or the stack.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::regular::{self, Access};

/// Bytes of a configuration, a theme, keys or settings at most.
pub const SETTINGS: u64 = 4 << 20;
/// Bytes of a tokenizer at most; the largest in use have some 40 MB. Read, it takes some twenty times as many.
pub const TOKENIZER: u64 = 64 << 20;
/// Bytes of one line at most: of a log, of a socket, of a data file.
pub const LINE: u64 = 16 << 20;
/// Bytes of a file of lines that is read whole at most.
pub const LINES: u64 = 4 << 30;

/// Reads the file at `path`.
///
/// # Errors
/// When it is no regular file (a pipe would wait for ever, a device never end) or has more than `limit` bytes, and what
/// the file system says.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    all(regular::open_named(path)?, limit)
}

/// Reads the file at `relative` in the folder `root`, of which no part may be a link.
///
/// # Errors
/// As [`read`] and [`regular::open_in`].
pub fn read_in(root: &Path, relative: impl AsRef<Path>, limit: u64) -> io::Result<Vec<u8>> {
    all(regular::open_in(root, relative.as_ref(), Access::Read)?, limit)
}

/// As [`read_in`], as text.
///
/// # Errors
/// As [`read_in`], and when it is not UTF-8.
pub fn read_text_in(root: &Path, relative: impl AsRef<Path>, limit: u64) -> io::Result<String> {
    text(read_in(root, relative, limit)?)
}

/// What `file` holds.
fn all(mut file: File, limit: u64) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    if length > limit {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    Read::by_ref(&mut file).take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

/// As [`read`], as text.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    text(read(path, limit)?)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "is not UTF-8"))
}

fn too_large(limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("is larger than {} MiB, the most that is read", limit >> 20))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_regular_files_of_their_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "abc").unwrap();
        assert_eq!(read(&path, 3).unwrap(), b"abc");
        assert_eq!(read(&path, 2).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(read(folder.path(), 9).unwrap_err().to_string().contains("folder"));
        assert!(read(Path::new("/dev/zero"), 9).unwrap_err().to_string().contains("no regular file"));
        fs::write(&path, b"\xff").unwrap();
        assert!(read_text(&path, 3).unwrap_err().to_string().contains("UTF-8"));
    }

    #[test]
    fn a_file_of_any_promised_size_takes_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(read(&path, SETTINGS).unwrap_err().to_string().contains("larger than 4 MiB"));
    }

    #[test]
    fn what_nests_too_deeply_is_refused_not_followed() {
        let deep = "[".repeat(1 << 20);
        assert!(serde_json::from_str::<serde_json::Value>(&deep).unwrap_err().to_string().contains("recursion"));
        assert!(toml::from_str::<toml::Table>(&format!("a = {deep}")).is_err());
        assert!(toml::from_str::<toml::Table>(&format!("{} = 1", vec!["a"; 1 << 16].join("."))).is_err());
    }
}
