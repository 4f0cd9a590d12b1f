//! What a worker has in its run folder beside the event log: lock, socket and address. They are made again if the folder is
//! removed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use pellucid_files::bounded;
use pellucid_files::whole::write_whole;
use pellucid_record::RunDir;
use pellucid_record::lock::Lock;
use pellucid_record::owner::{Owner, supervisor_pid};
use pellucid_record::worker_info::WorkerInfo;
use tokio::net::UnixListener;

use super::run_folder::{listen, private_folder, socket_path};
use crate::error::{Error, Result};

/// The files of a worker in its run folder.
#[derive(Debug)]
pub struct RunFiles {
    run: RunDir,
    lock: Lock,
    listener: UnixListener,
    socket: PathBuf,
    /// The files that were there when the run began, with their contents.
    kept: Vec<(PathBuf, Vec<u8>)>,
}

impl RunFiles {
    /// Opens the socket of `run`, which `lock` owns, and writes its address into the folder.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(run: RunDir, lock: Lock) -> Result<Self> {
        let (listener, socket) = open(&run)?;
        let kept = ["run.toml", "samples.jsonl"];
        let kept = kept
            .into_iter()
            .filter_map(|name| Some((run.root().join(name), bounded::read_in(run.root(), name, bounded::LINES).ok()?)))
            .collect();
        Ok(Self { run, lock, listener, socket, kept })
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &RunDir {
        &self.run
    }

    /// Where clients connect.
    #[must_use]
    pub fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// Whether the folder was removed and another worker has it by now.
    #[must_use]
    pub fn are_taken_over(&self) -> bool {
        !self.lock.is_in_place(&self.run) && Lock::is_held(&self.run)
    }

    /// Makes the folder again and locks it, before anything is written into it.
    ///
    /// # Errors
    /// When another worker has it by now, and what the file system says.
    pub fn claim_again(&mut self) -> Result<()> {
        private_folder(self.run.root())?;
        if !self.lock.is_in_place(&self.run) {
            self.lock = Lock::take(&self.run, Duration::ZERO).map_err(|error| Error::file(self.run.root(), error))?;
        }
        Ok(())
    }

    /// Makes what is missing in the folder again, which is claimed.
    ///
    /// # Errors
    /// What the file system says.
    pub fn restore(&mut self) -> Result<()> {
        for (path, content) in self.kept.iter().filter(|(path, _)| fs::symlink_metadata(path).is_err()) {
            write_whole(path, content).map_err(|error| Error::file(path, error))?;
        }
        (self.listener, self.socket) = open(&self.run)?;
        Ok(())
    }
}

impl Drop for RunFiles {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.socket);
    }
}

fn open(run: &RunDir) -> Result<(UnixListener, PathBuf)> {
    let socket = socket_path(run)?;
    let told = |error: std::io::Error| Error::file(&socket, error);
    let listener = listen(&socket).map_err(told)?;
    let info = WorkerInfo { owner: Owner::of_this_process(), socket: socket.clone(), supervisor: supervisor_pid() };
    let text = serde_json::to_vec(&info).map_err(|error| Error::file(&run.worker(), error))?;
    write_whole(&run.worker(), &text).map_err(|error| Error::file(&run.worker(), error))?;
    Ok((listener, socket))
}
