//! How a worker starts: settings on its stdin, these lines on its stdout until it is ready or has failed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Bytes of a stack without which no worker starts: libtorch's threads get as much as the limit allows.
pub const STACK_NEEDED: u64 = 1 << 20;

/// What to say where a stack has at most `limit` bytes and more are needed.
#[must_use]
pub fn stack_too_small(limit: u64) -> String {
    let (limit, needed) = (limit >> 10, STACK_NEEDED >> 10);
    format!(
        "a stack may have {limit} KiB, and the worker needs {needed}; raise the limit with `ulimit -s {needed}` or more"
    )
}

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
        /// Bytes of the event log as the worker has found it, without an unfinished last record.
        log_length: u64,
    },
    /// It could not start and has written nothing. The last line.
    Failed {
        /// One line: what, where, what to do.
        message: String,
    },
}
