//! Removes what of a run folder is pellucid's, and nothing else. No link is followed, at no depth: each folder is opened
//! from the one above it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use pellucid_files::temporary::original;
use pellucid_intake::model_folder::provenance::Provenance;
use pellucid_record::{RunDir, RunSummary};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::parts::{Folder, LOCK, LOG, Part, is_own};

/// Bytes of a file from which it is known whose it is.
const HEAD: u64 = 64 << 10;

/// What is done with the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Measure,
    Remove,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Bytes of the files that are pellucid's.
    pub(super) size: u64,
    /// Number of these files.
    pub(super) files: usize,
    /// Something that is not pellucid's.
    pub(super) foreign: Option<PathBuf>,
}

/// What of `run` would be removed.
///
/// # Errors
/// What the file system says.
pub(super) fn measure(run: &RunDir) -> io::Result<Found> {
    Walk::new(Act::Measure, run).through(run)
}

/// Removes what of `run` is pellucid's, its event log last. The folder itself stays, and the file that is locked.
///
/// # Errors
/// What the file system says, with the file.
pub(super) fn remove(run: &RunDir) -> io::Result<Found> {
    Walk::new(Act::Remove, run).through(run)
}

/// Removes the file that is locked, and then the folder if it is empty; gives whether it was.
///
/// # Errors
/// What the file system says.
pub(super) fn remove_folder(run: &RunDir) -> io::Result<bool> {
    let root = open(CWD, run.root())?;
    let gone =
        |removed: Result<(), Errno>| removed.or_else(|error| if error == Errno::NOENT { Ok(()) } else { Err(error) });
    gone(unlinkat(&root, LOCK, AtFlags::empty()))?;
    match fs::remove_dir(run.root()) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
        removed => removed.map(|()| true),
    }
}

struct Walk {
    act: Act,
    found: Found,
    /// The id of the run, which its checkpoints name; empty for one of an earlier version.
    id: String,
}

/// A folder that has been opened.
struct Opened<'a> {
    handle: OwnedFd,
    path: &'a Path,
    folder: Folder,
}

impl Walk {
    fn new(act: Act, run: &RunDir) -> Self {
        let summary = RunSummary::read(run).unwrap_or_default();
        let id = summary.started.map_or_else(String::new, |(_, started)| started.id);
        Self { act, found: Found::default(), id }
    }

    fn through(mut self, run: &RunDir) -> io::Result<Found> {
        let root = Opened { handle: open(CWD, run.root())?, path: run.root(), folder: Folder::Run };
        self.walk(&root)?;
        if let Ok(stat) = statat(&root.handle, LOG, AtFlags::SYMLINK_NOFOLLOW) {
            self.file(&root, OsStr::new(LOG), &stat)?;
        }
        Ok(self.found)
    }

    fn walk(&mut self, opened: &Opened) -> io::Result<()> {
        for name in names(&opened.handle)? {
            let is_later = opened.folder == Folder::Run && (name == LOG || name == LOCK);
            let stat = match statat(&opened.handle, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => continue,
                stat => stat?,
            };
            if !is_later {
                self.entry(opened, &name, &stat).map_err(|error| named(&opened.path.join(&name), &error))?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, opened: &Opened, name: &OsStr, stat: &Stat) -> io::Result<()> {
        let kind = FileType::from_raw_mode(stat.st_mode);
        let is_folder = kind == FileType::Directory;
        match opened.folder.part(name) {
            Part::Folder(Folder::Checkpoint) if is_folder && !self.has_written(&opened.path.join(name)) => {
                self.foreign(opened, name)
            }
            Part::Folder(folder) if is_folder => self.folder(opened, name, folder),
            // A link or whatever else has the name of a file or folder of pellucid's is not what it leads to.
            Part::Folder(_) | Part::File if !is_folder => self.file(opened, name, stat),
            Part::FileByContent if kind == FileType::RegularFile && is_own(name, &head(&opened.handle, name)?) => {
                self.file(opened, name, stat)
            }
            _ => self.foreign(opened, name),
        }
    }

    fn foreign(&mut self, opened: &Opened, name: &OsStr) -> io::Result<()> {
        self.found.foreign.get_or_insert_with(|| opened.path.join(name));
        Ok(())
    }

    /// Whether the run has written the checkpoint `folder`: it says so, or is being written, or the run has no id. A mark that
    /// cannot be read is nobody else's.
    fn has_written(&self, folder: &Path) -> bool {
        if self.id.is_empty() || folder.file_name().is_some_and(|name| original(name).is_some()) {
            return true;
        }
        match Provenance::of(folder) {
            Ok(said) => said.and_then(|said| said.checkpoint).is_some_and(|of| of.run == self.id),
            Err(_) => true,
        }
    }

    fn folder(&mut self, above: &Opened, name: &OsStr, folder: Folder) -> io::Result<()> {
        let path = above.path.join(name);
        let opened = Opened { handle: open(&above.handle, Path::new(name))?, path: &path, folder };
        self.walk(&opened)?;
        if self.act == Act::Remove {
            match unlinkat(&above.handle, name, AtFlags::REMOVEDIR) {
                // Others have files in it.
                Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT) => {}
                removed => removed?,
            }
        }
        Ok(())
    }

    fn file(&mut self, opened: &Opened, name: &OsStr, stat: &Stat) -> io::Result<()> {
        self.found.files += 1;
        self.found.size += u64::try_from(stat.st_size).unwrap_or(0);
        if self.act == Act::Measure {
            return Ok(());
        }
        match unlinkat(&opened.handle, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            removed => Ok(removed?),
        }
    }
}

fn open(above: impl std::os::fd::AsFd, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(above, name, flags, Mode::empty())?)
}

fn names(folder: &OwnedFd) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The first bytes of a regular file.
fn head(folder: &OwnedFd, name: &OsStr) -> io::Result<Vec<u8>> {
    // Should it have become a pipe meanwhile, nobody waits for its other end.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::empty())?);
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    // The innermost name is the longest.
    if error.get_ref().is_some() {
        return io::Error::new(error.kind(), error.to_string());
    }
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A run folder with these files, which hold their own names.
    fn with_files(files: &[&str]) -> (tempfile::TempDir, RunDir) {
        let place = tempfile::tempdir().unwrap();
        let run = RunDir::new(place.path().join("run"));
        for file in files {
            let path = run.root().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        (place, run)
    }

    /// All files below a folder.
    fn left(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let below = |path: PathBuf| if path.is_dir() && !path.is_symlink() { left(&path) } else { vec![path] };
        let mut all: Vec<PathBuf> = entries.flat_map(below).collect();
        all.sort();
        all
    }

    #[test]
    fn all_that_is_pellucids_goes() {
        let (_place, run) = with_files(&[
            "events.jsonl",
            "events.columns",
            "run.toml",
            ".events.jsonl.pellucid-0123456789abcdef",
            "samples.jsonl.partial",
            "predictions/step-000001.jsonl",
            "checkpoints/step-000001/model.safetensors",
            "checkpoints/step-000001/pellucid.json",
            "checkpoints/.step-000002.pellucid-0123456789abcdef/config.json",
            "checkpoints/step-000003.old/trainer.safetensors",
        ]);
        symlink("step-000001", run.root().join("checkpoints/best")).unwrap();
        fs::write(run.root().join("report.md"), "# Report on the run run\n").unwrap();
        let (size, files) = measure(&run).map(|found| (found.size, found.files)).unwrap();
        assert!(size > 100 && files == 12, "{size} bytes in {files} files");
        let found = remove(&run).unwrap();
        assert!(found.foreign.is_none() && found.size == size, "{found:?}");
        assert_eq!(fs::read_dir(run.root()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_somebody_elses_stays_at_every_depth() {
        let foreign = [
            "notes.txt",
            "report.md",
            "sweep.csv",
            "run.toml/inside",
            "predictions/mine.jsonl",
            "checkpoints/mine/model.safetensors",
            "checkpoints/step-000001/notes.txt",
            "checkpoints/step-000001/config.json/inside",
            "checkpoints/.mine.pellucid-0123456789abcdef/config.json",
        ];
        let own = ["events.jsonl", "checkpoints/step-000001/model.safetensors", "predictions/step-000001.jsonl"];
        let (_place, run) = with_files(&[&foreign[..], &own[..]].concat());
        let found = remove(&run).unwrap();
        assert!(found.foreign.is_some());
        let mut wanted: Vec<PathBuf> = foreign.iter().map(|name| run.root().join(name)).collect();
        wanted.sort();
        assert_eq!(left(run.root()), wanted);
        for name in foreign {
            assert_eq!(fs::read_to_string(run.root().join(name)).unwrap(), name);
        }
    }

    #[test]
    fn links_and_pipes_are_not_followed() {
        let (place, run) = with_files(&["events.jsonl", "checkpoints/step-000001/config.json"]);
        let outside = place.path().join("outside");
        fs::create_dir(&outside).unwrap();
        for name in ["model.safetensors", "step-000001.jsonl"] {
            fs::write(outside.join(name), "precious").unwrap();
        }
        symlink(&outside, run.root().join("predictions")).unwrap();
        symlink(&outside, run.root().join("checkpoints/step-000002")).unwrap();
        symlink(outside.join("model.safetensors"), run.root().join("checkpoints/step-000001/requested")).unwrap();
        symlink(outside.join("model.safetensors"), run.root().join("report.md")).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(run.root().join("events.columns")).status().unwrap();
        assert!(pipe.success());
        assert_eq!(remove(&run).unwrap().foreign, Some(run.root().join("report.md")));
        assert_eq!(left(run.root()), [run.root().join("report.md")]);
        assert_eq!(left(&outside).len(), 2);
        let link = place.path().join("link");
        symlink(&outside, &link).unwrap();
        assert!(remove(&RunDir::new(link)).is_err());
    }
}
