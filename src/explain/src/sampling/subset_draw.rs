//! Different sets of one size, drawn so that every word is in as many of them as any other.

use std::collections::HashSet;

use rand_chacha::ChaCha8Rng;

use super::{random_order, shuffle};
use crate::oracle::word_set::WordSet;

/// Number of sets of `size` out of `words`; infinite if f64 cannot hold it.
#[must_use]
pub fn binomial(words: usize, size: usize) -> f64 {
    let size = size.min(words.saturating_sub(size));
    // Rounded at each step, so that it is exact as long as f64 is.
    (0..size).fold(1.0, |product, k| (product * (words - k) as f64 / (k + 1) as f64).round())
}

/// `count` different sets of `size` of the words in random order, or all of them if there are no more. All sets are
/// equally likely.
///
/// The sets are dealt like hands from a shuffled deck of the words, which is shuffled again when it is used up. So all
/// words are in about the same number of sets (they differ by one or two), and chance does not favour any word. A set
/// of more than half of the words is the complement of a hand.
#[must_use]
pub fn distinct(words: usize, size: usize, count: usize, generator: &mut ChaCha8Rng) -> Vec<WordSet> {
    // With `count` close to all sets, most hands would have been dealt before.
    if 1.25 * count as f64 >= binomial(words, size) {
        let mut all = combinations(words, size);
        let population = all.len();
        shuffle(&mut all, population, generator);
        all.truncate(count);
        return all;
    }
    let mut deck = Deck { words, rest: Vec::new() };
    let (mut sets, mut seen) = (Vec::with_capacity(count), HashSet::new());
    while sets.len() < count {
        let hand = deck.deal(size.min(words - size), generator);
        let set = if 2 * size > words { hand.complement(words) } else { hand };
        if seen.insert(set.clone()) {
            sets.push(set);
        }
    }
    sets
}

/// All sets of `size` of the words, each once.
#[must_use]
pub fn combinations(words: usize, size: usize) -> Vec<WordSet> {
    if size > words {
        return Vec::new();
    }
    let mut chosen: Vec<usize> = (0..size).collect();
    let mut sets = Vec::new();
    loop {
        let mut set = WordSet::empty(words);
        chosen.iter().for_each(|word| set.insert(*word));
        sets.push(set);
        // The last place that can still move up; the places behind it follow it directly.
        let Some(place) = (0..size).rev().find(|place| chosen[*place] < words - size + place) else { return sets };
        let first = chosen[place] + 1;
        (place..size).for_each(|later| chosen[later] = first + later - place);
    }
}

struct Deck {
    words: usize,
    /// Words not dealt yet; the next one stands last.
    rest: Vec<usize>,
}

impl Deck {
    fn deal(&mut self, size: usize, generator: &mut ChaCha8Rng) -> WordSet {
        let mut hand = WordSet::empty(self.words);
        for _ in 0..size {
            if self.rest.is_empty() {
                self.rest = random_order(self.words, generator);
            }
            // Right after a shuffle, the hand may already hold words that the new deck has too.
            let next = self.rest.iter().rposition(|word| !hand.contains(*word));
            match next {
                Some(place) => hand.insert(self.rest.remove(place)),
                None => {
                    let mut fresh = random_order(self.words, generator);
                    fresh.append(&mut self.rest);
                    let place = fresh.iter().rposition(|word| !hand.contains(*word));
                    place.into_iter().for_each(|place| hand.insert(fresh.remove(place)));
                    self.rest = fresh;
                }
            }
        }
        hand
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sampling::{Purpose, generator};

    fn seeded(seed: u64) -> ChaCha8Rng {
        generator(seed, Purpose::Fit)
    }

    #[test]
    fn counts_of_sets_are_pascals() {
        assert_eq!(
            [(0, 0), (5, 0), (5, 2), (5, 5), (12, 6), (52, 5)].map(|(n, k)| binomial(n, k)),
            [1.0, 1.0, 10.0, 1.0, 924.0, 2_598_960.0]
        );
        assert_eq!(binomial(3000, 1500), f64::INFINITY);
    }

    #[test]
    fn all_sets_of_a_size_once() {
        for (words, size) in [(0, 0), (5, 0), (5, 1), (5, 3), (5, 5), (70, 69)] {
            let sets = combinations(words, size);
            let distinct: HashSet<_> = sets.iter().collect();
            assert_eq!(sets.len() as f64, binomial(words, size));
            assert!(distinct.len() == sets.len() && sets.iter().all(|set| set.len() == size));
        }
        assert!(combinations(2, 3).is_empty());
    }

    #[test]
    fn every_set_is_as_likely_as_any_other() {
        let (words, size, runs) = (6, 2, 30_000);
        let all = combinations(words, size);
        let mut counts = vec![0.0; all.len()];
        for seed in 0..runs {
            for set in distinct(words, size, 4, &mut seeded(seed)) {
                counts[all.iter().position(|known| *known == set).unwrap()] += 1.0;
            }
        }
        let expected = runs as f64 * 4.0 / 15.0;
        assert!(counts.iter().all(|count: &f64| (count - expected).abs() < 5.0 * expected.sqrt()), "{counts:?}");
    }

    proptest! {
        #[test]
        fn sets_are_distinct_of_their_size_and_balanced(
            words in 1..80_usize, share in 0.0..1.0_f64, count in 0..60_usize, seed in any::<u64>(),
        ) {
            let size = (share * (words + 1) as f64) as usize;
            let sets = distinct(words, size, count, &mut seeded(seed));
            prop_assert_eq!(sets.len() as f64, binomial(words, size).min(count as f64));
            prop_assert!(sets.iter().all(|set| set.len() == size));
            prop_assert_eq!(sets.iter().collect::<HashSet<_>>().len(), sets.len());
            prop_assert_eq!(&sets, &distinct(words, size, count, &mut seeded(seed)));
        }

        #[test]
        fn words_come_about_equally_often(words in 30..60_usize, count in 1..40_usize, seed in any::<u64>()) {
            let sets = distinct(words, 5, count, &mut seeded(seed));
            let times: Vec<_> = (0..words).map(|word| sets.iter().filter(|set| set.contains(word)).count()).collect();
            let (fewest, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
            // One for the deck under way, more for hands that had been dealt before.
            prop_assert!(most - fewest <= 3, "{:?}", times);
        }
    }
}
