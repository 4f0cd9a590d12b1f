//! The probabilities of all 2^n maskings of a short text.

use super::Answer;
use super::masking::Masking;
use super::word_set::WordSet;

/// The probabilities of all maskings of a short text.
#[derive(Debug, Clone, PartialEq)]
pub struct Subsets {
    words: usize,
    full: f64,
    /// For each set of masked words, read as bits, the drop of the probability.
    drops: Vec<f64>,
}

impl Subsets {
    /// Asks for all subsets: 2^words rows, so for texts of few words only.
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

    /// Number of maskings, 2^words; the bits of the masked words are the index of a masking.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.drops.len()
    }

    /// Probability of the whole text.
    #[must_use]
    pub fn full(&self) -> f64 {
        self.full
    }

    /// Probability with all words masked.
    #[must_use]
    pub fn all_masked(&self) -> f64 {
        self.probability(self.rows() - 1)
    }

    /// How far the probability drops when the words of these bits are masked.
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
}
