//! What a model answers for a text with words removed: every question is asked once, in small calls.

use std::collections::{HashMap, HashSet};

use pellucid_protocol::Removal;
use pellucid_protocol::explanation::Scalar;

use super::word_set::WordSet;
use super::{Answer, Outcome, Predict};

/// Most rows in one call of the oracle, so that no call holds up a training step for long.
pub const ROWS_PER_CALL: usize = 64;

/// Differences between probabilities up to this size are rounding: models compute in f32.
pub const NOISE: f64 = 1e-6;

/// The outcomes known so far for one text, one class and one state of a model, with words removed in one way.
#[derive(Debug, Clone)]
pub struct OutcomeCache {
    removal: Removal,
    known: HashMap<WordSet, Outcome>,
    rows_per_call: usize,
}

impl Default for OutcomeCache {
    fn default() -> Self {
        Self::new(ROWS_PER_CALL)
    }
}

impl OutcomeCache {
    /// An empty cache for masked words, which is filled with at most `rows_per_call` rows at a time (at least one).
    #[must_use]
    pub fn new(rows_per_call: usize) -> Self {
        Self { removal: Removal::Mask, known: HashMap::new(), rows_per_call: rows_per_call.max(1) }
    }

    /// The same for words that are removed in this way.
    #[must_use]
    pub fn with_removal(self, removal: Removal) -> Self {
        Self { removal, ..self }
    }

    /// Rows asked of the oracle so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.known.len()
    }
}

/// A text with any of its words removed: an oracle and the outcomes it has given so far.
pub struct Masking<'a> {
    oracle: &'a mut dyn Predict,
    cache: &'a mut OutcomeCache,
    scalar: Scalar,
    /// The words of each unit, if units of several words are removed as if they were words.
    units: Option<&'a [WordSet]>,
}

impl<'a> Masking<'a> {
    /// Takes probabilities from `cache` and asks `oracle` for those that are missing. The cache must belong to the
    /// same oracle.
    pub fn new(oracle: &'a mut dyn Predict, cache: &'a mut OutcomeCache) -> Self {
        Self { oracle, cache, scalar: Scalar::Probability, units: None }
    }

    /// Takes this scalar from the same rows.
    #[must_use]
    pub fn with_scalar(self, scalar: Scalar) -> Self {
        Self { scalar, ..self }
    }

    /// The same text, whose words are now these sets of its words, each removed as a whole.
    pub fn of_units<'b>(&'b mut self, units: &'b [WordSet]) -> Masking<'b> {
        Masking { oracle: &mut *self.oracle, cache: &mut *self.cache, scalar: self.scalar, units: Some(units) }
    }

    /// Number of words.
    #[must_use]
    pub fn words(&self) -> usize {
        self.units.map_or_else(|| self.oracle.words(), <[_]>::len)
    }

    /// How words are removed.
    #[must_use]
    pub fn removal(&self) -> Removal {
        self.cache.removal
    }

    /// The scalar for the whole text.
    ///
    /// # Errors
    /// As [`Masking::values`].
    pub fn full(&mut self) -> Answer<f64> {
        let nothing_removed = WordSet::empty(self.words());
        Ok(self.values(std::slice::from_ref(&nothing_removed))?[0])
    }

    /// The scalar for each set of removed words.
    ///
    /// # Errors
    /// When the oracle gives no answer, or one that is not finite.
    pub fn values(&mut self, removed: &[WordSet]) -> Answer<Vec<f64>> {
        let Some(units) = self.units else { return self.values_of_words(removed) };
        let words = self.oracle.words();
        self.values_of_words(&removed.iter().map(|set| set.union_of(units, words)).collect::<Vec<_>>())
    }

    fn values_of_words(&mut self, removed: &[WordSet]) -> Answer<Vec<f64>> {
        for sets in self.unknown(removed).chunks(self.cache.rows_per_call) {
            self.ask(sets)?;
        }
        Ok(removed.iter().map(|set| self.cache.known[set].of(self.scalar)).collect())
    }

    /// For each set of removed words, how far the scalar drops from that of the whole text.
    ///
    /// # Errors
    /// As [`Masking::values`].
    pub fn drops(&mut self, removed: &[WordSet]) -> Answer<Vec<f64>> {
        // The whole text in the same call as the others.
        let rows: Vec<_> = [WordSet::empty(self.words())].into_iter().chain(removed.iter().cloned()).collect();
        let values = self.values(&rows)?;
        Ok(values[1..].iter().map(|value| values[0] - value).collect())
    }

    /// For each word, how far the scalar drops when this word alone is removed.
    ///
    /// # Errors
    /// As [`Masking::values`].
    pub fn single_drops(&mut self) -> Answer<Vec<f64>> {
        let words = self.words();
        self.drops(&(0..words).map(|word| WordSet::empty(words).with(word)).collect::<Vec<_>>())
    }

    /// The sets that were not asked for yet, each once, in the order given.
    fn unknown(&self, removed: &[WordSet]) -> Vec<WordSet> {
        let mut seen = HashSet::new();
        removed.iter().filter(|set| !self.cache.known.contains_key(*set) && seen.insert(*set)).cloned().collect()
    }

    fn ask(&mut self, sets: &[WordSet]) -> Answer<()> {
        let rows: Vec<_> = sets.iter().map(|set| set.presence(self.oracle.words())).collect();
        let outcomes = self.oracle.outcomes(&rows, self.cache.removal)?;
        Outcome::check(&outcomes, sets.len())?;
        self.cache.known.extend(sets.iter().cloned().zip(outcomes));
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
        let mut cache = OutcomeCache::default();
        let mut masking = Masking::new(&mut game, &mut cache);
        let all = WordSet::empty(2).with(0).with(1);
        let sets = [WordSet::empty(2), all.clone(), WordSet::empty(2), all];
        let first = masking.values(&sets).unwrap();
        assert_eq!(first, masking.values(&sets).unwrap());
        assert!((first[0] - 0.6).abs() < 1e-12 && (first[1] - 0.1).abs() < 1e-12);
        assert_eq!((cache.rows(), game.calls.as_slice()), (2, [2].as_slice()));
    }

    #[test]
    fn a_way_and_a_scalar_are_asked_for_and_rows_are_shared_by_scalars() {
        let mut game = Game::additive(0.1, &[0.2, 0.3]);
        game.gap = 0.05;
        let alone = [WordSet::empty(2).with(0)];
        let (mut masked, mut deleted) =
            (OutcomeCache::default(), OutcomeCache::default().with_removal(Removal::Delete));
        let value = |game: &mut Game, cache: &mut OutcomeCache, scalar| {
            Masking::new(game, cache).with_scalar(scalar).values(&alone).unwrap()[0]
        };
        assert!((value(&mut game, &mut masked, Scalar::Probability) - 0.4).abs() < 1e-12);
        assert!((value(&mut game, &mut masked, Scalar::Logit) - Game::logit(0.4)).abs() < 1e-12);
        assert!((value(&mut game, &mut deleted, Scalar::Probability) - 0.35).abs() < 1e-12);
        assert_eq!((masked.rows(), deleted.rows()), (1, 1));
    }

    #[test]
    fn units_are_removed_whole_and_share_their_rows_with_words() {
        let mut game = Game::additive(0.1, &[0.2, 0.3, 0.05]);
        let mut cache = OutcomeCache::default();
        let units = [WordSet::empty(3).with(0).with(2), WordSet::empty(3).with(1)];
        let mut masking = Masking::new(&mut game, &mut cache);
        let drops = masking.of_units(&units).single_drops().unwrap();
        assert!((drops[0] - 0.25).abs() < 1e-12 && (drops[1] - 0.3).abs() < 1e-12);
        assert_eq!((masking.words(), masking.of_units(&units).words()), (3, 2));
        masking.single_drops().unwrap();
        assert_eq!(cache.rows(), 5);
    }

    #[test]
    fn calls_stay_small() {
        let mut game = Game::additive(0.0, &[0.1; 8]);
        let mut cache = OutcomeCache::default();
        let sets: Vec<_> = (0..256).map(|bits| WordSet::from_bits(8, bits)).collect();
        Masking::new(&mut game, &mut cache).values(&sets).unwrap();
        assert_eq!(game.calls, [64; 4]);
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        let mut game = Game::new(1, |_| f64::NAN);
        let answer = Masking::new(&mut game, &mut OutcomeCache::default()).full();
        assert!(matches!(answer, Err(OracleError::Failed(_))));
    }
}
