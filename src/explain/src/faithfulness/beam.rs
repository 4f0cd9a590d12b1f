//! Bounds of the AOPC of a long text, by beam search.

use std::collections::HashSet;

use super::bounds::{Bounds, Extreme};
use crate::oracle::Answer;
use crate::oracle::masking::Masking;
use crate::oracle::word_set::WordSet;

/// Most remaining words by which the beam search extends a state.
const FAN: usize = 8;

/// Most rows for one direction of the beam search of a very long text.
const BEAM_ROWS: usize = 2048;

/// Bounds of a long text by two beam searches, one for the best and one for the worst order.
///
/// The beam holds 5 states for texts of up to 24 words and 2 for longer ones. Each state is extended by the 8 remaining
/// words whose masking alone drops the probability most (for the worst order: least), by fewer beyond 128 words.
///
/// Cost in rows, each subset only once: 1 + words for the single words, and for each direction at most
/// words x width x 8, limited to 2048 for texts of up to 1024 words. So at most 1945 rows for 24 words, 2113 for 64 and
/// 4225 for 128.
///
/// Source: beam search of NAOPC, arXiv 2408.08137, which extends by all remaining words.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn beam_bounds(masking: &mut Masking) -> Answer<Bounds> {
    let words = masking.words();
    let strength = masking.single_drops()?;
    let mut beams = [Extreme::Best, Extreme::Worst].map(|end| Beam::new(&strength, end));
    for _ in 0..words {
        // First asked for both directions at once: fuller calls.
        let sets: Vec<_> = beams.iter().flat_map(Beam::candidates).map(|state| state.masked).collect();
        masking.values(&sets)?;
        for beam in &mut beams {
            beam.step(masking)?;
        }
    }
    let [best, worst] = beams.map(|beam| beam.aopc());
    Ok(Bounds { best, worst, exact: false })
}

/// Words masked so far, and the sum of the drops on the way times the sign of the search.
struct State {
    masked: WordSet,
    sum: f64,
}

struct Beam {
    sign: f64,
    width: usize,
    fan: usize,
    /// The words in the order in which the search tries them.
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

    /// The states with one more word masked; its drop is not in their sums yet.
    fn candidates(&self) -> impl Iterator<Item = State> {
        self.states.iter().flat_map(|State { masked, sum }| {
            let remaining = self.preference.iter().filter(|word| !masked.contains(**word)).take(self.fan);
            remaining.map(|word| State { masked: masked.with(*word), sum: *sum })
        })
    }

    /// AOPC of the best order; to be called once all words are masked.
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
    use crate::oracle::masking::OutcomeCache;
    use crate::oracle::subsets::Subsets;

    fn subsets(game: &mut Game) -> Subsets {
        Subsets::ask(&mut Masking::new(game, &mut OutcomeCache::default())).unwrap()
    }

    fn beam(game: &mut Game) -> Bounds {
        beam_bounds(&mut Masking::new(game, &mut OutcomeCache::default())).unwrap()
    }

    fn interacting(words: usize) -> Game {
        let weights: Vec<_> = (0..words).map(|word| ((word * 7 + 3) % 11) as f64 / 4.0 - 1.2).collect();
        Game::new(words, move |present| {
            let pairs = present.windows(2).filter(|pair| pair[0] && pair[1]).count() as f64;
            logistic(present_sum(present, &weights) + 0.5 * (pairs * 1.7).sin())
        })
    }

    #[test]
    fn none_and_one_word_have_one_order() {
        for weights in [vec![], vec![0.3]] {
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
        let mut cache = OutcomeCache::default();
        let mut masking = Masking::new(&mut same, &mut cache);
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
        let (mut game, mut cache) = (interacting(12), OutcomeCache::default());
        let mut masking = Masking::new(&mut game, &mut cache);
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
        fn a_beam_lies_within_the_exact_bounds((words, values) in (1..=6_usize).prop_flat_map(|words| {
            (Just(words), prop::collection::vec(0.0..1.0_f64, 1 << words))
        })) {
            let exact = subsets(&mut Game::table(words, values.clone())).bounds();
            let beam = beam(&mut Game::table(words, values));
            prop_assert!(beam.best <= exact.best + 1e-12 && beam.worst >= exact.worst - 1e-12);
        }
    }
}
