//! The lock of a run: held by its one worker for as long as that runs.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use pellucid_files::bounded;
use pellucid_files::regular::{self, Access};
use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::owner::{Owner, ProcessState};
use crate::run_dir::RunDir;

/// Bytes of a lock file at most.
const OWNER: u64 = 4096;
/// Between two attempts to take a lock.
const PAUSE: Duration = Duration::from_millis(20);

/// Why the lock of a run cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process on this machine holds it.
    #[error("the run is being trained by another worker; see it with `pellucid attach`")]
    Busy,
    /// A worker on another machine holds it, or held it when that machine went down.
    #[error(
        "the run belongs to the worker {pid} on {host}; stop it there, or if that machine is no more, remove {lock}"
    )]
    Remote {
        /// The worker's process id.
        pid: u32,
        /// The worker's machine.
        host: String,
        /// The lock file.
        lock: String,
    },
    /// There is a file of that name which is no lock of a run.
    #[error("{0} is no lock of a run; move it away, or name another folder")]
    Foreign(String),
    /// What the file system says.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The lock of a run, held until it is dropped, so that no two workers write to one run. The lock file names the owner,
/// because some shared file systems do not show a lock to other machines.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of `run` for this process. If another process holds it, waits up to `timeout` for its release.
    ///
    /// # Errors
    /// When another process holds it, or what the file system says.
    pub fn take(run: &RunDir, timeout: Duration) -> Result<Self, LockError> {
        let path = run.lock();
        let start = Instant::now();
        let mut file = loop {
            let file = regular::open(&path, Access::WriteOrCreate)?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                // Whoever held it may have removed the file: then this is a lock that nobody else sees.
                Ok(()) if is_at(&file, &path)? => break file,
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) if start.elapsed() < timeout => std::thread::sleep(PAUSE),
                Err(Errno::WOULDBLOCK) => return Err(LockError::Busy),
                Err(error) => return Err(LockError::Io(error.into())),
            }
        };
        refuse_others(&mut file, &path)?;
        // A full disk has no room for the owner's name; the lock is held all the same.
        let _ = write_owner(&mut file);
        Ok(Self { file })
    }

    /// Who took the lock of `run` last and did not release it: a process that holds it, or was killed; `None` if it was
    /// released or never taken.
    #[must_use]
    pub fn last_owner(run: &RunDir) -> Option<Owner> {
        serde_json::from_slice(&bounded::read_in(run.root(), "worker.lock", OWNER).ok()?).ok()
    }

    /// Whether the lock file of `run` is still this one: it may have been removed, with the folder.
    #[must_use]
    pub fn is_in_place(&self, run: &RunDir) -> bool {
        is_at(&self.file, &run.lock()).unwrap_or(false)
    }

    /// Removes the lock file, and releases the lock.
    ///
    /// # Errors
    /// What the file system says.
    pub fn remove(self, run: &RunDir) -> io::Result<()> {
        fs::remove_file(run.lock())
    }

    /// Whether a process on this machine holds the lock of `run`. This tests the lock and does not read the file: in a
    /// copy of a run folder the file names the worker of the original.
    #[must_use]
    pub fn is_held(run: &RunDir) -> bool {
        let Ok(file) = regular::open(&run.lock(), Access::Read) else { return false };
        // A shared lock, so that several processes can test at once; closing the file releases it.
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
    }
}

/// Empties the file: an empty file means that the lock was released.
impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file releases the lock. Should the name stay, it is of this machine and blocks nobody here.
        let _ = self.file.set_len(0);
    }
}

/// Whether `file` is what the name `path` leads to now.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let mine = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (mine.dev(), mine.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn write_owner(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&serde_json::to_vec(&Owner::of_this_process())?)
}

/// Fails if the lock file names an owner on another machine, or is somebody else's.
fn refuse_others(file: &mut File, path: &Path) -> Result<(), LockError> {
    let mut text = Vec::new();
    Read::by_ref(file).take(OWNER).read_to_end(&mut text)?;
    match serde_json::from_slice::<Owner>(&text) {
        // Written under another name as well, or by somebody else: it must not be emptied.
        _ if file.metadata()?.nlink() > 1 => Err(LockError::Foreign(path.display().to_string())),
        Ok(owner) if owner.state() == ProcessState::Remote => {
            let lock = path.display().to_string();
            Err(LockError::Remote { pid: owner.pid, host: owner.host, lock })
        }
        Err(_) if !text.is_empty() => Err(LockError::Foreign(path.display().to_string())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::host_name;

    #[test]
    fn a_run_has_one_owner() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let first = Lock::take(&run, Duration::ZERO).unwrap();
        let named: Owner = serde_json::from_slice(&fs::read(run.lock()).unwrap()).unwrap();
        assert_eq!(named, Owner::of_this_process());
        assert!(matches!(Lock::take(&run, Duration::ZERO), Err(LockError::Busy)));
        let copy = RunDir::new(folder.path().join("copy"));
        fs::create_dir(copy.root()).unwrap();
        fs::copy(run.lock(), copy.lock()).unwrap();
        assert!(Lock::is_held(&run) && !Lock::is_held(&copy));
        drop(first);
        assert!(!Lock::is_held(&run));
        assert_eq!(fs::read(run.lock()).unwrap(), b"");
        Lock::take(&run, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_lock_that_is_about_to_be_released_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let first = Lock::take(&run, Duration::ZERO).unwrap();
        let (held, taken) = (std::sync::Barrier::new(2), RunDir::new(folder.path()));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                held.wait();
                Lock::take(&taken, Duration::from_secs(60)).map(drop)
            });
            held.wait();
            drop(first);
            waiting.join().unwrap().unwrap();
        });
    }

    #[test]
    fn a_lock_whose_file_was_removed_is_not_taken_by_two() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let first = Lock::take(&run, Duration::ZERO).unwrap();
        let owners = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let lock = Lock::take(&run, Duration::from_secs(60)).unwrap();
                    assert_eq!(owners.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0, "one at a time");
                    std::thread::sleep(PAUSE * 2);
                    owners.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    lock.remove(&run).unwrap();
                });
            }
            std::thread::sleep(PAUSE * 2);
            first.remove(&run).unwrap();
        });
        assert!(!run.lock().exists());
    }

    #[test]
    fn a_file_of_somebody_else_is_no_lock_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        fs::write(run.lock(), "hello").unwrap();
        assert!(Lock::take(&run, Duration::ZERO).unwrap_err().to_string().contains("is no lock of a run"));
        assert_eq!(fs::read(run.lock()).unwrap(), b"hello");
        fs::remove_file(run.lock()).unwrap();
        fs::write(folder.path().join("precious"), "").unwrap();
        fs::hard_link(folder.path().join("precious"), run.lock()).unwrap();
        assert!(matches!(Lock::take(&run, Duration::ZERO), Err(LockError::Foreign(_))), "it has another name as well");
    }

    #[test]
    fn a_run_of_another_machine_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let owner = Owner { host: "another".into(), pid: 7, ..Owner::of_this_process() };
        fs::write(run.lock(), serde_json::to_vec(&owner).unwrap()).unwrap();
        let refused = Lock::take(&run, Duration::ZERO).unwrap_err().to_string();
        assert!(refused.contains("worker 7 on another") && refused.contains("worker.lock"), "{refused}");
        fs::write(run.lock(), serde_json::to_vec(&Owner { host: host_name(), ..owner }).unwrap()).unwrap();
        Lock::take(&run, Duration::ZERO).unwrap();
    }
}
