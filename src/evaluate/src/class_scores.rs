//! Precision, recall and F1 of each class, and their means.

use super::confusion::Confusion;
use super::proportion::Proportion;

/// How well one class is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScores {
    /// Of the examples that were predicted as this class, those that are.
    pub precision: Proportion,
    /// Of the examples of this class, those that were found.
    pub recall: Proportion,
    /// The harmonic mean of both, in [0, 1]; `None` for a class that is neither predicted nor present.
    pub f1: Option<f64>,
}

impl ClassScores {
    /// Those of class `class`.
    #[must_use]
    pub fn of(confusion: &Confusion, class: usize) -> Self {
        let (found, support, predicted) =
            (confusion.count(class, class), confusion.support(class), confusion.predicted(class));
        Self {
            precision: Proportion { hits: found, of: predicted },
            recall: Proportion { hits: found, of: support },
            f1: (support + predicted > 0).then(|| confusion.f1(class)),
        }
    }
}

/// A mean over classes of each score. A score that is not defined for a class counts as 0, as in scikit-learn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanScores {
    /// Mean precision.
    pub precision: f64,
    /// Mean recall.
    pub recall: f64,
    /// Mean F1.
    pub f1: f64,
}

impl MeanScores {
    /// Each class that is present or predicted counts alike: `average="macro"` of scikit-learn.
    #[must_use]
    pub fn unweighted(confusion: &Confusion) -> Self {
        let seen = |class: usize| confusion.support(class) + confusion.predicted(class) > 0;
        Self::weighted_by(confusion, |class| if seen(class) { 1.0 } else { 0.0 })
    }

    /// Each class counts as often as it is present: `average="weighted"` of scikit-learn.
    #[must_use]
    pub fn by_support(confusion: &Confusion) -> Self {
        Self::weighted_by(confusion, |class| confusion.support(class) as f64)
    }

    fn weighted_by(confusion: &Confusion, weight: impl Fn(usize) -> f64) -> Self {
        let (mut sums, mut all) = ([0.0; 3], 0.0);
        for class in 0..confusion.classes() {
            let scores = ClassScores::of(confusion, class);
            let of_class = [scores.precision.share(), scores.recall.share(), scores.f1];
            for (sum, score) in sums.iter_mut().zip(of_class) {
                *sum += weight(class) * score.unwrap_or(0.0);
            }
            all += weight(class);
        }
        let [precision, recall, f1] = sums.map(|sum| if all > 0.0 { sum / all } else { 0.0 });
        Self { precision, recall, f1 }
    }
}
