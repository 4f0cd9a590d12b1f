//! How fast a run goes: seconds of work, without the time that it was held.

use std::collections::VecDeque;

/// Marks that are kept: the pace is that of the last ones.
const MARKS: usize = 33;

/// Seconds of work by step.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    worked: f64,
    last: Option<f64>,
    longest: f64,
    marks: VecDeque<(u64, f64)>,
    stride: u64,
}

impl Pace {
    /// Time passes to `time`; it counts when the run was `working`.
    pub fn pass(&mut self, time: f64, working: bool) {
        let gone = self.last.map_or(0.0, |last| (time - last).max(0.0));
        if working && gone.is_finite() {
            self.worked += gone;
            self.longest = self.longest.max(gone);
        }
        self.last = Some(time);
    }

    /// A step was done.
    pub fn mark(&mut self, step: u64) {
        if self.marks.back().is_some_and(|&(last, _)| step <= last) {
            self.marks.clear();
        }
        if self.marks.back().is_none_or(|&(last, _)| step >= last + self.stride.max(1)) {
            self.marks.push_back((step, self.worked));
        }
        if self.marks.len() > MARKS {
            // Wider apart as the run grows: the pace is that of about its last half.
            self.stride = (step / (2 * MARKS as u64)).max(1);
            self.marks.pop_front();
        }
    }

    /// A worker starts: what lies before is no measure.
    pub fn restart(&mut self) {
        self.marks.clear();
    }

    /// Seconds of work in all.
    #[must_use]
    pub fn worked(&self) -> f64 {
        self.worked
    }

    /// The longest time without a word, while it worked.
    #[must_use]
    pub fn longest(&self) -> f64 {
        self.longest
    }

    /// Seconds a step takes, evaluations included.
    #[must_use]
    pub fn seconds_a_step(&self) -> Option<f64> {
        let ((first, start), (last, end)) = (self.marks.front()?, self.marks.back()?);
        (last > first && end > start).then(|| (end - start) / (last - first) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_on_hold_is_not_work() {
        let mut pace = Pace::default();
        for step in 1..=100u64 {
            let held = if step > 50 { 1000.0 } else { 0.0 };
            if step == 51 {
                pace.pass(50.0 * 0.5 + 1000.0, false);
            }
            pace.pass(step as f64 * 0.5 + held, true);
            pace.mark(step);
        }
        assert!(pace.seconds_a_step().is_some_and(|pace| (pace - 0.5).abs() < 1e-6), "{pace:?}");
        assert!((pace.worked() - 49.5).abs() < 1e-6);
    }

    #[test]
    fn nothing_is_promised_before_two_steps() {
        let mut pace = Pace::default();
        pace.pass(1.0, true);
        pace.mark(1);
        assert_eq!(pace.seconds_a_step(), None);
    }
}
