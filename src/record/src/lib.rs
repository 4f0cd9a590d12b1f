//! A run on disk: its folder, its event log, its lock, and its summary.
//!
//! ```text
//! log            the event log: writer, readers, a copy of the steps as columns
//! owner          which process holds a run, and whether it lives
//! run_dir        the layout of a run folder, and the list of runs
//! settings_file  reads run.toml
//! summary        what came of a run
//! ```
//!
//! The log is the record of a run; everything else in the folder can be lost without losing what happened.

pub mod log;
pub mod owner;
pub mod run_dir;
pub mod settings_file;
pub mod summary;

pub use log::reader::Piece;
pub use log::step_block::StepBlock;
pub use log::{line as log_line, reader as log_reader, step_block, writer as log_writer};
pub use run_dir::RunDir;
pub use summary::{RunState, RunSummary};
