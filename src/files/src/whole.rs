//! Writes files that appear whole or not at all.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file under a temporary name, syncs and renames it. Only the user can read it.
///
/// # Errors
/// What the file system says.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    // Made anew: one that is there may be a link to something else.
    let _ = fs::remove_file(&partial);
    let fresh = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial);
    let written = fresh.and_then(|mut file| {
        io::Write::write_all(&mut file, content)?;
        file.sync_all()
    });
    if let Err(error) = written {
        // What a full disk left of it would only take up room.
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    fs::rename(&partial, path)?;
    sync_folder(path)
}

/// Waits until the disk knows of the names in the folder of `path`.
///
/// # Errors
/// What the file system says.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn what_is_written_whole_is_private_and_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("view.toml"), folder.path().join("victim"));
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, folder.path().join("view.toml.partial")).unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!((fs::read(&victim).unwrap(), fs::read(&path).unwrap()), (b"precious".to_vec(), b"new".to_vec()));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }
}
