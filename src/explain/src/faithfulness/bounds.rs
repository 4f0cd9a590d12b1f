//! The best and the worst AOPC that any order of a text's words can have.

use crate::oracle::masking::NOISE;
use crate::oracle::subsets::Subsets;

/// The range of the AOPC of one text over orders of its words, as mean drops of the probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The highest AOPC.
    pub best: f64,
    /// The lowest AOPC.
    pub worst: f64,
    /// Whether all orders were considered, or only some.
    pub exact: bool,
}

impl Bounds {
    /// Widens the bounds so that `aopc` lies within them.
    pub fn include(&mut self, aopc: f64) {
        self.best = self.best.max(aopc);
        self.worst = self.worst.min(aopc);
    }

    /// (`aopc` - worst) / (best - worst), in [0, 1] for an AOPC within the bounds. `None` where best and worst differ
    /// by no more than rounding: then all orders are equally good.
    ///
    /// Source: NAOPC, arXiv 2408.08137, which gives 0 where this gives `None`.
    #[must_use]
    pub fn normalise(&self, aopc: f64) -> Option<f64> {
        let range = self.best - self.worst;
        (range > NOISE).then(|| (aopc - self.worst) / range)
    }
}

/// Which of the two bounds an order reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extreme {
    /// The highest AOPC.
    Best,
    /// The lowest AOPC.
    Worst,
}

impl Extreme {
    /// The factor that turns a search for the lowest sum into one for the highest.
    pub(super) fn sign(self) -> f64 {
        match self {
            Extreme::Best => 1.0,
            Extreme::Worst => -1.0,
        }
    }
}

impl Subsets {
    /// The exact bounds, in O(words 2^words) by dynamic programming over subsets instead of orders:
    /// `best[S] = max over i in S of best[S without i] + (p(text) - p(text without S))`.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let reach = |end: Extreme| {
            let sums = self.sums(end);
            end.sign() * sums.last().copied().unwrap_or(0.0) / self.words().max(1) as f64
        };
        Bounds { best: reach(Extreme::Best), worst: reach(Extreme::Worst), exact: true }
    }

    /// An order of masking that reaches a bound. Of equally good words the first in the text comes first.
    #[must_use]
    pub fn order(&self, end: Extreme) -> Vec<usize> {
        let sums = self.sums(end);
        let mut set = self.rows() - 1;
        let mut order = Vec::with_capacity(self.words());
        while let Some(last) = self.last(&sums, set) {
            order.push(last);
            set &= !(1 << last);
        }
        order.reverse();
        order
    }

    /// The mean AOPC over all orders: the mean over steps of the mean drop over all sets of that size.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let of_size = |size: usize| {
            let sets = (0..self.rows()).filter(|set| set.count_ones() as usize == size);
            let (sum, count) = sets.fold((0.0, 0), |(sum, count), set| (sum + self.drop(set), count + 1));
            sum / f64::from(count)
        };
        (1..=self.words()).map(of_size).sum::<f64>() / self.words().max(1) as f64
    }

    /// For each set, the highest sum of drops (times the sign) of any order that masks its words first.
    fn sums(&self, end: Extreme) -> Vec<f64> {
        let mut sums = vec![0.0; self.rows()];
        for set in 1..sums.len() {
            let before = self.last(&sums, set).map_or(0.0, |last| sums[set & !(1 << last)]);
            sums[set] = before + end.sign() * self.drop(set);
        }
        sums
    }

    /// The word of `set` that is best masked last. Of equally good words it is the last in the text, so that the first
    /// come first.
    fn last(&self, sums: &[f64], set: usize) -> Option<usize> {
        let words = (0..self.words()).rev().filter(|word| set >> word & 1 == 1);
        let before = |word: usize| sums[set & !(1 << word)];
        words.reduce(|a, b| if before(b) > before(a) { b } else { a })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::faithfulness::aopc;
    use crate::fakes::Game;
    use crate::oracle::masking::{Masking, OutcomeCache};

    fn subsets(game: &mut Game) -> Subsets {
        Subsets::ask(&mut Masking::new(game, &mut OutcomeCache::default())).unwrap()
    }

    /// All orders of `0..words`.
    fn orders(words: usize) -> Vec<Vec<usize>> {
        let mut orders = vec![vec![]];
        for word in 0..words {
            let longer = |order: &Vec<usize>| {
                (0..=word).map(|place| [&order[..place], &[word], &order[place..]].concat()).collect::<Vec<_>>()
            };
            orders = orders.iter().flat_map(longer).collect();
        }
        orders
    }

    fn brute_force(game: &mut Game, words: usize) -> (f64, f64, f64) {
        let mut cache = OutcomeCache::default();
        let mut masking = Masking::new(game, &mut cache);
        let found: Vec<_> = orders(words).iter().map(|order| aopc(&mut masking, order).unwrap()).collect();
        let (best, worst) =
            (found.iter().copied().fold(f64::MIN, f64::max), found.iter().copied().fold(f64::MAX, f64::min));
        (best, worst, found.iter().sum::<f64>() / found.len() as f64)
    }

    #[test]
    fn additive_by_hand() {
        // Masking 0.4, 0.1, 0.0 in this order drops 0.4, 0.5, 0.5; the other way round 0.0, 0.1, 0.5.
        let found = subsets(&mut Game::additive(0.2, &[0.1, 0.4, 0.0]));
        let bounds = found.bounds();
        assert!((bounds.best - 1.4 / 3.0).abs() < 1e-12 && (bounds.worst - 0.2).abs() < 1e-12 && bounds.exact);
        assert!((found.mean() - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn none_and_one_word_have_one_order() {
        for weights in [vec![], vec![0.3]] {
            let bounds = subsets(&mut Game::additive(0.1, &weights)).bounds();
            assert_eq!(bounds.normalise(bounds.best), None);
        }
    }

    proptest! {
        #[test]
        fn subsets_equal_all_orders((words, values) in (1..=6_usize).prop_flat_map(|words| {
            (Just(words), prop::collection::vec(0.0..1.0_f64, 1 << words))
        })) {
            let found = subsets(&mut Game::table(words, values.clone()));
            let bounds = found.bounds();
            let (best, worst, mean) = brute_force(&mut Game::table(words, values), words);
            prop_assert!((bounds.best - best).abs() < 1e-12);
            prop_assert!((bounds.worst - worst).abs() < 1e-12);
            prop_assert!((found.mean() - mean).abs() < 1e-12);
        }
    }
}
