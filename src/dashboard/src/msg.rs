//! Messages to the dashboard, and the effects that it asks for.

use pellucid_client::{FromRun, Play};
use pellucid_protocol::event::Outcome;
use pellucid_protocol::{Command, Prediction, Sample};
use pellucid_record::RunDir;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Size;

/// Everything that can change the dashboard. The event loop makes them.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// The time, in seconds since 1970; before every batch of messages, and twice a second.
    Tick(f64),
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse was used.
    Pointer(Pointer),
    /// The terminal has reported its background.
    Background(Background),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size.
    Resize(Size),
    /// From the run.
    Run(FromRun),
    /// The line to the run is closed; nothing comes from it any more.
    Closed,
    /// The answer to [`Effect::ReadSamples`].
    Samples(Result<Vec<Sample>, String>),
    /// The answer to [`Effect::ReadPredictions`], with its step.
    Predictions(u64, Result<Vec<Prediction>, String>),
    /// The answer to [`Effect::ReadLog`]: the last lines.
    LogTail(Vec<String>),
    /// The answer to [`Effect::ReadViewSettings`]: the text of the file.
    ViewSettings(String),
}

/// The background of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Dark text is easiest to read.
    Light,
    /// Light text is easiest to read.
    Dark,
}

/// The mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// What was done.
    pub kind: PointerKind,
    /// The column, from 0.
    pub x: u16,
    /// The row, from 0.
    pub y: u16,
}

/// What can be done with a mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointerKind {
    /// The first button went down.
    Down,
    /// It moved while the button was down.
    Drag,
    /// The button went up.
    Up,
    /// The wheel was turned away.
    WheelUp,
    /// The wheel was turned near.
    WheelDown,
}

/// A side effect, which the event loop performs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Send this to the run.
    Send(Command),
    /// Send this to the player of a record.
    Play(Play),
    /// Read the validation samples.
    ReadSamples(RunDir),
    /// Read the predictions of this step and name.
    ReadPredictions(RunDir, u64, String),
    /// Read the end of what the worker printed.
    ReadLog(RunDir),
    /// Read the view settings of a run.
    ReadViewSettings(RunDir),
    /// Write the view settings, for the next time.
    WriteViewSettings(RunDir, String),
    /// Put this on the clipboard of the user's terminal.
    Copy(String),
    /// Notify the user with this line.
    Notify(String),
    /// Draw everything again.
    Redraw,
    /// Go to the background, as Ctrl-Z does.
    Suspend,
    /// Leave.
    Quit(Exit),
}

/// How the dashboard was left. The terminal is as it was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// The user left; a run that was going on goes on.
    Detached,
    /// The user asked for the end of the run, and it has ended.
    Stopped,
    /// The user left a run that had ended.
    Ended(Outcome),
    /// The user wants to see all runs beside this one; it goes on if it was going on.
    Frontier,
    /// The run could not start or has failed: why.
    Failed(String),
    /// The terminal is gone: there is nobody to print to.
    HungUp,
}
