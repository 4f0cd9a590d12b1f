//! The files of a tokenizer, read at once, so that every folder that is saved later gets them as they were.

use std::io;
use std::path::Path;

use pellucid_files::bounded;

use super::member::member;
use crate::error::{Error, Result};

/// Their names; a model folder has some of them.
pub const NAMES: [&str; 7] = [
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

/// The files of a tokenizer, in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizerFiles(Vec<(&'static str, Vec<u8>)>);

impl TokenizerFiles {
    /// Reads those that `folder` has.
    ///
    /// # Errors
    /// When one is there and cannot be read: is a link that leads out of the folder or to nothing, no regular file, too
    /// large, or not allowed to be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut files = Vec::new();
        for name in NAMES {
            let path = folder.join(name);
            match path.symlink_metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::file(&path, error)),
                Ok(_) => {}
            }
            let path = member(folder, name)?;
            let bytes = bounded::read(&path, bounded::TOKENIZER).map_err(|error| Error::file(&path, error))?;
            files.push((name, bytes));
        }
        Ok(Self(files))
    }

    /// Each file: its name and what it holds.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.0.iter().map(|(name, bytes)| (*name, bytes.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_there_is_read_and_what_cannot_be_read_is_said() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("model");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("tokenizer.json"), "{}").unwrap();
        fs::write(folder.join("config.json"), "{}").unwrap();
        let read = TokenizerFiles::read(&folder).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), [("tokenizer.json", b"{}".as_slice())]);
        fs::write(place.path().join("secret"), "x").unwrap();
        for (target, why) in [("../secret", "leads out"), ("nowhere", "No such file"), (".", "is a folder")] {
            symlink(target, folder.join("vocab.txt")).unwrap();
            let message = TokenizerFiles::read(&folder).unwrap_err().to_string();
            assert!(message.contains("vocab.txt") && message.contains(why), "{message}");
            fs::remove_file(folder.join("vocab.txt")).unwrap();
        }
    }
}
