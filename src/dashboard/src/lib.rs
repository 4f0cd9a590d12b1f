//! The dashboard: keys and records in, frames out.
//!
//! ```text
//! keys, records, ticks ──▶ app ──▶ update(state, msg) ──▶ effects ──▶ app: commands, file reads, leaving
//!                           └────▶ view(state) ──▶ terminal        at most as often as --fps says, never when nothing changed
//! ```
//!
//! `app` waits, reads files and writes to the terminal (`pages` do so for the list of runs, for comparisons and for
//! frontiers); `update` and `view` are pure, so a recorded run put through them is a test, and a picture.
//!
//! The modules stand in one order; each may use those above it, none below:
//!
//! ```text
//! config     where the user's own files are
//! text       widths, wrapping, numbers, durations, the time of day
//! theme      colours, styles, glyphs
//! widgets    what screens are drawn with: boxes, bars, tables, texts with a heat map
//! history    the values of a metric over the steps of a run
//! run        what is known of a run, and whether it is well
//! chart      curves over steps or time
//! msg        what comes to the screens, and what they ask for
//! input      keys and mouse: the keymap, the parser of terminal input, its reader
//! geometry   where the parts of the screen lie
//! screens    Train, Explain, Samples, Layers, Log, Data: each with its own state
//! state      all that the dashboard knows
//! dialogs    what lists over a screen offer
//! update     what a message does to the state
//! view       one frame of the state
//! terminal   the terminal, and frames as few bytes
//! app        the event loop
//! pages      screens without a run that goes on: list of runs, comparison, frontier
//! picture    frames as SVG
//! bench      what the dashboard costs
//! ```

mod app;
pub mod bench;
mod chart;
mod config;
mod dialogs;
mod geometry;
mod history;
pub mod input;
mod msg;
mod pages;
pub mod picture;
mod run;
pub mod screens;
mod state;
mod terminal;
pub mod text;
pub mod theme;
mod update;
mod view;
mod widgets;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use app::{Options, allocator, keymap, run};
pub use input::keymap::{self, Keymap};
pub use input::screen::Screen;
pub use msg::Exit;
pub use pages::{compare, frontier, page, picker};
pub use run::health::outcome_state;
pub use state::{Alerts, Rights};
pub use terminal::Mouse;
pub use theme::{ColorChoice, Glyphs, Tone};
