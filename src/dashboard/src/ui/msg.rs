//! What comes to the screen, and what it asks for in return.

use pellucid_protocol::{Command, Prediction, RunDir, Sample};
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Size;

use super::run::Exit;
use crate::link::FromRun;

/// Everything that can change the screen. Made by `run` only.
#[derive(Debug, Clone, PartialEq)]
pub enum Msg {
    /// The time, in seconds since 1970; before every batch of messages, and twice a second.
    Tick(f64),
    /// A key was pressed.
    Key(KeyEvent),
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
}

/// What is to be done for the screen. Done by `run` only.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send this to the run.
    Send(Command),
    /// Read the validation samples.
    ReadSamples(RunDir),
    /// Read the predictions of this step and name.
    ReadPredictions(RunDir, u64, String),
    /// Read the end of what the worker printed.
    ReadLog(RunDir),
    /// Draw everything anew.
    Redraw,
    /// Go to the background, as Ctrl-Z does.
    Suspend,
    /// Leave.
    Quit(Exit),
}
