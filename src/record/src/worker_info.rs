//! The worker of a run: its process, its socket and its supervisor.

use std::path::PathBuf;

use pellucid_files::bounded;
use serde::{Deserialize, Serialize};

use crate::lock::Lock;
use crate::owner::{Owner, ProcessState};
use crate::run_dir::RunDir;

/// Process and socket of a run's worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerInfo {
    /// The process.
    #[serde(flatten)]
    pub owner: Owner,
    /// The Unix socket.
    pub socket: PathBuf,
    /// The process id of the worker's supervisor, which records a crash of the worker.
    #[serde(default, rename = "keeper", skip_serializing_if = "Option::is_none")]
    pub supervisor: Option<u32>,
}

impl WorkerInfo {
    /// Whether the worker of `run` runs. A running process that does not hold the lock of `run` is not its worker: the
    /// folder is a copy of another run's.
    #[must_use]
    pub fn state(&self, run: &RunDir) -> ProcessState {
        match self.owner.state() {
            ProcessState::Running if !Lock::is_held(run) => ProcessState::Gone,
            state => state,
        }
    }
}

impl RunDir {
    /// Process and socket of the run's worker, from [`RunDir::worker`]; `None` if there is no such file.
    #[must_use]
    pub fn worker_info(&self) -> Option<WorkerInfo> {
        let text = bounded::read_in(self.root(), "worker.json", bounded::SETTINGS).ok()?;
        let mut info: WorkerInfo = serde_json::from_slice(&text).ok()?;
        // The folder may just have been moved, with the socket in it.
        if info.socket.file_name() == self.socket().file_name() && !info.socket.exists() {
            info.socket = self.socket();
        }
        Some(info)
    }
}
