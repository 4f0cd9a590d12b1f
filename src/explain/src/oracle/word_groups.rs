//! A text's words in groups that are removed as wholes.

use std::ops::Range;

use super::word_set::WordSet;

/// Groups of neighbouring words; every word of the text is in one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordGroups {
    words: usize,
    ranges: Vec<Range<usize>>,
    sets: Vec<WordSet>,
}

impl WordGroups {
    /// These groups of the words of a text; `None` unless every word is in one of them, in the order of the text, and
    /// none is empty.
    #[must_use]
    pub fn new(words: usize, ranges: Vec<Range<usize>>) -> Option<Self> {
        let is_whole = ranges.iter().all(|range| range.start < range.end)
            && ranges.windows(2).all(|pair| pair[0].end == pair[1].start)
            && ranges.first().map_or(0, |first| first.start) == 0
            && ranges.last().map_or(0, |last| last.end) == words;
        let set = |range: &Range<usize>| range.clone().fold(WordSet::empty(words), |set, word| set.with(word));
        let sets = ranges.iter().map(set).collect();
        is_whole.then_some(Self { words, ranges, sets })
    }

    /// Number of groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there is no group: the text has no words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Number of words of the text.
    #[must_use]
    pub fn words(&self) -> usize {
        self.words
    }

    /// The words of each group.
    #[must_use]
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// The same as sets.
    #[must_use]
    pub fn sets(&self) -> &[WordSet] {
        &self.sets
    }

    /// All words of these groups.
    #[must_use]
    pub fn words_of(&self, groups: &WordSet) -> WordSet {
        groups.union_of(&self.sets, self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_a_partition_or_none() {
        let made = |words: usize, ranges: &[(usize, usize)]| {
            WordGroups::new(words, ranges.iter().map(|&(start, end)| start..end).collect())
        };
        let groups = made(5, &[(0, 2), (2, 3), (3, 5)]).unwrap();
        let hidden = groups.words_of(&WordSet::empty(3).with(0).with(2));
        assert_eq!(hidden.presence(5), [false, false, true, false, false]);
        assert!(made(0, &[]).unwrap().is_empty());
        let broken: [(usize, &[(usize, usize)]); 5] =
            [(3, &[(0, 2)]), (3, &[(1, 3)]), (3, &[(0, 1), (2, 3)]), (3, &[(0, 3), (3, 3)]), (1, &[])];
        for (words, ranges) in broken {
            assert_eq!(made(words, ranges), None, "{ranges:?}");
        }
    }
}
