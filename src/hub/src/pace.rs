//! How fast an answer comes: a connection that brings next to nothing is given up, and another one is opened.

use std::time::{Duration, Instant};

/// Bytes that come at least, each time that the patience is over.
const FEWEST: u64 = 32 << 10;

/// Counts what comes.
pub(crate) struct Pace {
    patience: Duration,
    since: Instant,
    bytes: u64,
}

impl Pace {
    /// From `now` on, each `patience` must bring something.
    pub(crate) fn of(patience: Duration, now: Instant) -> Self {
        Self { patience, since: now, bytes: 0 }
    }

    /// Counts `bytes` that have come by `now`; whether that is next to nothing.
    pub(crate) fn is_too_slow(&mut self, bytes: usize, now: Instant) -> bool {
        self.bytes += bytes as u64;
        if now.duration_since(self.since) < self.patience {
            return false;
        }
        let is_too_slow = self.bytes < FEWEST;
        (self.since, self.bytes) = (now, 0);
        is_too_slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_is_counted_for_each_minute() {
        let start = Instant::now();
        let mut pace = Pace::of(Duration::from_secs(60), start);
        let mut slow = |second: u64, bytes| pace.is_too_slow(bytes, start + Duration::from_secs(second));
        assert!(!slow(1, 1) && !slow(59, 32 << 10) && !slow(60, 1), "enough");
        assert!(!slow(61, 32 << 9) && slow(120, 1), "what came before does not count");
    }
}
