//! Starts, supervises and follows a worker: carries messages from a run and commands to it, whether the run is launched,
//! attached to or replayed.
//!
//! ```text
//! supervisor ──▶ a process of its own that waits for the worker and records a crash
//! launch ──▶ starts a worker ──┐
//! attach ──────────────────────┴─▶ follow: the log up to where the socket begins, then the socket
//! replay ──▶ player: the log alone, at its own pace
//! ```
//!
//! Each of them is a task. The screen holds a [`Link`] to the task and knows nothing of files and sockets.
//!
//! The modules, each of which uses only those above it:
//!
//! ```text
//! console        text for people on stderr
//! failure        exit codes of commands
//! handle         how a user names a run
//! stack          the limit on stacks
//! lines          lines from another process
//! stderr_lines   the same for text that is not a protocol
//! link           the messages between screen and task
//! connection     a connection to a worker's socket
//! feed           records from log and socket, each once
//! worker         the worker program: finds and starts it
//! worker_state   whether the worker of a run can be reached
//! launch         starts a worker and waits for its run
//! follow         follows a run
//! player         plays the log of a run
//! supervisor     waits for the end of a worker
//! ```

use std::path::PathBuf;

use pellucid_protocol::work::Work;
use pellucid_protocol::{Command, Settings};
use pellucid_record::worker_info::WorkerInfo;
use pellucid_record::{RunDir, RunSummary};
use tokio::sync::mpsc;

mod connection;
pub mod console;
pub mod failure;
mod feed;
mod follow;
pub mod handle;
mod launch;
mod lines;
mod link;
mod player;
pub mod stack;
mod stderr_lines;
pub mod supervisor;
#[cfg(test)]
mod tests;
pub mod worker;
mod worker_state;

pub use link::{CloseReason, CloseReasonFlag, FromRun, Link, Motion, Play, Playback, Task};

use link::channels;

/// Starts the program `worker` to train with `settings`, and follows its run. If the link is dropped before the run has
/// begun, it does not begin; otherwise it goes on.
#[must_use]
pub fn launch(worker: PathBuf, settings: Settings) -> (Link, Task) {
    let (link, task_end) = channels();
    (link, tokio::spawn(follow::launch_and_follow(worker, Work::Train(Box::new(settings)), 0, task_end)))
}

/// Whether the existing log of a run is read when the run is resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// The log is read from its start.
    Read,
    /// Only new records are read.
    Skip,
}

/// Starts the program `worker` to resume `run`, and follows it.
#[must_use]
pub fn resume(worker: PathBuf, run: &RunDir, history: History) -> (Link, Task) {
    let (link, task_end) = channels();
    let offset = if history == History::Skip { length(run) } else { 0 };
    let work = Work::Resume { run_dir: run.root().to_owned() };
    (link, tokio::spawn(follow::launch_and_follow(worker, work, offset, task_end)))
}

/// Follows a run: its log, and its worker while there is one.
#[must_use]
pub fn attach(run: RunDir) -> (Link, Task) {
    let (link, task_end) = channels();
    let begin = follow::Begin { questions: follow::Questions::StartWorker, ..follow::Begin::default() };
    (link, tokio::spawn(follow::follow_with(run, task_end, begin)))
}

/// Connects to the worker of a run, to send commands; skips what is in the log already.
#[must_use]
pub fn control(run: &RunDir) -> (Link, Task) {
    let (link, task_end) = channels();
    let summary = RunSummary::read(run).unwrap_or_default();
    let begin = follow::Begin { offset: length(run), summary, ..follow::Begin::default() };
    (link, tokio::spawn(follow::follow_with(run.clone(), task_end, begin)))
}

/// Asks the worker to exit if its run has ended.
///
/// # Errors
/// When it cannot be reached, or the process at its socket is another one.
pub async fn release(info: &WorkerInfo) -> std::io::Result<()> {
    let mut connection = connection::Connection::open(info).await?;
    connection.send(Command::Release).await;
    connection.wait_for_answers().await;
    Ok(())
}

/// Length of the log of a run, in bytes.
fn length(run: &RunDir) -> u64 {
    std::fs::metadata(run.events()).map_or(0, |meta| meta.len())
}

/// Plays the log of a run from its start at `speed`, or without a speed opens it at its end. The worker is not contacted.
#[must_use]
pub fn replay(run: RunDir, speed: Option<f64>) -> (Link, Task) {
    let (link, task_end) = channels();
    let (play, asked) = mpsc::unbounded_channel();
    (Link { play: Some(play), ..link }, tokio::spawn(player::play(run, speed, task_end, asked)))
}
