//! How long the event log of a run is. A checkpoint notes it, so that training never goes on from one that the log does
//! not reach.

/// Asks the keeper of the event log for its length.
pub struct LogLength(Box<dyn Fn() -> Option<u64>>);

impl LogLength {
    /// With `sync`, which waits until everything so far is on the disk, if the disk takes it, and gives the length of the
    /// log with it in bytes; `None` when the log is closed.
    #[must_use]
    pub fn new(sync: impl Fn() -> Option<u64> + 'static) -> Self {
        Self(Box::new(sync))
    }

    /// Bytes of the log with everything so far; `None` when it is closed.
    #[must_use]
    pub fn synced(&self) -> Option<u64> {
        (self.0)()
    }
}

/// That of a run without an event log: it reaches every checkpoint.
impl Default for LogLength {
    fn default() -> Self {
        Self::new(|| Some(0))
    }
}
