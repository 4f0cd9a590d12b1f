//! Single-label classification: each text has one of several classes.

mod class_output;

pub use self::class_output::ClassOutput;

use pellucid_evaluate::{Answers, measure};
use pellucid_protocol::{Metrics, Prediction};
use tch::{Device, Kind, Reduction, Tensor};

use super::{Output, Task};
use crate::host::upload;

/// Single-label classification.
#[derive(Debug)]
pub struct Classification {
    classes: usize,
    /// Weight of each class, `[classes]`; `None` if all are the same.
    weights: Option<Tensor>,
    host_weights: Option<Vec<f64>>,
    /// Share of each target that is spread over all classes.
    smoothing: f64,
}

impl Classification {
    /// With `classes` classes, a weight for each of them if they differ, and label smoothing, on `device`.
    #[must_use]
    pub fn new(classes: usize, weights: Option<Vec<f64>>, smoothing: f64, device: Device) -> Self {
        let tensor = |weights: &Vec<f64>| Tensor::from_slice(weights).to_kind(Kind::Float).to_device(device);
        Self { classes, weights: weights.as_ref().map(tensor), host_weights: weights, smoothing }
    }

    fn weight_of(&self, label: usize) -> f64 {
        self.host_weights.as_ref().map_or(1.0, |weights| weights[label])
    }
}

impl Task for Classification {
    fn kind(&self) -> pellucid_protocol::Task {
        pellucid_protocol::Task::SingleLabelClassification
    }

    /// Classes, `[rows]`, i64.
    fn targets(&self, labels: &[usize], device: Device) -> Tensor {
        let classes: Vec<i64> = labels.iter().map(|label| *label as i64).collect();
        upload(&classes, device)
    }

    /// Cross entropy in nats, weighted and smoothed (torch's
    /// `CrossEntropyLoss(weight, reduction="sum", label_smoothing)`).
    fn loss(&self, logits: &Tensor, targets: &Tensor) -> Tensor {
        logits.cross_entropy_loss(targets, self.weights.as_ref(), Reduction::Sum, -100, self.smoothing)
    }

    /// The sum of the weights of the samples' classes; at least that of a hundredth of an example, so that a batch
    /// whose classes do not count has a mean.
    fn loss_weight(&self, labels: &[usize]) -> f64 {
        labels.iter().map(|label| self.weight_of(*label)).sum::<f64>().max(0.01)
    }

    fn step_metric(&self) -> &'static str {
        "train/accuracy"
    }

    /// The number of rows whose highest logit is that of their class.
    fn step_score(&self, logits: &Tensor, targets: &Tensor) -> Tensor {
        logits.argmax(-1, false).eq_tensor(targets).to_kind(Kind::Float).sum(Kind::Float)
    }

    fn predict(&self, label: usize, logits: &[f32], teacher: Option<&[f32]>) -> Prediction {
        prediction(logits, label, teacher)
    }

    /// See [`pellucid_evaluate::measure`].
    fn scores(&self, predictions: &[Prediction], labels: &[usize]) -> Metrics {
        measure(&Answers { predictions, truth: labels, classes: self.classes })
    }

    fn masked_metric(&self) -> &'static str {
        "valid/masked_accuracy"
    }

    /// The class of the label.
    fn explained_output(&self, label: usize) -> usize {
        label
    }
}

/// What logits, and those of the teacher, say about a sample of class `label`.
#[must_use]
pub fn prediction(logits: &[f32], label: usize, teacher: Option<&[f32]>) -> Prediction {
    let probabilities = ClassOutput.probabilities(logits);
    let narrow = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect::<Vec<f32>>();
    let loss = -probabilities[label].max(f64::from(f32::MIN_POSITIVE)).ln();
    Prediction {
        probabilities: narrow(probabilities),
        loss: loss as f32,
        teacher: teacher.map(|logits| narrow(ClassOutput.probabilities(logits))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[2, 3]`.
    fn logits() -> Tensor {
        Tensor::from_slice(&[1.0f32, -2.0, 0.5, 0.0, 0.3, -1.0]).view([2, 3])
    }

    // torch 2.11.0, f64: F.cross_entropy(s, [2, 0], weight=w, label_smoothing=e).
    #[test]
    fn cross_entropy_equals_torch_weighted_and_smoothed() {
        let weights = || Some(vec![0.5, 1.0, 2.0]);
        let golden = [
            (None, 0.0, 1.0021984552723606),
            (None, 0.1, 1.0471984552723606),
            (weights(), 0.0, 1.0036375235143145),
            (weights(), 0.2, 1.0953203971289591),
        ];
        for (weights, smoothing, expected) in golden {
            let task = Classification::new(3, weights, smoothing, Device::Cpu);
            let sum = task.loss(&logits(), &task.targets(&[2, 0], Device::Cpu));
            let mean = sum.double_value(&[]) / task.loss_weight(&[2, 0]);
            assert!((mean - expected).abs() < 1e-6, "{smoothing}: {mean}");
        }
    }

    #[test]
    fn rows_are_counted() {
        let task = Classification::new(3, None, 0.0, Device::Cpu);
        let targets = Tensor::from_slice(&[0i64, 2]);
        assert_eq!(task.step_score(&logits(), &targets).double_value(&[]), 1.0);
    }

    #[test]
    fn the_higher_accuracy_is_better_and_between_equals_the_lower_loss() {
        let task = Classification::new(2, None, 0.0, Device::Cpu);
        let of = |accuracy: f64, loss: f64| {
            let mut metrics = Metrics::default();
            metrics.set("valid/accuracy", accuracy);
            metrics.set("valid/loss", loss);
            metrics
        };
        assert!(task.is_better(&of(0.9, 2.0), &of(0.8, 1.0)));
        assert!(task.is_better(&of(0.9, 1.0), &of(0.9, 2.0)) && !task.is_better(&of(0.9, 2.0), &of(0.9, 2.0)));
        assert!(!task.is_better(&of(f64::NAN, 1.0), &of(0.0, 2.0)));
    }
}
