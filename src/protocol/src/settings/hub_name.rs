//! The name of a model on the Hugging Face Hub: `ORG/NAME`, or `ORG/NAME@REVISION`.

use std::fmt;
use std::str::FromStr;

/// The revision that is meant where none is named.
const MAIN: &str = "main";
/// Characters of the name of a repository at most, and of a revision.
const LONGEST: usize = 96;
const LONGEST_REVISION: usize = 200;
/// Digits of the hash of a commit.
const COMMIT: usize = 40;

/// A repository on the Hub and one of its revisions. Neither can lead out of a folder, or of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubName {
    repository: String,
    revision: String,
}

impl HubName {
    /// `ORG/NAME`, or `NAME` for the oldest models.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// A branch, a tag or the hash of a commit.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The same repository at another revision.
    ///
    /// # Errors
    /// When `revision` is no name of one.
    pub fn at(self, revision: &str) -> Result<Self, String> {
        if !is_revision(revision) {
            return Err(format!("`{revision}` is no revision: a branch, a tag or the hash of a commit"));
        }
        Ok(Self { revision: revision.to_owned(), ..self })
    }

    /// Whether no revision was named.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.revision == MAIN
    }
}

/// Whether `text` is the whole hash of a commit.
#[must_use]
pub fn is_commit(text: &str) -> bool {
    text.len() == COMMIT && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for HubName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (repository, revision) = text.split_once('@').unwrap_or((text, MAIN));
        if !is_repository(repository) {
            return Err(format!("`{repository}` is no name of a model; write it as ORG/NAME or ORG/NAME@REVISION"));
        }
        Self { repository: repository.to_owned(), revision: MAIN.to_owned() }.at(revision)
    }
}

/// As it is written: the revision only where it is not `main`.
impl fmt::Display for HubName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        if self.is_main() { Ok(()) } else { write!(f, "@{}", self.revision) }
    }
}

/// As `huggingface_hub` takes them.
fn is_repository(text: &str) -> bool {
    let is_part = |part: &str| {
        let ends = [part.bytes().next(), part.bytes().last()];
        part.bytes().all(is_plain) && ends.iter().all(|byte| byte.is_some_and(|byte| !b"-.".contains(&byte)))
    };
    let doubled = text.contains("--") || text.contains("..");
    text.len() <= LONGEST
        && !doubled
        && !text.ends_with(".git")
        && text.split('/').count() <= 2
        && text.split('/').all(is_part)
}

/// A name that git takes, and that is plain in a path and in a URL.
fn is_revision(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.starts_with(['.', '-']) && part.bytes().all(is_plain);
    text.len() <= LONGEST_REVISION && !text.contains("..") && text.split('/').all(is_part)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for (text, repository, revision) in [
            ("ProsusAI/finbert", "ProsusAI/finbert", "main"),
            ("google-bert/bert-base-uncased@refs/pr/5", "google-bert/bert-base-uncased", "refs/pr/5"),
            ("bert-base-uncased", "bert-base-uncased", "main"),
            ("a/b_c.d@v1.0", "a/b_c.d", "v1.0"),
        ] {
            let name: HubName = text.parse().unwrap();
            assert_eq!((name.repository(), name.revision(), name.to_string().as_str()), (repository, revision, text));
        }
        assert_eq!("a/b@main".parse::<HubName>().unwrap().to_string(), "a/b");
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_name() {
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "/a/b",
            "a//b",
            "a/b/c",
            "../x",
            "x/..",
            "..",
            ".",
            "a/.b",
            "a/b.",
            "-a/b",
            "a/b-",
            "a--b/c",
            "a/b.git",
            "~/x",
            "a b/c",
            "a/b\n",
            "a/\u{1b}[2J",
            "a/b?x",
            "a/b#x",
            "a/b%2e",
            "a\\b",
            "é/b",
            "a/b@",
            "a/b@../x",
            "a/b@x/../y",
            "a/b@/x",
            "a/b@x//y",
            "a/b@.x",
            "a/b@-x",
            "a/b@x y",
            "a/b@x@y",
            "https://a/b",
            "a:b",
        ] {
            assert!(text.parse::<HubName>().is_err(), "{text:?}");
        }
        assert!("a".repeat(97).parse::<HubName>().is_err() && "a".repeat(96).parse::<HubName>().is_ok());
    }

    #[test]
    fn a_commit_is_its_whole_hash() {
        assert!(is_commit(&"0a".repeat(20)));
        for text in ["main", &"0a".repeat(19), &"0A".repeat(20), &"0g".repeat(20)] {
            assert!(!is_commit(text), "{text}");
        }
    }
}
