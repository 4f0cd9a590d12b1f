//! What comes to the screen, and what it asks for in return.

use pellucid_client::{FromRun, Play};
use pellucid_protocol::event::Outcome;
use pellucid_protocol::{Command, Prediction, Sample};
use pellucid_record::RunDir;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Size;

/// Everything that can change the screen. Made by `run` only.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// The time, in seconds since 1970; before every batch of messages, and twice a second.
    Tick(f64),
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse was used.
    Pointer(Pointer),
    /// The terminal has said what is behind everything.
    Background(Shade),
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
    /// The answer to [`Effect::ReadLooks`]: the text of the file.
    Looks(String),
}

/// What is behind everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shade {
    /// Dark ink is read best.
    Light,
    /// Light ink is read best.
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

/// What is to be done for the screen. Done by `run` only.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Send this to the run.
    Send(Command),
    /// Ask this of the record that is played.
    Play(Play),
    /// Read the validation samples.
    ReadSamples(RunDir),
    /// Read the predictions of this step and name.
    ReadPredictions(RunDir, u64, String),
    /// Read the end of what the worker printed.
    ReadLog(RunDir),
    /// Read how the charts of a run are looked at.
    ReadLooks(RunDir),
    /// Keep how they are looked at, for the next time.
    KeepLooks(RunDir, String),
    /// Put this on the clipboard of the user's terminal.
    Copy(String),
    /// Call the user: a line that says why.
    Call(String),
    /// Draw everything anew.
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
