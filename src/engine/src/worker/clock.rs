//! The time of the records of a run: the machine's clock, but never going back.

use std::time::{SystemTime, UNIX_EPOCH};

/// The smallest step back that the user is told about, in seconds.
const NOTABLE: f64 = 1.0;

/// A clock that goes on from where it was when the machine's is set back.
#[derive(Debug, Default)]
pub struct Clock {
    last: f64,
    shift: f64,
}

impl Clock {
    /// Seconds since 1970, and by how many the machine's clock was set back since the last call, if that is much.
    pub fn now(&mut self) -> (f64, Option<f64>) {
        self.at(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64()))
    }

    fn at(&mut self, wall: f64) -> (f64, Option<f64>) {
        let back = self.last - (wall + self.shift);
        if back > 0.0 {
            self.shift += back;
        }
        self.last = self.last.max(wall + self.shift);
        (self.last, (back >= NOTABLE).then_some(back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_never_fall_and_go_on_at_their_pace() {
        let mut clock = Clock::default();
        assert_eq!(clock.at(1000.0), (1000.0, None));
        assert_eq!(clock.at(999.5), (1000.0, None), "a small correction is nobody's matter");
        assert_eq!(clock.at(1001.5), (1002.0, None));
        assert_eq!(clock.at(400.5), (1002.0, Some(601.0)));
        assert_eq!(clock.at(403.5), (1005.0, None), "three seconds are three seconds");
        assert_eq!(clock.at(5000.0).0, 5601.5);
    }
}
