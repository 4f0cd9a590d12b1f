//! The messages between the server and the thread that owns the tensors.

use pellucid_protocol::{Command, Event};
use pellucid_record::RunDir;
use tokio::sync::{mpsc, oneshot};

use crate::train::log_sync::Synced;

/// A command for the thread.
#[derive(Debug)]
pub struct Request {
    /// The command.
    pub command: Command,
    /// Where the answer goes: `None` if the command was done, else why not.
    pub answer: oneshot::Sender<Option<String>>,
}

/// What the thread reports to the server, in this order: phases, then a failure, or the folder and events.
#[derive(Debug)]
pub enum Report {
    /// What it is doing before the start.
    Phase(String),
    /// The run cannot start; nothing was written.
    Failed(String),
    /// The run folder is there.
    Opened(RunDir),
    /// The run had ended before; nothing is trained.
    AlreadyEnded,
    /// Something happened.
    Event(Event),
    /// Asks the server to write everything so far to the disk; the answer is the event log with it.
    Sync(oneshot::Sender<Synced>),
}

/// Where the reports go. The thread waits when the server is behind, so that the event log is complete.
pub type Reports = mpsc::Sender<Report>;
