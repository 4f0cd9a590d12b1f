//! Opens files in folders that others may have written into: no link is followed, and only regular files are opened.
//!
//! A link in a run folder could lead to any file of the user, and a pipe in the place of a file would make a reader wait
//! for ever. So each name on the way is opened from the handle of the folder above it, without following links and
//! without waiting.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To be read.
    Read,
    /// To be read, and appended to; it must be there.
    Append,
    /// As [`Access::Append`]; a missing file is made, which only the user can read.
    AppendOrCreate,
    /// To be read and written anywhere; a missing file is made, which only the user can read.
    WriteOrCreate,
}

impl Access {
    fn flags(self) -> OFlags {
        match self {
            Access::Read => OFlags::RDONLY,
            Access::Append => OFlags::RDWR | OFlags::APPEND,
            Access::AppendOrCreate => OFlags::RDWR | OFlags::APPEND | OFlags::CREATE,
            Access::WriteOrCreate => OFlags::RDWR | OFlags::CREATE,
        }
    }
}

/// Opens the file at `path`. The folder that it lies in may be reached over links, the file itself may not be one.
///
/// # Errors
/// When it is a link or no regular file, and what the file system says.
pub fn open(path: &Path, access: Access) -> io::Result<File> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "names no file"))?;
    open_in(path.parent().unwrap_or(Path::new("")), Path::new(name), access)
}

/// Opens the file at `path`, which the user has named, to be read: links are followed.
///
/// # Errors
/// When it is no regular file, and what the file system says.
pub fn open_named(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    regular(File::from(openat(CWD, path, flags, Mode::empty()).map_err(refused)?))
}

/// Opens the file at `relative` in the folder `root`. No part of `relative` may be a link, or lead out of the folder.
///
/// # Errors
/// As for [`open`].
pub fn open_in(root: &Path, relative: &Path, access: Access) -> io::Result<File> {
    let mut names = names(relative)?;
    let file_name = names.pop().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "names no file"))?;
    let folder = folder(root, &names)?;
    // Opening a pipe would wait for its other end.
    let flags = access.flags() | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    regular(File::from(openat(&folder, file_name, flags, Mode::RUSR | Mode::WUSR).map_err(refused)?))
}

/// The file, if it is a regular one.
fn regular(file: File) -> io::Result<File> {
    let meta = file.metadata()?;
    match (meta.is_file(), meta.is_dir()) {
        (true, _) => Ok(file),
        (_, true) => Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder")),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "is no regular file")),
    }
}

/// The parts of a path that stays below where it begins.
fn names(relative: &Path) -> io::Result<Vec<&std::ffi::OsStr>> {
    let name = |part| match part {
        Component::Normal(name) => Ok(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "leads out of its folder")),
    };
    relative.components().map(name).collect()
}

/// The handle of the folder that `names` lead to from `root`.
fn folder(root: &Path, names: &[&std::ffi::OsStr]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let mut folder = openat(CWD, root, flags, Mode::empty())?;
    for name in names {
        folder = openat(&folder, *name, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(refused)?;
    }
    Ok(folder)
}

/// In words what the system says of a name that is a link, or a socket or pipe that nobody reads.
fn refused(error: Errno) -> io::Error {
    let (kind, message) = match error {
        Errno::LOOP | Errno::MLINK => (io::ErrorKind::InvalidInput, "is a link, which is not followed here"),
        Errno::NXIO | Errno::OPNOTSUPP => (io::ErrorKind::InvalidInput, "is no regular file"),
        Errno::NOTDIR => (io::ErrorKind::NotADirectory, "a part of its path is a link or no folder"),
        error => return error.into(),
    };
    io::Error::new(kind, message)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read, Write};
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    fn reads(root: &Path, relative: &str) -> Result<String, String> {
        let mut text = String::new();
        let file = open_in(root, Path::new(relative), Access::Read);
        file.and_then(|mut file| file.read_to_string(&mut text)).map(|_| text).map_err(|error| error.to_string())
    }

    #[test]
    fn no_link_on_the_way_is_followed() {
        let place = tempfile::tempdir().unwrap();
        let (run, outside) = (place.path().join("run"), place.path().join("outside"));
        fs::create_dir_all(run.join("a/b")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(run.join("a/b/file"), "mine").unwrap();
        fs::write(outside.join("file"), "precious").unwrap();
        symlink(&outside, run.join("a/link")).unwrap();
        symlink(outside.join("file"), run.join("a/file")).unwrap();
        symlink("nowhere", run.join("a/dangling")).unwrap();
        assert_eq!(reads(&run, "a/b/file").unwrap(), "mine");
        for relative in ["a/link/file", "a/file", "a/dangling"] {
            assert!(reads(&run, relative).unwrap_err().contains("link"), "{relative}");
        }
        for relative in ["../outside/file", "/etc/hostname", "", "a/../a/b/file"] {
            let why = reads(&run, relative).unwrap_err();
            assert!(why.contains("leads out") || why.contains("names no file"), "{relative}: {why}");
        }
        for access in [Access::Append, Access::AppendOrCreate, Access::WriteOrCreate] {
            assert!(open_in(&run, Path::new("a/file"), access).is_err());
            assert!(open_in(&run, Path::new("a/dangling"), access).is_err());
        }
        assert!(!run.join("a/nowhere").exists());
        symlink(&run, place.path().join("named")).unwrap();
        assert_eq!(reads(&place.path().join("named"), "a/b/file").unwrap(), "mine", "the folder itself was named");
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        fs::create_dir(root.join("folder")).unwrap();
        rustix::fs::mkfifoat(CWD, root.join("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        assert_eq!(reads(root, "folder").unwrap_err(), "is a folder");
        for access in [Access::Read, Access::Append, Access::AppendOrCreate, Access::WriteOrCreate] {
            for name in ["pipe", "socket"] {
                let error = open(&root.join(name), access).unwrap_err().to_string();
                assert_eq!(error, "is no regular file", "{name} {access:?}");
            }
        }
        assert!(open(Path::new("/dev/null"), Access::Read).is_err());
        symlink("pipe", root.join("named")).unwrap();
        for path in [root.join("pipe"), root.join("socket"), root.join("named"), "/dev/zero".into()] {
            assert_eq!(open_named(&path).unwrap_err().to_string(), "is no regular file", "{}", path.display());
        }
    }

    #[test]
    fn files_are_made_for_the_user_alone_and_appended_to() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("log");
        assert_eq!(open(&path, Access::Append).unwrap_err().kind(), io::ErrorKind::NotFound);
        for _ in 0..2 {
            open(&path, Access::AppendOrCreate).unwrap().write_all(b"x").unwrap();
        }
        assert_eq!((fs::read(&path).unwrap(), fs::metadata(&path).unwrap().mode() & 0o777), (b"xx".to_vec(), 0o600));
        open(&path, Access::WriteOrCreate).unwrap().write_all(b"y").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"yx");
    }
}
