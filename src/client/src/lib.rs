//! Starts, watches over and follows a worker: what comes from a run and what goes to it, whether the run is being
//! launched, attached to or replayed.
//!
//! ```text
//! supervisor ──▶ a process of its own that waits for the worker and writes down how it died
//! launch ──▶ starts a worker ──┐
//! attach ──────────────────────┴─▶ follow: log file up to the socket's offset, then the socket
//! replay ──▶ player: log file alone, at its own pace
//! ```
//!
//! Each is a task of its own; the screen holds a [`Link`] to it and knows nothing of files and sockets.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pellucid_protocol::work::Work;
use pellucid_protocol::{Command, Record, Settings};
use pellucid_record::run_dir::WorkerInfo;
use pellucid_record::{Piece, RunDir, RunSummary};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

mod connection;
pub mod console;
pub mod failure;
mod feed;
mod follow;
pub mod handle;
mod launch;
mod lines;
mod player;
mod speaker;
pub mod supervisor;
#[cfg(test)]
mod tests;
mod words;
pub mod worker;

pub use player::{Motion, Play, Playback};

/// What comes from a run, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum FromRun {
    /// What the starting worker is doing, for people.
    Phase(String),
    /// The worker could not start; nothing was written. Nothing follows.
    Failed(String),
    /// The run folder stands; its records follow.
    Opened(RunDir),
    /// Events in the order of the log, each once.
    Records(Vec<Record>),
    /// The same of a long log, its steps in blocks.
    Logged(Vec<Piece>),
    /// A part of the record cannot be read and was left out: which, for people.
    Damaged(String),
    /// All that was seen is to be forgotten: it comes again, up to an earlier place.
    Rewound,
    /// How the record is being played.
    Playback(Playback),
    /// The worker answers: commands are possible from here on.
    Connected,
    /// A command was done (`None`) or refused, and why.
    Answered(Command, Option<String>),
    /// The run has ended and its worker has left; a question (an explanation, a what-if, a survey) starts it again.
    Asleep,
    /// Commands are not possible (any more), and why; records may still follow from the file.
    ViewOnly(String),
}

/// Both ends of the line, as the screen holds them.
#[derive(Debug)]
pub struct Link {
    /// From the run.
    pub incoming: mpsc::Receiver<FromRun>,
    /// To the run.
    pub commands: mpsc::UnboundedSender<Command>,
    /// How it is let go of.
    pub parting: PartingNote,
    /// To a record that is played.
    pub play: Option<mpsc::UnboundedSender<Play>>,
}

/// How a [`Link`] is let go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// By the user.
    Left,
    /// With the terminal: whatever was asked for is still wanted.
    HungUp,
}

/// Says how a [`Link`] was let go of, to the far end.
#[derive(Debug, Clone, Default)]
pub struct PartingNote(Arc<AtomicBool>);

impl PartingNote {
    /// The terminal is gone.
    pub fn hang_up(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn get(&self) -> Parting {
        if self.0.load(Ordering::Relaxed) { Parting::HungUp } else { Parting::Left }
    }
}

/// The task at the other end. Once the [`Link`] is dropped it delivers the commands that are still
/// on the way and ends with the folder of the run, if one was opened.
pub type Task = JoinHandle<Option<RunDir>>;

/// Messages that may wait for the screen; beyond them the worker drops us and the log fills the gap.
const WAITING: usize = 256;

/// What a task holds of the line.
#[derive(Debug)]
struct Ends {
    out: mpsc::Sender<FromRun>,
    commands: mpsc::UnboundedReceiver<Command>,
    parting: PartingNote,
}

/// The screen has let go of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gone;

impl Ends {
    async fn say(&self, message: FromRun) -> Result<(), Gone> {
        self.out.send(message).await.map_err(|_| Gone)
    }
}

fn line() -> (Link, Ends) {
    let (out, incoming) = mpsc::channel(WAITING);
    let (commands, requests) = mpsc::unbounded_channel();
    let parting = PartingNote::default();
    (Link { incoming, commands, parting: parting.clone(), play: None }, Ends { out, commands: requests, parting })
}

/// Starts the program `worker` on `settings` and follows its run. A run that has not begun when the
/// link is dropped does not begin; one that has goes on.
#[must_use]
pub fn launch(worker: PathBuf, settings: Settings) -> (Link, Task) {
    let (link, ends) = line();
    (link, tokio::spawn(launch::launch(worker, Work::Train(Box::new(settings)), 0, ends)))
}

/// How much of a run's record is read when it is taken up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// All of it.
    Shown,
    /// None.
    Left,
}

/// Starts the program `worker` on a run that is there, to take it up again, and follows it.
#[must_use]
pub fn resume(worker: PathBuf, run: &RunDir, past: Past) -> (Link, Task) {
    let (link, ends) = line();
    let beyond = if past == Past::Left { length(run) } else { 0 };
    let work = Work::Resume { run_dir: run.root().to_owned() };
    (link, tokio::spawn(launch::launch(worker, work, beyond, ends)))
}

/// Follows a run: its log, and its worker as long as there is one.
#[must_use]
pub fn attach(run: RunDir) -> (Link, Task) {
    let (link, ends) = line();
    let begin = follow::Begin { sleep: follow::Sleep::Light, ..follow::Begin::default() };
    (link, tokio::spawn(follow::follow_with(run, ends, begin)))
}

/// Speaks to the worker of a run, without what was recorded before.
#[must_use]
pub fn speak(run: &RunDir) -> (Link, Task) {
    let (link, ends) = line();
    let summary = RunSummary::read(run).unwrap_or_default();
    let begin = follow::Begin { beyond: length(run), summary, ..follow::Begin::default() };
    (link, tokio::spawn(follow::follow_with(run.clone(), ends, begin)))
}

/// Asks the worker of `info` to leave, should its run have ended.
///
/// # Errors
/// When it cannot be reached, or the process at its socket is another one.
pub async fn let_go(info: &WorkerInfo) -> std::io::Result<()> {
    let mut connection = connection::Connection::open(info).await?;
    connection.send(Command::Release).await;
    connection.settle().await;
    Ok(())
}

/// Bytes of the log of a run.
fn length(run: &RunDir) -> u64 {
    std::fs::metadata(run.events()).map_or(0, |meta| meta.len())
}

/// Plays the record of a run from its start at `speed`, or opens it at its end; whether or not it has a worker.
#[must_use]
pub fn replay(run: RunDir, speed: Option<f64>) -> (Link, Task) {
    let (link, ends) = line();
    let (play, asked) = mpsc::unbounded_channel();
    (Link { play: Some(play), ..link }, tokio::spawn(player::play(run, speed, ends, asked)))
}
