//! The learning rate of a step: linear warm-up, then down as the schedule has it.

use std::f64::consts::PI;

use pellucid_protocol::settings::ScheduleKind;

/// Linear warm-up from 0, then one of transformers' `get_linear_schedule_with_warmup`,
/// `get_cosine_schedule_with_warmup` (half a wave) and `get_constant_schedule_with_warmup`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// How it goes on after the warm-up.
    pub kind: ScheduleKind,
    /// The highest learning rate.
    pub peak: f64,
    /// Steps of the warm-up.
    pub warmup: u64,
    /// Steps in all.
    pub total: u64,
}

impl Schedule {
    /// Steps of a warm-up that takes the share `warmup` of `total` steps.
    #[must_use]
    pub fn rise(warmup: f64, total: u64) -> u64 {
        (warmup * total as f64).round() as u64
    }

    /// The learning rate after `done` steps.
    #[must_use]
    pub fn rate(&self, done: u64) -> f64 {
        if done < self.warmup {
            return self.peak * (done + 1) as f64 / (self.warmup + 1) as f64;
        }
        let way = (self.total.saturating_sub(self.warmup)).max(1) as f64;
        let left = self.total.saturating_sub(done) as f64 / way;
        self.peak
            * match self.kind {
                ScheduleKind::Linear => left,
                ScheduleKind::Cosine => 0.5 * (1.0 - (PI * left).cos()),
                ScheduleKind::Constant => 1.0,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(kind: ScheduleKind, warmup: f64) -> Schedule {
        Schedule { kind, peak: 1.0, warmup: Schedule::rise(warmup, 10), total: 10 }
    }

    #[test]
    fn it_rises_to_the_peak_and_falls_to_nothing() {
        for kind in [ScheduleKind::Linear, ScheduleKind::Cosine] {
            let rates: Vec<f64> = (0..=10).map(|done| schedule(kind, 0.2).rate(done)).collect();
            assert!(rates[0] > 0.0 && rates[0] < rates[1]);
            assert_eq!(rates[2], 1.0);
            assert!(rates[2..].windows(2).all(|pair| pair[1] < pair[0]));
            assert_eq!(rates[10], 0.0);
            assert!((rates[6] - 0.5).abs() < 1e-12, "half of the way down in the middle");
        }
        assert_eq!(schedule(ScheduleKind::Constant, 0.2).rate(9), 1.0);
    }

    #[test]
    fn without_warmup_it_starts_at_the_peak() {
        assert_eq!(schedule(ScheduleKind::Linear, 0.0).rate(0), 1.0);
    }

    #[test]
    fn the_cosine_is_that_of_transformers() {
        // transformers 4.57.1: 0.5 * (1 + cos(pi * progress)).
        let progress = 3.0 / 8.0f64;
        let expected = 0.5 * (1.0 + (PI * progress).cos());
        assert!((schedule(ScheduleKind::Cosine, 0.2).rate(5) - expected).abs() < 1e-12);
    }
}
