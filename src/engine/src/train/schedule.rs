//! The learning rate of a step: linear warm-up, then linear decay to zero.

/// Linear warm-up from 0 and linear decay to 0 (transformers' `get_linear_schedule_with_warmup`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The highest learning rate.
    pub peak: f64,
    /// Steps of the rise.
    pub warmup: u64,
    /// Steps in all.
    pub total: u64,
}

impl Schedule {
    /// A schedule whose rise takes the share `warmup` of `total` steps.
    #[must_use]
    pub fn new(peak: f64, warmup: f64, total: u64) -> Self {
        Self { peak, warmup: (warmup * total as f64).round() as u64, total }
    }

    /// The learning rate after `done` steps.
    #[must_use]
    pub fn rate(&self, done: u64) -> f64 {
        if done < self.warmup {
            return self.peak * (done + 1) as f64 / (self.warmup + 1) as f64;
        }
        let left = self.total.saturating_sub(done) as f64;
        self.peak * left / (self.total.saturating_sub(self.warmup)).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_to_the_peak_and_falls_to_nothing() {
        let schedule = Schedule::new(1.0, 0.2, 10);
        let rates: Vec<f64> = (0..=10).map(|done| schedule.rate(done)).collect();
        assert!(rates[0] > 0.0 && rates[0] < rates[1]);
        assert_eq!(rates[2], 1.0);
        assert!(rates[2..].windows(2).all(|pair| pair[1] < pair[0]));
        assert_eq!(rates[10], 0.0);
    }

    #[test]
    fn without_warmup_it_starts_at_the_peak() {
        assert_eq!(Schedule::new(0.5, 0.0, 4).rate(0), 0.5);
    }
}
