//! A wish to end that reaches training in the midst of an evaluation, from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Result};

/// How urgently the end is wished for; the greater one counts.
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

/// The wish, shared between threads.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicU8>);

impl Interrupt {
    /// Wishes for the end; a more urgent wish stays.
    pub fn raise(&self, urgency: Urgency) {
        self.0.fetch_max(urgency as u8, Ordering::Relaxed);
    }

    /// The most urgent wish so far.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        match self.0.load(Ordering::Relaxed) {
            0 => Urgency::None,
            1 => Urgency::Leave,
            _ => Urgency::Now,
        }
    }

    /// Gives up what may take long, between two parts of it.
    ///
    /// # Errors
    /// [`Error::Interrupted`] once the end is wished for.
    pub fn check(&self) -> Result<()> {
        if self.urgency() == Urgency::None { Ok(()) } else { Err(Error::Interrupted) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_wish_counts() {
        let (wish, other) = (Interrupt::default(), Interrupt::default());
        assert!(wish.check().is_ok());
        wish.clone().raise(Urgency::Now);
        wish.raise(Urgency::Leave);
        assert_eq!((wish.urgency(), other.urgency()), (Urgency::Now, Urgency::None));
        assert!(matches!(wish.check(), Err(Error::Interrupted)));
    }
}
