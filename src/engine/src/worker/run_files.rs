//! What a worker has in its run folder beside the event log: lock, socket and address. They are made again if the folder is
//! removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pellucid_files::bounded;
use pellucid_files::whole::write_whole;
use pellucid_record::RunDir;
use pellucid_record::lock::Lock;
use pellucid_record::owner::{Owner, supervisor_pid};
use pellucid_record::worker_info::WorkerInfo;
use tokio::net::UnixListener;

use super::claim::check_free;
use super::run_folder::{listen, private_run_folder, socket_path};
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
        let kept = ["run.toml", "samples.jsonl", "split.json", "skipped.jsonl"];
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

    /// Whether the lock of this worker is in `folder`.
    #[must_use]
    pub fn hold_lock_in(&self, folder: &Path) -> bool {
        self.lock.is_in_place(&RunDir::new(folder))
    }

    /// From here on the files are those in `folder`, to which the run folder was moved. The socket is opened again, for its
    /// old path leads nowhere.
    ///
    /// # Errors
    /// What the file system says.
    pub fn move_to(&mut self, folder: PathBuf) -> Result<()> {
        let own_place = !self.is_socket_in_folder();
        self.run = RunDir::new(folder);
        for (path, _) in &mut self.kept {
            *path = path.file_name().map_or_else(PathBuf::new, |name| self.run.root().join(name));
        }
        let (listener, socket) = open(&self.run)?;
        self.listener = listener;
        let before = std::mem::replace(&mut self.socket, socket);
        if own_place && before != self.socket {
            let _ = fs::remove_file(before);
        }
        Ok(())
    }

    /// Whether the socket is in the run folder: else it has the number of this process for a name.
    fn is_socket_in_folder(&self) -> bool {
        self.socket == self.run.socket()
    }

    /// Makes the folder again and locks it, before anything is written into it.
    ///
    /// # Errors
    /// When another worker has it by now, and what the file system says.
    pub fn claim_again(&mut self) -> Result<()> {
        private_run_folder(self.run.root())?;
        if !self.lock.is_in_place(&self.run) {
            check_free(&self.run, &[])?;
        }
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
        // What is in a folder of another run by now is that run's.
        if !self.is_socket_in_folder() || self.lock.is_in_place(&self.run) {
            let _ = fs::remove_file(&self.socket);
        }
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
