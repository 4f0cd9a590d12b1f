//! When a worker exits: after the end of its run, once nobody needs it, or when it is told to.

use std::time::Duration;

use pellucid_protocol::{Event, SurveyState};
use tokio::time::Instant;

/// How long the worker of an ended run waits for a client to attach.
const LINGER: Duration = Duration::from_secs(10);
/// How long the worker of an ended run waits for a disk that does not take the rest of the log.
const STUBBORN: Duration = Duration::from_secs(600);
/// After how long without a sign of life an explanation under way counts as given up.
const SILENCE: Duration = Duration::from_secs(60);
/// How long the training may take to end when the worker is told to leave. The whole exit stays under 10 s.
const HURRY: Duration = Duration::from_secs(8);

/// How far the shutdown has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The run goes on.
    Going,
    /// It has ended; clients may still ask for explanations.
    Ended,
    /// It has ended, and a client has said that it is not needed any more.
    Released,
    /// The worker exits whatever is still open.
    Gone,
}

/// What decides when the worker exits.
#[derive(Debug)]
pub(super) struct Shutdown {
    stage: Stage,
    clients: usize,
    stops: u32,
    /// When the training must have ended, if the worker was told to leave.
    leave_by: Option<Instant>,
    /// Until when an explanation counts as under way.
    explaining_until: Option<Instant>,
    /// When something last changed here.
    since: Instant,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            stage: Stage::Going,
            clients: 0,
            stops: 0,
            leave_by: None,
            explaining_until: None,
            since: Instant::now(),
        }
    }
}

impl Shutdown {
    /// Whether the run goes on.
    #[must_use]
    pub(super) fn is_going(&self) -> bool {
        self.stage == Stage::Going
    }

    /// A client has attached.
    pub(super) fn client_came(&mut self) {
        self.clients += 1;
    }

    /// A client has gone.
    pub(super) fn client_left(&mut self) {
        self.clients = self.clients.saturating_sub(1);
        self.since = Instant::now();
    }

    /// Takes notice of an event.
    pub(super) fn heed(&mut self, event: &Event) {
        match event {
            Event::Ended(_) => self.ended(),
            Event::Explained(explanation) => self.explaining(explanation.partial),
            Event::Survey(survey) => self.explaining(survey.state == SurveyState::Going),
            _ => {}
        }
    }

    /// An explanation is under way, or over: it is finished even if nobody looks on, because the record keeps it.
    fn explaining(&mut self, is_under_way: bool) {
        self.since = Instant::now();
        self.explaining_until = is_under_way.then(|| self.since + SILENCE);
    }

    /// The run has ended.
    pub(super) fn ended(&mut self) {
        self.stage = Stage::Ended;
        self.since = Instant::now();
    }

    /// The folder of the run is gone, or another run's: the worker exits.
    pub(super) fn abandon(&mut self) {
        self.stage = Stage::Gone;
    }

    /// Whether the worker exits for want of a folder.
    #[must_use]
    pub(super) fn is_abandoned(&self) -> bool {
        self.stage == Stage::Gone
    }

    /// A client no longer needs an ended run.
    pub(super) fn release(&mut self) {
        if self.stage == Stage::Ended {
            self.stage = Stage::Released;
        }
    }

    /// The worker is told to leave.
    pub(super) fn leave(&mut self) {
        self.leave_by.get_or_insert_with(|| Instant::now() + HURRY);
    }

    /// The run is told to stop; whether it was told so before, or has already ended.
    pub(super) fn stop_again(&mut self) -> bool {
        self.stops += 1;
        self.stops > 1 || self.stage != Stage::Going
    }

    /// Whether the worker exits now, with `waiting` events that are not on the disk.
    #[must_use]
    pub(super) fn is_over(&self, waiting: usize) -> bool {
        match self.stage {
            Stage::Going => false,
            Stage::Gone => true,
            _ if self.leave_by.is_some() => true,
            Stage::Ended => false,
            Stage::Released => self.clients == 0 && waiting == 0 && !self.is_explaining(),
        }
    }

    fn is_explaining(&self) -> bool {
        self.explaining_until.is_some_and(|until| Instant::now() < until)
    }

    /// When [`Shutdown::expire`] is due.
    #[must_use]
    pub(super) fn wake(&self, waiting: usize) -> Option<Instant> {
        match self.stage {
            Stage::Going => self.leave_by,
            _ if self.clients > 0 => None,
            _ if waiting > 0 => Some(self.since + STUBBORN),
            _ => Some(self.explaining_until.unwrap_or(self.since + LINGER)),
        }
    }

    /// The time has run out: the worker of an ended run exits. `true` if the run was to end by now and has not.
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
        let mut end = Shutdown::default();
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
        let mut gone = Shutdown::default();
        gone.client_came();
        gone.abandon();
        assert!(gone.is_over(3), "its folder is another's");
    }

    #[test]
    fn told_to_leave_it_waits_for_the_end_but_not_for_long_and_not_for_clients() {
        let mut end = Shutdown::default();
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
    fn an_explanation_is_finished_although_nobody_looks_on() {
        let mut end = Shutdown::default();
        end.client_came();
        end.ended();
        end.explaining(true);
        end.release();
        end.client_left();
        assert!(!end.is_over(0) && end.wake(0).is_some_and(|wake| wake > Instant::now() + 2 * LINGER));
        end.explaining(false);
        assert!(end.is_over(0));
        end.explaining(true);
        end.explaining_until = end.explaining_until.map(|until| until - SILENCE);
        assert!(end.is_over(0), "it has given no sign of life");
    }

    #[test]
    fn a_second_stop_is_another_matter() {
        let mut end = Shutdown::default();
        assert!(!end.stop_again() && end.stop_again());
        let mut over = Shutdown::default();
        over.ended();
        assert!(over.stop_again());
    }
}
