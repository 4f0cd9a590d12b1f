//! The line to a run: what comes from it and what goes to it, whether it is being launched, attached to or replayed.

use pellucid_protocol::{Command, Record, RunDir};
use tokio::sync::mpsc;

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
    /// The worker answers: commands are possible from here on.
    Connected,
    /// A command was done (`None`) or refused, and why.
    Answered(Command, Option<String>),
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
}
