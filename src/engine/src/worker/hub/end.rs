//! When a worker leaves: after the end of its run, once nobody needs it, or as soon as it is told to.

use std::time::Duration;

use tokio::time::Instant;

/// How long the worker of an ended run waits for someone to attach.
const LINGER: Duration = Duration::from_secs(10);
/// How long the worker of an ended run waits for a disk that does not take the rest of the record.
const STUBBORN: Duration = Duration::from_secs(600);
/// How long training may take to end when the worker is told to leave: together with the rest, under 10 s.
const HURRY: Duration = Duration::from_secs(8);

/// How near the end is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The run goes on.
    Going,
    /// It has ended; explanations may still be asked for.
    Ended,
    /// It has ended and a client has asked to let go.
    Released,
    /// Whatever is still open stays open.
    Gone,
}

/// What is known about the end.
#[derive(Debug)]
pub(super) struct End {
    stage: Stage,
    clients: usize,
    stops: u32,
    /// When training must have ended, if the worker was told to leave.
    leave_by: Option<Instant>,
    /// Since when nothing has changed here.
    since: Instant,
}

impl Default for End {
    fn default() -> Self {
        Self { stage: Stage::Going, clients: 0, stops: 0, leave_by: None, since: Instant::now() }
    }
}

impl End {
    /// Whether the run goes on.
    #[must_use]
    pub(super) fn is_going(&self) -> bool {
        self.stage == Stage::Going
    }

    /// A client has come.
    pub(super) fn client_came(&mut self) {
        self.clients += 1;
    }

    /// A client has gone.
    pub(super) fn client_left(&mut self) {
        self.clients = self.clients.saturating_sub(1);
        self.since = Instant::now();
    }

    /// The run has ended.
    pub(super) fn ended(&mut self) {
        self.stage = Stage::Ended;
        self.since = Instant::now();
    }

    /// A client lets an ended run go.
    pub(super) fn release(&mut self) {
        if self.stage == Stage::Ended {
            self.stage = Stage::Released;
        }
    }

    /// The worker is told to leave.
    pub(super) fn leave(&mut self) {
        self.leave_by.get_or_insert_with(|| Instant::now() + HURRY);
    }

    /// The run is to stop; whether it was told so before, or has ended already.
    pub(super) fn stop_again(&mut self) -> bool {
        self.stops += 1;
        self.stops > 1 || self.stage != Stage::Going
    }

    /// Whether the worker is to leave now, with `waiting` events that are not on the disk.
    #[must_use]
    pub(super) fn is_over(&self, waiting: usize) -> bool {
        match self.stage {
            Stage::Going => false,
            Stage::Gone => true,
            _ if self.leave_by.is_some() => true,
            Stage::Ended => false,
            Stage::Released => self.clients == 0 && waiting == 0,
        }
    }

    /// When [`End::expire`] is due.
    #[must_use]
    pub(super) fn wake(&self, waiting: usize) -> Option<Instant> {
        match self.stage {
            Stage::Going => self.leave_by,
            _ if self.clients > 0 => None,
            _ => Some(self.since + if waiting > 0 { STUBBORN } else { LINGER }),
        }
    }

    /// The time is over: of an ended run, and it is gone; or of one that was to leave and did not, which is said by
    /// `true`.
    pub(super) fn expire(&mut self) -> bool {
        let going = self.stage == Stage::Going;
        if !going {
            self.stage = Stage::Gone;
        }
        going
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_run_is_left_when_nobody_needs_it() {
        let mut end = End::default();
        assert!(!end.is_over(0) && end.wake(0).is_none());
        end.release();
        assert!(!end.is_over(0), "a run that goes on is not let go");
        end.client_came();
        end.ended();
        assert!(!end.is_over(0) && end.wake(0).is_none(), "somebody looks");
        end.release();
        assert!(!end.is_over(0));
        end.client_left();
        assert!(end.is_over(0) && !end.is_over(3), "the disk has not all of it");
        assert!(end.wake(3) > end.wake(0));
        assert!(!end.expire() && end.is_over(3));
    }

    #[test]
    fn told_to_leave_it_waits_for_the_end_but_not_for_long_and_not_for_clients() {
        let mut end = End::default();
        end.client_came();
        end.leave();
        let due = end.wake(0).unwrap();
        end.leave();
        assert_eq!(end.wake(0), Some(due), "asking again does not give it more time");
        assert!(!end.is_over(0) && due <= Instant::now() + HURRY);
        assert!(end.expire(), "it did not end in time");
        end.ended();
        assert!(end.is_over(1));
    }

    #[test]
    fn a_second_stop_is_another_matter() {
        let mut end = End::default();
        assert!(!end.stop_again() && end.stop_again());
        let mut over = End::default();
        over.ended();
        assert!(over.stop_again());
    }
}
