//! What a step measured, on the host.

use pellucid_protocol::Metrics;

use super::penalty::{Penalty, PenaltyValues};
use crate::error::{Error, Result};

/// The numbers of a step after their one transfer from device to host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Cross entropy, batch mean, nats.
    pub task: f64,
    /// Distillation term before its weight.
    pub kd: f64,
    /// Share of the batch answered rightly.
    pub accuracy: f64,
    /// Norm of the gradient before clipping, penalties included.
    pub norm: f64,
}

impl Measured {
    /// Refuses the step after `done` steps if one of its numbers is not finite.
    ///
    /// # Errors
    /// The first such number by name.
    pub fn check_finite(&self, done: u64) -> Result<()> {
        let terms = [("loss/task", self.task), ("loss/kd", self.kd), ("optim/grad_norm", self.norm)];
        match terms.into_iter().find(|(_, value)| !value.is_finite()) {
            Some((term, value)) => Err(Error::NotFinite { step: done + 1, term, value, kept: done }),
            None => Ok(()),
        }
    }

    /// The metrics of the step; `alpha` is the weight of distillation, if there is a teacher.
    pub fn metrics(&self, penalty: &Penalty, values: PenaltyValues, alpha: Option<f64>) -> Metrics {
        let weight = alpha.unwrap_or(0.0);
        let mut metrics = Metrics::default();
        metrics.set("loss/total", (1.0 - weight) * self.task + weight * self.kd + values.l1 + values.l2);
        metrics.set("loss/task", self.task);
        if penalty.l1 > 0.0 {
            metrics.set("loss/l1", values.l1);
        }
        if penalty.l2_in_loss() {
            metrics.set("loss/l2", values.l2);
        }
        if alpha.is_some() {
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

    const STEP: Measured = Measured { task: 1.0, kd: 2.0, accuracy: 0.5, norm: 3.0 };
    const VALUES: PenaltyValues = PenaltyValues { l1: 0.25, l2: 0.0 };
    const PENALTY: Penalty = Penalty {
        l1: 0.1,
        l1_form: pellucid_protocol::settings::L1Form::Proximal,
        l2: 0.0,
        l2_form: pellucid_protocol::settings::L2Form::Coupled,
    };

    #[test]
    fn the_parts_add_up() {
        assert_eq!(STEP.metrics(&PENALTY, VALUES, Some(0.75)).get("loss/total"), Some(0.25 + 1.5 + 0.25));
        let plain = STEP.metrics(&PENALTY, VALUES, None);
        assert_eq!((plain.get("loss/total"), plain.get("loss/kd")), (Some(1.25), None));
    }

    #[test]
    fn the_first_number_that_is_not_finite_is_named() {
        assert!(STEP.check_finite(7).is_ok());
        let broken = Measured { kd: f64::NAN, norm: f64::INFINITY, ..STEP };
        let message = broken.check_finite(7).unwrap_err().to_string();
        assert!(message.starts_with("step 8: loss/kd became NaN"), "{message}");
    }
}
