//! Kernel SHAP: Shapley values as the solution of a weighted regression.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Method, Removal};

use super::owen::{Draws, GROUP_SHARE, GroupValues, Owen, owen};
use super::{Shapley, cost};
use crate::context::{Least, Samples};
use crate::explainer::{Explainer, Removes, Text, Work};
use crate::oracle::Answer;
use crate::oracle::masking::{Masking, ROWS_PER_CALL};
use crate::oracle::word_groups::WordGroups;
use crate::oracle::word_set::WordSet;
use crate::regression::cholesky::{Cholesky, Gram, dot};
use crate::regression::{Sample, Weighted};
use crate::sampling::coalitions::{kernel, paired, plan};
use crate::sampling::strata::{SamplingPlan, StratifiedSample, Stratum, StratumSize};
use crate::sampling::subset_draw::binomial;
use crate::sampling::{Means, Purpose, generator};

/// Relative to the weight of the kernel, which is 1. It keeps the equations solvable where fewer sets were drawn than
/// there are words, and has no visible effect otherwise.
const PENALTY: f64 = 1e-10;

/// Rows a word from which on the errors mean something.
const ROWS_A_WORD: usize = 4;

/// [`Method::KernelShap`].
pub(crate) const EXPLAINER: Explainer =
    Explainer::new(Method::KernelShap, Scalar::Probability, Removes::Words(Removal::Mask), Work { score, cost });

fn score(Text { explainer, oracle, context, watch }: Text) -> Answer<Attribution> {
    let (samples, seed) = (context.samples, context.seed);
    let blank = Attribution { seed: Some(seed), ..explainer.blank(context) };
    let groups = context.groups(oracle.words());
    samples.check(Least::of(groups.as_ref(), oracle.words(), ROWS_A_WORD, GROUP_SHARE))?;
    if let Some(groups) = groups {
        let mut show = |found: &Owen| watch(&found.attribution(&blank));
        let mut masking = explainer.masking(oracle, context);
        let draws = Draws { groups: of_groups(&mut masking, &groups, samples, seed)?, samples, seed };
        return Ok(owen(&mut masking, &groups, draws, &mut show)?.attribution(&blank));
    }
    let mut show = |found: &Shapley| watch(&found.attribution(&blank));
    let found = kernel_shap(&mut explainer.masking(oracle, context), samples, seed, &mut show)?;
    Ok(found.attribution(&blank))
}

/// Estimates Shapley values by least squares: the phi with sum phi = p(text) - p(all masked) that come closest to
/// p(S) - p(all masked) ~ sum of phi over S, weighted by the Shapley kernel.
///
/// All sets of k present words together weigh (M - 1) / (k (M - k)). Each size forms a stratum of the [`SamplingPlan`]
/// with the size of its complements. Sets are drawn in pairs of complements, and none twice; a size whose sets all fit
/// into `samples.fit` is taken whole. If all sizes are, the values are exact. If words interact at most in pairs, the
/// values are exact for any sample that has as many pairs of sets as there are words, because a pair of complements
/// shares the effect of two words equally. `watch` gets earlier solutions.
///
/// The whole text and the text with all words masked are constraints, not samples. A single word gets
/// p(text) - p(all masked); a text without words has no values.
///
/// Cost: at most `samples.fit` rows, the text and the masked text included; at least two.
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
        return Shapley::of_few_words(masking);
    }
    let plan = plan(words, samples.fit.saturating_sub(2), seed, Purpose::Coalitions);
    let planned = plan.rows();
    let doubling = std::iter::successors(Some(ROWS_PER_CALL), |rows| Some(rows * 2));
    for rows in doubling.take_while(|rows| *rows < planned) {
        watch(&estimate(masking, &plan.take(rows), planned)?);
    }
    estimate(masking, &plan.take(planned), planned)
}

/// The solution for all sets that have, or lack, at most `size` words, the empty and the full set included. With `size`
/// half of the words these are the Shapley values. Chance plays no part, so the errors are zeros; they do not say how
/// far the remaining sets would move the values. For texts of at least two words.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn up_to_size(masking: &mut Masking, size: usize) -> Answer<Shapley> {
    let words = masking.words();
    let random = &mut generator(0, Purpose::Coalitions);
    let strata = (1..=size.min(words / 2)).map(|size| {
        let pairs = kernel(words, size);
        let sets = paired(words, size, pairs.population as usize, random);
        Stratum { sets, size: StratumSize { population: 2.0 * pairs.population, ..pairs }, sets_per_draw: 2 }
    });
    let plan = SamplingPlan::new(strata.collect());
    let planned = (0..=words).map(|size| binomial(words, size)).sum::<f64>() as usize;
    estimate(masking, &plan.take(plan.rows()), planned - 2)
}

/// The values of groups of words, with the groups as words.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn of_groups(masking: &mut Masking, groups: &WordGroups, samples: Samples, seed: u64) -> Answer<GroupValues> {
    let samples = Samples { fit: samples.fit / GROUP_SHARE, ..samples };
    let asked = sets(groups.len(), samples, seed).iter().map(|set| groups.words_of(set)).collect();
    let found = kernel_shap(&mut masking.of_units(groups.sets()), samples, seed, &mut |_| {})?;
    // With fewer sets than groups, the solution keeps its sum only roughly.
    let total = masking.full()? - found.all_masked;
    let lacking = (total - found.scores.iter().sum::<f64>()) / groups.len() as f64;
    let means = found.scores.iter().map(|score| score + lacking).collect();
    Ok(GroupValues::Known { values: Means { means, errors: found.errors }, asked })
}

/// The sets that [`kernel_shap`] asks for, for a text of at least two words.
fn sets(words: usize, samples: Samples, seed: u64) -> Vec<WordSet> {
    let plan = plan(words, samples.fit.saturating_sub(2), seed, Purpose::Coalitions);
    [WordSet::empty(words), WordSet::full(words)].into_iter().chain(plan.take(plan.rows()).sets).collect()
}

fn estimate(masking: &mut Masking, sample: &StratifiedSample, planned: usize) -> Answer<Shapley> {
    let words = masking.words();
    let ends = [WordSet::empty(words), WordSet::full(words)];
    // First asked for together: fuller calls.
    masking.values(&ends.iter().chain(&sample.sets).cloned().collect::<Vec<_>>())?;
    let ends = masking.values(&ends)?;
    let (full, all_masked) = (ends[0], ends[1]);
    let targets: Vec<_> = masking.values(&sample.sets)?.into_iter().map(|value| value - all_masked).collect();
    let rows: Vec<Vec<f64>> = sample.sets.iter().map(|set| set.row(words)).collect();
    let data = Weighted { rows: &rows, targets: &targets, weights: &sample.weights };
    let system = System::new(&data, words);
    let mut pull = vec![0.0; words];
    for Sample { row, target, weight } in data.samples() {
        pull.iter_mut().zip(row).for_each(|(cell, number)| *cell += weight * target * number);
    }
    let scores = system.solve(pull, full - all_masked);
    let influence = |Sample { row, target, weight }: Sample| {
        let error = weight * (target - dot(row, &scores));
        system.solve(row.iter().map(|number| error * number).collect(), 0.0)
    };
    let errors = sample.errors(&data.samples().map(influence).collect::<Vec<_>>());
    let errors = if errors.is_empty() { vec![0.0; words] } else { errors };
    Ok(Shapley { scores, errors, all_masked, rows: rows.len() + 2, planned: planned + 2 })
}

/// The normal equations, under the constraint that the solution has a given sum.
struct System {
    equations: Cholesky,
    /// The solution for a right-hand side of ones.
    ones: Vec<f64>,
}

impl System {
    fn new(data: &Weighted, words: usize) -> Self {
        let mut gram = Gram::new(words);
        data.samples().for_each(|sample| gram.add(sample.row, sample.weight));
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
    use crate::fakes::{Cancelled, Game};
    use crate::oracle::OracleError;
    use crate::oracle::masking::OutcomeCache;
    use crate::oracle::subsets::Subsets;
    use crate::regression::ridge::Ridge;
    use crate::sampling::random_order;
    use crate::shapley::exact::exact as exact_values;

    fn explain(game: &mut Game, rows: usize, seed: u64) -> Shapley {
        let samples = Samples { fit: rows, ..Samples::default() };
        kernel_shap(&mut Masking::new(game, &mut OutcomeCache::default()), samples, seed, &mut |_| {}).unwrap()
    }

    fn exact(game: &mut Game) -> Vec<f64> {
        exact_values(&Subsets::ask(&mut Masking::new(game, &mut OutcomeCache::default())).unwrap()).scores
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
            let order = random_order(words, &mut random);
            let mut set = WordSet::empty(words);
            order[..size].iter().for_each(|word| set.insert(*word));
            sets.push(set);
        }
        let mut cache = OutcomeCache::default();
        let targets = Masking::new(game, &mut cache).values(&sets).unwrap();
        let rows: Vec<Vec<f64>> = sets.iter().map(|set| set.row(words)).collect();
        let weights: Vec<_> = (0..sets.len()).map(|row| if row < 2 { 1e6 } else { 1.0 }).collect();
        let data = Weighted { rows: &rows, targets: &targets, weights: &weights };
        Ridge::fit(&data, 1e-6).coefficients
    }

    #[test]
    fn sizes_lead_to_the_shapley_values() {
        for words in 2..=9 {
            let truth = exact(&mut Game::interacting(words));
            let (mut game, mut cache) = (Game::interacting(words), OutcomeCache::default());
            let mut masking = Masking::new(&mut game, &mut cache);
            let ways: Vec<_> =
                (1..=words / 2).map(|size| far(&up_to_size(&mut masking, size).unwrap().scores, &truth)).collect();
            assert!(ways.last().unwrap() < &1e-9, "{words}: {ways:?}");
            assert!(ways.windows(2).all(|pair| pair[1] < pair[0].max(1e-9)), "{words}: {ways:?}");
            assert_eq!(cache.rows(), 1 << words);
        }
    }

    #[test]
    fn all_sets_give_the_exact_values() {
        for words in 2..=9 {
            let found = explain(&mut Game::interacting(words), 1 << words, 1);
            assert_eq!((found.rows, found.planned), (1 << words, 1 << words));
            assert!(far(&found.scores, &exact(&mut Game::interacting(words))) < 1e-8, "{words} words");
            assert!(found.errors.iter().all(|error| *error == 0.0));
        }
    }

    #[test]
    fn closer_to_the_exact_values_than_captums_sampling() {
        for (words, rows) in [(9, 128), (12, 256), (12, 512), (14, 512)] {
            let truth = exact(&mut Game::interacting(words));
            let runs = 12;
            let (mut ours, mut theirs) = (0.0, 0.0);
            for seed in 0..runs {
                ours +=
                    far(&explain(&mut Game::interacting(words), rows, seed).scores, &truth) / f64::from(runs as u32);
                theirs +=
                    far(&captum(&mut Game::interacting(words), words, rows, seed), &truth) / f64::from(runs as u32);
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
        let truth = exact(&mut Game::interacting(12));
        let (mut squares, mut claimed) = (0.0, 0.0);
        for seed in 0..40 {
            let found = explain(&mut Game::interacting(12), 300, seed);
            squares += far(&found.scores, &truth).powi(2);
            claimed += found.errors.iter().map(|error| error.powi(2)).sum::<f64>();
        }
        println!("{squares} and {claimed}");
        assert!(squares < 1.5 * claimed && squares > claimed / 20.0, "{squares} and {claimed}");
    }

    #[test]
    fn no_set_comes_twice_and_each_with_its_complement() {
        for words in [2, 3, 8, 13, 40] {
            let plan = plan(words, 300, 5, Purpose::Coalitions);
            let sets = plan.take(plan.rows()).sets;
            let distinct: HashSet<_> = sets.iter().collect();
            assert!(distinct.len() == sets.len() && sets.len() <= 300);
            assert!(sets.iter().all(|set| distinct.contains(&set.complement(words))));
        }
    }

    #[test]
    fn watchers_see_it_converge() {
        let mut seen = Vec::new();
        let samples = Samples { fit: 600, ..Samples::default() };
        let mut game = Game::interacting(14);
        let mut cache = OutcomeCache::default();
        let mut watch = |found: &Shapley| seen.push((found.rows, found.errors.iter().sum::<f64>()));
        let last = kernel_shap(&mut Masking::new(&mut game, &mut cache), samples, 1, &mut watch).unwrap();
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
        let answer =
            kernel_shap(&mut Masking::new(&mut Cancelled, &mut OutcomeCache::default()), samples, 1, &mut |_| {});
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
