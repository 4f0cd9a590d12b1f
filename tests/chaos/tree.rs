//! What lies in a folder, byte for byte and link for link, and what of it has changed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Everything in a folder by its path from there. No link is followed, and nothing but regular files is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<PathBuf, Entry>);

/// What can be at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    File {
        mode: u32,
        bytes: Vec<u8>,
    },
    Folder {
        mode: u32,
    },
    Link(PathBuf),
    /// A pipe, a socket or a device.
    Special(u32),
}

/// How an entry of a tree is not as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Made,
    Gone,
    Changed,
}

/// An entry that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: PathBuf,
    pub(crate) how: How,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = match self.how {
            How::Made => "was made",
            How::Gone => "is gone",
            How::Changed => "was changed",
        };
        write!(f, "{} {how}", self.path.display())
    }
}

impl Tree {
    pub(crate) fn of(root: &Path) -> Self {
        let mut tree = Self(BTreeMap::new());
        tree.add(root, Path::new(""));
        tree
    }

    fn add(&mut self, root: &Path, at: &Path) {
        let path = root.join(at);
        let Ok(meta) = fs::symlink_metadata(&path) else { return };
        let (mode, kind) = (meta.mode() & 0o7777, meta.file_type());
        let entry = if kind.is_symlink() {
            Entry::Link(fs::read_link(&path).unwrap())
        } else if kind.is_dir() {
            Entry::Folder { mode }
        } else if kind.is_file() {
            // One without permission cannot be changed unseen: its mode would be another.
            Entry::File { mode, bytes: fs::read(&path).unwrap_or_default() }
        } else {
            Entry::Special(meta.mode())
        };
        self.0.insert(at.to_owned(), entry);
        if kind.is_dir() {
            for name in fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.file_name()) {
                self.add(root, &at.join(name));
            }
        }
    }

    /// The paths of all entries but the folder itself.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path).filter(|path| *path != Path::new(""))
    }

    /// What is at `path`, if anything is.
    pub(crate) fn entry(&self, path: &Path) -> Option<&Entry> {
        self.0.get(path)
    }

    pub(crate) fn has(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    pub(crate) fn is_file(&self, path: &Path) -> bool {
        matches!(self.0.get(path), Some(Entry::File { .. }))
    }

    /// What is not in `after` as it is here.
    pub(crate) fn changes(&self, after: &Self) -> Vec<Change> {
        let changed = self.0.iter().filter_map(|(path, entry)| match after.0.get(path) {
            None => Some(Change { path: path.clone(), how: How::Gone }),
            Some(now) if now != entry => Some(Change { path: path.clone(), how: How::Changed }),
            Some(_) => None,
        });
        let made = after.0.keys().filter(|path| !self.0.contains_key(*path));
        changed.chain(made.map(|path| Change { path: path.clone(), how: How::Made })).collect()
    }
}

/// Copies a folder with all that is in it; links stay links, and modes what they are.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (source, target, kind) = (entry.path(), to.join(entry.file_name()), entry.file_type().unwrap());
        if kind.is_dir() {
            copy_tree(&source, &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source).unwrap(), &target).unwrap();
        } else if kind.is_file() {
            fs::copy(&source, &target).unwrap();
        }
    }
    let mode = fs::metadata(from).unwrap().permissions().mode();
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).unwrap();
}

/// Makes a pipe that has a name and no writer: whoever opens it waits for ever.
pub(crate) fn make_pipe(path: &Path) {
    let done = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(done.success(), "mkfifo {}", path.display());
}

/// Removes whatever is at `path`, closed folders included; a link itself and not what it leads to.
pub(crate) fn clear(path: &Path) {
    let Ok(meta) = fs::symlink_metadata(path) else { return };
    if !meta.is_dir() {
        return fs::remove_file(path).unwrap();
    }
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
        clear(&entry.path());
    }
    fs::remove_dir(path).unwrap();
}
