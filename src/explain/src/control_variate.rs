//! What pairs of words add to a line fitted to a sample, and to one fitted to all maskings: the difference is
//! sampling error that need not be made.

use crate::ridge::{Ridge, Weighted};

/// Penalty on the squared coefficients of the quadratic model.
const PENALTY: f64 = 1.0;
/// Rows for each coefficient of the quadratic model at least; with fewer it would follow chance.
const ROWS_A_COEFFICIENT: usize = 2;

/// q(S) = sum of d_ij over the pairs of words present: the pair terms of a quadratic model of the
/// probability.
///
/// A line fitted to a sample is off because what it cannot follow, the interactions, falls on the drawn rows
/// by chance. Of q both the fit to the sample and the one to all maskings are known, so the difference can be
/// taken off: coefficients of y = those of y - q on the sample + those of q on all maskings.
///
/// Source: control variates, e.g. Owen, "Monte Carlo theory, methods and examples", section 8.9.
#[derive(Debug, Clone, PartialEq)]
pub struct PairModel {
    words: usize,
    /// d_ij for i < j, row by row.
    values: Vec<f64>,
}

impl PairModel {
    /// Fits words and pairs together and keeps the pairs. `None` where there are too few rows for it.
    #[must_use]
    pub fn fit(data: &Weighted, words: usize) -> Option<Self> {
        let coefficients = words + words * words.saturating_sub(1) / 2;
        if coefficients * ROWS_A_COEFFICIENT > data.rows.len() {
            return None;
        }
        let rows: Vec<Vec<f64>> =
            data.rows.iter().map(|row| row.iter().copied().chain(products(row)).collect()).collect();
        let fit = Ridge::fit(&Weighted { rows: &rows, ..*data }, PENALTY);
        Some(Self { words, values: fit.coefficients[words..].to_vec() })
    }

    /// Numbers that were fitted, those of the single words included.
    #[must_use]
    pub fn coefficients(&self) -> usize {
        self.words + self.values.len()
    }

    /// q for a row.
    #[must_use]
    pub fn value(&self, row: &[f64]) -> f64 {
        products(row).zip(&self.values).map(|(product, value)| product * value).sum()
    }

    /// Coefficients of the ridge regression of q on all maskings.
    ///
    /// Sets of a size being alike, all covariances of presences and pairs are one of four numbers, and the
    /// equations ((v - c + `penalty`) I + c 11') b = r have a closed solution.
    #[must_use]
    pub fn line(&self, law: &Law, penalty: f64) -> Vec<f64> {
        let [whole, one, two, three] = [0, 1, 2, 3].map(|present| law.moment(present));
        let (variance, covariance) = (one - one * one / whole, two - one * one / whole);
        let (own, other) = (two - one * two / whole, three - one * two / whole);
        let of_word = self.of_word();
        let total: f64 = self.values.iter().sum();
        let right: Vec<f64> = of_word.iter().map(|sum| sum * own + (total - sum) * other).collect();
        let diagonal = variance - covariance + penalty;
        let sum = right.iter().sum::<f64>() / (diagonal + self.words as f64 * covariance);
        right.into_iter().map(|right| (right - covariance * sum) / diagonal).collect()
    }

    /// For each word, the sum over its pairs.
    fn of_word(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.words];
        let pairs = (0..self.words).flat_map(|first| (first + 1..self.words).map(move |second| (first, second)));
        for ((first, second), value) in pairs.zip(&self.values) {
            sums[first] += value;
            sums[second] += value;
        }
        sums
    }
}

/// Products of all pairs, row by row.
fn products(row: &[f64]) -> impl Iterator<Item = f64> {
    row.iter().enumerate().flat_map(move |(index, first)| row[index + 1..].iter().map(move |second| first * second))
}

/// Weights of maskings that depend on how many words are masked alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    /// What the sets of 0, 1, 2 ... masked words weigh together.
    pub sizes: Vec<f64>,
}

impl Law {
    /// Weight of the maskings that leave so many given words present.
    #[must_use]
    pub fn moment(&self, present: usize) -> f64 {
        let words = self.sizes.len() - 1;
        let share = |masked: usize| {
            let of =
                |step: usize| words.saturating_sub(masked + step) as f64 / words.saturating_sub(step).max(1) as f64;
            (0..present).map(of).product::<f64>()
        };
        self.sizes.iter().enumerate().map(|(masked, weight)| weight * share(masked)).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::subset_draw::{binomial, combinations};

    /// All maskings of a text with their weights.
    fn whole(law: &Law) -> (Vec<Vec<f64>>, Vec<f64>) {
        let words = law.sizes.len() - 1;
        let mut rows = Vec::new();
        let mut weights = Vec::new();
        for (size, weight) in law.sizes.iter().enumerate() {
            for set in combinations(words, size) {
                rows.push(set.presence(words).into_iter().map(|present| f64::from(u8::from(present))).collect());
                weights.push(weight / binomial(words, size));
            }
        }
        (rows, weights)
    }

    proptest! {
        #[test]
        fn the_line_is_that_of_a_regression_on_all_maskings(
            sizes in prop::collection::vec(0.1..9.0_f64, 3..8), seed in prop::collection::vec(-1.0..1.0_f64, 21),
            penalty in 0.1..2.0_f64,
        ) {
            let law = Law { sizes };
            let words = law.sizes.len() - 1;
            let model = PairModel { words, values: seed[..words * (words - 1) / 2].to_vec() };
            let (rows, weights) = whole(&law);
            let targets: Vec<_> = rows.iter().map(|row| model.value(row)).collect();
            let fit = Ridge::fit(&Weighted { rows: &rows, targets: &targets, weights: &weights }, penalty);
            for (found, expected) in model.line(&law, penalty).iter().zip(&fit.coefficients) {
                prop_assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
            }
        }
    }

    #[test]
    fn pairs_are_found_and_too_few_rows_refused() {
        let law = Law { sizes: vec![100.0; 6] };
        let (rows, weights) = whole(&law);
        let targets: Vec<_> = rows.iter().map(|row| 0.2 + 0.1 * row[0] - 0.3 * row[1] * row[4]).collect();
        let data = Weighted { rows: &rows, targets: &targets, weights: &weights };
        let model = PairModel::fit(&data, 5).unwrap();
        let expected = |row: &Vec<f64>| -0.3 * row[1] * row[4];
        assert!(rows.iter().all(|row| (model.value(row) - expected(row)).abs() < 0.02));
        assert_eq!(model.coefficients(), 15);
        let few = Weighted { rows: &rows[..29], targets: &targets[..29], weights: &weights[..29] };
        assert_eq!(PairModel::fit(&few, 5), None);
    }
}
