//! A run on disk: its folder, its event log, its lock, and its summary.
//!
//! ```text
//! log            the event log: writer, readers, a copy of the steps as columns
//! owner          the process that owns a run, and whether it runs
//! run_dir        the layout of a run folder
//! lock           the lock of a run
//! worker_info    process and socket of a run's worker
//! socket         where the socket of a run's worker is
//! runs           the list of runs
//! settings_file  reads run.toml
//! summary        how far a run is, or how it ended
//! ```
//!
//! Each of these uses only those above it. The log is the record of a run: if everything else in the folder is lost, what
//! happened is still known.

pub mod lock;
pub mod log;
pub mod owner;
pub mod run_dir;
pub mod runs;
pub mod settings_file;
pub mod socket;
pub mod summary;
pub mod worker_info;

pub use log::reader::Piece;
pub use log::step_block::StepBlock;
pub use run_dir::RunDir;
pub use summary::{RunState, RunSummary};
