//! The confusion matrix: how often each class was predicted for each true class.

use super::proportion::Proportion;

/// Counts of pairs of a true and a predicted class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// Row by row, `[true class, predicted class]`.
    counts: Vec<usize>,
}

impl Confusion {
    /// The matrix of `classes` classes for these predictions and true classes, pair by pair.
    ///
    /// # Panics
    /// When a class is `classes` or more.
    #[must_use]
    pub fn new(predicted: &[usize], truth: &[usize], classes: usize) -> Self {
        let mut counts = vec![0; classes * classes];
        for (&predicted, &truth) in predicted.iter().zip(truth) {
            assert!(predicted < classes && truth < classes, "classes are numbered from 0 to {classes}");
            counts[truth * classes + predicted] += 1;
        }
        Self { classes, counts }
    }

    /// The matrix with these counts, row by row, `[true class, predicted class]`.
    ///
    /// # Panics
    /// When the counts are not those of `classes` times `classes` pairs.
    #[must_use]
    pub fn of_counts(classes: usize, counts: Vec<usize>) -> Self {
        assert_eq!(counts.len(), classes * classes, "a count for each pair of classes");
        Self { classes, counts }
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The counts of the examples of class `truth` by predicted class.
    #[must_use]
    pub fn row(&self, truth: usize) -> &[usize] {
        &self.counts[truth * self.classes..(truth + 1) * self.classes]
    }

    /// How many examples there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The examples whose class is the predicted one.
    #[must_use]
    pub fn right(&self) -> Proportion {
        let hits = (0..self.classes).map(|class| self.count(class, class)).sum();
        Proportion { hits, of: self.total() }
    }

    /// How many examples of class `truth` were predicted as `predicted`.
    #[must_use]
    pub fn count(&self, truth: usize, predicted: usize) -> usize {
        self.counts[truth * self.classes + predicted]
    }

    /// How many examples are of this class.
    #[must_use]
    pub fn support(&self, class: usize) -> usize {
        self.row(class).iter().sum()
    }

    /// How many examples were predicted as this class.
    #[must_use]
    pub fn predicted(&self, class: usize) -> usize {
        (0..self.classes).map(|truth| self.count(truth, class)).sum()
    }

    /// F1 of one class, in [0, 1]; 0 for a class that is neither predicted nor present, as in scikit-learn.
    #[must_use]
    pub fn f1(&self, class: usize) -> f64 {
        let both = self.support(class) + self.predicted(class);
        if both == 0 { 0.0 } else { 2.0 * self.count(class, class) as f64 / both as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // scikit-learn: f1_score([0,0,1,2,2,2], [0,1,1,2,0,2], average=None) = [0.5, 0.66666667, 0.8]
    #[test]
    fn f1_of_each_class_equals_scikit_learn() {
        let confusion = Confusion::new(&[0, 1, 1, 2, 0, 2], &[0, 0, 1, 2, 2, 2], 3);
        for (class, expected) in [0.5, 2.0 / 3.0, 0.8].into_iter().enumerate() {
            assert!((confusion.f1(class) - expected).abs() < 1e-12, "class {class}");
        }
        assert_eq!((confusion.count(2, 0), confusion.support(2), confusion.predicted(0)), (1, 3, 2));
    }

    #[test]
    fn a_class_without_examples_and_predictions_has_an_f1_of_zero() {
        assert_eq!(Confusion::new(&[0], &[0], 2).f1(1), 0.0);
    }
}
