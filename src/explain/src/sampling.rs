//! Random maskings of a text, as `lime` draws and weighs them, and random orders of its words.

use std::f64::consts::TAU;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::word_set::WordSet;

/// Width of the kernel, in the units of [`distance`].
pub const KERNEL_WIDTH: f64 = 25.0;

/// What draws are for. Each purpose has a stream of its own, so that more of one changes no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Perturbations to which a surrogate is fitted.
    Fit,
    /// Perturbations on which it is judged.
    HeldOut,
    /// Random orders of the words.
    Orders,
    /// Maskings and orders for Shapley values.
    Coalitions,
    /// Maskings on which scores are tested.
    Tests,
}

/// The generator of `seed` for one purpose.
#[must_use]
pub fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(purpose as u64);
    generator
}

/// `rows` sets of words to mask: as many as a uniform draw from 1..=`words`, every set of that size
/// equally likely; all words may be among them. Empty sets for a text without words.
///
/// Source: `lime` 0.2.0.1, `lime_text.py`, `__data_labels_distances`.
pub fn perturbations(words: usize, rows: usize, generator: &mut ChaCha8Rng) -> Vec<WordSet> {
    (0..rows).map(|_| perturbation(words, generator)).collect()
}

fn perturbation(words: usize, generator: &mut ChaCha8Rng) -> WordSet {
    let mut masked = WordSet::empty(words);
    if words > 0 {
        let size = generator.random_range(1..=words);
        draw(words, size, generator).into_iter().for_each(|word| masked.insert(word));
    }
    masked
}

/// All words in random order, every order equally likely.
pub fn order(words: usize, generator: &mut ChaCha8Rng) -> Vec<usize> {
    draw(words, words, generator)
}

/// `size` of the words in random order: the first steps of a Fisher-Yates shuffle.
fn draw(words: usize, size: usize, generator: &mut ChaCha8Rng) -> Vec<usize> {
    let mut drawn: Vec<_> = (0..words).collect();
    for place in 0..size {
        drawn.swap(place, generator.random_range(place..words));
    }
    drawn.truncate(size);
    drawn
}

/// `count` standard normal numbers: the `index`-th such sequence of `seed`.
///
/// Source: Box and Muller 1958.
#[must_use]
pub fn normals(seed: u64, index: u64, count: usize) -> Vec<f64> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    // Beyond the streams of all purposes.
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

const NOISE_STREAMS: u64 = 1 << 32;

/// Distance of a text with `masked` of `words` words masked from the whole text: 100 x the cosine
/// distance of the presence vectors, 100 (1 - sqrt((n - m) / n)); from 0 for the text itself to 100 for
/// nothing left.
///
/// Source: `lime` 0.2.0.1, `lime_text.py`, `distance_fn`.
#[must_use]
pub fn distance(masked: usize, words: usize) -> f64 {
    if masked == 0 {
        return 0.0;
    }
    100.0 * (1.0 - (words.saturating_sub(masked) as f64 / words.max(1) as f64).sqrt())
}

/// Weight of a sample at `distance`: sqrt(exp(-distance^2 / width^2)), in (0, 1].
///
/// Source: `lime` 0.2.0.1, `lime_text.py`, `kernel`, with its default width.
#[must_use]
pub fn weight(distance: f64) -> f64 {
    (-(distance / KERNEL_WIDTH).powi(2)).exp().sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_weights_that_lime_gives_for_ten_words() {
        let weights: Vec<_> = (0..=10).map(|masked| weight(distance(masked, 10))).collect();
        let close = |index: usize, expected: f64| (weights[index] - expected).abs() < 5e-4;
        assert_eq!(weights[0], 1.0);
        assert!(close(1, 0.979) && close(2, 0.915) && close(5, 0.503) && close(10, 0.0003));
        assert_eq!(distance(10, 10), 100.0);
        assert_eq!(distance(0, 0), 0.0);
    }

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
        assert_eq!(order(0, &mut generator), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn an_order_holds_every_word_once(words in 0..100_usize, seed in any::<u64>()) {
            let mut found = order(words, &mut generator(seed, Purpose::Orders));
            found.sort_unstable();
            prop_assert!(found.into_iter().eq(0..words));
        }
    }
}
