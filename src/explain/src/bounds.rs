//! The best and the worst AOPC that any order of a text's words can have.

use std::collections::HashSet;

use crate::oracle::Answer;
use crate::table::{Masking, NOISE};
use crate::word_set::WordSet;

/// Up to so many words all subsets are evaluated and the bounds are exact.
pub const EXACT_WORDS: usize = 10;

/// Remaining words by which a state of the beam search is extended.
const FAN: usize = 8;

/// Most rows for one direction of the beam search of a very long text.
const BEAM_ROWS: usize = 2048;

/// Between what an AOPC can lie for one text, as mean drops of the probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The highest AOPC.
    pub best: f64,
    /// The lowest AOPC.
    pub worst: f64,
    /// Whether they are those of all orders, or only of the orders looked at.
    pub exact: bool,
}

impl Bounds {
    /// Widens the bounds so that `aopc` lies within them.
    pub fn include(&mut self, aopc: f64) {
        self.best = self.best.max(aopc);
        self.worst = self.worst.min(aopc);
    }

    /// (`aopc` - worst) / (best - worst), in [0, 1] for an AOPC within the bounds. `None` where best and
    /// worst differ by no more than rounding: then all orders are the same.
    ///
    /// Source: NAOPC, arXiv 2408.08137, which gives 0 where this gives `None`.
    #[must_use]
    pub fn normalise(&self, aopc: f64) -> Option<f64> {
        let range = self.best - self.worst;
        (range > NOISE).then(|| (aopc - self.worst) / range)
    }
}

/// The probabilities of all maskings of a short text.
#[derive(Debug, Clone, PartialEq)]
pub struct Subsets {
    words: usize,
    full: f64,
    /// For each set of masked words, read as bits, the drop of the probability.
    drops: Vec<f64>,
}

/// Which end of the range an order reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extreme {
    /// The highest AOPC.
    Best,
    /// The lowest AOPC.
    Worst,
}

impl Extreme {
    /// Turns the search for the lowest sum into one for the highest.
    fn sign(self) -> f64 {
        match self {
            Extreme::Best => 1.0,
            Extreme::Worst => -1.0,
        }
    }
}

impl Subsets {
    /// Evaluates all subsets: 2^words rows. For texts of few words only.
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite.
    pub fn ask(masking: &mut Masking) -> Answer<Self> {
        let words = masking.words();
        let sets: Vec<_> = (0..1_u64 << words).map(|bits| WordSet::from_bits(words, bits)).collect();
        Ok(Self { words, full: masking.full()?, drops: masking.drops(&sets)? })
    }

    /// Number of words.
    #[must_use]
    pub fn words(&self) -> usize {
        self.words
    }

    /// Number of maskings, 2^words; each is known by the bits of its masked words.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.drops.len()
    }

    /// Probability of the text.
    #[must_use]
    pub fn full(&self) -> f64 {
        self.full
    }

    /// Probability with all words masked.
    #[must_use]
    pub fn nothing(&self) -> f64 {
        self.probability(self.rows() - 1)
    }

    /// How much less the probability is when the words of these bits are masked.
    ///
    /// # Panics
    /// When there are no such words.
    #[must_use]
    pub fn drop(&self, masked: usize) -> f64 {
        self.drops[masked]
    }

    /// The probability when the words of these bits are masked.
    ///
    /// # Panics
    /// When there are no such words.
    #[must_use]
    pub fn probability(&self, masked: usize) -> f64 {
        self.full - self.drops[masked]
    }

    /// The exact bounds, by dynamic programming over subsets instead of all orders:
    /// best[S] = max over i in S of best[S without i] + (p(text) - p(text without S)), in
    /// O(words 2^words).
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let reach = |end: Extreme| {
            let sums = self.sums(end);
            end.sign() * sums.last().copied().unwrap_or(0.0) / self.words.max(1) as f64
        };
        Bounds { best: reach(Extreme::Best), worst: reach(Extreme::Worst), exact: true }
    }

    /// An order of masking that reaches a bound. Ties go to the words that come first in the text.
    #[must_use]
    pub fn order(&self, end: Extreme) -> Vec<usize> {
        let sums = self.sums(end);
        let mut set = self.rows() - 1;
        let mut order = Vec::with_capacity(self.words);
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
            let drops = self.drops.iter().enumerate().filter(|(set, _)| set.count_ones() as usize == size);
            let (sum, count) = drops.fold((0.0, 0), |(sum, count), (_, drop)| (sum + drop, count + 1));
            sum / f64::from(count)
        };
        (1..=self.words).map(of_size).sum::<f64>() / self.words.max(1) as f64
    }

    /// For each set, the highest sum of drops (times the sign) on the way to it.
    fn sums(&self, end: Extreme) -> Vec<f64> {
        let mut sums = vec![0.0; self.rows()];
        for set in 1..sums.len() {
            let before = self.last(&sums, set).map_or(0.0, |last| sums[set & !(1 << last)]);
            sums[set] = before + end.sign() * self.drops[set];
        }
        sums
    }

    /// The word of `set` that is best masked last: of equal ones the last in the text, so that the first come
    /// first.
    fn last(&self, sums: &[f64], set: usize) -> Option<usize> {
        let words = (0..self.words).rev().filter(|word| set >> word & 1 == 1);
        let before = |word: usize| sums[set & !(1 << word)];
        words.reduce(|a, b| if before(b) > before(a) { b } else { a })
    }
}

/// Bounds of a long text by beam search, one for the best and one for the worst order.
///
/// The beam holds 5 states up to 24 words and 2 beyond. Each state is extended by the 8 remaining words
/// whose masking alone drops the probability most (for the worst order: least), fewer beyond 128 words.
///
/// Cost in rows, each subset only once: 1 + words for the single words, and for each direction at most
/// words x width x 8, with 2048 as the most for a text of up to 1024 words. So at most 1945 rows for 24
/// words, 2113 for 64 and 4225 for 128.
///
/// Source: beam search of NAOPC, arXiv 2408.08137, there over all remaining words.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn beam_bounds(masking: &mut Masking) -> Answer<Bounds> {
    let words = masking.words();
    let alone: Vec<_> = (0..words).map(|word| WordSet::empty(words).with(word)).collect();
    let strength = masking.drops(&alone)?;
    let mut beams = [Extreme::Best, Extreme::Worst].map(|end| Beam::new(&strength, end));
    for _ in 0..words {
        // Both ends at once first: fuller calls.
        let sets: Vec<_> = beams.iter().flat_map(Beam::candidates).map(|state| state.masked).collect();
        masking.values(&sets)?;
        for beam in &mut beams {
            beam.step(masking)?;
        }
    }
    let [best, worst] = beams.map(|beam| beam.aopc());
    Ok(Bounds { best, worst, exact: false })
}

/// Words masked so far and the sum of the drops on the way, times the end's sign.
struct State {
    masked: WordSet,
    sum: f64,
}

struct Beam {
    sign: f64,
    width: usize,
    fan: usize,
    /// The words in the order in which they are tried.
    preference: Vec<usize>,
    /// The best first.
    states: Vec<State>,
}

impl Beam {
    fn new(strength: &[f64], end: Extreme) -> Self {
        let (words, sign) = (strength.len(), end.sign());
        let width = if words <= 24 { 5 } else { 2 };
        let fan = (BEAM_ROWS / (words.max(1) * width)).clamp(1, FAN);
        let mut preference: Vec<_> = (0..words).collect();
        preference.sort_by(|a, b| (sign * strength[*b]).total_cmp(&(sign * strength[*a])));
        Self { sign, width, fan, preference, states: vec![State { masked: WordSet::empty(words), sum: 0.0 }] }
    }

    /// Masks one word more.
    fn step(&mut self, masking: &mut Masking) -> Answer<()> {
        let mut next: Vec<_> = self.candidates().collect();
        let sets: Vec<_> = next.iter().map(|state| state.masked.clone()).collect();
        let drops = masking.drops(&sets)?;
        next.iter_mut().zip(drops).for_each(|(state, drop)| state.sum += self.sign * drop);
        next.sort_by(|a, b| b.sum.total_cmp(&a.sum));
        let mut seen = HashSet::new();
        next.retain(|state| seen.insert(state.masked.clone()));
        next.truncate(self.width);
        self.states = next;
        Ok(())
    }

    /// The states with one word more, their sums being those before it.
    fn candidates(&self) -> impl Iterator<Item = State> {
        self.states.iter().flat_map(|State { masked, sum }| {
            let remaining = self.preference.iter().filter(|word| !masked.contains(**word)).take(self.fan);
            remaining.map(|word| State { masked: masked.with(*word), sum: *sum })
        })
    }

    /// AOPC of the best order, once all words are masked.
    fn aopc(&self) -> f64 {
        self.sign * self.states.first().map_or(0.0, |state| state.sum) / self.preference.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::faithfulness::aopc;
    use crate::fakes::{Game, logistic, present_sum};
    use crate::table::MaskTable;

    fn subsets(game: &mut Game) -> Subsets {
        Subsets::ask(&mut Masking::new(game, &mut MaskTable::default())).unwrap()
    }

    fn beam(game: &mut Game) -> Bounds {
        beam_bounds(&mut Masking::new(game, &mut MaskTable::default())).unwrap()
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
        let mut table = MaskTable::default();
        let mut masking = Masking::new(game, &mut table);
        let found: Vec<_> = orders(words).iter().map(|order| aopc(&mut masking, order).unwrap()).collect();
        let (best, worst) =
            (found.iter().copied().fold(f64::MIN, f64::max), found.iter().copied().fold(f64::MAX, f64::min));
        (best, worst, found.iter().sum::<f64>() / found.len() as f64)
    }

    fn interacting(words: usize) -> Game {
        let weights: Vec<_> = (0..words).map(|word| ((word * 7 + 3) % 11) as f64 / 4.0 - 1.2).collect();
        Game::new(words, move |present| {
            let pairs = present.windows(2).filter(|pair| pair[0] && pair[1]).count() as f64;
            logistic(present_sum(present, &weights) + 0.5 * (pairs * 1.7).sin())
        })
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
            let bounds = beam(&mut Game::additive(0.1, &weights));
            assert_eq!(bounds.normalise(bounds.best), None);
        }
    }

    #[test]
    fn a_beam_finds_the_best_order_of_an_additive_text() {
        let weights: Vec<_> = (0..30).map(|word| f64::from((word * 7) % 13) / 500.0).collect();
        let (mut game, mut same) = (Game::additive(0.1, &weights), Game::additive(0.1, &weights));
        let bounds = beam(&mut game);
        let mut order: Vec<_> = (0..30).collect();
        order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
        let mut table = MaskTable::default();
        let mut masking = Masking::new(&mut same, &mut table);
        assert!((bounds.best - aopc(&mut masking, &order).unwrap()).abs() < 1e-12);
        order.reverse();
        assert!((bounds.worst - aopc(&mut masking, &order).unwrap()).abs() < 1e-12);
    }

    #[test]
    fn beams_of_long_texts_are_narrow() {
        let size = |words: usize| {
            let beam = Beam::new(&vec![0.0; words], Extreme::Worst);
            (beam.width, beam.fan)
        };
        assert_eq!([24, 25, 128, 512, 5000].map(size), [(5, 8), (2, 8), (2, 8), (2, 2), (2, 1)]);
    }

    #[test]
    fn a_beam_holds_no_set_twice() {
        let (mut game, mut table) = (interacting(12), MaskTable::default());
        let mut masking = Masking::new(&mut game, &mut table);
        let mut beam = Beam::new(&[0.0; 12], Extreme::Best);
        for masked in 1..=12 {
            beam.step(&mut masking).unwrap();
            let sets: HashSet<_> = beam.states.iter().map(|state| &state.masked).collect();
            assert_eq!(sets.len(), beam.states.len());
            assert!(beam.states.len() <= 5 && sets.iter().all(|set| set.len() == masked));
        }
        assert_eq!(beam.states.len(), 1);
    }

    #[test]
    fn a_beam_comes_close_to_the_exact_bounds() {
        let exact = subsets(&mut interacting(12)).bounds();
        let found = beam(&mut interacting(12));
        let range = exact.best - exact.worst;
        assert!(found.best <= exact.best + 1e-12 && found.best > exact.best - 0.05 * range);
        assert!(found.worst >= exact.worst - 1e-12 && found.worst < exact.worst + 0.05 * range);
    }

    #[test]
    fn a_beam_costs_what_its_documentation_says() {
        for (words, most) in [(11, 892), (24, 1945), (25, 826), (64, 2113), (128, 4225), (300, 4397), (512, 4609)] {
            let mut game = interacting(words);
            beam(&mut game);
            assert!(game.rows() <= most, "{} rows for {words} words", game.rows());
        }
    }

    proptest! {
        #[test]
        fn subsets_equal_all_orders((words, values) in (1..=6_usize).prop_flat_map(|words| {
            (Just(words), prop::collection::vec(0.0..1.0_f64, 1 << words))
        })) {
            let found = subsets(&mut Game::table(words, values.clone()));
            let bounds = found.bounds();
            let (best, worst, mean) = brute_force(&mut Game::table(words, values.clone()), words);
            prop_assert!((bounds.best - best).abs() < 1e-12);
            prop_assert!((bounds.worst - worst).abs() < 1e-12);
            prop_assert!((found.mean() - mean).abs() < 1e-12);
            let beam = beam(&mut Game::table(words, values));
            prop_assert!(beam.best <= best + 1e-12 && beam.worst >= worst - 1e-12);
        }
    }
}
