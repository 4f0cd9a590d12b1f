//! Writes files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::temporary::file_beside;

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// The user alone.
    User,
    /// Whom the user's umask allows.
    Umask,
}

/// A file that is not complete yet: it has a temporary name, beside the one that it gets when it is. Dropped before that,
/// it is removed.
#[derive(Debug)]
pub struct Draft {
    file: File,
    temporary: PathBuf,
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
        Ok(Self { file, temporary, path: path.to_owned() })
    }

    /// Its name until it is complete.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        &self.temporary
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
    pub fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        sync_folder(&self.path)
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
        let _ = fs::remove_file(&self.temporary);
    }
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
    fn a_draft_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        let mut draft = Draft::of(&path, Readers::Umask).unwrap();
        draft.write_all(b"half").unwrap();
        assert!(draft.temporary().is_file() && !path.exists());
        drop(draft);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::create_dir(&path).unwrap();
        assert!(write_whole(&path, b"new").is_err() && path.is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
