//! The dashboard: keys and records in, frames out.
//!
//! ```text
//! keys, records, ticks ──▶ run ──▶ update(state, msg) ──▶ effects ──▶ run: commands, file reads, leaving
//!                           └────▶ view(state) ──▶ terminal        at most 30 times a second, never when nothing changed
//! ```
//!
//! `run` is the only place that waits, reads files or writes to the terminal; `update` and `view` are
//! pure, so a recorded run put through them is a test, and a picture.

pub mod allocator;
pub mod bench;
mod clock;
pub mod compare;
mod config;
pub mod frontier;
mod health;
mod history;
pub mod keymap;
mod msg;
pub mod page;
mod palette;
pub mod picker;
pub mod picture;
pub mod run;
pub mod screens;
mod state;
mod terminal;
pub mod text;
pub mod theme;
mod update;
mod values;
mod view;
mod widgets;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use health::Tone;
pub use keymap::Keymap;
pub use run::{Exit, Options, keymap, run};
pub use state::{Alerts, Rights};
pub use terminal::Mouse;
pub use theme::Glyphs;

/// How many colours to draw with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// What COLORTERM, TERM and NO_COLOR say.
    #[default]
    Auto,
    /// 24-bit colours.
    Truecolor,
    /// The 256 colours of xterm.
    #[value(name = "256")]
    Ansi256,
    /// The 16 colours of the terminal.
    #[value(name = "16")]
    Ansi16,
    /// No colours.
    Never,
}

/// A page of the dashboard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Screen {
    /// Curves, progress and health of the training.
    #[default]
    Train,
    /// What one answer is based on.
    Explain,
    /// The validation samples and the answers to them.
    Samples,
    /// Sparsity of each encoder layer.
    Layers,
    /// What happened, and what the worker printed.
    Log,
}

impl Screen {
    /// All screens in the order of their number keys.
    pub const ALL: [Screen; 5] = [Screen::Train, Screen::Explain, Screen::Samples, Screen::Layers, Screen::Log];

    /// The name on its tab.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Screen::Train => "Train",
            Screen::Explain => "Explain",
            Screen::Samples => "Samples",
            Screen::Layers => "Layers",
            Screen::Log => "Log",
        }
    }
}
