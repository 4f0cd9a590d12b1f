//! A set of a text's words as bits, small enough to key a map.

const BITS: usize = u64::BITS as usize;

/// Some of the words `0..words` of a text. Sets are equal only if made for the same number of words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WordSet {
    blocks: Vec<u64>,
}

impl WordSet {
    /// None of the words of a text that has `words` of them.
    #[must_use]
    pub fn empty(words: usize) -> Self {
        Self { blocks: vec![0; words.div_ceil(BITS)] }
    }

    /// All words of a text that has `words` of them.
    #[must_use]
    pub fn full(words: usize) -> Self {
        Self::empty(words).complement(words)
    }

    /// The words whose bits are set in `bits`, in a text of at most 64 `words`.
    #[must_use]
    pub fn from_bits(words: usize, bits: u64) -> Self {
        let mut set = Self::empty(words);
        if let Some(first) = set.blocks.first_mut() {
            *first = bits;
        }
        set
    }

    /// Adds a word.
    ///
    /// # Panics
    /// When the text has no such word.
    pub fn insert(&mut self, word: usize) {
        self.blocks[word / BITS] |= 1 << (word % BITS);
    }

    /// This set with one word added.
    ///
    /// # Panics
    /// When the text has no such word.
    #[must_use]
    pub fn with(&self, word: usize) -> Self {
        let mut set = self.clone();
        set.insert(word);
        set
    }

    /// The words that are not in the set, in a text that has `words` of them.
    #[must_use]
    pub fn complement(&self, words: usize) -> Self {
        let mut rest = Self::empty(words);
        (0..words).filter(|word| !self.contains(*word)).for_each(|word| rest.insert(word));
        rest
    }

    /// This set with all words of `other` added; both must be made for the same number of words.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self { blocks: self.blocks.iter().zip(&other.blocks).map(|(own, other)| own | other).collect() }
    }

    /// For a set of units, the words of all of them, in a text that has `words` words.
    #[must_use]
    pub fn union_of(&self, units: &[Self], words: usize) -> Self {
        let chosen = units.iter().enumerate().filter(|(unit, _)| self.contains(*unit));
        chosen.fold(Self::empty(words), |all, (_, of_unit)| all.union(of_unit))
    }

    /// Whether the word is in the set.
    #[must_use]
    pub fn contains(&self, word: usize) -> bool {
        self.blocks.get(word / BITS).is_some_and(|block| block >> (word % BITS) & 1 == 1)
    }

    /// Number of words in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.count_ones() as usize).sum()
    }

    /// Whether no word is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.iter().all(|block| *block == 0)
    }

    /// For each word, whether it is **not** in the set: what [`Predict::outcomes`](super::Predict::outcomes) takes when
    /// the words of the set are removed.
    #[must_use]
    pub fn presence(&self, words: usize) -> Vec<bool> {
        (0..words).map(|word| !self.contains(word)).collect()
    }

    /// [`WordSet::presence`] as a row of a regression: 1 for a word that is present, 0 for a removed one.
    #[must_use]
    pub fn row(&self, words: usize) -> Vec<f64> {
        (0..words).map(|word| f64::from(u8::from(!self.contains(word)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let set = WordSet::empty(130).with(0).with(63).with(64).with(129).with(64);
        assert_eq!(set.len(), 4);
        assert!([0, 63, 64, 129].iter().all(|&word| set.contains(word)));
        assert!([1, 65, 128, 1000].iter().all(|&word| !set.contains(word)));
        assert_eq!(set.presence(130).iter().filter(|present| **present).count(), 126);
    }

    #[test]
    fn equal_however_it_came_about() {
        let built = WordSet::empty(5).with(3).with(0);
        assert_eq!(built, WordSet::from_bits(5, 0b1001));
        assert_ne!(built, WordSet::empty(5).with(3));
    }

    #[test]
    fn a_complement_holds_the_rest() {
        let rest = WordSet::empty(70).with(0).with(69).complement(70);
        assert!(rest.len() == 68 && !rest.contains(0) && !rest.contains(69) && rest.contains(64));
        assert_eq!(rest.complement(70), WordSet::empty(70).with(0).with(69));
    }

    #[test]
    fn a_text_without_words_has_the_empty_set() {
        let set = WordSet::empty(0);
        assert!(set.is_empty());
        assert_eq!(set, WordSet::from_bits(0, 0));
        assert_eq!(set.presence(0), Vec::<bool>::new());
    }
}
