//! Groups of words in pairs of complements, drawn by the Shapley kernel.

use rand_chacha::ChaCha8Rng;

use super::strata::{SamplingPlan, Stratum, StratumSize, allocate};
use super::subset_draw::{binomial, distinct};
use super::{Purpose, generator};
use crate::oracle::word_set::WordSet;

/// At most `rows` sets in strata of pairs of complements, by the size of the smaller set. Each size weighs what the Shapley
/// kernel gives it.
#[must_use]
pub fn plan(words: usize, rows: usize, seed: u64, purpose: Purpose) -> SamplingPlan {
    let sizes: Vec<_> = (1..=words / 2).map(|size| kernel(words, size)).collect();
    let total: f64 = sizes.iter().map(|pairs| pairs.weight).sum();
    let random = &mut generator(seed, purpose);
    let strata = sizes.iter().zip(allocate(&sizes, rows / 2)).enumerate().map(|(index, (pairs, count))| {
        let sets = paired(words, index + 1, count, random);
        let size = StratumSize { population: 2.0 * pairs.population, weight: pairs.weight / total };
        Stratum { sets, size, sets_per_draw: 2 }
    });
    SamplingPlan::new(strata.collect())
}

/// The weight of all sets of `size` and their complements together, and the number of pairs.
#[must_use]
pub fn kernel(words: usize, size: usize) -> StratumSize {
    let weight = (words - 1) as f64 / (size * (words - size)) as f64;
    let population = binomial(words, size);
    // The complements of half of the words have the same size.
    match 2 * size == words {
        true => StratumSize { weight, population: population / 2.0 },
        false => StratumSize { weight: 2.0 * weight, population },
    }
}

/// `pairs` sets of `size`, each with its complement before it, and none twice.
pub fn paired(words: usize, size: usize, pairs: usize, random: &mut ChaCha8Rng) -> Vec<WordSet> {
    let firsts = if 2 * size == words { halves(words, pairs, random) } else { distinct(words, size, pairs, random) };
    firsts.into_iter().flat_map(|set| [set.complement(words), set]).collect()
}

/// Sets of half of the words, none of which is the complement of another.
fn halves(words: usize, pairs: usize, random: &mut ChaCha8Rng) -> Vec<WordSet> {
    // The last word is in one set of each pair: so these are the sets without it, drawn among the other words.
    distinct(words - 1, words / 2, pairs, random).into_iter().map(|set| widen(&set, words)).collect()
}

/// The same words in a text that has one more word.
fn widen(set: &WordSet, words: usize) -> WordSet {
    let mut wide = WordSet::empty(words);
    (0..words - 1).filter(|word| set.contains(*word)).for_each(|word| wide.insert(word));
    wide
}
