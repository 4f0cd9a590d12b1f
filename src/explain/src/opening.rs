//! Which groups of words are opened: whether hiding some words of a group moves the answer.

use crate::oracle::Answer;
use crate::oracle::masking::{Masking, NOISE};
use crate::oracle::word_groups::WordGroups;
use crate::oracle::word_set::WordSet;
use crate::sampling::Means;

/// A group is opened if it moves the answer by more than this share of what the group that moves it most does.
pub const NEGLIGIBLE: f64 = 0.05;

/// How far the answer moves while words of each group are hidden.
#[derive(Debug, Clone, PartialEq)]
pub struct Movement {
    /// The largest step that was seen, for each group.
    pub steps: Vec<f64>,
    /// The maskings that were asked for.
    pub asked: Vec<WordSet>,
}

/// What is known of a group before its words are looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Hidden words of other groups. Each of these sets is a surrounding in which the group was hidden.
    pub surroundings: Vec<WordSet>,
    /// The largest step of the answer when the whole group was hidden in one of them.
    pub step: f64,
}

impl Movement {
    /// Looks at the words of each group that is not known to move the answer.
    ///
    /// The words of a group are numbered, and for each bit of the numbers those words are hidden whose number has it,
    /// in two surroundings, taken in turn. So any two words are hidden one without the other at least twice: words that
    /// cancel each other are seen, though the group as a whole does nothing.
    ///
    /// Cost: for each such group of s words at most 2 log2(s) rows, rounded up, and the ends of its surroundings.
    ///
    /// Source: separating all pairs by the bits of their numbers, Dorfman's group testing made non-adaptive, e.g.
    /// Du and Hwang 2000, "Combinatorial Group Testing and Its Applications".
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite.
    pub fn ask(masking: &mut Masking, groups: &WordGroups, known: &[Known]) -> Answer<Self> {
        let most = known.iter().map(|known| known.step).fold(NOISE, f64::max);
        let rows: Vec<Vec<[WordSet; 3]>> = (0..groups.len())
            .map(|group| if known[group].step > NEGLIGIBLE * most { Vec::new() } else { halves(groups, group, known) })
            .collect();
        let asked: Vec<WordSet> = rows.iter().flatten().flatten().cloned().collect();
        let mut values = masking.values(&asked)?.into_iter();
        let mut steps: Vec<f64> = known.iter().map(|known| known.step).collect();
        for (step, rows) in steps.iter_mut().zip(&rows) {
            for (without, half, with) in
                rows.iter().filter_map(|_| Some((values.next()?, values.next()?, values.next()?)))
            {
                *step = step.max((without - half).abs()).max((half - with).abs());
            }
        }
        Ok(Self { steps, asked })
    }

    /// For each group whether its words are looked at one by one: it has several, and moves the answer.
    #[must_use]
    pub fn open(&self, groups: &WordGroups) -> Vec<bool> {
        let most = self.steps.iter().copied().fold(0.0, f64::max);
        let is_open =
            |(step, range): (&f64, &std::ops::Range<usize>)| range.len() > 1 && *step > (NEGLIGIBLE * most).max(NOISE);
        self.steps.iter().zip(groups.ranges()).map(is_open).collect()
    }
}

/// The words of a group that is not opened, with their errors, from the `value` of the group and its `error`. How far
/// each word is from its own value is not known; that the largest `step` of the group is the sum of independent steps of
/// its words says about how far it can be.
#[must_use]
pub fn evenly(value: f64, error: f64, step: f64, words: usize) -> Means {
    let unknown = if words > 1 { step / (words as f64).sqrt() } else { 0.0 };
    let error = (error / words as f64).hypot(unknown);
    Means { means: vec![value / words as f64; words], errors: vec![error; words] }
}

/// For each bit of the words' numbers, in two surroundings: nothing, half and all of the group hidden.
fn halves(groups: &WordGroups, group: usize, known: &[Known]) -> Vec<[WordSet; 3]> {
    let (range, surroundings) = (&groups.ranges()[group], &known[group].surroundings);
    let bits = range.len().next_power_of_two().trailing_zeros() as usize;
    let hidden = |turn: usize| {
        let around = surroundings.get(turn % surroundings.len().max(1))?;
        let has_bit = |word: &usize| (word - range.start) >> (turn / 2) & 1 == 1;
        let half = range.clone().filter(has_bit).fold(around.clone(), |set, word| set.with(word));
        Some([around.clone(), half, around.union(&groups.sets()[group])])
    };
    (0..2 * bits).filter_map(hidden).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::Game;
    use crate::oracle::masking::OutcomeCache;

    fn three_of_eight() -> WordGroups {
        WordGroups::new(24, vec![0..8, 8..16, 16..24]).unwrap()
    }

    /// Nothing is known but two surroundings.
    fn unknown(groups: &WordGroups) -> Vec<Known> {
        let known = |set: &WordSet| Known { surroundings: vec![WordSet::empty(24), set.complement(24)], step: 0.0 };
        groups.sets().iter().map(known).collect()
    }

    #[test]
    fn any_two_words_that_cancel_each_other_are_seen() {
        let groups = three_of_eight();
        for first in 8..16 {
            for second in (8..16).filter(|second| *second != first) {
                let value = move |present: &[bool]| {
                    0.5 + 0.3 * f64::from(u8::from(present[first])) - 0.3 * f64::from(u8::from(present[second]))
                };
                let mut cache = OutcomeCache::default();
                let mut game = Game::new(24, value);
                let found =
                    Movement::ask(&mut Masking::new(&mut game, &mut cache), &groups, &unknown(&groups)).unwrap();
                assert_eq!(found.open(&groups), [false, true, false], "{first} and {second}");
                // 3 bits in 2 surroundings, and the ends: for each group without and with all words.
                assert!(game.rows() <= 3 * 6 + 3 * 2 + 2, "{}", game.rows());
            }
        }
    }

    #[test]
    fn what_is_known_to_move_is_not_asked_for() {
        let groups = three_of_eight();
        let mut known = unknown(&groups);
        known.iter_mut().for_each(|known| known.step = 0.2);
        known[1].step = 0.001;
        let mut game = Game::additive(0.5, &[0.0; 24]);
        let mut cache = OutcomeCache::default();
        let found = Movement::ask(&mut Masking::new(&mut game, &mut cache), &groups, &known).unwrap();
        assert_eq!(found.open(&groups), [true, false, true]);
        assert_eq!(found.asked.len(), 18);
        known.iter_mut().for_each(|known| known.surroundings.clear());
        let blind = Movement::ask(&mut Masking::new(&mut game, &mut cache), &groups, &known).unwrap();
        assert!(blind.asked.is_empty());
    }

    #[test]
    fn rounding_and_single_words_are_not_opened() {
        let groups = WordGroups::new(4, vec![0..1, 1..4]).unwrap();
        let found = Movement { steps: vec![0.5, 1e-8], asked: Vec::new() };
        assert_eq!(found.open(&groups), [false, false]);
        let quiet = Movement { steps: vec![1e-8, 1e-8], asked: Vec::new() };
        assert_eq!(quiet.open(&groups), [false, false]);
    }
}
