//! What a model says of a text with words taken out: each asked of it once, in small calls.

use std::collections::{HashMap, HashSet};

use pellucid_protocol::Removal;
use pellucid_protocol::explanation::Scalar;

use crate::oracle::{Answer, Outcome, Predict};
use crate::word_set::WordSet;

/// Most rows in one call of the oracle, so that no call holds up a training step for long.
pub const ROWS_PER_CALL: usize = 64;

/// Differences of probabilities up to this are rounding, not movement: models compute in f32.
pub const NOISE: f64 = 1e-6;

/// What is known of one text, one class and one state of a model, with words taken out in one way.
#[derive(Debug, Clone)]
pub struct MaskTable {
    removal: Removal,
    known: HashMap<WordSet, Outcome>,
    spent: usize,
    rows_per_call: usize,
}

impl Default for MaskTable {
    fn default() -> Self {
        Self::new(ROWS_PER_CALL)
    }
}

impl MaskTable {
    /// An empty table of masked texts that asks for at most `rows_per_call` rows at a time (at least one).
    #[must_use]
    pub fn new(rows_per_call: usize) -> Self {
        let rows_per_call = rows_per_call.max(1);
        Self { removal: Removal::Mask, known: HashMap::new(), spent: 0, rows_per_call }
    }

    /// The same of texts with words taken out in this way.
    #[must_use]
    pub fn by(self, removal: Removal) -> Self {
        Self { removal, ..self }
    }

    /// Rows asked of the oracle so far.
    #[must_use]
    pub fn spent(&self) -> usize {
        self.spent
    }
}

/// A text that can be asked about with any of its words taken out: an oracle and what is known of it.
pub struct Masking<'a> {
    oracle: &'a mut dyn Predict,
    table: &'a mut MaskTable,
    scalar: Scalar,
}

impl<'a> Masking<'a> {
    /// Answers with probabilities from `table` and asks `oracle` for the rest. The table must be of the same
    /// oracle.
    pub fn new(oracle: &'a mut dyn Predict, table: &'a mut MaskTable) -> Self {
        Self { oracle, table, scalar: Scalar::Probability }
    }

    /// Answers with this scalar, from the same rows.
    #[must_use]
    pub fn of(self, scalar: Scalar) -> Self {
        Self { scalar, ..self }
    }

    /// Number of words.
    #[must_use]
    pub fn words(&self) -> usize {
        self.oracle.words()
    }

    /// How words are taken out.
    #[must_use]
    pub fn removal(&self) -> Removal {
        self.table.removal
    }

    /// Value of the text as it is.
    ///
    /// # Errors
    /// As [`Masking::values`].
    pub fn full(&mut self) -> Answer<f64> {
        let unmasked = WordSet::empty(self.words());
        Ok(self.values(std::slice::from_ref(&unmasked))?[0])
    }

    /// The scalar for each set of words taken out.
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite.
    pub fn values(&mut self, masked: &[WordSet]) -> Answer<Vec<f64>> {
        for sets in self.unknown(masked).chunks(self.table.rows_per_call) {
            self.ask(sets)?;
        }
        Ok(masked.iter().map(|set| self.table.known[set].of(self.scalar)).collect())
    }

    /// For each set of words taken out, how much the scalar drops from that of the whole text.
    ///
    /// # Errors
    /// As [`Masking::values`].
    pub fn drops(&mut self, masked: &[WordSet]) -> Answer<Vec<f64>> {
        // The text in the same call as the others.
        let rows: Vec<_> = [WordSet::empty(self.words())].into_iter().chain(masked.iter().cloned()).collect();
        let values = self.values(&rows)?;
        Ok(values[1..].iter().map(|value| values[0] - value).collect())
    }

    /// The sets not asked for yet, each once, in the order given.
    fn unknown(&self, masked: &[WordSet]) -> Vec<WordSet> {
        let mut seen = HashSet::new();
        masked.iter().filter(|set| !self.table.known.contains_key(*set) && seen.insert(*set)).cloned().collect()
    }

    fn ask(&mut self, sets: &[WordSet]) -> Answer<()> {
        let rows: Vec<_> = sets.iter().map(|set| set.presence(self.oracle.words())).collect();
        let outcomes = self.oracle.outcomes(&rows, self.table.removal)?;
        Outcome::check(&outcomes, sets.len())?;
        self.table.spent += sets.len();
        self.table.known.extend(sets.iter().cloned().zip(outcomes));
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
        let first = masking.values(&sets).unwrap();
        assert_eq!(first, masking.values(&sets).unwrap());
        assert!((first[0] - 0.6).abs() < 1e-12 && (first[1] - 0.1).abs() < 1e-12);
        assert_eq!((table.spent(), game.calls.as_slice()), (2, [2].as_slice()));
    }

    #[test]
    fn a_way_and_a_scalar_are_asked_for_and_rows_are_shared_by_scalars() {
        let mut game = Game::additive(0.1, &[0.2, 0.3]);
        game.gap = 0.05;
        let alone = [WordSet::empty(2).with(0)];
        let (mut masked, mut deleted) = (MaskTable::default(), MaskTable::default().by(Removal::Delete));
        let value = |game: &mut Game, table: &mut MaskTable, scalar| {
            Masking::new(game, table).of(scalar).values(&alone).unwrap()[0]
        };
        assert!((value(&mut game, &mut masked, Scalar::Probability) - 0.4).abs() < 1e-12);
        assert!((value(&mut game, &mut masked, Scalar::Logit) - Game::logit(0.4)).abs() < 1e-12);
        assert!((value(&mut game, &mut deleted, Scalar::Probability) - 0.35).abs() < 1e-12);
        assert_eq!((masked.spent(), deleted.spent()), (1, 1));
    }

    #[test]
    fn calls_stay_small() {
        let mut game = Game::additive(0.0, &[0.1; 8]);
        let mut table = MaskTable::default();
        let sets: Vec<_> = (0..256).map(|bits| WordSet::from_bits(8, bits)).collect();
        Masking::new(&mut game, &mut table).values(&sets).unwrap();
        assert_eq!(game.calls, [64; 4]);
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        let mut game = Game::new(1, |_| f64::NAN);
        let answer = Masking::new(&mut game, &mut MaskTable::default()).full();
        assert!(matches!(answer, Err(OracleError::Failed(_))));
    }
}
