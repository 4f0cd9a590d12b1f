//! What a step measured, on the host.

use pellucid_protocol::Metrics;

use crate::error::{Error, Result};

/// The numbers of a step after their one transfer from device to host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Cross entropy, batch mean, nats.
    pub task: f64,
    /// Distillation term before its weight.
    pub kd: f64,
    /// Penalty on wrong reasons before its weight.
    pub rrr: f64,
    /// Distance from the reference's reasons before its weight.
    pub consistency: f64,
    /// Share of the batch answered rightly.
    pub accuracy: f64,
    /// Norm of the gradient before clipping, penalties included.
    pub norm: f64,
}

/// What the other terms of the loss came to; none for those that take no part.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PenaltyReport {
    /// L1.
    pub l1: Option<f64>,
    /// Coupled L2.
    pub l2: Option<f64>,
    /// The group lasso.
    pub group: Option<f64>,
    /// Weight of distillation.
    pub alpha: Option<f64>,
    /// Weight of the penalty on wrong reasons.
    pub rrr: Option<f64>,
    /// Weight of the distance from the reference's reasons.
    pub consistency: Option<f64>,
}

/// What the sums of a step are divided by, so that they become the means over the step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Totals {
    /// Sum of the weights of the examples' classes.
    pub weight: f64,
    /// Number of examples.
    pub examples: f64,
    /// Number of examples and of masked copies of them.
    pub rows: f64,
}

impl Measured {
    /// From the sums over a step: cross entropy, distillation, right answers, wrong reasons, inconsistency.
    #[must_use]
    pub fn of(sums: [f64; 5], totals: Totals, norm: f64) -> Self {
        let [task, kd, right, rrr, consistency] = sums;
        Self {
            task: task / totals.weight,
            kd: kd / totals.examples,
            accuracy: right / totals.rows,
            rrr: rrr / totals.examples,
            consistency: consistency / totals.examples,
            norm,
        }
    }

    /// Refuses the step after `done` steps if one of its numbers is not finite.
    ///
    /// # Errors
    /// The first such number by name.
    pub fn check_finite(&self, done: u64) -> Result<()> {
        let terms = [
            ("loss/task", self.task),
            ("loss/kd", self.kd),
            ("loss/rrr", self.rrr),
            ("loss/consistency", self.consistency),
            ("optim/grad_norm", self.norm),
        ];
        match terms.into_iter().find(|(_, value)| !value.is_finite()) {
            Some((term, value)) => Err(Error::NotFinite { step: done + 1, term, value, kept: done }),
            None => Ok(()),
        }
    }

    /// The metrics of the step.
    pub fn metrics(&self, report: &PenaltyReport) -> Metrics {
        let weight = report.alpha.unwrap_or(0.0);
        let penalties = [("loss/l1", report.l1), ("loss/l2", report.l2), ("loss/group_l1", report.group)];
        let mut metrics = Metrics::default();
        let sum: f64 = penalties.iter().filter_map(|(_, value)| *value).sum();
        let reasons = [("loss/rrr", report.rrr, self.rrr), ("loss/consistency", report.consistency, self.consistency)];
        let weighted: f64 = reasons.iter().filter_map(|(_, weight, value)| Some((*weight)? * value)).sum();
        metrics.set("loss/total", (1.0 - weight) * self.task + weight * self.kd + sum + weighted);
        for (name, _, value) in reasons.into_iter().filter(|(_, weight, _)| weight.is_some()) {
            metrics.set(name, value);
        }
        metrics.set("loss/task", self.task);
        for (name, value) in penalties {
            if let Some(value) = value {
                metrics.set(name, value);
            }
        }
        if report.alpha.is_some() {
            metrics.set("loss/kd", self.kd);
        }
        metrics.set("train/accuracy", self.accuracy);
        metrics.set("optim/grad_norm", self.norm);
        metrics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Measured = Measured { task: 1.0, kd: 2.0, rrr: 4.0, consistency: 8.0, accuracy: 0.5, norm: 3.0 };

    #[test]
    fn the_parts_add_up() {
        let report = PenaltyReport { l1: Some(0.25), alpha: Some(0.75), ..PenaltyReport::default() };
        assert_eq!(STEP.metrics(&report).get("loss/total"), Some(0.25 + 1.5 + 0.25));
        let plain = STEP.metrics(&PenaltyReport { group: Some(0.5), ..PenaltyReport::default() });
        assert_eq!((plain.get("loss/total"), plain.get("loss/kd")), (Some(1.5), None));
        assert_eq!((plain.get("loss/group_l1"), plain.get("loss/l1")), (Some(0.5), None));
        assert_eq!((plain.get("loss/rrr"), plain.get("loss/consistency")), (None, None));
        let reasons = PenaltyReport { rrr: Some(0.5), consistency: Some(0.25), ..PenaltyReport::default() };
        let reasons = STEP.metrics(&reasons);
        assert_eq!((reasons.get("loss/total"), reasons.get("loss/rrr")), (Some(1.0 + 2.0 + 2.0), Some(4.0)));
    }

    #[test]
    fn the_first_number_that_is_not_finite_is_named() {
        assert!(STEP.check_finite(7).is_ok());
        let broken = Measured { kd: f64::NAN, norm: f64::INFINITY, ..STEP };
        let message = broken.check_finite(7).unwrap_err().to_string();
        assert!(message.starts_with("step 8: loss/kd became NaN"), "{message}");
    }
}
