//! How a worker starts: settings on its stdin, these lines on its stdout until it is ready or has failed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One line of a starting worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "launch", rename_all = "snake_case")]
pub enum LaunchLine {
    /// What it is doing, for people.
    Phase {
        /// For example `reading data/triage/train.jsonl`.
        text: String,
    },
    /// The run folder and the socket exist; training begins. The last line.
    Ready {
        /// The run folder, absolute.
        run_dir: PathBuf,
    },
    /// It could not start and has written nothing. The last line.
    Failed {
        /// One line: what, where, what to do.
        message: String,
    },
}
