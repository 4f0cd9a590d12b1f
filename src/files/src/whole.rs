//! Writes files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
use rustix::fs::OFlags;
use rustix::fs::{AtFlags, CWD, linkat};

use crate::temporary::{file_beside, made_beside};

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// The user alone.
    User,
    /// Whom the user's umask allows.
    Umask,
}

/// A file that is not complete yet: it has a temporary name, beside the one that it gets when it is, or none. Dropped
/// before that, it is removed.
#[derive(Debug)]
pub struct Draft {
    file: File,
    temporary: Option<PathBuf>,
    path: PathBuf,
}

impl Draft {
    /// An empty draft of the file at `path`.
    ///
    /// # Errors
    /// When `path` has no file name, and what the file system says.
    pub fn of(path: &Path, readers: Readers) -> io::Result<Self> {
        let mode = if readers == Readers::User { 0o600 } else { 0o666 };
        let (temporary, file) = file_beside(path, mode)?;
        Ok(Self { file, temporary: Some(temporary), path: path.to_owned() })
    }

    /// As [`Draft::of`], without a name until it is complete, where the system has such files: a process that is killed
    /// leaves nothing of it.
    ///
    /// # Errors
    /// As [`Draft::of`].
    pub fn without_name(path: &Path, readers: Readers) -> io::Result<Self> {
        let mode = if readers == Readers::User { 0o600 } else { 0o666 };
        match nameless(path, mode) {
            Ok(file) => Ok(Self { file, temporary: None, path: path.to_owned() }),
            Err(_) => Self::of(path, readers),
        }
    }

    /// Its name until it is complete, if it has one.
    #[must_use]
    pub fn temporary(&self) -> Option<&Path> {
        self.temporary.as_deref()
    }

    /// The name that it gets.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Ends it: waits until the disk has it and gives it its name. A file of that name is replaced.
    ///
    /// # Errors
    /// What the file system says; what had the name has it still.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        // What is there is replaced by a file with a name alone.
        let temporary = match self.temporary.take() {
            Some(temporary) => temporary,
            None => self.name()?,
        };
        fs::rename(self.temporary.insert(temporary), &self.path)?;
        self.temporary = None;
        sync_folder(&self.path)
    }

    /// Gives it a temporary name.
    fn name(&mut self) -> io::Result<PathBuf> {
        match made_beside(&self.path, |name| link(&self.file, name)) {
            Ok((name, ())) => Ok(name),
            Err(_) => self.copied(),
        }
    }

    /// A copy with a temporary name, where the system gives the file itself none.
    fn copied(&mut self) -> io::Result<PathBuf> {
        let (name, mut copy) = file_beside(&self.path, 0o600)?;
        let permissions = self.file.metadata()?.permissions();
        let done = self.file.rewind().and_then(|()| io::copy(&mut self.file, &mut copy));
        let done = done.and_then(|_| copy.set_permissions(permissions)).and_then(|()| copy.sync_all());
        self.temporary = Some(name.clone());
        done.map(|()| name)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // There is no such file any more if it was renamed. What a full disk left of it would only take up room.
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
        }
    }
}

/// An empty file without a name, in the folder of `path`.
#[cfg(target_os = "linux")]
fn nameless(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let flags = OFlags::TMPFILE.bits().cast_signed();
    fs::OpenOptions::new().read(true).write(true).custom_flags(flags).mode(mode).open(folder)
}

#[cfg(not(target_os = "linux"))]
fn nameless(_: &Path, _: u32) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Gives a file without a name one that is free.
fn link(file: &File, name: &Path) -> io::Result<()> {
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, open, CWD, name, AtFlags::SYMLINK_FOLLOW)?)
}

/// Writes a file under a temporary name, syncs and renames it. Only the user can read it.
///
/// # Errors
/// What the file system says.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut draft = Draft::of(path, Readers::User)?;
    draft.write_all(content)?;
    draft.finish()
}

/// Waits until the disk knows of the names in the folder of `path`.
///
/// # Errors
/// What the file system says.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn what_is_written_whole_is_private_and_takes_no_name_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("view.toml"), folder.path().join("victim"));
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, folder.path().join("view.toml.partial")).unwrap();
        write_whole(&path, b"old").unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!((fs::read(&victim).unwrap(), fs::read(&path).unwrap()), (b"precious".to_vec(), b"new".to_vec()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(folder.path().join("view.toml.partial").is_symlink(), "it is not this program's");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing temporary is left");
    }

    #[test]
    fn a_draft_without_a_name_is_not_seen_until_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        for content in ["old", "new"] {
            let before = names();
            let mut draft = Draft::without_name(&path, Readers::Umask).unwrap();
            draft.write_all(content.as_bytes()).unwrap();
            let has_name = usize::from(draft.temporary().is_some());
            assert_eq!((names(), has_name), (before + has_name, usize::from(nameless(&path, 0o600).is_err())));
            draft.finish().unwrap();
            assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names()), (content, 1));
        }
        let mut draft = Draft::without_name(&path, Readers::User).unwrap();
        draft.write_all(b"copied").unwrap();
        draft.temporary = Some(draft.copied().unwrap());
        draft.finish().unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"copied".to_vec(), 1));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_draft_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        let mut draft = Draft::of(&path, Readers::Umask).unwrap();
        draft.write_all(b"half").unwrap();
        assert!(draft.temporary().unwrap().is_file() && !path.exists());
        drop(draft);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::create_dir(&path).unwrap();
        assert!(write_whole(&path, b"new").is_err() && path.is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
