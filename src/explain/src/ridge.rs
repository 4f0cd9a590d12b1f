//! Weighted ridge regression with a free intercept, by the normal equations.

use crate::cholesky::{Cholesky, Gram, dot};
use crate::table::NOISE;

/// Rows with their targets and weights; the three are of one length, the rows of another.
#[derive(Debug, Clone, Copy)]
pub struct Weighted<'a> {
    /// One row of features for each sample.
    pub rows: &'a [Vec<f64>],
    /// What is to be predicted for each.
    pub targets: &'a [f64],
    /// How much each counts; not negative.
    pub weights: &'a [f64],
}

impl Weighted<'_> {
    fn features(&self) -> usize {
        self.rows.first().map_or(0, Vec::len)
    }

    /// Weighted mean of one number for each sample; 0 if nothing weighs anything.
    fn mean(&self, numbers: impl Iterator<Item = f64>) -> f64 {
        let total: f64 = self.weights.iter().sum();
        let sum: f64 = numbers.zip(self.weights).map(|(number, weight)| number * weight).sum();
        if total > 0.0 { sum / total } else { 0.0 }
    }

    /// Weighted R2 = 1 - sum w (y - g)^2 / sum w (y - weighted mean of y)^2 of a function g, at most 1,
    /// negative where the mean alone would do better. `None` where the targets, as probabilities, do not vary
    /// by more than rounding ([`NOISE`]): there is nothing to explain, and no share of it.
    ///
    /// Source: scikit-learn's `r2_score` with `sample_weight`, which gives 1 or 0 where this gives `None`.
    #[must_use]
    pub fn r2(&self, predict: &dyn Fn(&[f64]) -> f64) -> Option<f64> {
        self.r2_of(&self.rows.iter().map(|row| predict(row)).collect::<Vec<_>>())
    }

    /// The same of one prediction for each row.
    #[must_use]
    pub fn r2_of(&self, predictions: &[f64]) -> Option<f64> {
        let middle = self.mean(self.targets.iter().copied());
        let total: f64 = self.samples().map(|(_, target, weight)| weight * (target - middle).powi(2)).sum();
        let pairs = self.samples().zip(predictions);
        let left: f64 = pairs.map(|((_, target, weight), predicted)| weight * (target - predicted).powi(2)).sum();
        let rounding = NOISE * NOISE * self.weights.iter().sum::<f64>();
        (total > rounding).then(|| 1.0 - left / total)
    }

    /// Weighted mean of each feature.
    fn centre(&self) -> Vec<f64> {
        (0..self.features()).map(|feature| self.mean(self.rows.iter().map(|row| row[feature]))).collect()
    }

    /// Samples as (row, target, weight).
    fn samples(&self) -> impl Iterator<Item = (&Vec<f64>, f64, f64)> {
        let numbers = self.targets.iter().copied().zip(self.weights.iter().copied());
        self.rows.iter().zip(numbers).map(|(row, (target, weight))| (row, target, weight))
    }
}

/// A fitted linear function.
#[derive(Debug, Clone, PartialEq)]
pub struct Ridge {
    /// Value for a row of zeros.
    pub intercept: f64,
    /// One for each feature.
    pub coefficients: Vec<f64>,
}

impl Ridge {
    /// The function with the smallest sum of w (y - c - b . x)^2 + `penalty` |b|^2; the intercept c is
    /// not penalised. `penalty` must be positive: it is what makes the equations solvable.
    ///
    /// A constant target gives coefficients that are exactly zero.
    ///
    /// Source: Hoerl and Kennard 1970; scikit-learn's `Ridge(alpha=penalty)` with `sample_weight`:
    /// rows and targets are centred at their weighted means, (X'WX + penalty I) b = X'Wy is solved by
    /// Cholesky, and the intercept follows from the means.
    #[must_use]
    pub fn fit(data: &Weighted, penalty: f64) -> Self {
        let centre = data.centre();
        // Differences to a target of the data, not the targets, so that equal targets cancel exactly.
        let anchor = data.targets.first().copied().unwrap_or(0.0);
        let middle = anchor + data.mean(data.targets.iter().map(|target| target - anchor));
        let mut right = vec![0.0; centre.len()];
        for (row, target, weight) in data.samples() {
            let pull = weight * (target - middle);
            right.iter_mut().zip(centred(row, &centre)).for_each(|(cell, number)| *cell += pull * number);
        }
        let coefficients = equations(data, &centre, penalty).solve(right);
        Self { intercept: middle - dot(&coefficients, &centre), coefficients }
    }

    /// The function with these coefficients that is right on average over `data`.
    #[must_use]
    pub fn through_mean(data: &Weighted, coefficients: Vec<f64>) -> Self {
        let middle = data.mean(data.targets.iter().copied());
        Self { intercept: middle - dot(&coefficients, &data.centre()), coefficients }
    }

    /// For each sample, how far it pulls each coefficient of this fit to `data` with `penalty`:
    /// (X'WX + penalty I)^-1 w (y - g) x, x being centred. They add up to the penalty's own pull.
    ///
    /// Source: the influence function of weighted least squares, of whose squares White 1980 makes standard
    /// errors that do not take all errors to be alike ("sandwich").
    #[must_use]
    pub fn influences(&self, data: &Weighted, penalty: f64) -> Vec<Vec<f64>> {
        let centre = data.centre();
        let equations = equations(data, &centre, penalty);
        let pull = |(row, target, weight): (&Vec<f64>, f64, f64)| {
            let error = weight * (target - self.predict(row));
            equations.solve(centred(row, &centre).map(|number| error * number).collect())
        };
        data.samples().map(pull).collect()
    }

    /// For each sample, what the fit to all the others gives for it; this is the fit to `data` with `penalty`.
    ///
    /// y - (y - g) / (1 - h), h being how much the sample pulls its own prediction.
    ///
    /// Source: Allen 1974, "The relationship between variable selection and data augmentation and a method for
    /// prediction" (PRESS); exact for a penalised fit, by Sherman and Morrison.
    #[must_use]
    pub fn left_out(&self, data: &Weighted, penalty: f64) -> Vec<f64> {
        let centre = data.centre();
        let equations = equations(data, &centre, penalty);
        let total: f64 = data.weights.iter().sum();
        let predicted = |(row, target, weight): (&Vec<f64>, f64, f64)| {
            let place: Vec<f64> = centred(row, &centre).collect();
            let own = weight * (1.0 / total.max(f64::MIN_POSITIVE) + dot(&place, &equations.solve(place.clone())));
            // A sample that is alone has no others to be told by: then its own prediction is no better than none.
            let rest = (1.0 - own).max(f64::EPSILON);
            target - (target - self.predict(row)) / rest
        };
        data.samples().map(predicted).collect()
    }

    /// Value for a row.
    #[must_use]
    pub fn predict(&self, row: &[f64]) -> f64 {
        self.intercept + dot(&self.coefficients, row)
    }

    /// [`Weighted::r2`] of this function.
    #[must_use]
    pub fn r2(&self, data: &Weighted) -> Option<f64> {
        data.r2(&|row| self.predict(row))
    }
}

/// X'WX + `penalty` I of the centred rows.
fn equations(data: &Weighted, centre: &[f64], penalty: f64) -> Cholesky {
    let mut gram = Gram::new(centre.len());
    for (row, _, weight) in data.samples() {
        gram.add(&centred(row, centre).collect::<Vec<_>>(), weight);
    }
    gram.factorise(penalty)
}

fn centred(row: &[f64], centre: &[f64]) -> impl Iterator<Item = f64> {
    row.iter().zip(centre).map(|(number, centre)| number - centre)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_feature_in_closed_form() {
        // Centred: x = -1/2, 1/2 and y = -1, 1, so b = 1 / (1/2 + 1) and c = 1 - b / 2.
        let rows = [vec![0.0], vec![1.0]];
        let fit = Ridge::fit(&Weighted { rows: &rows, targets: &[0.0, 2.0], weights: &[1.0, 1.0] }, 1.0);
        assert!((fit.coefficients[0] - 2.0 / 3.0).abs() < 1e-15);
        assert!((fit.intercept - 2.0 / 3.0).abs() < 1e-15);
        assert!((fit.predict(&[1.0]) - 4.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn leaving_out_is_fitting_again() {
        let rows: Vec<_> = (0..9).map(|row| vec![f64::from(row % 2), f64::from(row % 3), f64::from(row)]).collect();
        let targets: Vec<_> = (0..9).map(|row| f64::from((row * 7) % 5)).collect();
        let weights: Vec<_> = (0..9).map(|row| 0.2 + f64::from(row % 4)).collect();
        let data = Weighted { rows: &rows, targets: &targets, weights: &weights };
        let found = Ridge::fit(&data, 0.7).left_out(&data, 0.7);
        for out in 0..9 {
            let without = |numbers: &[f64]| [&numbers[..out], &numbers[out + 1..]].concat();
            let others = [&rows[..out], &rows[out + 1..]].concat();
            let (targets, weights) = (without(&targets), without(&weights));
            let again = Ridge::fit(&Weighted { rows: &others, targets: &targets, weights: &weights }, 0.7);
            assert!((found[out] - again.predict(&rows[out])).abs() < 1e-12);
        }
    }

    #[test]
    fn a_constant_target_gives_zeros_and_no_r2() {
        let rows = [vec![1.0, 1.0], vec![0.0, 1.0], vec![1.0, 0.0]];
        let data = Weighted { rows: &rows, targets: &[0.1; 3], weights: &[1.0, 0.3, 0.7] };
        let fit = Ridge::fit(&data, 1.0);
        assert_eq!((fit.intercept, fit.coefficients.as_slice()), (0.1, [0.0, 0.0].as_slice()));
        assert_eq!(fit.r2(&data), None);
    }

    #[test]
    fn rounding_is_not_variation() {
        let rows = [vec![1.0], vec![0.0]];
        let data = Weighted { rows: &rows, targets: &[0.5, 0.5 + 1e-7], weights: &[1.0, 1.0] };
        assert_eq!(Ridge::fit(&data, 1.0).r2(&data), None);
    }

    #[test]
    fn nothing_to_fit_is_defined() {
        let nothing = Weighted { rows: &[], targets: &[], weights: &[] };
        assert_eq!(Ridge::fit(&nothing, 1.0), Ridge { intercept: 0.0, coefficients: vec![] });
        assert_eq!(Ridge::fit(&nothing, 1.0).r2(&nothing), None);
        let weightless = Weighted { rows: &[vec![1.0]], targets: &[0.5], weights: &[0.0] };
        assert_eq!(Ridge::fit(&weightless, 1.0).coefficients, [0.0]);
    }

    #[test]
    fn two_features_that_are_one_share_the_weight() {
        let rows = [vec![1.0, 1.0], vec![0.0, 0.0]];
        let fit = Ridge::fit(&Weighted { rows: &rows, targets: &[1.0, 0.0], weights: &[1e12, 1e12] }, 1.0);
        assert!(fit.coefficients.iter().all(|coefficient| (coefficient - 0.5).abs() < 1e-3));
    }

    fn loss(data: &Weighted, fit: &Ridge, penalty: f64) -> f64 {
        let left: f64 = data.samples().map(|(row, target, weight)| weight * (target - fit.predict(row)).powi(2)).sum();
        left + penalty * dot(&fit.coefficients, &fit.coefficients)
    }

    fn sample() -> impl Strategy<Value = (Vec<f64>, f64, f64)> {
        (prop::collection::vec(-2.0..2.0_f64, 3), -1.0..1.0_f64, 0.01..1.0_f64)
    }

    proptest! {
        /// The loss is convex, so a point that no small step improves is its minimum.
        #[test]
        fn no_step_improves_the_fit(samples in prop::collection::vec(sample(), 2..12), penalty in 0.1..3.0_f64) {
            let rows: Vec<_> = samples.iter().map(|(row, _, _)| row.clone()).collect();
            let targets: Vec<_> = samples.iter().map(|(_, target, _)| *target).collect();
            let weights: Vec<_> = samples.iter().map(|(_, _, weight)| *weight).collect();
            let data = Weighted { rows: &rows, targets: &targets, weights: &weights };
            let fit = Ridge::fit(&data, penalty);
            let lowest = loss(&data, &fit, penalty);
            for step in [1e-4, -1e-4] {
                for feature in 0..3 {
                    let mut other = fit.clone();
                    other.coefficients[feature] += step;
                    prop_assert!(loss(&data, &other, penalty) >= lowest);
                }
                let other = Ridge { intercept: fit.intercept + step, ..fit.clone() };
                prop_assert!(loss(&data, &other, penalty) >= lowest);
            }
            prop_assert!(fit.r2(&data).is_none_or(|r2| (0.0..=1.0).contains(&r2)));
        }
    }
}
