//! Probabilities of a text with words masked: each asked of the model once, in small calls.

use std::collections::{HashMap, HashSet};

use crate::oracle::{Answer, Predict, check_numbers};
use crate::word_set::WordSet;

/// Most rows in one call of the oracle, so that no call holds up a training step for long.
pub const ROWS_PER_CALL: usize = 64;

/// Differences of probabilities up to this are rounding, not movement: models compute in f32.
pub const NOISE: f64 = 1e-6;

/// What is known of one text, one class and one state of a model.
#[derive(Debug, Clone)]
pub struct MaskTable {
    known: HashMap<WordSet, f64>,
    spent: usize,
    rows_per_call: usize,
}

impl Default for MaskTable {
    fn default() -> Self {
        Self::new(ROWS_PER_CALL)
    }
}

impl MaskTable {
    /// An empty table that asks for at most `rows_per_call` rows at a time (at least one).
    #[must_use]
    pub fn new(rows_per_call: usize) -> Self {
        Self { known: HashMap::new(), spent: 0, rows_per_call: rows_per_call.max(1) }
    }

    /// Rows asked of the oracle so far.
    #[must_use]
    pub fn spent(&self) -> usize {
        self.spent
    }
}

/// A text that can be asked about with any of its words masked: an oracle and what is known of it.
pub struct Masking<'a> {
    oracle: &'a mut dyn Predict,
    table: &'a mut MaskTable,
}

impl<'a> Masking<'a> {
    /// Answers from `table` and asks `oracle` for the rest. The table must be of the same oracle.
    pub fn new(oracle: &'a mut dyn Predict, table: &'a mut MaskTable) -> Self {
        Self { oracle, table }
    }

    /// Number of words.
    #[must_use]
    pub fn words(&self) -> usize {
        self.oracle.words()
    }

    /// Probability of the text as it is.
    ///
    /// # Errors
    /// As [`Masking::probabilities`].
    pub fn full(&mut self) -> Answer<f64> {
        let unmasked = WordSet::empty(self.words());
        Ok(self.probabilities(std::slice::from_ref(&unmasked))?[0])
    }

    /// Probability for each set of masked words.
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite.
    pub fn probabilities(&mut self, masked: &[WordSet]) -> Answer<Vec<f64>> {
        for sets in self.unknown(masked).chunks(self.table.rows_per_call) {
            self.ask(sets)?;
        }
        Ok(masked.iter().map(|set| self.table.known[set]).collect())
    }

    /// For each set of masked words, how much the probability drops from that of the whole text.
    ///
    /// # Errors
    /// As [`Masking::probabilities`].
    pub fn drops(&mut self, masked: &[WordSet]) -> Answer<Vec<f64>> {
        let full = self.full()?;
        Ok(self.probabilities(masked)?.into_iter().map(|probability| full - probability).collect())
    }

    /// The sets not asked for yet, each once, in the order given.
    fn unknown(&self, masked: &[WordSet]) -> Vec<WordSet> {
        let mut seen = HashSet::new();
        masked.iter().filter(|set| !self.table.known.contains_key(*set) && seen.insert(*set)).cloned().collect()
    }

    fn ask(&mut self, sets: &[WordSet]) -> Answer<()> {
        let rows: Vec<_> = sets.iter().map(|set| set.presence(self.oracle.words())).collect();
        let probabilities = self.oracle.probabilities(&rows)?;
        check_numbers(&probabilities, sets.len(), "probabilities")?;
        self.table.spent += sets.len();
        self.table.known.extend(sets.iter().cloned().zip(probabilities));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::Game;
    use crate::oracle::OracleError;

    #[test]
    fn a_subset_is_asked_for_once() {
        let mut game = Game::additive(0.1, &[0.2, 0.3]);
        let mut table = MaskTable::default();
        let mut masking = Masking::new(&mut game, &mut table);
        let all = WordSet::empty(2).with(0).with(1);
        let sets = [WordSet::empty(2), all.clone(), WordSet::empty(2), all];
        let first = masking.probabilities(&sets).unwrap();
        assert_eq!(first, masking.probabilities(&sets).unwrap());
        assert!((first[0] - 0.6).abs() < 1e-12 && (first[1] - 0.1).abs() < 1e-12);
        assert_eq!((table.spent(), game.calls.as_slice()), (2, [2].as_slice()));
    }

    #[test]
    fn calls_stay_small() {
        let mut game = Game::additive(0.0, &[0.1; 8]);
        let mut table = MaskTable::default();
        let sets: Vec<_> = (0..256).map(|bits| WordSet::from_bits(8, bits)).collect();
        Masking::new(&mut game, &mut table).probabilities(&sets).unwrap();
        assert_eq!(game.calls, [64; 4]);
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        let mut game = Game::new(1, |_| f64::NAN);
        let answer = Masking::new(&mut game, &mut MaskTable::default()).full();
        assert!(matches!(answer, Err(OracleError::Failed(_))));
    }
}
