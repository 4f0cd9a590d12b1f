//! Names for what is not complete yet: they are nobody else's, and can be told to be this program's.
//!
//! What is on its way to `NAME` lies beside it as `.NAME.pellucid-` and sixteen random digits. It is made so that making
//! it fails if it exists, and another name is tried: whatever has such a name already is never opened or removed.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What stands between a name and the random digits.
const MARK: &str = ".pellucid-";
/// Number of random hexadecimal digits.
const DIGITS: usize = 16;
/// Bytes of a name that are kept, so that the temporary name is not too long.
const LONGEST: usize = 200;
/// How many names are tried.
const TRIES: usize = 100;

/// Makes an empty file beside `path` that is open for writing.
///
/// # Errors
/// When `path` has no file name, and what the file system says.
pub fn file_beside(path: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    let open = |name: &Path| fs::OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(name);
    made_beside(path, open)
}

/// Makes an empty folder beside `path`.
///
/// # Errors
/// As [`file_beside`].
pub fn folder_beside(path: &Path) -> io::Result<PathBuf> {
    made_beside(path, |name| fs::create_dir(name)).map(|(folder, ())| folder)
}

/// Makes something at a name beside `path` that was free, with `make`, which fails if it is not.
///
/// # Errors
/// As [`file_beside`].
pub fn made_beside<T>(path: &Path, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<(PathBuf, T)> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "is no name for a file"))?;
    for _ in 0..TRIES {
        let fresh = path.with_file_name(random(name));
        match make(&fresh) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|made| (fresh, made)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn random(name: &OsStr) -> OsString {
    let kept = &name.as_bytes()[..name.len().min(LONGEST)];
    // Each state has keys of its own, from the system's random numbers.
    let number = RandomState::new().build_hasher().finish();
    OsString::from_vec([b".", kept, MARK.as_bytes(), format!("{number:0DIGITS$x}").as_bytes()].concat())
}

/// The name of which `name` is a temporary one.
#[must_use]
pub fn original(name: &OsStr) -> Option<&OsStr> {
    let (original, digits) =
        name.as_bytes().strip_prefix(b".")?.split_at_checked(name.len().checked_sub(DIGITS + 1)?)?;
    let original = original.strip_suffix(MARK.as_bytes()).filter(|original| !original.is_empty())?;
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits.iter().all(is_digit).then(|| OsStr::from_bytes(original))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_names_are_fresh_and_known() {
        let folder = tempfile::tempdir().unwrap();
        let long = "x".repeat(255);
        for name in ["run.toml", "-", ".hidden", long.as_str()] {
            let path = folder.path().join(name);
            let ((one, _), other) = (file_beside(&path, 0o600).unwrap(), folder_beside(&path).unwrap());
            assert!(one != other && one.is_file() && other.is_dir());
            for made in [&one, &other] {
                let kept = original(made.file_name().unwrap()).unwrap();
                assert_eq!(kept, OsStr::new(&name[..name.len().min(LONGEST)]));
            }
        }
        assert!(file_beside(Path::new("/"), 0o600).unwrap_err().to_string().contains("no name"));
    }

    #[test]
    fn other_names_are_not_this_programs() {
        for name in [
            "",
            ".",
            "run.toml",
            "run.toml.partial",
            ".run.toml.pellucid-",
            ".run.toml.pellucid-0123456789abcde",
            ".run.toml.pellucid-0123456789abcdeg",
            "run.toml.pellucid-0123456789abcdef",
            "..pellucid-0123456789abcdef",
            ".pellucid-0123456789abcdef",
        ] {
            assert_eq!(original(OsStr::new(name)), None, "{name}");
        }
        assert_eq!(original(OsStr::new(".a.pellucid-0123456789abcdef")), Some(OsStr::new("a")));
    }

    #[test]
    fn a_name_that_is_taken_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let taken = std::cell::Cell::new(0);
        let made = made_beside(&path, |name| {
            if taken.replace(taken.get() + 1) < 3 {
                fs::write(name, "precious")?;
            }
            fs::create_dir(name)
        });
        assert!(made.unwrap().0.is_dir());
        let precious = fs::read_dir(folder.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file());
        assert_eq!(precious.count(), 3);
        assert!(made_beside(&path, |_| Err::<(), _>(io::ErrorKind::AlreadyExists.into())).is_err());
    }
}
