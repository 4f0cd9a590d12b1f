//! Kernel SHAP: Shapley values as the solution of a weighted regression.

use crate::cholesky::{Gram, dot};
use crate::neighbourhood::Samples;
use crate::oracle::Answer;
use crate::sampling::{Purpose, generator};
use crate::shapley::{Shapley, few_words};
use crate::strata::{Plan, Stratum, Taken, allocate};
use crate::subset_draw::{binomial, distinct};
use crate::table::{Masking, ROWS_PER_CALL};
use crate::word_set::WordSet;

/// Relative to the kernel's weight, which is 1: keeps the equations solvable where fewer sets were drawn than
/// there are words, and changes nothing else that is seen.
const PENALTY: f64 = 1e-10;

/// Estimates the Shapley values by least squares: the phi with sum phi = p(text) - p(all masked) that come
/// closest to p(S) - p(all masked) ~ sum of phi over S, with the Shapley kernel as weights.
///
/// Sets of k present words weigh (M - 1) / (k (M - k)) together, each size alike a stratum with its
/// complement's, [`Plan`]; sets are drawn in pairs of complements and none twice; sizes of which all sets fit
/// into `samples.fit` are taken whole. Where all do, the values are exact; where words matter at most in pairs,
/// they are exact for any sample that has as many pairs of sets as there are words, because in a pair of
/// complements what two words do together falls on both alike. `watch` gets earlier solutions.
///
/// Text and nothing are not samples but constraints. One word has p(text) - p(all masked), no words have no
/// values.
///
/// Cost: at most `samples.fit` rows, the text and the masked text among them; two at least.
///
/// Source: Lundberg and Lee 2017, arXiv 1705.07874, theorem 2, and `shap`'s `KernelExplainer` for the whole
/// sizes; Covert and Lee 2021, arXiv 2012.01536, for pairs, the constrained solution (their equation 7) and
/// its errors.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn kernel_shap(
    masking: &mut Masking,
    samples: Samples,
    seed: u64,
    watch: &mut dyn FnMut(&Shapley),
) -> Answer<Shapley> {
    let words = masking.words();
    if words < 2 {
        return few_words(masking);
    }
    let plan = plan(words, samples.fit.saturating_sub(2), seed);
    let planned = plan.rows();
    let doubling = std::iter::successors(Some(ROWS_PER_CALL), |rows| Some(rows * 2));
    for rows in doubling.take_while(|rows| *rows < planned) {
        watch(&estimate(masking, &plan.take(rows), planned)?);
    }
    estimate(masking, &plan.take(planned), planned)
}

/// The solution to all sets that have, or lack, at most `size` words, the text and nothing included; of `size` half of
/// the words that is the Shapley values. Nothing is left to chance, so the errors are zeros: how far the larger sets
/// would move it, it does not say. For texts of at least two words.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn up_to_size(masking: &mut Masking, size: usize) -> Answer<Shapley> {
    let words = masking.words();
    let random = &mut generator(0, Purpose::Coalitions);
    let strata = (1..=size.min(words / 2)).map(|size| {
        let (weight, pairs) = kernel(words, size);
        let sets = paired(words, size, pairs as usize, random);
        Stratum { sets, population: 2.0 * pairs, weight, together: 2 }
    });
    let plan = Plan::new(strata.collect());
    let planned = (0..=words).map(|size| binomial(words, size)).sum::<f64>() as usize;
    estimate(masking, &plan.take(plan.rows()), planned - 2)
}

/// Pairs of complements, by the size of the smaller.
fn plan(words: usize, rows: usize, seed: u64) -> Plan {
    let sizes: Vec<_> = (1..=words / 2).map(|size| kernel(words, size)).collect();
    let total: f64 = sizes.iter().map(|(weight, _)| weight).sum();
    let random = &mut generator(seed, Purpose::Coalitions);
    let strata = sizes.iter().zip(allocate(&sizes, rows / 2)).enumerate().map(|(index, ((weight, pairs), count))| {
        let sets = paired(words, index + 1, count, random);
        Stratum { sets, population: 2.0 * pairs, weight: weight / total, together: 2 }
    });
    Plan::new(strata.collect())
}

/// What the sets of `size` and those of their complements weigh together, and how many pairs there are.
fn kernel(words: usize, size: usize) -> (f64, f64) {
    let weight = (words - 1) as f64 / (size * (words - size)) as f64;
    let sets = binomial(words, size);
    // Half of the words is its own complement's size.
    if 2 * size == words { (weight, sets / 2.0) } else { (2.0 * weight, sets) }
}

/// `pairs` sets of `size`, each followed by its complement, none twice.
fn paired(words: usize, size: usize, pairs: usize, random: &mut rand_chacha::ChaCha8Rng) -> Vec<WordSet> {
    let firsts = if 2 * size == words { halves(words, pairs, random) } else { distinct(words, size, pairs, random) };
    firsts.into_iter().flat_map(|set| [set.complement(words), set]).collect()
}

/// Sets of half of the words of which none is another's complement.
fn halves(words: usize, pairs: usize, random: &mut rand_chacha::ChaCha8Rng) -> Vec<WordSet> {
    // A set of half of the words either has the last one or its complement has: a choice among the others.
    distinct(words - 1, words / 2, pairs, random).into_iter().map(|set| widen(&set, words)).collect()
}

/// The same words in a text with one word more.
fn widen(set: &WordSet, words: usize) -> WordSet {
    let mut wide = WordSet::empty(words);
    (0..words - 1).filter(|word| set.contains(*word)).for_each(|word| wide.insert(word));
    wide
}

fn estimate(masking: &mut Masking, taken: &Taken, planned: usize) -> Answer<Shapley> {
    let words = masking.words();
    let ends = [WordSet::empty(words), WordSet::empty(words).complement(words)];
    masking.values(&ends.iter().chain(&taken.sets).cloned().collect::<Vec<_>>())?;
    let ends = masking.values(&ends)?;
    let targets: Vec<_> = masking.values(&taken.sets)?.into_iter().map(|p| p - ends[1]).collect();
    let presence = |set: &WordSet| set.presence(words).into_iter().map(|present| f64::from(u8::from(present)));
    let rows: Vec<Vec<f64>> = taken.sets.iter().map(|set| presence(set).collect()).collect();
    let system = System::new(&rows, &taken.weights, words);
    let mut pull = vec![0.0; words];
    for ((row, target), weight) in rows.iter().zip(&targets).zip(&taken.weights) {
        pull.iter_mut().zip(row).for_each(|(cell, number)| *cell += weight * target * number);
    }
    let scores = system.solve(pull, ends[0] - ends[1]);
    let influence = |((row, target), weight): ((&Vec<f64>, &f64), &f64)| {
        let error = weight * (target - dot(row, &scores));
        system.solve(row.iter().map(|number| error * number).collect(), 0.0)
    };
    let influences: Vec<_> = rows.iter().zip(&targets).zip(&taken.weights).map(influence).collect();
    let errors = taken.errors(&influences);
    let errors = if errors.is_empty() { vec![0.0; words] } else { errors };
    Ok(Shapley { scores, errors, nothing: ends[1], rows: rows.len() + 2, planned: planned + 2 })
}

/// The normal equations with the sum of the solution given.
struct System {
    equations: crate::cholesky::Cholesky,
    /// The solution for a right side of ones.
    ones: Vec<f64>,
}

impl System {
    fn new(rows: &[Vec<f64>], weights: &[f64], words: usize) -> Self {
        let mut gram = Gram::new(words);
        rows.iter().zip(weights).for_each(|(row, weight)| gram.add(row, *weight));
        let equations = gram.factorise(PENALTY);
        let ones = equations.solve(vec![1.0; words]);
        Self { equations, ones }
    }

    /// The solution that adds up to `total`.
    fn solve(&self, right: Vec<f64>, total: f64) -> Vec<f64> {
        let mut free = self.equations.solve(right);
        let excess = (free.iter().sum::<f64>() - total) / self.ones.iter().sum::<f64>();
        free.iter_mut().zip(&self.ones).for_each(|(number, one)| *number -= excess * one);
        free
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use rand::Rng;

    use super::*;
    use crate::bounds::Subsets;
    use crate::fakes::{Cancelled, Game, logistic, present_sum};
    use crate::oracle::OracleError;
    use crate::table::MaskTable;

    fn explain(game: &mut Game, rows: usize, seed: u64) -> Shapley {
        let samples = Samples { fit: rows, ..Samples::default() };
        kernel_shap(&mut Masking::new(game, &mut MaskTable::default()), samples, seed, &mut |_| {}).unwrap()
    }

    fn exact(game: &mut Game) -> Vec<f64> {
        Subsets::ask(&mut Masking::new(game, &mut MaskTable::default())).unwrap().shapley()
    }

    fn interacting(words: usize) -> Game {
        let weights: Vec<_> = (0..words).map(|word| ((word * 7 + 3) % 11) as f64 / 4.0 - 1.2).collect();
        Game::new(words, move |present| {
            let pairs = present.windows(2).step_by(3).filter(|pair| pair[0] && pair[1]).count() as f64;
            logistic(present_sum(present, &weights) + 0.8 * pairs)
        })
    }

    fn far(found: &[f64], expected: &[f64]) -> f64 {
        found.iter().zip(expected).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// Captum 0.9's `KernelShap`: text and nothing with a weight of 1e6, then sizes by the kernel, sets of a
    /// size uniformly and with repeats, and plain least squares.
    fn captum(game: &mut Game, words: usize, rows: usize, seed: u64) -> Vec<f64> {
        let mut random = generator(seed, Purpose::HeldOut);
        let law: Vec<f64> = (1..words).map(|size| 1.0 / (size * (words - size)) as f64).collect();
        let mut sets = vec![WordSet::empty(words), WordSet::empty(words).complement(words)];
        while sets.len() < rows {
            let mut left = random.random_range(0.0..law.iter().sum::<f64>());
            let size = law
                .iter()
                .position(|share| {
                    left -= share;
                    left < 0.0
                })
                .unwrap_or(0)
                + 1;
            let order = crate::sampling::order(words, &mut random);
            let mut set = WordSet::empty(words);
            order[..size].iter().for_each(|word| set.insert(*word));
            sets.push(set);
        }
        let mut table = MaskTable::default();
        let targets = Masking::new(game, &mut table).values(&sets).unwrap();
        let numbers = |set: &WordSet| set.presence(words).into_iter().map(|p| f64::from(u8::from(p))).collect();
        let rows: Vec<Vec<f64>> = sets.iter().map(numbers).collect();
        let weights: Vec<_> = (0..sets.len()).map(|row| if row < 2 { 1e6 } else { 1.0 }).collect();
        let data = crate::ridge::Weighted { rows: &rows, targets: &targets, weights: &weights };
        crate::ridge::Ridge::fit(&data, 1e-6).coefficients
    }

    #[test]
    fn sizes_lead_to_the_shapley_values() {
        for words in 2..=9 {
            let truth = exact(&mut interacting(words));
            let (mut game, mut table) = (interacting(words), MaskTable::default());
            let mut masking = Masking::new(&mut game, &mut table);
            let ways: Vec<_> =
                (1..=words / 2).map(|size| far(&up_to_size(&mut masking, size).unwrap().scores, &truth)).collect();
            assert!(ways.last().unwrap() < &1e-9, "{words}: {ways:?}");
            assert!(ways.windows(2).all(|pair| pair[1] < pair[0].max(1e-9)), "{words}: {ways:?}");
            assert_eq!(table.spent(), 1 << words);
        }
    }

    #[test]
    fn all_sets_give_the_exact_values() {
        for words in 2..=9 {
            let found = explain(&mut interacting(words), 1 << words, 1);
            assert_eq!((found.rows, found.planned), (1 << words, 1 << words));
            assert!(far(&found.scores, &exact(&mut interacting(words))) < 1e-8, "{words} words");
            assert!(found.errors.iter().all(|error| *error == 0.0));
        }
    }

    #[test]
    fn closer_to_the_exact_values_than_captums_sampling() {
        for (words, rows) in [(9, 128), (12, 256), (12, 512), (14, 512)] {
            let truth = Subsets::ask(&mut Masking::new(&mut interacting(words), &mut MaskTable::default())).unwrap();
            let truth = truth.shapley();
            let runs = 12;
            let (mut ours, mut theirs) = (0.0, 0.0);
            for seed in 0..runs {
                ours += far(&explain(&mut interacting(words), rows, seed).scores, &truth) / f64::from(runs as u32);
                theirs += far(&captum(&mut interacting(words), words, rows, seed), &truth) / f64::from(runs as u32);
            }
            println!("{words} words, {rows} rows: {ours:.5} against {theirs:.5}, {:.1}x", theirs / ours);
            assert!(ours < theirs / 2.0, "{words} words, {rows} rows: {ours} against {theirs}");
        }
    }

    #[test]
    fn what_words_do_in_pairs_is_exact_in_any_sample() {
        let game = |words: usize| {
            Game::new(words, move |present| {
                let on = |word: usize| f64::from(u8::from(present[word]));
                let alone: f64 = (0..words).map(|word| on(word) * (word as f64).sin()).sum();
                let pairs = (0..words).flat_map(|first| (0..first).map(move |second| (first, second)));
                alone + pairs.map(|(a, b)| on(a) * on(b) * ((a * 5 + b * 3) as f64).cos()).sum::<f64>()
            })
        };
        for (words, rows) in [(8, 40), (11, 60), (13, 200)] {
            let found = explain(&mut game(words), rows, 1);
            assert!(far(&found.scores, &exact(&mut game(words))) < 1e-6, "{words} words");
        }
    }

    #[test]
    fn errors_are_about_as_large_as_they_are_said_to_be() {
        let truth = exact(&mut interacting(12));
        let (mut squares, mut claimed) = (0.0, 0.0);
        for seed in 0..40 {
            let found = explain(&mut interacting(12), 300, seed);
            squares += far(&found.scores, &truth).powi(2);
            claimed += found.errors.iter().map(|error| error.powi(2)).sum::<f64>();
        }
        println!("{squares} and {claimed}");
        assert!(squares < 1.5 * claimed && squares > claimed / 20.0, "{squares} and {claimed}");
    }

    #[test]
    fn no_set_comes_twice_and_each_with_its_complement() {
        for words in [2, 3, 8, 13, 40] {
            let plan = plan(words, 300, 5);
            let sets = plan.take(plan.rows()).sets;
            let distinct: HashSet<_> = sets.iter().collect();
            assert!(distinct.len() == sets.len() && sets.len() <= 300);
            assert!(sets.iter().all(|set| distinct.contains(&set.complement(words))));
        }
    }

    #[test]
    fn watchers_see_it_settle() {
        let mut seen = Vec::new();
        let samples = Samples { fit: 600, ..Samples::default() };
        let mut game = interacting(14);
        let mut table = MaskTable::default();
        let mut watch = |found: &Shapley| seen.push((found.rows, found.errors.iter().sum::<f64>()));
        let last = kernel_shap(&mut Masking::new(&mut game, &mut table), samples, 1, &mut watch).unwrap();
        assert_eq!(seen.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(), [66, 130, 258, 514]);
        assert!(last.errors.iter().sum::<f64>() < seen[0].1 / 2.0);
    }

    #[test]
    fn none_one_and_too_few_are_defined() {
        assert_eq!(explain(&mut Game::new(0, |_| 0.3), 100, 1).scores, Vec::<f64>::new());
        let one = explain(&mut Game::additive(0.25, &[0.5]), 100, 1);
        assert_eq!((one.scores, one.errors, one.rows), (vec![0.5], vec![0.0], 2));
        for rows in [0, 1, 2, 4, 7] {
            let found = explain(&mut Game::additive(0.1, &[0.2, 0.3, 0.1]), rows, 1);
            assert!((found.scores.iter().sum::<f64>() - 0.6).abs() < 1e-9, "{found:?}");
        }
        assert_eq!(explain(&mut Game::new(5, |_| 0.7), 20, 1).scores, [0.0; 5]);
        let samples = Samples::default();
        let answer = kernel_shap(&mut Masking::new(&mut Cancelled, &mut MaskTable::default()), samples, 1, &mut |_| {});
        assert_eq!(answer, Err(OracleError::Cancelled));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn values_add_up_at_any_number_of_samples(
            words in 2..11_usize, rows in 0..200_usize, frequency in 0.1..9.0_f64, seed in any::<u64>(),
        ) {
            let rugged = move |present: &[bool]| 0.5 + 0.5 * (crate::fakes::bits(present) as f64 * frequency).sin();
            let found = explain(&mut Game::new(words, rugged), rows, seed);
            let total = rugged(&vec![true; words]) - rugged(&vec![false; words]);
            prop_assert!((found.scores.iter().sum::<f64>() - total).abs() < 1e-6);
            prop_assert!(found.scores.iter().chain(&found.errors).all(|number| number.is_finite()));
        }
    }
}
