//! Random draws: maskings of a text, orders of its words, and noise. The same seed draws the same.

pub mod coalitions;
pub mod strata;
pub mod subset_draw;

use std::f64::consts::TAU;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::oracle::word_set::WordSet;

/// Streams from here on are noise; those of the [`Purpose`]s lie below.
const NOISE_STREAMS: u64 = 1 << 32;

/// What draws are for. Each purpose has a stream of its own, so that drawing more for one changes no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Maskings to which a surrogate is fitted.
    Fit,
    /// Maskings on which a surrogate is judged.
    HeldOut,
    /// Random orders of the words.
    Orders,
    /// Maskings and orders for Shapley values.
    Coalitions,
    /// Maskings on which scores are tested.
    Tests,
    /// Maps that say nothing, with which scores are compared.
    RandomMaps,
}

/// The generator of `seed` for one purpose.
#[must_use]
pub fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(purpose as u64);
    generator
}

/// `rows` sets of words to mask. The size of each is drawn uniformly from 1..=`words`, and all sets of that size are
/// equally likely; a set may hold all words. The sets are empty for a text without words.
///
/// Source: `lime` 0.2.0.1, `lime_text.py`, `__data_labels_distances`.
pub fn perturbations(words: usize, rows: usize, generator: &mut ChaCha8Rng) -> Vec<WordSet> {
    (0..rows).map(|_| perturbation(words, generator)).collect()
}

fn perturbation(words: usize, generator: &mut ChaCha8Rng) -> WordSet {
    let mut masked = WordSet::empty(words);
    if words > 0 {
        let size = generator.random_range(1..=words);
        let mut order: Vec<_> = (0..words).collect();
        shuffle(&mut order, size, generator);
        order[..size].iter().for_each(|word| masked.insert(*word));
    }
    masked
}

/// All words in random order; every order is equally likely.
pub fn random_order(words: usize, generator: &mut ChaCha8Rng) -> Vec<usize> {
    let mut order: Vec<_> = (0..words).collect();
    shuffle(&mut order, words, generator);
    order
}

/// Puts random items into the first `count` places: the first steps of a Fisher-Yates shuffle.
///
/// Written out, because a seed must draw the same whatever version of `rand` is in use.
pub fn shuffle<T>(items: &mut [T], count: usize, generator: &mut ChaCha8Rng) {
    for place in 0..count {
        items.swap(place, generator.random_range(place..items.len()));
    }
}

/// `count` standard normal numbers: the sequence number `index` of `seed`.
///
/// Source: Box and Muller 1958.
#[must_use]
pub fn normals(seed: u64, index: u64, count: usize) -> Vec<f64> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(NOISE_STREAMS.wrapping_add(index));
    let mut pair = || {
        // In (0, 1], whose logarithm is finite.
        let (radius, angle) = (1.0 - generator.random::<f64>(), TAU * generator.random::<f64>());
        let radius = (-2.0 * radius.ln()).sqrt();
        [radius * angle.cos(), radius * angle.sin()]
    };
    let mut numbers: Vec<f64> = (0..count.div_ceil(2)).flat_map(|_| pair()).collect();
    numbers.truncate(count);
    numbers
}

/// Means of the columns of independent draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Means {
    /// One for each column.
    pub means: Vec<f64>,
    /// Standard error of each; 0 for a single draw.
    pub errors: Vec<f64>,
}

impl Means {
    /// Of `draws` that all have the same number of columns.
    #[must_use]
    pub fn of(draws: &[Vec<f64>]) -> Self {
        let count = draws.len() as f64;
        let column = |index: usize| draws.iter().map(move |draw| draw[index]);
        let columns = 0..draws.first().map_or(0, Vec::len);
        let means: Vec<f64> = columns.map(|index| column(index).sum::<f64>() / count).collect();
        let error = |(index, mean): (usize, &f64)| {
            let squares: f64 = column(index).map(|number| (number - mean).powi(2)).sum();
            (squares / (count * (count - 1.0).max(1.0))).sqrt()
        };
        let errors = means.iter().enumerate().map(error).collect();
        Self { means, errors }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_and_words_are_uniform() {
        let (words, rows) = (6, 60_000);
        let drawn = perturbations(words, rows, &mut generator(1, Purpose::Fit));
        let expected = rows as f64 / words as f64;
        for size in 1..=words {
            let count = drawn.iter().filter(|set| set.len() == size).count() as f64;
            assert!((count - expected).abs() < 5.0 * expected.sqrt(), "size {size}: {count}");
        }
        // Mean size is (n + 1) / 2, so each word is masked in (n + 1) / 2n of the rows.
        let share = (words + 1) as f64 / (2 * words) as f64 * rows as f64;
        for word in 0..words {
            let count = drawn.iter().filter(|set| set.contains(word)).count() as f64;
            assert!((count - share).abs() < 5.0 * share.sqrt(), "word {word}: {count}");
        }
    }

    #[test]
    fn normal_numbers_have_their_moments() {
        let drawn = normals(3, 0, 100_001);
        let moment = |power: i32| drawn.iter().map(|number| number.powi(power)).sum::<f64>() / drawn.len() as f64;
        assert!(drawn.len() == 100_001 && drawn.iter().all(|number| number.is_finite()));
        assert!(moment(1).abs() < 0.02 && (moment(2) - 1.0).abs() < 0.03 && (moment(4) - 3.0).abs() < 0.2);
        assert_eq!(normals(3, 7, 5), normals(3, 7, 5));
        assert_ne!(normals(3, 7, 5), normals(3, 8, 5));
        assert_ne!(normals(3, 7, 5), normals(4, 7, 5));
    }

    #[test]
    fn a_seed_repeats_and_purposes_differ() {
        let drawn = |seed, purpose| perturbations(9, 20, &mut generator(seed, purpose));
        assert_eq!(drawn(7, Purpose::Fit), drawn(7, Purpose::Fit));
        assert_ne!(drawn(7, Purpose::Fit), drawn(8, Purpose::Fit));
        assert_ne!(drawn(7, Purpose::Fit), drawn(7, Purpose::HeldOut));
    }

    #[test]
    fn no_words_draw_nothing() {
        let mut generator = generator(1, Purpose::Fit);
        assert!(perturbations(0, 3, &mut generator).iter().all(WordSet::is_empty));
        assert_eq!(random_order(0, &mut generator), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn an_order_holds_every_word_once(words in 0..100_usize, seed in any::<u64>()) {
            let mut found = random_order(words, &mut generator(seed, Purpose::Orders));
            found.sort_unstable();
            prop_assert!(found.into_iter().eq(0..words));
        }
    }
}
