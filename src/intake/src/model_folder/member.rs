//! Files of a model folder: never outside the folder, wherever links point.

use std::io;
use std::path::{Path, PathBuf};

use pellucid_files::bounded;

use crate::error::{Error, Result};
use crate::hub_snapshot::blobs;

/// The path of the file `name` of the model folder `folder`; the file need not exist.
///
/// A link may lead to another file of the folder. In a Hugging Face cache it may also lead to the files beside the
/// snapshots (`models--*/blobs`), since that is how the cache is laid out.
///
/// # Errors
/// When a link leads elsewhere: files of a model folder are copied into checkpoints, and a link could otherwise bring
/// any file of the user there.
pub fn member(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    let told = |error: io::Error| Error::file(&path, error);
    let (home, found) = match (folder.canonicalize(), path.canonicalize()) {
        (Ok(home), Ok(found)) => (home, found),
        (Err(error), _) | (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
        (Err(error), _) | (_, Err(error)) => return Err(told(error)),
    };
    check_name(folder, &home)?;
    if found.starts_with(&home) || blobs(&home).is_some_and(|blobs| found.starts_with(blobs)) {
        return Ok(path);
    }
    Err(Error::file(&path, format!("leads out of the model folder, to {}; put the file itself there", found.display())))
}

/// The text of the file `name` of the model folder `folder`, of at most `limit` bytes.
///
/// # Errors
/// As [`member`], and when it cannot be read.
pub fn read_text(folder: &Path, name: &str, limit: u64) -> Result<String> {
    let path = member(folder, name)?;
    bounded::read_text(&path, limit).map_err(|error| Error::file(&path, error))
}

/// Refuses a folder `best` or `last` of a run that is a link to anywhere but a checkpoint of the same run.
fn check_name(folder: &Path, home: &Path) -> Result<()> {
    let is_name = folder.file_name().is_some_and(|name| name == "best" || name == "last");
    let Some(checkpoints) =
        folder.parent().filter(|parent| is_name && folder.is_symlink() && parent.ends_with("checkpoints"))
    else {
        return Ok(());
    };
    if checkpoints.canonicalize().is_ok_and(|checkpoints| home.starts_with(checkpoints)) {
        return Ok(());
    }
    Err(Error::file(folder, format!("leads out of the run, to {}", home.display())))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_in_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("model");
        fs::create_dir(&folder).unwrap();
        fs::write(place.path().join("secret"), "").unwrap();
        fs::write(folder.join("real"), "").unwrap();
        symlink("real", folder.join("alias")).unwrap();
        symlink("../secret", folder.join("vocab.txt")).unwrap();
        symlink("/etc/passwd", folder.join("config.json")).unwrap();
        for name in ["real", "alias", "missing"] {
            assert_eq!(member(&folder, name).unwrap(), folder.join(name));
        }
        for name in ["vocab.txt", "config.json", "../secret"] {
            let message = member(&folder, name).unwrap_err().to_string();
            assert!(message.contains("leads out of the model folder"), "{message}");
        }
    }

    #[test]
    fn the_cache_of_hugging_face_is_read_as_it_is_laid_out() {
        let place = tempfile::tempdir().unwrap();
        let repository = place.path().join("models--a--b");
        let snapshot = repository.join("snapshots/0123");
        fs::create_dir_all(&snapshot).unwrap();
        fs::create_dir(repository.join("blobs")).unwrap();
        fs::write(repository.join("blobs/abc"), "{}").unwrap();
        symlink("../../blobs/abc", snapshot.join("config.json")).unwrap();
        assert_eq!(read_text(&snapshot, "config.json", 9).unwrap(), "{}");
    }

    #[test]
    fn the_names_of_checkpoints_stay_in_their_run() {
        let place = tempfile::tempdir().unwrap();
        let checkpoints = place.path().join("run/checkpoints");
        for folder in [checkpoints.join("step-000001"), place.path().join("elsewhere")] {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("config.json"), "{}").unwrap();
        }
        symlink("step-000001", checkpoints.join("best")).unwrap();
        symlink("../../elsewhere", checkpoints.join("last")).unwrap();
        assert!(member(&checkpoints.join("best"), "config.json").is_ok());
        let message = member(&checkpoints.join("last"), "config.json").unwrap_err().to_string();
        assert!(message.contains("leads out of the run"), "{message}");
    }
}
