//! Weighted regression: the data, and how well a function fits it.

pub mod cholesky;
pub mod pair_model;
pub mod regression_tree;
pub mod ridge;

use crate::oracle::masking::NOISE;

/// Rows of features with their targets and weights; one target and one weight for each row.
#[derive(Debug, Clone, Copy)]
pub struct Weighted<'a> {
    /// One row of features for each sample.
    pub rows: &'a [Vec<f64>],
    /// The number to be predicted for each sample.
    pub targets: &'a [f64],
    /// How much each sample counts; not negative.
    pub weights: &'a [f64],
}

/// One row with its target and its weight.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The features.
    pub row: &'a [f64],
    /// The number to be predicted.
    pub target: f64,
    /// How much it counts.
    pub weight: f64,
}

impl<'a> Weighted<'a> {
    /// The samples one by one.
    pub fn samples(&self) -> impl Iterator<Item = Sample<'a>> + use<'a> {
        let numbers = self.targets.iter().zip(self.weights);
        self.rows.iter().zip(numbers).map(|(row, (&target, &weight))| Sample { row, target, weight })
    }

    /// Weighted mean of each feature.
    #[must_use]
    pub fn centre(&self) -> Vec<f64> {
        let features = self.rows.first().map_or(0, Vec::len);
        (0..features).map(|feature| self.mean(self.rows.iter().map(|row| row[feature]))).collect()
    }

    /// Weighted mean of one number for each sample; 0 if all weights are 0.
    pub fn mean(&self, numbers: impl Iterator<Item = f64>) -> f64 {
        let total: f64 = self.weights.iter().sum();
        let sum: f64 = numbers.zip(self.weights).map(|(number, weight)| number * weight).sum();
        if total > 0.0 { sum / total } else { 0.0 }
    }

    /// Weighted R2 of a function g: 1 - sum w (y - g)^2 / sum w (y - weighted mean of y)^2. It is at most 1, and
    /// negative where the mean alone would do better. `None` where the targets, as probabilities, vary by no more
    /// than rounding ([`NOISE`]): then there is nothing to explain.
    ///
    /// Source: scikit-learn's `r2_score` with `sample_weight`, which gives 1 or 0 where this gives `None`.
    #[must_use]
    pub fn r2(&self, predict: &dyn Fn(&[f64]) -> f64) -> Option<f64> {
        self.r2_of(&self.rows.iter().map(|row| predict(row)).collect::<Vec<_>>())
    }

    /// The same for one prediction a row.
    #[must_use]
    pub fn r2_of(&self, predictions: &[f64]) -> Option<f64> {
        let middle = self.mean(self.targets.iter().copied());
        let total: f64 = self.samples().map(|sample| sample.weight * (sample.target - middle).powi(2)).sum();
        let pairs = self.samples().zip(predictions);
        let left: f64 = pairs.map(|(sample, predicted)| sample.weight * (sample.target - predicted).powi(2)).sum();
        let rounding = NOISE * NOISE * self.weights.iter().sum::<f64>();
        (total > rounding).then(|| 1.0 - left / total)
    }
}
