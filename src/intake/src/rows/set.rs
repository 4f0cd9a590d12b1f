//! The files of a data set: one that is named, those that a pattern matches, or the shards in a folder.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pellucid_files::bounded;

use super::data_file::{Links, inner_ending, is_packed};
use super::format;
use super::saved::{self, listed};
use crate::error::{Error, Result};

/// Files of a data set at most.
const MOST: usize = 10_000;
/// Bytes of all of them at most, and of all texts in them.
pub(super) const LARGEST: u64 = 4 * bounded::LINES;
/// How the names of files begin that are about a data set and no part of it.
const ABOUT: [&str; 7] = ["readme", "license", "licence", "notice", "changelog", "citation", "requirements"];
/// Words that say which part of a data set a file is.
const SPLITS: [&str; 10] =
    ["train", "training", "test", "testing", "validation", "valid", "val", "dev", "eval", "unsupervised"];

/// The files of a data set, in the order in which they are read.
#[derive(Debug)]
pub(super) struct FileSet {
    /// The files; one at least.
    pub(super) files: Vec<PathBuf>,
    /// Whether they may be links.
    pub(super) links: Links,
    /// What to tell the user.
    pub(super) notes: Vec<String>,
}

impl FileSet {
    /// The files that `path` stands for: itself, what is in it, or what it is the pattern of.
    ///
    /// # Errors
    /// When there are none, too many, or such as do not belong together.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let pattern = path.to_str().filter(|text| text.contains(['*', '?', '[']));
        let set = match (fs::metadata(path), pattern) {
            (Ok(there), _) if there.is_dir() => Folder::read(path)?.set()?,
            (Err(_), Some(pattern)) => matching(path, pattern)?,
            _ => return Ok(Self { files: vec![path.to_owned()], links: Links::Followed, notes: Vec::new() }),
        };
        set.refuse_too_many(path)?;
        set.refuse_twice(path).map(|()| set)
    }

    /// Refuses the same rows twice: a file and the packed or converted one beside it, or one file by two names.
    fn refuse_twice(&self, path: &Path) -> Result<()> {
        let (mut stems, mut places) = (HashMap::new(), HashMap::new());
        for file in &self.files {
            let place = fs::metadata(file).ok().map(|there| (there.dev(), there.ino()));
            let same = place.and_then(|place| places.insert(place, file));
            if let Some(other) = stems.insert(stem(file), file).or(same) {
                let (other, file) = (other.display(), file.display());
                let how = if same.is_some() { "are one file" } else { "would be the same rows twice" };
                return Err(Error::file(path, format!("{other} and {file} {how}; name one of them")));
            }
        }
        Ok(())
    }

    fn refuse_too_many(&self, path: &Path) -> Result<()> {
        if self.files.len() > MOST {
            return Err(Error::file(path, format!("has {} files; {MOST} at most are read", self.files.len())));
        }
        let size = |file: &PathBuf| fs::metadata(file).map_or(0, |there| there.len());
        let all = self.files.iter().map(size).fold(0, u64::saturating_add);
        if all > LARGEST {
            let why =
                format!("has {} GiB of data; {} at most are read: name some of its files", all >> 30, LARGEST >> 30);
            return Err(Error::file(path, why));
        }
        Ok(())
    }
}

/// The files that `pattern` matches.
fn matching(path: &Path, pattern: &str) -> Result<FileSet> {
    if pattern.contains("**") {
        return Err(Error::file(path, "a pattern with ** is not read; name each folder, or * for any"));
    }
    let found = glob::glob(pattern).map_err(|error| Error::file(path, format!("is no pattern: {}", error.msg)))?;
    let mut files = Vec::new();
    for file in found {
        let file = file.map_err(|error| Error::file(error.path(), error.error()))?;
        if !file.is_dir() && !is_hidden(&file, pattern) {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(Error::file(path, "no file has that name, or matches it"));
    }
    files.sort_by(|a, b| natural(a, b));
    Ok(FileSet { files, links: Links::Followed, notes: Vec::new() })
}

/// Whether a part of a path begins with a dot that the pattern does not name. As in shells, so that neither old copies
/// nor what systems put beside a file is read.
fn is_hidden(path: &Path, pattern: &str) -> bool {
    let parts = path.components().rev().map(|part| part.as_os_str().as_encoded_bytes());
    let named = pattern.rsplit('/').filter(|part| !part.is_empty());
    parts.zip(named).any(|(part, named)| part.starts_with(b".") && !named.starts_with('.'))
}

/// What is in a folder.
struct Folder<'a> {
    path: &'a Path,
    files: Vec<String>,
    folders: Vec<String>,
}

impl<'a> Folder<'a> {
    fn read(path: &'a Path) -> Result<Self> {
        let told = |error: std::io::Error| Error::file(path, error);
        let mut folder = Self { path, files: Vec::new(), folders: Vec::new() };
        for entry in fs::read_dir(path).map_err(told)? {
            let entry = entry.map_err(told)?;
            // A name that is no text is not found again, and the error names it.
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_folder = entry.file_type().map_err(told)?.is_dir();
            match (name.starts_with('.'), is_folder) {
                (true, _) => {}
                (false, true) => folder.folders.push(name),
                (false, false) => folder.files.push(name),
            }
        }
        folder.files.sort_by(|a, b| natural(Path::new(a), Path::new(b)));
        folder.folders.sort();
        Ok(folder)
    }

    fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file == name)
    }

    fn set(&self) -> Result<FileSet> {
        if self.has(saved::SPLITS) {
            return Err(saved::refuse_splits(self.path));
        }
        if self.has(saved::STATE) && self.has(saved::INFO) {
            let files = saved::files(self.path)?;
            return Ok(FileSet { files, links: Links::of_folder(self.path), notes: Vec::new() });
        }
        let (data, others): (Vec<&String>, Vec<&String>) = self.files.iter().partition(|name| is_data(name));
        if data.is_empty() {
            return Err(self.refuse_empty());
        }
        self.refuse_mixed(&data)?;
        let unread: Vec<&str> = others.into_iter().chain(&self.folders).map(String::as_str).collect();
        let note = || format!("{}: not read: {}", self.path.display(), listed(&unread));
        let notes = if unread.is_empty() { Vec::new() } else { vec![note()] };
        let files = data.iter().map(|name| self.path.join(name)).collect();
        Ok(FileSet { files, links: Links::of_folder(self.path), notes })
    }

    fn refuse_empty(&self) -> Error {
        let folder = |name: &String| self.path.join(name).display().to_string();
        let folders: Vec<String> = self.folders.iter().map(folder).collect();
        let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
        let what = match folders.is_empty() {
            true => format!("put files in it that end with {}", format::known_endings()),
            false => format!("name one of its folders: {}", listed(&folders)),
        };
        Error::file(self.path, format!("is a folder without data files; {what}"))
    }

    /// Refuses files of several formats, or that are several parts of a data set.
    fn refuse_mixed(&self, data: &[&String]) -> Result<()> {
        let format = |name: &str| format::number(&inner_ending(Path::new(name)));
        if let Some(other) = data.iter().find(|name| format(name) != format(data[0])) {
            let why = format!("has files of several formats: {} and {other}; {}", data[0], self.one_kind(data[0]));
            return Err(Error::file(self.path, why));
        }
        let splits: BTreeSet<Option<&str>> = data.iter().map(|name| split(name)).collect();
        if splits.len() < 2 {
            return Ok(());
        }
        let first = split(data[0]);
        let other = data.iter().find(|name| split(name) != first).map_or("", |name| name.as_str());
        let why = format!("has files of several splits: {} and {other}; {}", data[0], self.one_kind(data[0]));
        Err(Error::file(self.path, why))
    }

    /// How to name files that belong together.
    fn one_kind(&self, name: &str) -> String {
        let (split, ending) = (split(name), name.split_once('.').map_or("", |(_, ending)| ending));
        let pattern = self.path.join(format!("{}*.{ending}", split.unwrap_or_default()));
        format!("name one file, or a pattern such as '{}'", pattern.display())
    }
}

/// Whether a file in a folder is a part of the data set.
fn is_data(name: &str) -> bool {
    let folded = name.to_lowercase();
    let is_about = ABOUT.iter().any(|word| folded.split(['.', '-', '_']).next() == Some(word));
    format::number(&inner_ending(Path::new(name))).is_some() && !is_about && !saved::NAMES.contains(&name)
}

/// A path without the endings that say how the file is packed and what its format is.
fn stem(path: &Path) -> PathBuf {
    let name = if is_packed(path) { path.with_extension("") } else { path.to_owned() };
    if format::number(&inner_ending(&name)).is_some() { name.with_extension("") } else { name }
}

/// The part of the data set that the name of a file begins with.
fn split(name: &str) -> Option<&'static str> {
    let folded = name.to_lowercase();
    let word = folded.split(|c: char| !c.is_alphabetic()).next();
    SPLITS.into_iter().find(|split| word == Some(split))
}

/// The order of names in which `a2` comes before `a10`.
fn natural(a: &Path, b: &Path) -> Ordering {
    let (a, b) = (a.to_string_lossy(), b.to_string_lossy());
    pieces(&a).cmp(pieces(&b)).then_with(|| a.cmp(&b))
}

/// A number, by its digits without the zeros before it; or a character.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    Number(usize, &'a str),
    Other(char),
}

fn pieces(mut text: &str) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let first = text.chars().next()?;
        let (piece, rest) = text.split_at(if digits == 0 { first.len_utf8() } else { digits });
        text = rest;
        let number = piece.trim_start_matches('0');
        Some(if digits == 0 { Piece::Other(first) } else { Piece::Number(number.len(), number) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_in_their_order() {
        let mut names = ["a10.csv", "a2.csv", "a02.csv", "a1.csv", "b.csv", "a.csv", "a100000000000000000000.csv"];
        names.sort_by(|a, b| natural(Path::new(a), Path::new(b)));
        assert_eq!(names, ["a1.csv", "a02.csv", "a2.csv", "a10.csv", "a100000000000000000000.csv", "a.csv", "b.csv"]);
    }

    #[test]
    fn the_part_of_a_data_set_is_a_word_of_its_own() {
        for (name, part) in [
            ("train-00000-of-00002.parquet", Some("train")),
            ("test.csv", Some("test")),
            ("testimony.csv", None),
            ("part-1.csv", None),
            ("Dev_1.tsv", Some("dev")),
        ] {
            assert_eq!(split(name), part, "{name}");
        }
    }

    #[test]
    fn what_is_about_a_data_set_is_no_part_of_it() {
        for name in ["README.txt", "LICENSE.txt", "readme-first.txt", "dataset_info.json", "a.md", "a.gz", "a"] {
            assert!(!is_data(name), "{name}");
        }
        for name in ["a.txt", "a.csv.gz", "readmes.csv", "info.json"] {
            assert!(is_data(name), "{name}");
        }
    }
}
