//! How fast a run is, and how its time is shared between steps and the probe set.

use pellucid_protocol::Metrics;

/// Seconds since this process started or resumed the run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Throughput {
    steps: f64,
    probe: f64,
}

impl Throughput {
    /// The metrics of a step of `examples` examples and `tokens` tokens that took `seconds`.
    pub(super) fn of_step(&mut self, examples: f64, tokens: usize, seconds: f64) -> Metrics {
        self.steps += seconds;
        let mut metrics = Metrics::default();
        metrics.set("speed/step_ms", seconds * 1e3);
        metrics.set("speed/examples_per_s", examples / seconds);
        metrics.set("speed/tokens_per_s", tokens as f64 / seconds);
        metrics
    }

    /// The share of the time that the probe set has taken, now that it took `seconds` more; `None` before any step.
    pub(super) fn of_probe(&mut self, seconds: f64) -> Option<f64> {
        self.probe += seconds;
        (self.steps > 0.0).then(|| self.probe / (self.steps + self.probe))
    }
}
