//! Claims the folder of a run: it is locked, and known to be free, before anything is written into it.

use std::fs;
use std::io;
use std::path::Path;

use pellucid_record::lock::{Lock, LockError};
use pellucid_record::owner::ProcessState;
use pellucid_record::run_dir::{FILES, FOLDERS};
use pellucid_record::{RunDir, RunSummary};

use super::run_folder::{own, private_run_folder};
use crate::error::{Error, Result};
use crate::train::checkpoints::Checkpoints;

/// The log of a run, without which there is none.
const LOG: &str = "events.jsonl";
/// The lock, which may be there without a run.
const LOCK: &str = "worker.lock";
/// What a start that was killed before its log began may have left.
const LEFT_BY_A_START: [&str; 6] =
    ["run.toml", "samples.jsonl", "split.json", "skipped.jsonl", "worker.json", "worker.sock"];

/// A folder that this process alone may write a run into.
#[derive(Debug)]
pub struct Claim {
    run: RunDir,
    lock: Option<Lock>,
    /// What to do with the folder if the run does not begin.
    otherwise: Otherwise,
}

/// What happens to a claimed folder if the run does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Otherwise {
    /// It is left alone: it holds a run.
    Leave,
    /// What was written is removed.
    Empty,
    /// It is removed as well: it was made for the run.
    Remove,
}

impl Claim {
    /// Claims `folder` for a new run, and makes it if it is not there.
    ///
    /// # Errors
    /// When another process has it, when it holds a run or a file that a run would write, and what the file system says.
    pub fn of_new(folder: &Path) -> Result<Self> {
        let run = RunDir::new(folder);
        // Looked at before it is locked as well, so that nothing is ever written into the folder of another run.
        let is_there = fs::symlink_metadata(folder).is_ok();
        let left = if Lock::last_owner(&run).is_some() { &LEFT_BY_A_START[..] } else { &[] };
        check_free(&run, left)?;
        private_run_folder(folder)?;
        let otherwise = if is_there { Otherwise::Empty } else { Otherwise::Remove };
        let mut claim = Self { lock: Some(own(&run)?), run, otherwise: Otherwise::Leave };
        if let Err(error) = check_free(&claim.run, left) {
            claim.forget_lock();
            return Err(error);
        }
        claim.otherwise = otherwise;
        Ok(claim)
    }

    /// Claims the folder of `run`, which has begun before.
    ///
    /// # Errors
    /// When another process has it, and what the file system says.
    pub fn of_existing(run: &RunDir) -> Result<Self> {
        // While it goes on, its worker is not about to leave: whoever waited would follow the end of another's training.
        let goes_on = || RunSummary::read(run).is_ok_and(|summary| !summary.is_over());
        let worker = run.worker_info().filter(|worker| worker.state(run) == ProcessState::Running);
        if worker.is_some_and(|worker| Lock::last_owner(run).is_some_and(|owner| owner.pid == worker.owner.pid))
            && goes_on()
        {
            return Err(Error::file(run.root(), LockError::Busy));
        }
        Ok(Self { lock: Some(own(run)?), run: run.clone(), otherwise: Otherwise::Leave })
    }

    /// The run that the folder is claimed for.
    #[must_use]
    pub fn run(&self) -> &RunDir {
        &self.run
    }

    /// The lock: the run has begun, and what is written stays.
    #[must_use]
    pub fn begun(mut self) -> Option<Lock> {
        self.otherwise = Otherwise::Leave;
        self.lock.take()
    }

    /// Removes the lock file if it was made by this claim, unless a run has come there.
    fn forget_lock(&mut self) {
        if let Some(lock) = self.lock.take().filter(|_| !self.run.events().exists()) {
            let _ = lock.remove(&self.run);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.otherwise == Otherwise::Leave {
            return;
        }
        // Only what a start writes, while the lock is held. What cannot be removed stays.
        LEFT_BY_A_START.iter().for_each(|name| drop(fs::remove_file(self.run.root().join(name))));
        let _ = fs::remove_dir(self.run.root().join("checkpoints"));
        self.forget_lock();
        if self.otherwise == Otherwise::Remove {
            let _ = fs::remove_dir(self.run.root());
        }
    }
}

/// What a run writes into its folder beside the lock. A new run is never begun where one of these is.
fn written() -> impl Iterator<Item = &'static str> {
    FILES.into_iter().chain(FOLDERS).filter(|name| *name != LOCK)
}

/// Refuses a folder that holds something a run would write, other than what `left` names.
pub(super) fn check_free(run: &RunDir, left: &[&str]) -> Result<()> {
    let refused = |message: String| Err(Error::Setting { key: "--run-dir", message });
    let root = run.root().display();
    for name in written() {
        match fs::symlink_metadata(run.root().join(name)) {
            Ok(_) if name == LOG => {
                return refused(format!("{root} already holds a run; name another folder, or resume that run"));
            }
            Ok(_) if left.contains(&name) => {}
            Ok(_) if !left.is_empty() && name == "checkpoints" && !Checkpoints::of(run).are_any() => {}
            Ok(_) => return refused(format!("{root} has {name}, which a run would write; name another folder")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return refused(format!("{root} is not a folder"));
            }
            Err(error) => return Err(Error::file(&run.root().join(name), error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        entries.collect()
    }

    #[test]
    fn a_run_that_does_not_begin_leaves_the_folder_as_it_was() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/run");
        let claim = Claim::of_new(&folder).unwrap();
        for name in LEFT_BY_A_START {
            fs::write(folder.join(name), "").unwrap();
        }
        drop(claim);
        assert!(!folder.exists() && folder.parent().unwrap().exists());

        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("notes.txt"), "mine").unwrap();
        drop(Claim::of_new(&folder).unwrap());
        assert_eq!(entries(&folder), ["notes.txt"]);
        let lock = Claim::of_new(&folder).unwrap().begun();
        assert!(folder.join("worker.lock").exists() && lock.is_some());
    }

    #[test]
    fn a_folder_with_a_file_that_a_run_would_write_is_refused_and_stays_as_it_is() {
        let place = tempfile::tempdir().unwrap();
        for name in written() {
            let folder = place.path().join(format!("with-{name}"));
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(name), "precious").unwrap();
            let message = Claim::of_new(&folder).unwrap_err().to_string();
            assert!(message.starts_with("--run-dir: "), "{message}");
            assert_eq!(
                (entries(&folder), fs::read(folder.join(name)).unwrap()),
                (vec![name.into()], b"precious".into())
            );
        }
        fs::write(place.path().join("file"), "").unwrap();
        assert!(Claim::of_new(&place.path().join("file")).unwrap_err().to_string().contains("not a folder"));
    }

    #[test]
    fn what_a_killed_start_has_left_is_replaced_and_one_that_goes_on_is_not_disturbed() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("run");
        let claim = Claim::of_new(&folder).unwrap();
        fs::write(folder.join("run.toml"), "half").unwrap();
        let busy = Claim::of_new(&folder).unwrap_err().to_string();
        assert!(busy.contains("another worker") && folder.join("run.toml").exists(), "{busy}");
        // As if it was killed: its name stays in the lock file.
        let owner = fs::read(folder.join("worker.lock")).unwrap();
        drop(claim);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("worker.lock"), owner).unwrap();
        fs::write(folder.join("run.toml"), "half").unwrap();
        assert!(Claim::of_new(&folder).unwrap().begun().is_some());
    }
}
