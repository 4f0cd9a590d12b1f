//! A run on disk: its folder, its event log, its lock.
//!
//! ```text
//! run_dir        the layout of a run folder, and the list of runs
//! owner          which process holds a run, and whether it lives
//! settings_file  reads run.toml
//! log_line       one line of the event log and its checksum
//!   step_line    the lines of steps, read without a JSON parser
//!   step_block   steps as columns; step_columns keeps them beside the log
//! log_writer     appends, one event a line
//! log_reader     reads what is whole, also while it grows; pieces of a long log by several threads
//! ```
//!
//! The log is the record of a run; everything else in the folder can be lost without losing what happened.

pub mod log_line;
pub mod log_reader;
pub mod log_writer;
pub mod owner;
pub mod run_dir;
pub mod settings_file;
pub mod step_block;
mod step_columns;
mod step_line;

pub use log_reader::Piece;
pub use run_dir::RunDir;
pub use step_block::StepBlock;
