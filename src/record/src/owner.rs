//! Who owns a run: the one worker that holds its lock, on which machine, and whether it still lives.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use crate::run_dir::RunDir;

/// Between two attempts to take a lock.
const PAUSE: Duration = Duration::from_millis(20);

/// A process, so that it is never taken for another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// Host name of its machine.
    pub host: String,
    /// Since which start of the machine, as the kernel names it; empty where it does not.
    #[serde(default)]
    pub boot: String,
    /// When it began, in the kernel's ticks since the machine started; 0 where that is not known.
    #[serde(default)]
    pub born: u64,
}

/// Variable by which the process that watches over a worker tells it so: its process id.
pub const KEEPER: &str = "PELLUCID_KEEPER";

/// The process that watches over this one and writes down how it died, if there is one.
#[must_use]
pub fn keeper() -> Option<u32> {
    let parent = rustix::process::getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    let named = std::env::var(KEEPER).ok()?.parse().ok();
    parent.filter(|_| parent == named)
}

/// Where an owner is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// It runs on this machine.
    Here,
    /// It is on another machine: from here there is no telling.
    Elsewhere,
    /// It ran on this machine and does not any more.
    Gone,
    /// It ran on this machine, which was started anew since.
    Restarted,
}

impl Owner {
    /// This process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let pid = std::process::id();
        Self { pid, host: host_name(), boot: boot_id(), born: born(pid) }
    }

    /// Where it is.
    #[must_use]
    pub fn whereabouts(&self) -> Whereabouts {
        if self.host != host_name() {
            Whereabouts::Elsewhere
        } else if !self.boot.is_empty() && self.boot != boot_id() {
            Whereabouts::Restarted
        } else if is_alive(self.pid) && (self.born == 0 || self.born == born(self.pid)) {
            Whereabouts::Here
        } else {
            Whereabouts::Gone
        }
    }
}

/// Why a run cannot be owned.
#[derive(Debug, thiserror::Error)]
pub enum NotOwned {
    /// Another process on this machine has it.
    #[error("the run is being trained by another worker; see it with `pellucid attach`")]
    Busy,
    /// A worker on another machine has it, or had it and died.
    #[error(
        "the run belongs to the worker {pid} on {host}; stop it there, or if that machine is no more, remove {lock}"
    )]
    Elsewhere {
        /// Its process id.
        pid: u32,
        /// Its machine.
        host: String,
        /// The lock file.
        lock: String,
    },
    /// What the file system says.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The lock of a run, for as long as it is held: no two workers ever write to one run. The file names the owner, since
/// not every shared file system tells another machine about a lock.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes `run` for this process; waits up to `patience` for one that is about to let go.
    ///
    /// # Errors
    /// When another process has it, or what the file system says.
    pub fn take(run: &RunDir, patience: Duration) -> Result<Self, NotOwned> {
        let path = run.lock();
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path)?;
        let start = Instant::now();
        loop {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK) if start.elapsed() < patience => std::thread::sleep(PAUSE),
                Err(Errno::WOULDBLOCK) => return Err(NotOwned::Busy),
                Err(error) => return Err(NotOwned::Io(error.into())),
            }
        }
        refuse_elsewhere(&mut file, &path)?;
        // A full disk has no room for the name; the lock holds all the same.
        let _ = sign(&mut file);
        Ok(Self { file })
    }
}

impl Lock {
    /// Whether a process on this machine holds `run`. The lock itself is asked, not what is written anywhere: a copy of a
    /// run folder names the worker of the original.
    #[must_use]
    pub fn is_held(run: &RunDir) -> bool {
        let Ok(file) = File::open(run.lock()) else { return false };
        // Shared, so that those who ask are no obstacle to each other; it goes with the file.
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
    }
}

/// An empty file is one that was let go.
impl Drop for Lock {
    fn drop(&mut self) {
        // The lock itself goes with the file; a name that stays is one of this machine, and no obstacle here.
        let _ = self.file.set_len(0);
    }
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&serde_json::to_vec(&Owner::of_this_process())?)
}

fn refuse_elsewhere(file: &mut File, path: &Path) -> Result<(), NotOwned> {
    let mut text = Vec::new();
    Read::by_ref(file).take(4096).read_to_end(&mut text)?;
    match serde_json::from_slice::<Owner>(&text) {
        Ok(owner) if owner.whereabouts() == Whereabouts::Elsewhere => {
            let lock = path.display().to_string();
            Err(NotOwned::Elsewhere { pid: owner.pid, host: owner.host, lock })
        }
        _ => Ok(()),
    }
}

/// This machine's name.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What Linux calls this start of the machine; empty elsewhere.
fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Whether a process of this id runs on this machine.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    let known = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let known = known.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(Errno::SRCH));
    // One that has ended but was not waited for; in containers often nobody does.
    known && !stat(pid).first().is_some_and(|state| matches!(state.as_str(), "Z" | "X"))
}

fn born(pid: u32) -> u64 {
    // Field 22 of proc_pid_stat(5); the state is field 3.
    stat(pid).get(22 - 3).and_then(|ticks| ticks.parse().ok()).unwrap_or(0)
}

/// The fields of `/proc/<pid>/stat` from the state on; none elsewhere.
fn stat(pid: u32) -> Vec<String> {
    let stat = fs::read_to_string(PathBuf::from(format!("/proc/{pid}/stat"))).unwrap_or_default();
    let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    rest.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An id that no system gives to a process.
    const NO_PROCESS: u32 = 0x3fff_fffe;

    #[test]
    fn an_owner_is_known_by_more_than_its_number() {
        let me = Owner::of_this_process();
        assert_eq!(me.whereabouts(), Whereabouts::Here);
        assert_eq!(
            Owner { born: me.born + 1, ..me.clone() }.whereabouts(),
            Whereabouts::Gone,
            "another had its number"
        );
        assert_eq!(
            Owner { born: 0, boot: String::new(), ..me.clone() }.whereabouts(),
            Whereabouts::Here,
            "an older file"
        );
        assert_eq!(Owner { boot: "before".into(), ..me.clone() }.whereabouts(), Whereabouts::Restarted);
        assert_eq!(Owner { host: "another".into(), ..me.clone() }.whereabouts(), Whereabouts::Elsewhere);
        assert_eq!(Owner { pid: NO_PROCESS, ..me }.whereabouts(), Whereabouts::Gone);
    }

    #[test]
    fn a_dead_process_is_seen_to_be_dead() {
        assert!(is_alive(std::process::id()));
        assert!(!is_alive(NO_PROCESS) && !is_alive(0));
    }

    #[test]
    fn a_run_has_one_owner() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let first = Lock::take(&run, Duration::ZERO).unwrap();
        let named: Owner = serde_json::from_slice(&fs::read(run.lock()).unwrap()).unwrap();
        assert_eq!(named, Owner::of_this_process());
        assert!(matches!(Lock::take(&run, Duration::ZERO), Err(NotOwned::Busy)));
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
    fn an_owner_about_to_let_go_is_waited_for() {
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
    fn a_run_of_another_machine_is_left_to_it() {
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
