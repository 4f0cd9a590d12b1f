//! What an evaluation of a classifier reports, by metric name.

use pellucid_protocol::{Metrics, Prediction};

use super::classification::{accuracy, macro_f1, mean_loss};
use super::distillation::{agreement, divergence, teacher_classes};

/// The predictions of a set of examples, and what is true of them.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// One for each example.
    pub predictions: &'a [Prediction],
    /// The true class of each example, below `classes`.
    pub truth: &'a [usize],
    /// Number of classes.
    pub classes: usize,
}

/// A measure; `None` where it is not defined, such as a comparison with a teacher without one.
type Measure = fn(&Answers<'_>) -> Option<f64>;

/// Every measure under its name, whose unit and direction `pellucid_protocol::metric` defines.
const MEASURES: &[(&str, Measure)] = &[
    ("valid/loss", |answers| Some(mean_loss(answers.predictions))),
    ("valid/accuracy", |answers| Some(accuracy(&answers.predicted(), answers.truth))),
    ("valid/f1", |answers| Some(macro_f1(&answers.predicted(), answers.truth, answers.classes))),
    ("kd/kl", |answers| divergence(answers.predictions)),
    ("kd/agreement", |answers| agreement(answers.predictions)),
    ("kd/accuracy_gap", |answers| {
        let teacher = teacher_classes(answers.predictions)?;
        Some(accuracy(&teacher, answers.truth) - accuracy(&answers.predicted(), answers.truth))
    }),
];

impl Answers<'_> {
    /// The predicted class of each example.
    #[must_use]
    pub fn predicted(&self) -> Vec<usize> {
        self.predictions.iter().map(Prediction::class).collect()
    }
}

/// All measures that are defined for these answers.
#[must_use]
pub fn measure(answers: &Answers<'_>) -> Metrics {
    let mut metrics = Metrics::default();
    for (name, measure) in MEASURES {
        measure(answers).into_iter().for_each(|value| metrics.set(*name, value));
    }
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions(teacher: Option<Vec<f32>>) -> Vec<Prediction> {
        let of = |probabilities: [f32; 2], loss| Prediction {
            probabilities: probabilities.to_vec(),
            loss,
            teacher: teacher.clone(),
        };
        vec![of([0.75, 0.25], 0.5), of([0.25, 0.75], 1.0)]
    }

    fn measured(teacher: Option<Vec<f32>>) -> Vec<(String, f64)> {
        let predictions = predictions(teacher);
        let answers = Answers { predictions: &predictions, truth: &[0, 0], classes: 2 };
        measure(&answers).iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn without_a_teacher_there_is_no_comparison_with_one() {
        let expected = [("valid/accuracy", 0.5), ("valid/f1", 1.0 / 3.0), ("valid/loss", 0.75)];
        assert_eq!(measured(None), expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn the_gap_to_a_teacher_is_its_accuracy_less_the_students() {
        let metrics = measured(Some(vec![1.0, 0.0]));
        let of = |name| metrics.iter().find(|(other, _)| other == name).unwrap().1;
        assert_eq!((of("kd/accuracy_gap"), of("kd/agreement")), (0.5, 0.5));
        assert!((of("kd/kl") - 0.5 * (4f64.ln() - 0.75f64.ln())).abs() < 1e-9);
    }

    #[test]
    fn every_measure_is_a_defined_metric() {
        assert!(MEASURES.iter().all(|(name, _)| pellucid_protocol::metric::definition(name).is_some()));
    }
}
