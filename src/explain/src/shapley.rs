//! Shapley values: exactly from all maskings of a short text, by random orders for a long one.

use crate::bounds::Subsets;
use crate::kernel_shap::up_to_size;
use crate::neighbourhood::Samples;
use crate::oracle::Answer;
use crate::sampling::{Purpose, generator, order};
use crate::table::Masking;
use crate::word_set::WordSet;

/// Shapley values or an estimate of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Shapley {
    /// One for each word, in probability; they add up to p(text) - p(all masked).
    pub scores: Vec<f64>,
    /// Standard error of each; zeros where they are exact.
    pub errors: Vec<f64>,
    /// Probability with all words masked.
    pub nothing: f64,
    /// Different maskings that they rest on.
    pub rows: usize,
    /// Different maskings that the last estimate will rest on.
    pub planned: usize,
}

/// The Shapley values of the words of a text all of whose maskings are known:
/// phi_i = mean over orders of the drop when i is masked after those before it
/// = sum over S without i of (p(S with i) - p(S)) / (n C(n - 1, |S|)).
///
/// Source: Shapley 1953; what is left of a masked text as the value of a coalition: Lundberg and Lee 2017,
/// arXiv 1705.07874.
#[must_use]
pub fn exact(subsets: &Subsets) -> Shapley {
    let scores = subsets.shapley();
    let (errors, rows) = (vec![0.0; scores.len()], subsets.rows());
    Shapley { scores, errors, nothing: subsets.nothing(), rows, planned: rows }
}

/// Asks for all maskings of a short text from the outer sizes inward: first one word masked or left, then two, and
/// so on. `watch` gets what is known so far: the solution of Kernel SHAP to all sets of these sizes, whose errors are
/// here how far each value has moved since the sizes before. With the last size it is exact, and not shown.
///
/// Sizes are that order because one of few words, or of all but few, weighs most in the kernel.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn ask_by_size(masking: &mut Masking, watch: &mut dyn FnMut(&Shapley)) -> Answer<()> {
    let words = masking.words();
    let mut before = vec![0.0; words];
    for size in 1..(words / 2).max(1) {
        let mut found = up_to_size(masking, size)?;
        found.errors = found.scores.iter().zip(&before).map(|(now, before)| (now - before).abs()).collect();
        before.clone_from(&found.scores);
        watch(&found);
    }
    Ok(())
}

/// Estimates the Shapley values by masking the words in random orders, each followed by its reverse: the mean
/// drop when a word is masked. As many orders as make at most `samples.fit` rows, but two pairs at least, for
/// the standard errors; `watch` gets the estimate after each pair from the second on.
///
/// Cost: 2 rows and, for each pair, 2 (words - 1) more.
///
/// Source: Castro et al. 2009, "Polynomial calculation of the Shapley value based on sampling"; reversed
/// orders: Mitchell et al. 2022, arXiv 2104.12199, section 4.1.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn sampled(masking: &mut Masking, samples: Samples, seed: u64, watch: &mut dyn FnMut(&Shapley)) -> Answer<Shapley> {
    let words = masking.words();
    if words < 2 {
        return few_words(masking);
    }
    let pair = 2 * (words - 1);
    let pairs = (samples.fit.saturating_sub(2) / pair).max(2);
    let mut random = generator(seed, Purpose::Coalitions);
    let ends = [WordSet::empty(words), WordSet::empty(words).complement(words)];
    let nothing = masking.values(&ends)?[1];
    let mut found: Vec<Vec<f64>> = Vec::new();
    loop {
        found.push(antithetic(masking, order(words, &mut random))?);
        let (scores, errors) = mean(&found);
        let rows = 2 + found.len() * pair;
        let so_far = Shapley { scores, errors, nothing, rows, planned: 2 + pairs * pair };
        match found.len() {
            done if done >= pairs => return Ok(so_far),
            done if done > 1 && done.is_power_of_two() => watch(&so_far),
            _ => {}
        }
    }
}

/// The drops by an order and by its reverse, their mean for each word.
fn antithetic(masking: &mut Masking, mut order: Vec<usize>) -> Answer<Vec<f64>> {
    let forward = marginal(masking, &order)?;
    order.reverse();
    let backward = marginal(masking, &order)?;
    Ok(forward.iter().zip(backward).map(|(a, b)| (a + b) / 2.0).collect())
}

/// For each word, how much the probability drops when it is masked after those before it in `order`.
fn marginal(masking: &mut Masking, order: &[usize]) -> Answer<Vec<f64>> {
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

/// Mean of each number, and its standard error (0 of a single row).
fn mean(rows: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let count = rows.len() as f64;
    let column = |word: usize| rows.iter().map(move |row| row[word]);
    let words = 0..rows.first().map_or(0, Vec::len);
    let means: Vec<f64> = words.map(|word| column(word).sum::<f64>() / count).collect();
    let error = |(word, mean): (usize, &f64)| {
        let squares: f64 = column(word).map(|number| (number - mean).powi(2)).sum();
        (squares / (count * (count - 1.0).max(1.0))).sqrt()
    };
    let errors = means.iter().enumerate().map(error).collect();
    (means, errors)
}

/// Of a text with at most one word, whose value is all there is.
pub(crate) fn few_words(masking: &mut Masking) -> Answer<Shapley> {
    let words = masking.words();
    let full = masking.full()?;
    let alone: Vec<_> = (0..words).map(|word| WordSet::empty(words).with(word)).collect();
    let scores = masking.drops(&alone)?;
    let nothing = full - scores.iter().sum::<f64>();
    Ok(Shapley { errors: vec![0.0; words], scores, nothing, rows: words + 1, planned: words + 1 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fakes::{Cancelled, Game, logistic, present_sum};
    use crate::oracle::OracleError;
    use crate::table::MaskTable;

    fn of(game: &mut Game) -> Vec<f64> {
        exact(&Subsets::ask(&mut Masking::new(game, &mut MaskTable::default())).unwrap()).scores
    }

    fn estimate(game: &mut Game, rows: usize, seed: u64) -> Shapley {
        let samples = Samples { fit: rows, ..Samples::default() };
        sampled(&mut Masking::new(game, &mut MaskTable::default()), samples, seed, &mut |_| {}).unwrap()
    }

    fn close(found: &[f64], expected: &[f64]) -> bool {
        found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn known_games() {
        assert!(close(&of(&mut Game::additive(0.2, &[0.3, -0.1, 0.0])), &[0.3, -0.1, 0.0]));
        // Either word is enough: they share it.
        assert!(close(&of(&mut Game::new(2, |words| if words[0] || words[1] { 0.9 } else { 0.1 })), &[0.4, 0.4]));
        // The glove game: one left and two right gloves.
        let gloves = |words: &[bool]| f64::from(u8::from(words[0] && (words[1] || words[2])));
        assert!(close(&of(&mut Game::new(3, gloves)), &[2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0]));
        assert!(close(&of(&mut Game::new(2, |words| if words[0] ^ words[1] { 0.9 } else { 0.1 })), &[0.0, 0.0]));
    }

    #[test]
    fn the_table_is_asked_for_by_size_and_gets_better() {
        let weights: Vec<_> = (0..10).map(|word| f64::from(word % 5) / 2.0 - 0.7).collect();
        let mut game = Game::new(10, move |words| logistic(present_sum(words, &weights)));
        let mut table = MaskTable::default();
        let mut masking = Masking::new(&mut game, &mut table);
        let mut shown = Vec::new();
        ask_by_size(&mut masking, &mut |found| shown.push(found.clone())).unwrap();
        let truth = exact(&Subsets::ask(&mut masking).unwrap()).scores;
        let sum = |sizes: &[f64]| 2 * (sizes.iter().sum::<f64>() as usize);
        let rows: Vec<_> = shown.iter().map(|found| found.rows).collect();
        let expected =
            [&[1.0, 10.0][..], &[1.0, 10.0, 45.0], &[1.0, 10.0, 45.0, 120.0], &[1.0, 10.0, 45.0, 120.0, 210.0]];
        assert_eq!(rows, expected.map(sum));
        let far = |found: &Shapley| found.scores.iter().zip(&truth).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        assert!(shown.windows(2).all(|pair| far(&pair[1]) < far(&pair[0])));
        assert!(shown.iter().all(|found| found.planned == 1024 && found.errors.iter().all(|error| *error > 0.0)));
        assert_eq!(table.spent(), 1024);
        for words in 0..=2 {
            let mut few = Game::additive(0.1, &[0.2, 0.3][..words]);
            assert!(
                ask_by_size(&mut Masking::new(&mut few, &mut table.clone()), &mut |_| panic!("nothing between"))
                    .is_ok()
            );
        }
    }

    #[test]
    fn none_one_and_a_constant() {
        assert_eq!(of(&mut Game::new(0, |_| 0.3)), Vec::<f64>::new());
        assert!(close(&of(&mut Game::additive(0.25, &[0.5])), &[0.5]));
        assert_eq!(of(&mut Game::new(6, |_| 0.7)), [0.0; 6]);
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
        let answer =
            sampled(&mut Masking::new(&mut Cancelled, &mut MaskTable::default()), Samples::default(), 1, &mut |_| {});
        assert_eq!(answer, Err(OracleError::Cancelled));
    }

    fn games() -> impl Strategy<Value = (usize, Vec<f64>, Vec<f64>)> {
        let values = |size: usize| prop::collection::vec(0.0..1.0_f64, size);
        (1..=6_usize).prop_flat_map(move |words| (Just(words), values(1 << words), values(1 << words)))
    }

    proptest! {
        #[test]
        fn the_axioms_hold((words, first, second) in games(), share in 0.0..1.0_f64) {
            let value = |values: &[f64]| of(&mut Game::table(words, values.to_vec()));
            let (a, b) = (value(&first), value(&second));
            let total = first[first.len() - 1] - first[0];
            prop_assert!((a.iter().sum::<f64>() - total).abs() < 1e-12);
            // Linear in the game.
            let mixed: Vec<_> = first.iter().zip(&second).map(|(x, y)| share * x + (1.0 - share) * y).collect();
            let expected: Vec<_> = a.iter().zip(&b).map(|(x, y)| share * x + (1.0 - share) * y).collect();
            prop_assert!(close(&value(&mixed), &expected));
            // A word that changes nothing has nothing.
            let idle: Vec<_> = (0..first.len()).map(|set| first[set & !1]).collect();
            prop_assert!(value(&idle)[0].abs() < 1e-12);
        }

        #[test]
        fn random_orders_add_up((words, values, _) in games(), seed in any::<u64>()) {
            let total = values[values.len() - 1] - values[0];
            let found = estimate(&mut Game::table(words, values), 10, seed);
            prop_assert!((found.scores.iter().sum::<f64>() - total).abs() < 1e-12);
        }
    }
}
