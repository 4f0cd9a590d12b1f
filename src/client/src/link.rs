//! The messages between a screen and the task that serves it a run, and the two ends that carry them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pellucid_protocol::{Command, Record};
use pellucid_record::{Piece, RunDir};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A request to the player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// Play or pause.
    Toggle,
    /// Move by a number of steps, backwards if negative.
    Steps(i64),
    /// Move by a number of evaluations, backwards if negative.
    Evals(i64),
    /// Double the speed.
    Faster,
    /// Halve the speed.
    Slower,
    /// Go to the start.
    First,
    /// Go to the end.
    Last,
}

/// The state of the player.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Playback {
    /// Seconds of the run per second.
    pub speed: f64,
    /// Whether it plays.
    pub motion: Motion,
}

/// Whether a player plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// It plays.
    Playing,
    /// It is paused.
    Held,
    /// It is at the end.
    AtEnd,
}

/// A message from a run. Messages come in order.
#[derive(Debug, Clone, PartialEq)]
pub enum FromRun {
    /// What the worker does while it starts, for people.
    Phase(String),
    /// The worker could not start, and nothing was written. No message follows.
    Failed(String),
    /// The run folder exists; its records follow.
    Opened(RunDir),
    /// Records in the order of the log, each of them once.
    Records(Vec<Record>),
    /// The same, with steps in blocks: for long logs.
    Logged(Vec<Piece>),
    /// A part of the log is damaged and was left out: which part, for people.
    Damaged(String),
    /// Playing has gone back: all records come again from the start, up to an earlier place.
    Rewound,
    /// How the run is being played.
    Playback(Playback),
    /// The worker answers: commands are possible from now on.
    Connected,
    /// The answer to a command: `None` if it was done, else why it was refused.
    Answered(Command, Option<String>),
    /// The run has ended and its worker has left. A request for an explanation, a what-if or a survey starts a worker.
    Asleep,
    /// Commands are not possible, or not any more, and why. Records may still follow, read from the log.
    ViewOnly(String),
}

/// The screen's end of the connection to a task.
#[derive(Debug)]
pub struct Link {
    /// Messages from the run.
    pub incoming: mpsc::Receiver<FromRun>,
    /// Commands to the run.
    pub commands: mpsc::UnboundedSender<Command>,
    /// Tells the task why the link is dropped.
    pub close_reason: CloseReasonFlag,
    /// Requests to the player, if the run is replayed.
    pub play: Option<mpsc::UnboundedSender<Play>>,
}

/// Why a [`Link`] is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The user has left.
    User,
    /// The terminal is gone; what the user asked for is still wanted.
    HangUp,
}

/// Tells the task at the other end why a [`Link`] is dropped.
#[derive(Debug, Clone, Default)]
pub struct CloseReasonFlag(Arc<AtomicBool>);

impl CloseReasonFlag {
    /// The terminal is gone.
    pub fn hang_up(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> CloseReason {
        if self.0.load(Ordering::Relaxed) { CloseReason::HangUp } else { CloseReason::User }
    }
}

/// The task at the other end. Once the [`Link`] is dropped it delivers the commands that are still on the way, and then
/// returns the folder of the run, if one was opened.
pub type Task = JoinHandle<Option<RunDir>>;

/// Messages that may wait for the screen. If there are more, the worker closes the connection, and the rest is read from
/// the log.
const WAITING: usize = 256;

/// The task's end of a [`Link`].
#[derive(Debug)]
pub(crate) struct TaskEnd {
    /// Messages to the screen.
    pub(crate) messages: mpsc::Sender<FromRun>,
    /// Commands from the screen.
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    /// Why the screen has dropped its link.
    pub(crate) close_reason: CloseReasonFlag,
}

/// The error that the screen has dropped its [`Link`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

impl TaskEnd {
    /// Sends a message to the screen; waits while it is behind.
    pub(crate) async fn send(&self, message: FromRun) -> Result<(), Closed> {
        self.messages.send(message).await.map_err(|_| Closed)
    }
}

/// A link and the task's end of it.
pub(crate) fn channels() -> (Link, TaskEnd) {
    let (messages, incoming) = mpsc::channel(WAITING);
    let (commands, requests) = mpsc::unbounded_channel();
    let close_reason = CloseReasonFlag::default();
    (
        Link { incoming, commands, close_reason: close_reason.clone(), play: None },
        TaskEnd { messages, commands: requests, close_reason },
    )
}
