//! A model of what pairs of words do together, used as a control variate: it takes sampling error off a linear fit.

use super::Weighted;
use super::ridge::Ridge;

/// Penalty on the squared coefficients of the quadratic model.
const PENALTY: f64 = 1.0;
/// Least number of rows for each coefficient of the quadratic model; with fewer it would fit noise.
const ROWS_A_COEFFICIENT: usize = 2;

/// q(S) = sum of d_ij over the pairs of chosen words that are present: the pair terms of a quadratic model of the
/// probability. The words with the largest coefficients are chosen, as many as the number of rows allows.
///
/// A linear fit to a sample is off because it cannot follow interactions, and chance decides which of them the drawn
/// rows show. For q both linear fits are known, the one to the sample and the one to all maskings, so the difference
/// can be taken off: coefficients of y = those of y - q on the sample + those of q on all maskings.
///
/// Source: control variates, e.g. Owen, "Monte Carlo theory, methods and examples", section 8.9.
#[derive(Debug, Clone, PartialEq)]
pub struct PairModel {
    words: usize,
    /// The words of the pairs, ascending.
    chosen: Vec<usize>,
    /// d_ij for the chosen i < j, row by row.
    values: Vec<f64>,
}

impl PairModel {
    /// Fits words and pairs together and keeps the pairs; `linear` is the fit of the words alone. `None` where there
    /// are too few rows for any pair.
    #[must_use]
    pub fn fit(data: &Weighted, linear: &Ridge) -> Option<Self> {
        let words = linear.coefficients.len();
        let room = (data.rows.len() / ROWS_A_COEFFICIENT).checked_sub(words)?;
        let count = (2..=words).take_while(|count| count * (count - 1) / 2 <= room).last()?;
        let mut chosen: Vec<usize> = (0..words).collect();
        chosen.sort_by(|a, b| linear.coefficients[*b].abs().total_cmp(&linear.coefficients[*a].abs()));
        chosen.truncate(count);
        chosen.sort_unstable();
        let wide = |row: &Vec<f64>| row.iter().copied().chain(products(row, &chosen)).collect();
        let rows: Vec<Vec<f64>> = data.rows.iter().map(wide).collect();
        let fit = Ridge::fit(&Weighted { rows: &rows, ..*data }, PENALTY);
        Some(Self { words, chosen, values: fit.coefficients[words..].to_vec() })
    }

    /// Number of fitted coefficients, those of the single words included.
    #[must_use]
    pub fn coefficients(&self) -> usize {
        self.words + self.values.len()
    }

    /// q of a row.
    #[must_use]
    pub fn value(&self, row: &[f64]) -> f64 {
        products(row, &self.chosen).zip(&self.values).map(|(product, value)| product * value).sum()
    }

    /// Coefficients of the ridge regression of q on all maskings, weighted by `sizes`.
    ///
    /// All sets of a size weigh the same, so the covariances of single words and pairs take only four values, and the
    /// equations ((v - c + `penalty`) I + c 11') b = r have a closed solution.
    #[must_use]
    pub fn linear_coefficients(&self, sizes: &SizeWeights, penalty: f64) -> Vec<f64> {
        let [whole, one, two, three] = [0, 1, 2, 3].map(|present| sizes.moment(present));
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
        for ((first, second), value) in pairs(&self.chosen).zip(&self.values) {
            sums[first] += value;
            sums[second] += value;
        }
        sums
    }
}

/// All pairs of these words, row by row.
fn pairs(words: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    words.iter().enumerate().flat_map(|(index, first)| words[index + 1..].iter().map(|second| (*first, *second)))
}

/// For each pair, 1 if both words are present and 0 otherwise.
fn products(row: &[f64], words: &[usize]) -> impl Iterator<Item = f64> {
    pairs(words).map(|(first, second)| row[first] * row[second])
}

/// Weights of maskings that depend only on how many words are masked.
#[derive(Debug, Clone, PartialEq)]
pub struct SizeWeights {
    /// The weight of all sets of 0, 1, 2 ... masked words together.
    pub weights: Vec<f64>,
}

impl SizeWeights {
    /// Weight of the maskings in which `present` given words are present.
    #[must_use]
    pub fn moment(&self, present: usize) -> f64 {
        let words = self.weights.len() - 1;
        let share = |masked: usize| {
            let of =
                |step: usize| words.saturating_sub(masked + step) as f64 / words.saturating_sub(step).max(1) as f64;
            (0..present).map(of).product::<f64>()
        };
        self.weights.iter().enumerate().map(|(masked, weight)| weight * share(masked)).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sampling::subset_draw::{binomial, combinations};

    /// All maskings of a text with their weights.
    fn whole(sizes: &SizeWeights) -> (Vec<Vec<f64>>, Vec<f64>) {
        let words = sizes.weights.len() - 1;
        let mut rows = Vec::new();
        let mut weights = Vec::new();
        for (size, weight) in sizes.weights.iter().enumerate() {
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
            weights in prop::collection::vec(0.1..9.0_f64, 3..8), seed in prop::collection::vec(-1.0..1.0_f64, 21),
            penalty in 0.1..2.0_f64, spared in 0..9_usize,
        ) {
            let sizes = SizeWeights { weights };
            let words = sizes.weights.len() - 1;
            let chosen: Vec<_> = (0..words).filter(|word| *word != spared).collect();
            let model = PairModel { words, values: seed[..chosen.len() * (chosen.len() - 1) / 2].to_vec(), chosen };
            let (rows, weights) = whole(&sizes);
            let targets: Vec<_> = rows.iter().map(|row| model.value(row)).collect();
            let fit = Ridge::fit(&Weighted { rows: &rows, targets: &targets, weights: &weights }, penalty);
            for (found, expected) in model.linear_coefficients(&sizes, penalty).iter().zip(&fit.coefficients) {
                prop_assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
            }
        }
    }

    #[test]
    fn pairs_are_found_and_too_few_rows_refused() {
        let sizes = SizeWeights { weights: vec![100.0; 6] };
        let (rows, weights) = whole(&sizes);
        let targets: Vec<_> = rows.iter().map(|row| 0.2 + 0.1 * row[0] - 0.3 * row[1] * row[4]).collect();
        let data = Weighted { rows: &rows, targets: &targets, weights: &weights };
        let line = Ridge::fit(&data, 1.0);
        let model = PairModel::fit(&data, &line).unwrap();
        let expected = |row: &Vec<f64>| -0.3 * row[1] * row[4];
        assert!(rows.iter().all(|row| (model.value(row) - expected(row)).abs() < 0.02));
        assert_eq!((model.coefficients(), model.chosen.len()), (15, 5));
        let few =
            |count: usize| Weighted { rows: &rows[..count], targets: &targets[..count], weights: &weights[..count] };
        let chosen = PairModel::fit(&few(17), &line).unwrap().chosen;
        assert_eq!(chosen, [0, 1, 4], "three pairs, of the words that matter");
        assert_eq!((PairModel::fit(&few(11), &line), PairModel::fit(&few(3), &line)), (None, None));
    }
}
