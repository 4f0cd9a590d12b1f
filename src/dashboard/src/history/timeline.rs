//! The timeline of a run: the epoch and the time of each step.

use serde::{Deserialize, Serialize};

use crate::history::Steps;

/// What the horizontal axis of a chart counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum XAxis {
    /// Optimiser steps.
    #[default]
    Step,
    /// Passes over the training data.
    Epoch,
    /// Seconds since the start.
    Relative,
    /// Seconds since 1970, shown as the local time of day.
    Wall,
}

impl XAxis {
    /// All of them, in the order of the key that changes it.
    pub const ALL: [XAxis; 4] = [XAxis::Step, XAxis::Epoch, XAxis::Relative, XAxis::Wall];

    /// The next axis.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|&known| known == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// Its name.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            XAxis::Step => "step",
            XAxis::Epoch => "epoch",
            XAxis::Relative => "time since the start",
            XAxis::Wall => "time of day",
        }
    }
}

/// The time of each step, and how many steps make an epoch.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    steps: Steps,
    times: Vec<f64>,
    start: f64,
    per_epoch: f64,
}

impl Timeline {
    /// Begins the run at `time`, with this many steps per epoch. A resumed run keeps its first start.
    pub fn begin(&mut self, time: f64, steps_per_epoch: u64) {
        if self.times.is_empty() {
            self.start = time;
        }
        self.per_epoch = steps_per_epoch as f64;
    }

    /// Adds a step. If it is not after the last one, all steps from it on are dropped first: a resumed run does them
    /// again.
    pub fn pass(&mut self, step: u64, time: f64) {
        if self.steps.last().is_some_and(|last| step <= last) {
            let kept = self.steps.below(step as f64);
            self.steps.truncate(kept);
            self.times.truncate(kept);
        }
        self.steps.push(step);
        // Time does not run backwards when the clock is set back.
        self.times.push(time.max(self.times.last().copied().unwrap_or(self.start)));
    }

    /// Where `step` lies on `axis`.
    #[must_use]
    pub fn x(&self, axis: XAxis, step: f64) -> f64 {
        match axis {
            XAxis::Step => step,
            XAxis::Epoch => step / self.per_epoch.max(1.0),
            XAxis::Relative => self.time(step) - self.start,
            XAxis::Wall => self.time(step),
        }
    }

    /// The first step at or after `x` on `axis`.
    #[must_use]
    pub fn step(&self, axis: XAxis, x: f64) -> f64 {
        match axis {
            XAxis::Step => x,
            // A step that was put on the axis comes back from it in spite of rounding.
            XAxis::Epoch => x * self.per_epoch.max(1.0) * (1.0 - 1e-12),
            XAxis::Relative => self.step_at(x + self.start),
            XAxis::Wall => self.step_at(x),
        }
    }

    fn step_at(&self, time: f64) -> f64 {
        let index = self.times.partition_point(|&known| known < time);
        let past = || self.steps.last().map_or(0.0, |last| last as f64 + 1.0);
        self.steps.get(index).map_or_else(past, |step| step as f64)
    }

    /// The time of `step`: interpolated between two known steps, and never later than the last one.
    #[must_use]
    pub fn time(&self, step: f64) -> f64 {
        let after = self.steps.below(step);
        let known = |index: usize| Some((self.steps.get(index)? as f64, *self.times.get(index)?));
        let before = after.checked_sub(1).and_then(known).unwrap_or((0.0, self.start));
        let Some(next) = known(after) else { return before.1 };
        let share = if next.0 > before.0 { ((step - before.0) / (next.0 - before.0)).clamp(0.0, 1.0) } else { 1.0 };
        before.1 + share * (next.1 - before.1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn timeline(pauses: &[f64]) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.begin(1000.0, 8);
        let mut time = 1000.0;
        for (step, pause) in pauses.iter().enumerate() {
            time += pause;
            timeline.pass(step as u64 + 1, time);
        }
        timeline
    }

    proptest! {
        #[test]
        fn every_step_is_found_again_on_every_axis(pauses in prop::collection::vec(0.01f64..90.0, 1..200)) {
            let timeline = timeline(&pauses);
            for axis in XAxis::ALL {
                for step in 1..=pauses.len() {
                    let back = timeline.step(axis, timeline.x(axis, step as f64));
                    // A time of 1000 s that is taken off and put on again is rounded.
                    let close = if axis == XAxis::Relative { 1.0 } else { 1e-6 };
                    prop_assert!((back - step as f64).abs() <= close, "{axis:?}: {step} came back as {back}");
                }
            }
        }

        #[test]
        fn an_axis_never_runs_backwards(pauses in prop::collection::vec(-90.0f64..90.0, 1..100)) {
            let timeline = timeline(&pauses);
            for axis in XAxis::ALL {
                let places: Vec<_> = (0..pauses.len() + 3).map(|step| timeline.x(axis, step as f64)).collect();
                prop_assert!(places.is_sorted(), "{axis:?} {places:?}");
            }
        }
    }

    #[test]
    fn a_resumed_run_keeps_its_start_and_does_its_last_steps_again() {
        let mut timeline = timeline(&[1.0, 1.0, 1.0]);
        timeline.begin(5000.0, 8);
        timeline.pass(3, 5001.0);
        assert_eq!((timeline.x(XAxis::Relative, 2.0), timeline.x(XAxis::Relative, 3.0)), (2.0, 4001.0));
        assert_eq!(timeline.x(XAxis::Epoch, 4.0), 0.5);
    }
}
