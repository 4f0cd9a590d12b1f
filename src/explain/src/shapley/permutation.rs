//! Shapley values of a long text by permutation sampling.

use super::Shapley;
use crate::context::Samples;
use crate::oracle::Answer;
use crate::oracle::masking::Masking;
use crate::oracle::word_set::WordSet;
use crate::sampling::{Means, Purpose, generator, random_order};

/// Estimates Shapley values by masking the words in random orders, each followed by its reverse: the value of a word is
/// the mean drop when it is masked. There are as many pairs of orders as make at most `samples.fit` rows, but at least
/// two, for the standard errors. `watch` gets the estimate after 2, 4, 8 ... pairs.
///
/// Cost: 2 rows, and 2 (words - 1) more for each pair.
///
/// Source: Castro et al. 2009, "Polynomial calculation of the Shapley value based on sampling"; reversed
/// orders: Mitchell et al. 2022, arXiv 2104.12199, section 4.1.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn sampled(masking: &mut Masking, samples: Samples, seed: u64, watch: &mut dyn FnMut(&Shapley)) -> Answer<Shapley> {
    let words = masking.words();
    if words < 2 {
        return Shapley::of_few_words(masking);
    }
    let pair = 2 * (words - 1);
    let pairs = (samples.fit.saturating_sub(2) / pair).max(2);
    let mut random = generator(seed, Purpose::Coalitions);
    let all_masked = masking.values(&[WordSet::empty(words), WordSet::full(words)])?[1];
    let mut found: Vec<Vec<f64>> = Vec::new();
    loop {
        found.push(antithetic(masking, random_order(words, &mut random))?);
        let Means { means: scores, errors } = Means::of(&found);
        let rows = 2 + found.len() * pair;
        let so_far = Shapley { scores, errors, all_masked, rows, planned: 2 + pairs * pair };
        match found.len() {
            done if done >= pairs => return Ok(so_far),
            done if done > 1 && done.is_power_of_two() => watch(&so_far),
            _ => {}
        }
    }
}

/// For each word, the mean of its drops in an order and in the reverse order.
fn antithetic(masking: &mut Masking, mut order: Vec<usize>) -> Answer<Vec<f64>> {
    let forward = marginal(masking, &order)?;
    order.reverse();
    let backward = marginal(masking, &order)?;
    Ok(forward.iter().zip(backward).map(|(a, b)| (a + b) / 2.0).collect())
}

/// For each word, how far the probability drops when it is masked after the words before it in `order`.
pub(super) fn marginal(masking: &mut Masking, order: &[usize]) -> Answer<Vec<f64>> {
    let mut masked = WordSet::empty(masking.words());
    let mut steps = vec![masked.clone()];
    for word in order {
        masked.insert(*word);
        steps.push(masked.clone());
    }
    let probabilities = masking.values(&steps)?;
    let mut drops = vec![0.0; order.len()];
    for (word, pair) in order.iter().zip(probabilities.windows(2)) {
        drops[*word] = pair[0] - pair[1];
    }
    Ok(drops)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fakes::{Cancelled, Game, logistic, present_sum};
    use crate::oracle::OracleError;
    use crate::oracle::masking::OutcomeCache;
    use crate::oracle::subsets::Subsets;
    use crate::shapley::exact::exact;

    fn of(game: &mut Game) -> Vec<f64> {
        exact(&Subsets::ask(&mut Masking::new(game, &mut OutcomeCache::default())).unwrap()).scores
    }

    fn estimate(game: &mut Game, rows: usize, seed: u64) -> Shapley {
        let samples = Samples { fit: rows, ..Samples::default() };
        sampled(&mut Masking::new(game, &mut OutcomeCache::default()), samples, seed, &mut |_| {}).unwrap()
    }

    #[test]
    fn none_one_and_a_constant() {
        assert_eq!(estimate(&mut Game::new(0, |_| 0.3), 9, 1).scores, Vec::<f64>::new());
        assert_eq!(estimate(&mut Game::additive(0.25, &[0.5]), 9, 1).scores, [0.5]);
        assert_eq!(estimate(&mut Game::new(6, |_| 0.7), 9, 1).scores, [0.0; 6]);
    }

    #[test]
    fn random_orders_come_close_and_know_how_close() {
        let weights: Vec<_> = (0..10).map(|word| f64::from(word % 5) / 2.0 - 0.7).collect();
        let game = || {
            let weights = weights.clone();
            Game::new(10, move |words| logistic(present_sum(words, &weights)))
        };
        let truth = of(&mut game());
        let found = estimate(&mut game(), 600, 4);
        assert!(found.rows <= 600 && found.rows == found.planned);
        for ((score, error), truth) in found.scores.iter().zip(&found.errors).zip(&truth) {
            assert!((score - truth).abs() < 5.0 * error + 1e-9 && *error < 0.02, "{score} +- {error}, not {truth}");
        }
        assert_eq!(estimate(&mut game(), 600, 4), found);
        let answer = sampled(
            &mut Masking::new(&mut Cancelled, &mut OutcomeCache::default()),
            Samples::default(),
            1,
            &mut |_| {},
        );
        assert_eq!(answer, Err(OracleError::Cancelled));
    }

    proptest! {
        #[test]
        fn random_orders_add_up(
            (words, values) in (1..=6_usize).prop_flat_map(|words| {
                (Just(words), prop::collection::vec(0.0..1.0_f64, 1 << words))
            }),
            seed in any::<u64>(),
        ) {
            let total = values[values.len() - 1] - values[0];
            let found = estimate(&mut Game::table(words, values), 10, seed);
            prop_assert!((found.scores.iter().sum::<f64>() - total).abs() < 1e-12);
        }
    }
}
