//! What files are named by in the cache: the SHA-256 of large ones, and of others the SHA-1 that git knows them by.

use std::fmt::Write;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The hash that a file must have, as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ContentHash {
    /// SHA-256, of a file that is kept with Git LFS.
    Sha256(String),
    /// SHA-1 of a header and the file, as git makes it.
    Git(String),
}

impl ContentHash {
    /// That of an etag; `None` if it is the hash of nothing.
    pub(crate) fn of_etag(etag: &str) -> Option<Self> {
        let etag = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
        let digits = etag.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match (digits, etag.len()) {
            (true, 64) => Some(Self::Sha256(etag.to_owned())),
            (true, 40) => Some(Self::Git(etag.to_owned())),
            _ => None,
        }
    }

    /// The digits, which are the name of the file in the cache.
    pub(crate) fn digits(&self) -> &str {
        let (Self::Sha256(digits) | Self::Git(digits)) = self;
        digits
    }

    /// What it is called.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::Git(_) => "git hash",
        }
    }

    /// Hashes a file of `size` bytes in the same way.
    pub(crate) fn hasher(&self, size: u64) -> Hasher {
        match self {
            Self::Sha256(_) => Hasher::Sha256(Sha256::new()),
            Self::Git(_) => Hasher::Git(Sha1::new_with_prefix(format!("blob {size}\0"))),
        }
    }
}

/// Hashes a file piece by piece.
#[derive(Clone)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Git(Sha1),
}

impl Hasher {
    pub(crate) fn add(&mut self, piece: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(piece),
            Self::Git(hash) => hash.update(piece),
        }
    }

    /// The digits.
    pub(crate) fn finish(self) -> String {
        match self {
            Self::Sha256(hash) => hexadecimal(&hash.finalize()),
            Self::Git(hash) => hexadecimal(&hash.finalize()),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing into a string does not fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_hashes_that_git_and_sha256sum_give_them() {
        let of = |etag: &str, content: &[u8]| {
            let mut hasher = ContentHash::of_etag(etag).unwrap().hasher(content.len() as u64);
            content.chunks(2).for_each(|piece| hasher.add(piece));
            hasher.finish()
        };
        // `printf 'hello\n' | git hash-object --stdin`, and the same with sha256sum.
        assert_eq!(of(&"0".repeat(40), b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(of(&"0".repeat(64), b"hello\n"), "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
    }

    #[test]
    fn an_etag_that_is_no_hash_is_none() {
        let hash = "ab".repeat(20);
        for etag in [format!("\"{hash}\""), format!("W/\"{hash}\""), hash.clone()] {
            assert_eq!(ContentHash::of_etag(&etag), Some(ContentHash::Git(hash.clone())));
        }
        for etag in ["", "\"\"", "../../../../etc/passwd", &"ab".repeat(16), &"AB".repeat(20), &"../".repeat(20)] {
            assert_eq!(ContentHash::of_etag(etag), None, "{etag}");
        }
    }
}
