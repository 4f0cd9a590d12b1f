//! Ends training from another thread, even in the middle of an evaluation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Result};

/// How urgently training is to end; the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Urgency {
    /// Train on.
    None,
    /// Write a checkpoint and end, without an evaluation.
    Leave,
    /// End at once.
    Now,
}

/// A request to end, shared between threads.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicU8>);

impl Interrupt {
    /// Asks for the end; a more urgent request stays.
    pub fn raise(&self, urgency: Urgency) {
        self.0.fetch_max(urgency as u8, Ordering::Relaxed);
    }

    /// The most urgent request so far.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        match self.0.load(Ordering::Relaxed) {
            0 => Urgency::None,
            1 => Urgency::Leave,
            _ => Urgency::Now,
        }
    }

    /// Ends long work, between two parts of it.
    ///
    /// # Errors
    /// [`Error::Interrupted`] once somebody has asked for the end.
    pub fn check(&self) -> Result<()> {
        if self.urgency() == Urgency::None { Ok(()) } else { Err(Error::Interrupted) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_request_counts() {
        let (wish, other) = (Interrupt::default(), Interrupt::default());
        assert!(wish.check().is_ok());
        wish.clone().raise(Urgency::Now);
        wish.raise(Urgency::Leave);
        assert_eq!((wish.urgency(), other.urgency()), (Urgency::Now, Urgency::None));
        assert!(matches!(wish.check(), Err(Error::Interrupted)));
    }
}
