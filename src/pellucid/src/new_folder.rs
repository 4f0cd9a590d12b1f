//! Makes the folder of a run that has no name of its own. Making it is what takes the name: of two runs that begin in the
//! same second each gets another one.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// How many names are tried.
const ATTEMPTS: u32 = 1000;

/// A folder that was made for a run. When this is dropped and the folder is still empty, it is removed: then the run has
/// not begun.
#[derive(Debug)]
pub(crate) struct NewFolder(PathBuf);

impl NewFolder {
    /// Makes the folder `wanted`, or if there is one `wanted-2`, `wanted-3`, ... Only the user can read it.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn make(wanted: &Path) -> io::Result<Self> {
        if let Some(parent) = wanted.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let name = wanted.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = (2..=ATTEMPTS).map(|number| wanted.with_file_name(format!("{name}-{number}")));
        for folder in std::iter::once(wanted.to_owned()).chain(numbered) {
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => return Ok(Self(folder)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everybody_gets_another_folder_and_empty_ones_are_removed() {
        let place = tempfile::tempdir().unwrap();
        let wanted = place.path().join("runs/20260101-120000-triage");
        let folders: Vec<NewFolder> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| NewFolder::make(&wanted).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let paths: BTreeSet<PathBuf> = folders.iter().map(|folder| folder.path().to_owned()).collect();
        assert!(paths.len() == 8 && paths.contains(&wanted), "{paths:?}");
        std::fs::write(wanted.join("run.toml"), "").unwrap();
        drop(folders);
        assert_eq!(std::fs::read_dir(place.path().join("runs")).unwrap().count(), 1, "the one with a run in it");
    }
}
