//! A survey: samples that are explained in the background, and how much of the training's time that may take.

use std::collections::VecDeque;
use std::time::Duration;

use pellucid_protocol::check::Depth;
use pellucid_protocol::{ExplainRequest, Method, Subject, SurveyProgress, SurveyRequest, SurveyState, Weights};

use super::snapshot::Snapshot;

/// The share of the training time that a survey may take, over many steps.
const SHARE: f64 = 0.25;
/// The most that can be saved up: the longest that one step waits, beyond the question under way.
const SAVED: Duration = Duration::from_millis(250);

/// A survey under way: all of its samples on the same weights.
pub struct Survey {
    /// The weights.
    pub snapshot: Snapshot,
    left: VecDeque<usize>,
    methods: Vec<Method>,
    total: usize,
    credit: Credit,
}

impl Survey {
    /// A survey of the samples that `request` names, by the weights of `snapshot`.
    #[must_use]
    pub fn new(request: SurveyRequest, snapshot: Snapshot) -> Self {
        let total = request.samples.len();
        let (left, methods) = (request.samples.into(), request.methods);
        Self { snapshot, left, methods, total, credit: Credit::default() }
    }

    /// The request for the next sample.
    #[must_use]
    pub fn current(&self) -> Option<ExplainRequest> {
        let subject = Subject::Sample(*self.left.front()?);
        Some(ExplainRequest {
            subject,
            methods: self.methods.clone(),
            target: None,
            edits: Vec::new(),
            checks: Depth::Gates,
            weights: Weights::Latest,
        })
    }

    /// The current sample is done.
    pub fn advance(&mut self) {
        self.left.pop_front();
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> SurveyProgress {
        let state = if self.left.is_empty() { SurveyState::Done } else { SurveyState::Going };
        SurveyProgress { step: self.snapshot.step, done: self.total - self.left.len(), total: self.total, state }
    }

    /// How long it may take after a training step of `step`.
    pub fn earn(&mut self, step: Duration) -> Duration {
        self.credit.earn(step)
    }

    /// It has taken `time`.
    pub fn spend(&mut self, time: Duration) {
        self.credit.spend(time);
    }
}

/// Seconds saved up. Negative after a question that took longer than allowed: later steps make up for it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Credit(f64);

impl Credit {
    fn earn(&mut self, step: Duration) -> Duration {
        self.0 = (self.0 + SHARE * step.as_secs_f64()).min(SAVED.as_secs_f64());
        Duration::from_secs_f64(self.0.max(0.0))
    }

    fn spend(&mut self, time: Duration) {
        self.0 -= time.as_secs_f64();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_many_steps_it_takes_its_share_however_long_a_question_is() {
        for (step, question) in [(0.02, 0.3), (0.4, 0.02), (0.1, 0.05)] {
            let (mut credit, mut taken) = (Credit::default(), 0.0);
            for _ in 0..1000 {
                let mut room = credit.earn(Duration::from_secs_f64(step)).as_secs_f64();
                while room > 0.0 {
                    credit.spend(Duration::from_secs_f64(question));
                    taken += question;
                    room -= question;
                }
            }
            let share = taken / (1000.0 * step);
            assert!(share <= SHARE + question / step / 1000.0 + 1e-9, "{share} of steps of {step} s");
            assert!(share > SHARE * 0.9, "{share} of steps of {step} s");
        }
    }

    #[test]
    fn a_long_wait_saves_no_more_than_one_step_may_wait() {
        assert_eq!(Credit::default().earn(Duration::from_secs(60)), SAVED);
    }
}
