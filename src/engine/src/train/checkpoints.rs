//! The checkpoints of a run: whole folders by step, names that point to them, and which of them are kept.
//!
//! ```text
//! checkpoints/step-000120/   a model folder, and what training needs to go on (trainer.safetensors)
//! checkpoints/best           points to the one of the best evaluation
//! checkpoints/last           points to the newest
//! ```

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use pellucid_protocol::RunDir;
use pellucid_protocol::run_dir::sync_folder;

use crate::error::{Error, Result};
use crate::model::folder::{SaveRequest, save};

pub use pellucid_protocol::run_dir::CHECKPOINT_STATE as STATE;

/// Empty file of a checkpoint that was asked for, and so is never removed.
const REQUESTED: &str = "requested";

/// The checkpoints of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    folder: PathBuf,
}

impl Checkpoints {
    /// Those of `run`.
    #[must_use]
    pub fn of(run: &RunDir) -> Self {
        Self { folder: run.root().join(RunDir::checkpoint_name("")) }
    }

    fn name(step: u64) -> String {
        format!("step-{step:06}")
    }

    /// Writes the model folder of `step` unless it is there, and says where.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, step: u64, request: SaveRequest<'_>) -> Result<PathBuf> {
        let folder = self.folder.join(Self::name(step));
        if !folder.exists() {
            save(&folder, request)?;
        }
        Ok(folder)
    }

    /// Makes `name` point to the checkpoint of `step`; it never points to nothing between.
    ///
    /// # Errors
    /// What the file system says.
    pub fn link(&self, name: &str, step: u64) -> Result<String> {
        let link = self.folder.join(name);
        let fresh = self.folder.join(format!("{name}.partial"));
        let _ = fs::remove_file(&fresh);
        let linked = symlink(Self::name(step), &fresh)
            .and_then(|()| fs::rename(&fresh, &link))
            .and_then(|()| sync_folder(&link));
        linked.map_err(|error| Error::file(&link, error))?;
        Ok(name.to_owned())
    }

    /// Keeps the checkpoint of `step` for good.
    ///
    /// # Errors
    /// What the file system says.
    pub fn mark_requested(&self, step: u64) -> Result<String> {
        let name = Self::name(step);
        let mark = self.folder.join(&name).join(REQUESTED);
        fs::write(&mark, "").and_then(|()| sync_folder(&mark)).map_err(|error| Error::file(&mark, error))?;
        Ok(name)
    }

    /// The steps that training can go on from, newest first.
    #[must_use]
    pub fn resumable(&self) -> Vec<(u64, PathBuf)> {
        let mut found: Vec<_> = self.steps().into_iter().filter(|(_, path)| path.join(STATE).is_file()).collect();
        found.reverse();
        found
    }

    /// Removes what is neither among the `keep` newest that training can go on from, nor pointed to, nor asked for, and
    /// halves of checkpoints that a kill left behind. What cannot be removed stays.
    pub fn prune(&self, keep: usize) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let is_half = entry.path().extension().is_some_and(|ending| ending == "partial" || ending == "old");
            if is_half && entry.path().is_dir() {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let newest: Vec<u64> = self.resumable().into_iter().take(keep).map(|(step, _)| step).collect();
        let named: Vec<PathBuf> =
            ["best", "last"].iter().filter_map(|name| fs::read_link(self.folder.join(name)).ok()).collect();
        for (step, path) in self.steps() {
            let is_named = named.iter().any(|target| *target == Path::new(&Self::name(step)));
            if !newest.contains(&step) && !is_named && !path.join(REQUESTED).exists() {
                let _ = remove_whole(&path);
            }
        }
    }

    /// All checkpoints, rising.
    fn steps(&self) -> Vec<(u64, PathBuf)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let number = |path: &Path| path.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok();
        // A link is no checkpoint: it may lead anywhere.
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut found: Vec<(u64, PathBuf)> =
            folders.filter_map(|entry| Some((number(&entry.path())?, entry.path()))).collect();
        found.sort();
        found
    }
}

/// Removes a checkpoint so that a kill between leaves none that looks whole.
fn remove_whole(path: &Path) -> io::Result<()> {
    let mut doomed = path.as_os_str().to_owned();
    doomed.push(".old");
    let doomed = Path::new(&doomed);
    let _ = fs::remove_dir_all(doomed);
    fs::rename(path, doomed)?;
    fs::remove_dir_all(doomed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(folder: &Path, step: u64) -> PathBuf {
        let path = folder.join("checkpoints").join(Checkpoints::name(step));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(STATE), "").unwrap();
        path
    }

    #[test]
    fn the_newest_the_named_and_the_requested_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Checkpoints::of(&RunDir::new(folder.path()));
        (1..=6).for_each(|step| drop(made(folder.path(), step)));
        fs::remove_file(made(folder.path(), 4).join(STATE)).unwrap();
        kept.link("best", 1).unwrap();
        kept.link("best", 2).unwrap();
        kept.mark_requested(3).unwrap();
        symlink("/", kept.folder.join("step-000009")).unwrap();
        for half in ["step-000007.partial", "step-000001.old"] {
            fs::create_dir(kept.folder.join(half)).unwrap();
        }
        kept.prune(2);
        assert_eq!(fs::read_dir(&kept.folder).unwrap().count(), 4 + 2, "four checkpoints, a name and a link");
        let steps: Vec<u64> = kept.steps().into_iter().map(|(step, _)| step).collect();
        assert_eq!(steps, [2, 3, 5, 6]);
        assert_eq!(kept.resumable().first().unwrap().0, 6);
        assert_eq!(fs::read_link(folder.path().join("checkpoints/best")).unwrap(), Path::new("step-000002"));
    }
}
