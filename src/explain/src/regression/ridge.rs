//! Weighted ridge regression with a free intercept, by the normal equations.

use super::cholesky::{Cholesky, Gram, dot};
use super::{Sample, Weighted};

/// A fitted linear function.
#[derive(Debug, Clone, PartialEq)]
pub struct Ridge {
    /// The value for a row of zeros.
    pub intercept: f64,
    /// One for each feature.
    pub coefficients: Vec<f64>,
}

impl Ridge {
    /// The function with the smallest sum of w (y - c - b . x)^2 + `penalty` |b|^2; the intercept c is not penalised.
    /// `penalty` must be positive: that makes the equations solvable.
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
        for Sample { row, target, weight } in data.samples() {
            let pull = weight * (target - middle);
            right.iter_mut().zip(centred(row, &centre)).for_each(|(cell, number)| *cell += pull * number);
        }
        let coefficients = equations(data, &centre, penalty).solve(right);
        Self { intercept: middle - dot(&coefficients, &centre), coefficients }
    }

    /// The function with these coefficients whose mean error over `data` is 0.
    #[must_use]
    pub fn through_mean(data: &Weighted, coefficients: Vec<f64>) -> Self {
        let middle = data.mean(data.targets.iter().copied());
        Self { intercept: middle - dot(&coefficients, &data.centre()), coefficients }
    }

    /// For each sample, how far it moves each coefficient of this fit to `data` with `penalty`:
    /// (X'WX + penalty I)^-1 w (y - g) x with centred x. All of them together balance the penalty.
    ///
    /// Source: the influence function of weighted least squares. White 1980 makes standard errors of its squares that
    /// allow every sample its own variance ("sandwich").
    #[must_use]
    pub fn influences(&self, data: &Weighted, penalty: f64) -> Vec<Vec<f64>> {
        let centre = data.centre();
        let equations = equations(data, &centre, penalty);
        let influence = |Sample { row, target, weight }: Sample| {
            let error = weight * (target - self.predict(row));
            equations.solve(centred(row, &centre).map(|number| error * number).collect())
        };
        data.samples().map(influence).collect()
    }

    /// For each sample, the prediction of the fit to all other samples, where `self` is the fit to `data` with
    /// `penalty`: y - (y - g) / (1 - h), h being the leverage of the sample.
    ///
    /// Source: Allen 1974, "The relationship between variable selection and data augmentation and a method for
    /// prediction" (PRESS); exact for a penalised fit, by Sherman and Morrison.
    #[must_use]
    pub fn left_out(&self, data: &Weighted, penalty: f64) -> Vec<f64> {
        let centre = data.centre();
        let equations = equations(data, &centre, penalty);
        let total: f64 = data.weights.iter().sum();
        let predicted = |Sample { row, target, weight }: Sample| {
            let place: Vec<f64> = centred(row, &centre).collect();
            let leverage = weight * (1.0 / total.max(f64::MIN_POSITIVE) + dot(&place, &equations.solve(place.clone())));
            // The leverage of a single sample is 1: no other sample predicts it.
            let rest = (1.0 - leverage).max(f64::EPSILON);
            target - (target - self.predict(row)) / rest
        };
        data.samples().map(predicted).collect()
    }

    /// The value for a row.
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
    for Sample { row, weight, .. } in data.samples() {
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
        let left: f64 = data.samples().map(|one| one.weight * (one.target - fit.predict(one.row)).powi(2)).sum();
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
