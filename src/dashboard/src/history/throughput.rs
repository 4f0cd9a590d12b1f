//! The throughput of a run: seconds of work per step, without pauses.

use std::collections::VecDeque;

/// Marks that are kept: the throughput is measured over the last ones.
const MARKS: usize = 33;

/// Seconds of work by step.
#[derive(Debug, Clone, Default)]
pub struct Throughput {
    worked: f64,
    last: Option<f64>,
    longest: f64,
    marks: VecDeque<(u64, f64)>,
    stride: u64,
}

impl Throughput {
    /// Time passes to `time`; it counts as work if the run was `working`.
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
            // Marks are wider apart as the run grows, so that they cover about its last half.
            self.stride = (step / (2 * MARKS as u64)).max(1);
            self.marks.pop_front();
        }
    }

    /// A worker starts: earlier marks no longer measure the throughput.
    pub fn restart(&mut self) {
        self.marks.clear();
    }

    /// Seconds of work in all.
    #[must_use]
    pub fn worked(&self) -> f64 {
        self.worked
    }

    /// The longest time between two records while it worked.
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
        let mut throughput = Throughput::default();
        for step in 1..=100u64 {
            let held = if step > 50 { 1000.0 } else { 0.0 };
            if step == 51 {
                throughput.pass(50.0 * 0.5 + 1000.0, false);
            }
            throughput.pass(step as f64 * 0.5 + held, true);
            throughput.mark(step);
        }
        assert!(throughput.seconds_a_step().is_some_and(|pace| (pace - 0.5).abs() < 1e-6), "{throughput:?}");
        assert!((throughput.worked() - 49.5).abs() < 1e-6);
    }

    #[test]
    fn nothing_is_promised_before_two_steps() {
        let mut throughput = Throughput::default();
        throughput.pass(1.0, true);
        throughput.mark(1);
        assert_eq!(throughput.seconds_a_step(), None);
    }
}
