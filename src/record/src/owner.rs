//! The process that owns a run: on which machine it is, and whether it still runs.

use std::fs;
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

/// A process, described so that it is never confused with another one that has the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// Host name of its machine.
    pub host: String,
    /// The kernel's id of the boot during which the process started; empty where the kernel has none.
    #[serde(default)]
    pub boot: String,
    /// When the process started, in the kernel's ticks since the boot; 0 where that is not known.
    #[serde(default, rename = "born")]
    pub start_time: u64,
}

/// The environment variable in which a supervisor passes its process id to the worker.
pub const SUPERVISOR_VARIABLE: &str = "PELLUCID_KEEPER";

/// The process id of this process's supervisor, if there is one: the process that records a crash of this one.
#[must_use]
pub fn supervisor_pid() -> Option<u32> {
    let parent = rustix::process::getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    let named = std::env::var(SUPERVISOR_VARIABLE).ok()?.parse().ok();
    parent.filter(|_| parent == named)
}

/// Whether a process runs, as far as this machine can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs on this machine.
    Running,
    /// It belongs to another machine, which cannot be asked from here.
    Remote,
    /// It ran on this machine and has ended.
    Gone,
    /// It ran on this machine, which has been rebooted since.
    Rebooted,
}

impl Owner {
    /// This process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let pid = std::process::id();
        Self { pid, host: host_name(), boot: boot_id(), start_time: start_time(pid) }
    }

    /// Whether it runs.
    #[must_use]
    pub fn state(&self) -> ProcessState {
        if self.host != host_name() {
            ProcessState::Remote
        } else if !self.boot.is_empty() && self.boot != boot_id() {
            ProcessState::Rebooted
        } else if is_alive(self.pid) && (self.start_time == 0 || self.start_time == start_time(self.pid)) {
            ProcessState::Running
        } else {
            ProcessState::Gone
        }
    }
}

/// This machine's name.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Linux's id of the current boot; empty on other systems.
fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Whether a process of this id runs on this machine.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    let known = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let known = known.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(Errno::SRCH));
    // A zombie has ended but its parent has not waited for it; in containers often nobody does.
    known && !stat(pid).first().is_some_and(|state| matches!(state.as_str(), "Z" | "X"))
}

/// When the process started, in ticks since the boot; 0 where that is not known.
fn start_time(pid: u32) -> u64 {
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
    fn an_owner_is_known_by_more_than_its_pid() {
        let me = Owner::of_this_process();
        assert_eq!(me.state(), ProcessState::Running);
        assert_eq!(
            Owner { start_time: me.start_time + 1, ..me.clone() }.state(),
            ProcessState::Gone,
            "another had its number"
        );
        assert_eq!(
            Owner { start_time: 0, boot: String::new(), ..me.clone() }.state(),
            ProcessState::Running,
            "an older file"
        );
        assert_eq!(Owner { boot: "before".into(), ..me.clone() }.state(), ProcessState::Rebooted);
        assert_eq!(Owner { host: "another".into(), ..me.clone() }.state(), ProcessState::Remote);
        assert_eq!(Owner { pid: NO_PROCESS, ..me }.state(), ProcessState::Gone);
    }

    #[test]
    fn a_dead_process_is_seen_to_be_dead() {
        assert!(is_alive(std::process::id()));
        assert!(!is_alive(NO_PROCESS) && !is_alive(0));
    }
}
