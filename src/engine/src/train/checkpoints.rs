//! The checkpoints of a run: whole folders by step, names that point to them, and which of them are kept.
//!
//! ```text
//! checkpoints/step-000120/   a model folder, and what training needs to go on (trainer.safetensors)
//! checkpoints/best           points to the checkpoint of the best evaluation
//! checkpoints/last           points to the newest
//! ```

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use pellucid_files::regular::{self, Access};
use pellucid_files::temporary::{made_beside, original};
use pellucid_files::whole::sync_folder;
use pellucid_intake::model_folder::place::remove_saved;
use pellucid_record::RunDir;

use crate::error::{Error, Result};
use crate::model::weights::provenance::Provenance;
use crate::model::weights::save::{SaveRequest, check_saved, save};

pub use pellucid_record::run_dir::CHECKPOINT_STATE as STATE;

/// Names that point to a checkpoint.
const NAMES: [&str; 2] = ["best", "last"];
/// The ending of a checkpoint that is set aside: training does not resume from it, but it is kept until training has come
/// that far again.
const ASIDE: &str = "aside";
/// The step of a model folder that is written before the first step, to see whether it can be, and removed at once.
const TRIAL: u64 = 0;
/// An empty file that marks a checkpoint which the user asked for: it is never removed.
const REQUESTED: &str = "requested";

/// What a checkpoint has beside the model, which a name with an earlier ending may have as well.
const BESIDE_THE_MODEL: &[&str] = &[STATE, REQUESTED];

/// The checkpoints of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    folder: PathBuf,
}

impl Checkpoints {
    /// The checkpoints of `run`.
    #[must_use]
    pub fn of(run: &RunDir) -> Self {
        Self { folder: run.root().join(RunDir::checkpoint_name("")) }
    }

    fn name(step: u64) -> String {
        format!("step-{step:06}")
    }

    /// The model folder of `step`, which need not exist.
    #[must_use]
    pub fn path(&self, step: u64) -> PathBuf {
        self.folder.join(Self::name(step))
    }

    /// Whether there is a model folder of `step`.
    #[must_use]
    pub fn has(&self, step: u64) -> bool {
        fs::symlink_metadata(self.path(step)).is_ok_and(|meta| meta.is_dir())
    }

    /// Writes the model folder of `step`, and opens it again. What is there already is set aside.
    ///
    /// # Errors
    /// What the file system says; and when what can be read is not what was written.
    pub fn write(&self, step: u64, request: SaveRequest<'_>) -> Result<()> {
        let folder = self.path(step);
        if fs::symlink_metadata(&folder).is_ok() {
            self.set_aside(step)?;
        }
        save(&folder, request)?;
        check_saved(&folder, request)
    }

    /// Whether there is a checkpoint of any step.
    #[must_use]
    pub fn are_any(&self) -> bool {
        self.steps().iter().any(|(step, _)| *step != TRIAL)
    }

    /// Writes a model folder, opens it again and removes it.
    ///
    /// # Errors
    /// As [`Checkpoints::write`].
    pub fn try_writing(&self, request: SaveRequest<'_>) -> Result<()> {
        NAMES.iter().try_for_each(|name| check_link(&self.folder.join(name)))?;
        let folder = self.path(TRIAL);
        save(&folder, request)?;
        let tried = check_saved(&folder, request);
        let _ = remove_saved(&folder, &[]);
        tried
    }

    /// Makes `name` point to the checkpoint of `step`. At no moment does it point to nothing.
    ///
    /// # Errors
    /// What the file system says.
    pub fn link(&self, name: &str, step: u64) -> Result<String> {
        let link = self.folder.join(name);
        check_link(&link)?;
        let linked = made_beside(&link, |fresh| symlink(Self::name(step), fresh))
            .and_then(|(fresh, ())| fs::rename(&fresh, &link))
            .and_then(|()| sync_folder(&link));
        linked.map_err(|error| Error::file(&link, error))?;
        Ok(name.to_owned())
    }

    /// Sets the checkpoint of `step` aside: training does not resume from it, and no name points to it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn set_aside(&self, step: u64) -> Result<()> {
        let folder = self.folder.join(Self::name(step));
        let aside = folder.with_extension(ASIDE);
        for link in NAMES.map(|name| self.folder.join(name)) {
            if fs::read_link(&link).is_ok_and(|target| target == Path::new(&Self::name(step))) {
                fs::remove_file(&link).map_err(|error| Error::file(&link, error))?;
            }
        }
        // A link is not followed by this, and only a folder is emptied.
        if fs::symlink_metadata(&aside).is_ok_and(|meta| meta.is_dir()) {
            let _ = remove_saved(&aside, BESIDE_THE_MODEL);
        }
        let aside = free(aside);
        fs::rename(&folder, &aside).and_then(|()| sync_folder(&aside)).map_err(|error| Error::file(&folder, error))
    }

    /// Makes `name` point to the checkpoint of `step` if there is one and the name points elsewhere.
    ///
    /// # Errors
    /// What the file system says.
    pub fn name_again(&self, name: &str, step: u64) -> Result<()> {
        let wanted = Self::name(step);
        let points = fs::read_link(self.folder.join(name)).is_ok_and(|target| target == Path::new(&wanted));
        if points || !self.folder.join(wanted).is_dir() {
            return Ok(());
        }
        self.link(name, step).map(drop)
    }

    /// Keeps the checkpoint of `step` for good.
    ///
    /// # Errors
    /// What the file system says.
    pub fn mark_requested(&self, step: u64) -> Result<String> {
        let name = Self::name(step);
        let mark = self.path(step).join(REQUESTED);
        let made = regular::open_in(&self.folder, &Path::new(&name).join(REQUESTED), Access::WriteOrCreate);
        made.and_then(|_| sync_folder(&mark)).map_err(|error| Error::file(&mark, error))?;
        Ok(name)
    }

    /// The checkpoints that training can resume from, newest first.
    #[must_use]
    pub fn resumable(&self) -> Vec<(u64, PathBuf)> {
        let mut found: Vec<_> = self.steps().into_iter().filter(|(_, path)| path.join(STATE).is_file()).collect();
        found.reverse();
        found
    }

    /// Sets aside all checkpoints beyond `step`, from where training goes on: it may come to other weights there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn set_aside_beyond(&self, step: u64) -> Result<()> {
        let beyond = self.steps().into_iter().filter(|(later, _)| *later > step);
        beyond.map(|(later, _)| later).try_for_each(|later| self.set_aside(later))
    }

    /// Removes the checkpoints that are not among the `keep` newest resumable ones, that no name points to, that the user
    /// did not ask for and that are not of step `needed`; also unfinished ones that a kill left behind. What cannot be
    /// removed stays.
    pub fn prune(&self, keep: usize, needed: Option<u64>, run: &str) {
        let newest: Vec<u64> = self.resumable().into_iter().take(keep).map(|(step, _)| step).collect();
        self.prune_unfinished(newest.first().copied(), run);
        let named: Vec<PathBuf> = NAMES.iter().filter_map(|name| fs::read_link(self.folder.join(name)).ok()).collect();
        for (step, path) in self.steps() {
            let is_named = named.iter().any(|target| *target == Path::new(&Self::name(step)));
            let is_kept = newest.contains(&step) || is_named || needed == Some(step) || path.join(REQUESTED).exists();
            if !is_kept && is_of(&path, run) {
                let _ = remove_saved(&path, BESIDE_THE_MODEL);
            }
        }
    }

    /// Removes unfinished checkpoints, and those set aside once training has come that far again.
    fn prune_unfinished(&self, newest: Option<u64>, run: &str) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_over = match path.extension().and_then(OsStr::to_str) {
                Some("partial" | "old") => step_of(&path.with_extension("")).is_some(),
                Some(ASIDE) => step_of(&path.with_extension("")) <= newest && !path.join(REQUESTED).exists(),
                _ => false,
            };
            if path.is_symlink() && is_left_of_a_name(&path) {
                let _ = fs::remove_file(&path);
            }
            if is_over && path.is_dir() && !path.is_symlink() && is_of(&path, run) {
                let _ = remove_saved(&path, BESIDE_THE_MODEL);
            }
        }
    }

    /// All checkpoints, by rising step.
    fn steps(&self) -> Vec<(u64, PathBuf)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        // A link is no checkpoint: it may lead anywhere.
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut found: Vec<(u64, PathBuf)> =
            folders.filter_map(|entry| Some((step_of(&entry.path())?, entry.path()))).collect();
        found.sort();
        found
    }
}

/// Whether the model folder says that it is of `run`, or that run is of an earlier version, whose folders do not say it.
fn is_of(folder: &Path, run: &str) -> bool {
    let said = || Provenance::of(folder).ok().flatten()?.checkpoint;
    run.is_empty() || said().is_some_and(|of| of.run == run)
}

/// `path`, or if something is there the first free one of `path-2`, `path-3`, ...
fn free(path: PathBuf) -> PathBuf {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("-{number}"));
        PathBuf::from(name)
    };
    let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
    std::iter::once(path.clone()).chain((2..).map(numbered)).find(is_free).unwrap_or(path)
}

/// Whether a kill has left this of a name that was to point to a checkpoint.
fn is_left_of_a_name(path: &Path) -> bool {
    let name = path.file_name().and_then(original);
    name.is_some_and(|name| NAMES.iter().any(|known| *known == name))
}

/// Refuses to replace what is no link.
fn check_link(link: &Path) -> Result<()> {
    match fs::symlink_metadata(link) {
        Ok(meta) if !meta.is_symlink() => Err(Error::file(link, "is no link to a checkpoint; move it away")),
        _ => Ok(()),
    }
}

pub(super) fn step_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok()
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
        symlink("step-000008", kept.folder.join(".best.pellucid-0123456789abcdef")).unwrap();
        for half in ["step-000007.partial", "step-000001.old"] {
            fs::create_dir(kept.folder.join(half)).unwrap();
        }
        kept.prune(2, None, "");
        assert_eq!(fs::read_dir(&kept.folder).unwrap().count(), 4 + 2, "four checkpoints, a name and a link");
        let steps: Vec<u64> = kept.steps().into_iter().map(|(step, _)| step).collect();
        assert_eq!(steps, [2, 3, 5, 6]);
        assert_eq!(kept.resumable().first().unwrap().0, 6);
        assert_eq!(fs::read_link(folder.path().join("checkpoints/best")).unwrap(), Path::new("step-000002"));
    }

    #[test]
    fn whatever_is_in_the_place_of_a_checkpoint_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Checkpoints::of(&RunDir::new(folder.path()));
        fs::create_dir(&kept.folder).unwrap();
        for number in 0..3 {
            fs::write(kept.path(4), format!("precious {number}")).unwrap();
            kept.set_aside(4).unwrap();
        }
        symlink("/etc", kept.path(4)).unwrap();
        kept.set_aside(4).unwrap();
        let at = |ending: &str| kept.folder.join(format!("step-000004.aside{ending}"));
        for (number, ending) in ["", "-2", "-3"].iter().enumerate() {
            assert_eq!(fs::read_to_string(at(ending)).unwrap(), format!("precious {number}"));
        }
        assert!(at("-4").is_symlink() && !kept.path(4).is_symlink());
    }

    #[test]
    fn what_was_put_aside_is_kept_until_training_has_come_that_far_again() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Checkpoints::of(&RunDir::new(folder.path()));
        (3..=5).for_each(|step| drop(made(folder.path(), step)));
        kept.mark_requested(4).unwrap();
        ["best", "last"].iter().for_each(|name| drop(kept.link(name, 5).unwrap()));
        (4..=5).for_each(|step| kept.set_aside(step).unwrap());
        kept.name_again("best", 2).unwrap();
        kept.name_again("last", 3).unwrap();
        assert_eq!(kept.resumable().iter().map(|(step, _)| *step).collect::<Vec<_>>(), [3]);
        assert_eq!(fs::read_link(kept.folder.join("last")).unwrap(), Path::new("step-000003"));
        assert!(!kept.folder.join("best").is_symlink(), "a link to nothing would be one that may lead anywhere");
        let aside = |step: u64| kept.folder.join(Checkpoints::name(step)).with_extension(ASIDE).is_dir();
        kept.prune(3, None, "");
        assert!(aside(4) && aside(5));
        made(folder.path(), 5);
        kept.prune(3, None, "");
        assert!(aside(4) && !aside(5), "what was asked for stays");
    }
}
