//! Where a model folder is written: under a temporary name beside its place, in which it then stands whole. Only an empty
//! folder, or one that this program has written, is replaced.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use pellucid_files::temporary::{folder_beside, original};
use pellucid_files::weight_names::is_of_weights;
use pellucid_files::whole::sync_folder;
use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};
use rustix::io::Errno;

use super::provenance::{IMPORTED, NAME as MARK, Provenance};
use super::tokenizer_files;
use crate::error::{Error, Result};

/// What is at the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing, or an empty folder.
    Free,
    /// A folder that has the mark, and no file but those that a save writes.
    Own,
}

/// Checks that a model folder may be written at `target`, for a job that reads the model folder `source`.
///
/// # Errors
/// When something is there that is not this program's, or it is `source`; with what to do.
pub fn check(target: &Path, source: &Path) -> Result<()> {
    place(target)?;
    if target.canonicalize().is_ok_and(|target| source.canonicalize().is_ok_and(|source| source == target)) {
        return Err(Error::file(target, "is the model that is read; name another folder to write"));
    }
    Ok(())
}

fn place(target: &Path) -> Result<Place> {
    let refused = |why: String| Err(Error::file(target, why));
    if target.file_name().is_none() {
        return refused("is no name for a folder".to_owned());
    }
    let meta = match fs::symlink_metadata(target) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::Free),
        Err(error) => return Err(Error::file(target, error)),
    };
    if !meta.is_dir() {
        let what = if meta.is_symlink() { "is a link" } else { "is a file" };
        return refused(format!("{what}, which is not replaced; name a folder"));
    }
    let names = names(target).map_err(|error| Error::file(target, error))?;
    if names.is_empty() {
        return Ok(Place::Free);
    }
    if !has_mark(target) {
        return refused(format!(
            "is not empty, and has no {MARK}: pellucid has not written it and does not replace it; name another folder"
        ));
    }
    match names.iter().find(|name| !is_own(target, name)) {
        Some(foreign) => {
            let foreign = foreign.to_string_lossy();
            refused(format!("holds {foreign}, which is not of a saved model; move that away, or name another folder"))
        }
        None => Ok(Place::Own),
    }
}

fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

/// Whether a save writes a file of this name, and it is a file.
fn is_own(folder: &Path, name: &OsStr) -> bool {
    let known = ["config.json", IMPORTED, MARK].iter().chain(&tokenizer_files::NAMES).any(|known| *known == name);
    (known || name.to_str().is_some_and(is_of_weights))
        && fs::symlink_metadata(folder.join(name)).is_ok_and(|meta| meta.is_file())
}

fn has_mark(folder: &Path) -> bool {
    Provenance::of(folder).ok().flatten().is_some_and(|said| said.is_own())
}

fn remove_own(folder: &Path) -> io::Result<()> {
    remove_saved(folder, &[])
}

/// Removes the files of a save and those called `also`, and then the folder; its mark goes last. Other files stay, and
/// then the folder does.
///
/// # Errors
/// What the file system says; also when something else is in the folder.
pub fn remove_saved(folder: &Path, also: &[&str]) -> io::Result<()> {
    for name in also {
        if fs::symlink_metadata(folder.join(name)).is_ok_and(|meta| meta.is_file()) {
            fs::remove_file(folder.join(name))?;
        }
    }
    for name in names(folder)?.iter().filter(|name| *name != MARK && is_own(folder, name)) {
        fs::remove_file(folder.join(name))?;
    }
    if names(folder)? == [MARK] {
        fs::remove_file(folder.join(MARK))?;
    }
    fs::remove_dir(folder)
}

/// A model folder that is not complete yet. Dropped before it is, it is removed.
#[derive(Debug)]
pub struct DraftFolder {
    folder: PathBuf,
    target: PathBuf,
    /// Locked as long as the folder is being written.
    _mark: File,
}

impl DraftFolder {
    /// An empty draft beside `target`. Those that killed saves have left there are removed.
    ///
    /// # Errors
    /// When `target` may not be replaced, and what the file system says.
    pub fn of(target: &Path) -> Result<Self> {
        place(target)?;
        let told = |error: io::Error| Error::file(target, error);
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(told)?;
        remove_leftovers(parent);
        let folder = folder_beside(target).map_err(told)?;
        match marked(&folder) {
            Ok(mark) => Ok(Self { folder, target: target.to_owned(), _mark: mark }),
            Err(error) => {
                let _ = remove_own(&folder);
                Err(told(error))
            }
        }
    }

    /// Its path until it is complete.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Puts the folder in its place. What was there before is removed when the new one stands.
    ///
    /// # Errors
    /// When something has come meanwhile that is not this program's, and what the file system says; what is in the place
    /// stays then.
    pub fn finish(self) -> Result<()> {
        let told = |error: io::Error| Error::file(&self.target, error);
        match place(&self.target)? {
            // That succeeds only if there is nothing, or a folder that is still empty.
            Place::Free => fs::rename(&self.folder, &self.target).map_err(told)?,
            Place::Own => self.exchange()?,
        }
        sync_folder(&self.target).map_err(told)
    }

    /// Exchanges the folder with the one that is there, so that at each moment one of them is, and removes the old one.
    fn exchange(&self) -> Result<()> {
        let told = |error: io::Error| Error::file(&self.target, error);
        let swap = || renameat_with(CWD, &self.folder, CWD, &self.target, RenameFlags::EXCHANGE);
        match swap() {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => return self.replace().map_err(told),
            Err(error) => return Err(told(error.into())),
        }
        // Somebody may have put something into it meanwhile.
        if place(&self.folder).is_ok_and(|place| place == Place::Own) {
            return remove_own(&self.folder).map_err(told);
        }
        swap().map_err(|error| told(error.into()))?;
        Err(Error::file(&self.target, "has changed while it was to be replaced, and stays"))
    }

    /// As [`DraftFolder::exchange`], on file systems that cannot exchange.
    fn replace(&self) -> io::Result<()> {
        let aside = folder_beside(&self.target)?;
        // The new folder is empty, so it can be replaced.
        fs::rename(&self.target, &aside)?;
        if let Err(error) = fs::rename(&self.folder, &self.target) {
            fs::rename(&aside, &self.target)?;
            return Err(error);
        }
        remove_own(&aside)
    }
}

impl Drop for DraftFolder {
    fn drop(&mut self) {
        // It is not there any more if it is in its place. What a full disk left of it would only take up room.
        let _ = remove_own(&self.folder);
    }
}

/// Writes the mark, first of all, and locks it.
fn marked(folder: &Path) -> io::Result<File> {
    let mark = Provenance::new(String::new(), None);
    let mut file = File::create_new(folder.join(MARK))?;
    // Where files cannot be locked, leftovers stay.
    let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
    io::Write::write_all(&mut file, (serde_json::to_string(&mark)? + "\n").as_bytes())?;
    Ok(file)
}

/// Removes the drafts in `parent` that nobody writes any more, and that hold nothing but what a save writes.
fn remove_leftovers(parent: &Path) {
    for name in names(parent).unwrap_or_default().iter().filter(|name| original(name).is_some()) {
        let folder = parent.join(name);
        let is_over = || {
            let mark = File::open(folder.join(MARK)).ok()?;
            flock(&mark, FlockOperation::NonBlockingLockExclusive).ok()
        };
        if place(&folder).is_ok_and(|place| place == Place::Own) && is_over().is_some() {
            // It takes up room and does no other harm.
            let _ = remove_own(&folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder that a save has written.
    fn made(target: &Path, weights: &str) {
        let draft = DraftFolder::of(target).unwrap();
        fs::write(draft.path().join("config.json"), "{}").unwrap();
        fs::write(draft.path().join("model.safetensors"), weights).unwrap();
        draft.finish().unwrap();
    }

    fn weights(target: &Path) -> String {
        fs::read_to_string(target.join("model.safetensors")).unwrap()
    }

    #[test]
    fn what_this_program_has_written_is_replaced_and_its_neighbours_are_not() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("model");
        for neighbour in ["model.old", "model.partial", ".model.pellucid-0123456789abcdef"] {
            fs::create_dir(place.path().join(neighbour)).unwrap();
            fs::write(place.path().join(neighbour).join("precious"), "").unwrap();
        }
        fs::create_dir(&target).unwrap();
        made(&target, "one");
        made(&target, "two");
        assert_eq!(weights(&target), "two");
        drop(DraftFolder::of(&target).unwrap());
        let draft = DraftFolder::of(&target).unwrap();
        fs::write(draft.path().join("model.safetensors"), "three").unwrap();
        draft.replace().unwrap();
        drop(draft);
        assert_eq!((weights(&target).as_str(), names(place.path()).unwrap().len()), ("three", 4));
        for neighbour in ["model.old", "model.partial", ".model.pellucid-0123456789abcdef"] {
            assert!(place.path().join(neighbour).join("precious").exists(), "{neighbour}");
        }
    }

    #[test]
    fn what_is_somebody_elses_is_refused_and_stays() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        for name in ["foreign", "mixed", "claimed", "deep"] {
            fs::create_dir(at(name)).unwrap();
        }
        fs::write(at("foreign").join("config.json"), "{}").unwrap();
        fs::write(at("claimed").join(MARK), r#"{"written_by":"somebody"}"#).unwrap();
        fs::write(at("file"), "precious").unwrap();
        for name in ["mixed", "deep"] {
            fs::remove_dir(at(name)).unwrap();
            made(&at(name), name);
        }
        fs::write(at("mixed").join("notes.txt"), "precious").unwrap();
        fs::create_dir(at("deep").join("vocab.txt")).unwrap();
        symlink(at("foreign"), at("link")).unwrap();
        for (name, part) in [
            ("foreign", "has no pellucid.json"),
            ("claimed", "has no pellucid.json"),
            ("mixed", "holds notes.txt"),
            ("deep", "holds vocab.txt"),
            ("file", "is a file"),
            ("link", "is a link"),
            ("..", "no name"),
        ] {
            let message = DraftFolder::of(&at(name)).unwrap_err().to_string();
            assert!(message.contains(part) && !message.contains('\n'), "{name}: {message}");
        }
        assert_eq!(names(place.path()).unwrap().len(), 6);
        let message = check(&at("new"), &at("new")).err();
        assert!(message.is_none(), "there is no model yet: {message:?}");
        made(&at("new"), "");
        assert!(check(&at("new"), &at("new")).unwrap_err().to_string().contains("is the model that is read"));
    }

    #[test]
    fn what_has_come_meanwhile_stays() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("model");
        let draft = DraftFolder::of(&target).unwrap();
        fs::create_dir(&target).unwrap();
        fs::write(target.join("precious"), "").unwrap();
        assert!(draft.finish().is_err());
        assert_eq!(names(place.path()).unwrap(), ["model"]);
        assert!(target.join("precious").exists());
    }

    #[test]
    fn only_drafts_that_nobody_writes_are_cleared_away() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("model");
        let under_way = DraftFolder::of(&target).unwrap();
        let killed = folder_beside(&place.path().join("other")).unwrap();
        drop(marked(&killed).unwrap());
        for name in ["model-00001-of-00002.safetensors", "model.safetensors.index.json"] {
            fs::write(killed.join(name), "half").unwrap();
        }
        made(&target, "whole");
        assert!(under_way.path().is_dir() && !killed.exists());
        under_way.finish().unwrap();
        assert_eq!(names(place.path()).unwrap(), ["model"]);
    }
}
