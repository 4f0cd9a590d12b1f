//! How long the record of a run is: what a checkpoint has to know, so that training never goes on from one that the record
//! does not reach.

/// Asks whoever keeps the record.
pub struct Ledger(Box<dyn Fn() -> Option<u64>>);

impl Ledger {
    /// One that asks `settle`: it waits until the disk has all that has happened, as far as the disk takes it, and gives
    /// the bytes of the record with all of it; `None` when the record is closed.
    #[must_use]
    pub fn new(settle: impl Fn() -> Option<u64> + 'static) -> Self {
        Self(Box::new(settle))
    }

    /// Bytes of the record with all that has happened so far; `None` when nothing is written to it any more.
    #[must_use]
    pub fn settle(&self) -> Option<u64> {
        (self.0)()
    }
}

/// That of a run without a record: it reaches everything.
impl Default for Ledger {
    fn default() -> Self {
        Self::new(|| Some(0))
    }
}
