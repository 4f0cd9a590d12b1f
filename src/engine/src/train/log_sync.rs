//! Where the event log of a run lies and how long it is. A checkpoint notes its length, so that training never goes on from
//! one that the log does not reach, and is written beside it, also when the run folder was moved meanwhile.

use std::path::PathBuf;

/// The event log with everything so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Synced {
    /// Its length in bytes.
    pub length: u64,
    /// The run folder, which holds it; `None` for a run without a log.
    pub folder: Option<PathBuf>,
}

/// Asks the keeper of the event log for its length and place.
pub struct LogSync(Box<dyn Fn() -> Option<Synced>>);

impl LogSync {
    /// With `sync`, which waits until everything so far is on the disk, if the disk takes it; `None` when the log is closed.
    #[must_use]
    pub fn new(sync: impl Fn() -> Option<Synced> + 'static) -> Self {
        Self(Box::new(sync))
    }

    /// The log with everything so far; `None` when it is closed.
    #[must_use]
    pub fn synced(&self) -> Option<Synced> {
        (self.0)()
    }
}

/// That of a run without an event log: it reaches every checkpoint.
impl Default for LogSync {
    fn default() -> Self {
        Self::new(|| Some(Synced::default()))
    }
}
