//! What hiding a word does on average, measured on random groups of words.

use std::collections::HashMap;

use crate::oracle::word_set::WordSet;
use crate::regression::cholesky::{Cholesky, dot};
use crate::sampling::strata::StratifiedSample;

/// The most words of a text whose scores are compared as they are. Of longer texts the mean score is taken off: maps of
/// positive scores would agree with each other by their means alone, but with so few words nothing else is left.
const FEW_WORDS: usize = 3;
/// Relative to the mean square of a row: the penalty where every group was measured.
const ROUNDING: f64 = 1e-9;

/// What is asked about a group of hidden words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// How far the probability falls: for scores with a sign.
    Drop,
    /// How far the probability moves, up or down: for scores without one.
    Change,
}

/// The measured effects of the words: one answer to each [`Question`].
#[derive(Debug, Clone)]
pub struct Effects {
    words: usize,
    drop: Regression,
    change: Regression,
}

/// What hiding a group did.
#[derive(Debug, Clone)]
struct Row {
    /// How much each word takes part, less the mean if there are many words.
    members: Vec<f64>,
    /// What is to be explained by the words that take part.
    change: f64,
    weight: f64,
}

/// One number for each word, and the rows that it comes from.
#[derive(Debug, Clone)]
struct Regression {
    rows: Vec<Row>,
    effects: Vec<f64>,
}

/// Measured groups.
#[derive(Clone, Copy)]
struct Groups<'a> {
    sample: &'a StratifiedSample,
    /// How far the probability falls with all words hidden.
    all: f64,
    /// The same for each set of the sample.
    drops: &'a [f64],
    words: usize,
}

impl Effects {
    /// The effects of the words. `drops` holds how far the probability falls with all words hidden, and then for each
    /// set of `sample`, in which every set stands with its complement.
    ///
    /// The drop: if hiding a group did what hiding its words one by one does, d(S) - d(not S) = sum of the effects over
    /// S minus the sum over the others: a regression through the origin. Words that interact in pairs do not disturb it,
    /// because both groups of a pair share their effect equally. Where all groups are measured, the effects are Shapley
    /// values.
    ///
    /// The size of the change: |d(S)| for groups of at most half of the words, against the mean of groups of about the
    /// same size. In larger groups a word for and a word against the class would hide each other.
    ///
    /// Source: the regression of Kernel SHAP, Lundberg and Lee 2017, arXiv 1705.07874, theorem 2, with pairs as in
    /// Covert and Lee 2021, arXiv 2012.01536.
    #[must_use]
    pub fn measure(sample: &StratifiedSample, drops: &[f64], words: usize) -> Self {
        let (all, drops) = drops.split_first().map_or((0.0, drops), |(all, rest)| (*all, rest));
        let groups = Groups { sample, all, drops, words };
        let mut drop = Regression::new(groups.pairs(), words, groups.penalty());
        let mut change = Regression::new(groups.small(), words, groups.penalty());
        if words <= FEW_WORDS {
            drop.add_mean(all);
            change.add_mean(all.abs());
        }
        Self { words, drop, change }
    }

    /// The dimensions of the space in which maps are compared.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        if self.words <= FEW_WORDS { self.words } else { self.words - 1 }
    }

    /// How many random maps stand for one where scores are compared as they are: those with the signs of the map. Maps
    /// whose scores are all positive have only these.
    #[must_use]
    pub fn ties(&self) -> f64 {
        if self.words <= FEW_WORDS { f64::from(1_u8 << self.words) } else { 1.0 }
    }

    /// The cosine between a map and the effects.
    #[must_use]
    pub fn cosine(&self, question: Question, scores: &[f64]) -> f64 {
        let (map, effects) = (self.comparable(scores), &self.answer(question).effects);
        cosine(dot(&map, effects), dot(&map, &map), dot(effects, effects))
    }

    /// The correlation between the sums of a map over the groups and what hiding the groups did.
    #[must_use]
    pub fn correlation(&self, question: Question, scores: &[f64]) -> f64 {
        let map = self.comparable(scores);
        let (mut cross, mut sums, mut changes) = (0.0, 0.0, 0.0);
        for Row { members, change, weight } in &self.answer(question).rows {
            let sum = dot(members, &map);
            cross += weight * sum * change;
            sums += weight * sum * sum;
            changes += weight * change * change;
        }
        cosine(cross, sums, changes)
    }

    fn answer(&self, question: Question) -> &Regression {
        match question {
            Question::Drop => &self.drop,
            Question::Change => &self.change,
        }
    }

    fn comparable(&self, scores: &[f64]) -> Vec<f64> {
        let mean = if self.words <= FEW_WORDS { 0.0 } else { scores.iter().sum::<f64>() / self.words as f64 };
        scores.iter().map(|score| score - mean).collect()
    }
}

impl Groups<'_> {
    fn each(&self) -> impl Iterator<Item = (&WordSet, f64, f64)> {
        let drops_and_weights = self.drops.iter().zip(&self.sample.weights);
        self.sample.sets.iter().zip(drops_and_weights).map(|(set, (drop, weight))| (set, *drop, *weight))
    }

    /// A row for each pair of complements; what is left once each word has its equal part of what all do together.
    fn pairs(&self) -> Vec<Row> {
        let known: HashMap<&WordSet, f64> = self.each().map(|(set, drop, _)| (set, drop)).collect();
        let row = |(set, drop, weight): (&WordSet, f64, f64)| {
            let mean = 2.0 * set.len() as f64 / self.words as f64 - 1.0;
            let change = drop - known.get(&set.complement(self.words))? - mean * self.all;
            Some(Row { members: self.members(set, 2.0), change, weight })
        };
        self.each().filter(|(set, ..)| set.contains(0)).filter_map(row).collect()
    }

    /// A row for each group of at most half of the words.
    fn small(&self) -> Vec<Row> {
        let is_small = |set: &WordSet| 2 * set.len() <= self.words;
        let class = |set: &WordSet| set.len().ilog2() as usize;
        let mut means = vec![(0.0, 0.0); self.words.ilog2() as usize + 1];
        for (set, drop, weight) in self.each().filter(|(set, ..)| is_small(set)) {
            let (sum, total) = &mut means[class(set)];
            *sum += weight * drop.abs();
            *total += weight;
        }
        let row = |(set, drop, weight): (&WordSet, f64, f64)| {
            let (sum, total) = means[class(set)];
            Row { members: self.members(set, 1.0), change: drop.abs() - sum / total, weight }
        };
        self.each().filter(|(set, ..)| is_small(set)).map(row).collect()
    }

    /// `scale` for words of the set and 0 for the others, less the mean.
    fn members(&self, set: &WordSet, scale: f64) -> Vec<f64> {
        let mean = set.len() as f64 / self.words as f64;
        let member = |word| scale * (f64::from(u8::from(set.contains(word))) - mean);
        (0..self.words).map(member).collect()
    }

    /// The penalty relative to the mean square of a row: one that suits a signal as strong as the rest, and next to none
    /// where every group was measured.
    fn penalty(&self) -> f64 {
        let is_complete = self.words < 16 && self.sample.sets.len() + 2 == 1 << self.words;
        if is_complete { ROUNDING } else { 1.0 }
    }
}

impl Regression {
    /// Through the origin, with a `penalty` that keeps it solvable where there are more words than rows. It is solved
    /// for the rows and not for the words, so that its cost is linear in the words: (X X' + penalty / weight) a = y, and
    /// the effects are X' a.
    ///
    /// Source: ridge regression in its dual form, Saunders et al. 1998.
    fn new(rows: Vec<Row>, words: usize, penalty: f64) -> Self {
        let count = rows.len().max(1) as f64;
        let square = rows.iter().map(|row| dot(&row.members, &row.members)).sum::<f64>() / count;
        let weight = rows.iter().map(|row| row.weight).sum::<f64>() / count;
        let line = |(at, row): (usize, &Row)| {
            let mut line: Vec<f64> = rows[..=at].iter().map(|other| dot(&row.members, &other.members)).collect();
            line[at] += penalty * square * weight / row.weight;
            line
        };
        let system = Cholesky::factorise(rows.iter().enumerate().map(line).collect(), f64::MIN_POSITIVE);
        let mut effects = vec![0.0; words];
        for (row, share) in rows.iter().zip(system.solve(rows.iter().map(|row| row.change).collect())) {
            effects.iter_mut().zip(&row.members).for_each(|(effect, member)| *effect += share * member);
        }
        Self { rows, effects }
    }

    /// Adds what all words hidden together do: an equal part for each word.
    fn add_mean(&mut self, all: f64) {
        let words = self.effects.len();
        self.effects.iter_mut().for_each(|effect| *effect += all / words as f64);
        self.rows.push(Row { members: vec![1.0; words], change: all, weight: 1.0 });
    }
}

/// The cosine of an angle by its products; 0 where a side has no length.
fn cosine(cross: f64, one: f64, other: f64) -> f64 {
    let lengths = (one * other).sqrt();
    if lengths > 0.0 { (cross / lengths).clamp(-1.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance_test::plan::Plan;
    use crate::fakes::Game;
    use crate::oracle::masking::{Masking, OutcomeCache};
    use crate::oracle::subsets::Subsets;
    use crate::shapley::exact::exact;

    fn measured(game: &mut Game, words: usize, look: usize) -> Effects {
        let plan = Plan::new(words, 7);
        let sample = plan.sample(look);
        let mut cache = OutcomeCache::default();
        let mut masking = Masking::new(game, &mut cache);
        let sets: Vec<_> = std::iter::once(WordSet::full(words)).chain(sample.sets.iter().cloned()).collect();
        Effects::measure(&sample, &masking.drops(&sets).unwrap(), words)
    }

    fn shapley(game: &mut Game) -> Vec<f64> {
        exact(&Subsets::ask(&mut Masking::new(game, &mut OutcomeCache::default())).unwrap()).scores
    }

    #[test]
    fn of_all_groups_they_are_shapley_values() {
        for words in 2..=8 {
            let effects = measured(&mut Game::interacting(words), words, 0);
            let exact = shapley(&mut Game::interacting(words));
            let mean = if words <= FEW_WORDS { 0.0 } else { exact.iter().sum::<f64>() / words as f64 };
            for (found, exact) in effects.drop.effects.iter().zip(&exact) {
                assert!((found - (exact - mean)).abs() < 1e-6, "{words} words: {found}, not {exact} - {mean}");
            }
            assert!(effects.cosine(Question::Drop, &exact) > 1.0 - 1e-9);
        }
    }

    #[test]
    fn sums_of_an_additive_text_are_followed_to_the_end() {
        let weights: Vec<f64> = (0..80).map(|word| f64::from((word * 7) % 13) / 500.0 - 0.01).collect();
        for look in 0..3 {
            let effects = measured(&mut Game::additive(0.4, &weights), 80, look);
            assert!((effects.correlation(Question::Drop, &weights) - 1.0).abs() < 1e-9);
            let turned: Vec<f64> = weights.iter().map(|weight| -weight).collect();
            assert!((effects.correlation(Question::Drop, &turned) + 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn sizes_of_changes_have_no_direction() {
        // One word for and one against: hiding either moves the answer.
        let mut weights = [0.0; 14];
        (weights[3], weights[9]) = (0.3, -0.3);
        let effects = measured(&mut Game::additive(0.5, &weights), 14, 0);
        let sizes = weights.map(f64::abs);
        assert!(effects.cosine(Question::Change, &sizes) > 0.6);
        assert!(effects.cosine(Question::Drop, &weights) > 0.9 && effects.cosine(Question::Drop, &sizes).abs() < 0.2);
    }

    #[test]
    fn what_never_moves_agrees_with_nothing() {
        let effects = measured(&mut Game::new(20, |_| 0.7), 20, 0);
        let map: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!((effects.cosine(Question::Drop, &map), effects.correlation(Question::Change, &map)), (0.0, 0.0));
        assert_eq!(effects.cosine(Question::Drop, &[1.0; 20]), 0.0);
    }
}
