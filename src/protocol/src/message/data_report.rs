//! What a data set holds: classes, lengths, and what may mislead a model that is trained on it.

mod findings;
pub mod words;

use serde::{Deserialize, Serialize};

use crate::settings::reading::ColumnNames;

/// What the files of a data set hold. The first is the one to train on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DataReport {
    /// Each file, or each part that a file was split into.
    pub parts: Vec<PartReport>,
    /// Texts and groups that are in two parts.
    #[serde(default)]
    pub leaks: Vec<Leak>,
    /// Words of the first part that nearly give a label away, the plainest first.
    #[serde(default)]
    pub give_aways: Vec<GiveAway>,
    /// Labels that look alike and are different classes, of all parts; each group with the most frequent first.
    #[serde(default)]
    pub alike: Vec<Vec<ClassCount>>,
    /// Why nothing would be trained on the first part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What a part of a data set holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PartReport {
    /// The file, or what the part is for.
    pub name: String,
    /// Rows that were read.
    pub rows: usize,
    /// Rows that were left out because they are bad.
    pub skipped: usize,
    /// Which column is for what.
    pub columns: ColumnNames,
    /// What there is to say about the file.
    pub notes: Vec<String>,
    /// Labels with their rows, the most frequent first.
    pub classes: Vec<ClassCount>,
    /// Words of a text.
    pub words: Lengths,
    /// Tokens of a text, if the model is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenLengths>,
    /// Rows whose text is in an earlier row as well.
    pub duplicates: usize,
    /// Different texts that have more than one label.
    pub conflicts: usize,
    /// Rows of one word.
    pub one_word: usize,
    /// Scripts, each with the share of the texts that are mostly written in it, the most frequent first.
    pub scripts: Vec<(String, f64)>,
}

/// A label and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// The label.
    pub name: String,
    /// How many rows have it.
    pub rows: usize,
}

/// How long texts are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lengths {
    /// Half of them are no longer than this.
    pub median: usize,
    /// 90 of 100 are no longer than this.
    pub p90: usize,
    /// 99 of 100 are no longer than this.
    pub p99: usize,
    /// The longest.
    pub longest: usize,
    /// How many texts are up to so long: upper bounds, each double the one before, with the texts beyond the one before.
    pub histogram: Vec<(usize, usize)>,
}

/// How long texts are for a model, and what it does not read of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLengths {
    /// Tokens of a text, special ones included, and those that the model does not read.
    pub lengths: Lengths,
    /// The most tokens that are read.
    pub limit: usize,
    /// Rows that are longer.
    pub cut: usize,
    /// Words of them that are not read.
    pub cut_words: usize,
    /// The most tokens that the model can read; 0 if that is not known.
    #[serde(default)]
    pub most: usize,
    /// Windows of a text that are read at most; 0 if texts are not read in windows.
    #[serde(default)]
    pub windows: usize,
}

/// What two parts have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shared {
    /// Texts, but for case and blanks.
    #[default]
    Texts,
    /// Groups: patients, clients, contracts.
    Groups,
}

/// Texts or groups that are in two parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// The later part.
    pub part: String,
    /// The earlier part.
    pub other: String,
    /// What they have in common.
    #[serde(default)]
    pub shared: Shared,
    /// Rows of the later part that share it.
    pub rows: usize,
    /// How many of them have another label than the same text in the earlier part.
    #[serde(default)]
    pub other_label: usize,
    /// The lines of the first of them.
    pub lines: Vec<u64>,
}

/// A word that nearly gives a label away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GiveAway {
    /// The word, in lower case.
    pub word: String,
    /// The label.
    pub label: String,
    /// Rows with the word.
    pub rows: usize,
    /// The share of them that has the label.
    pub share: f64,
    /// The lower end of the 95 % interval of that share (Wilson 1927).
    pub at_least: f64,
}

impl PartReport {
    /// The share that so many rows are of those with a label.
    #[must_use]
    pub fn share(&self, rows: usize) -> f64 {
        rows as f64 / self.labelled().max(1) as f64
    }

    /// Rows that have a label.
    #[must_use]
    pub fn labelled(&self) -> usize {
        self.classes.iter().map(|class| class.rows).sum()
    }
}

impl Lengths {
    /// Of texts with these lengths, which are sorted by this.
    #[must_use]
    pub fn of(mut lengths: Vec<u32>) -> Self {
        lengths.sort_unstable();
        let at = |percent: usize| {
            let place = (percent * lengths.len()).div_ceil(100).saturating_sub(1);
            lengths.get(place).map_or(0, |length| *length as usize)
        };
        let (mut histogram, mut bound, mut before) = (Vec::new(), 8, 0);
        while before < lengths.len() {
            let up_to = lengths.partition_point(|length| *length as usize <= bound);
            histogram.push((bound, up_to - before));
            (before, bound) = (up_to, bound * 2);
        }
        let longest = lengths.last().map_or(0, |length| *length as usize);
        Self { median: at(50), p90: at(90), p99: at(99), longest, histogram }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_summed_up() {
        let lengths = Lengths::of((1..=100).collect());
        assert_eq!((lengths.median, lengths.p90, lengths.p99, lengths.longest), (50, 90, 99, 100));
        assert_eq!(lengths.histogram, [(8, 8), (16, 8), (32, 16), (64, 32), (128, 36)]);
        assert_eq!(Lengths::of(Vec::new()), Lengths::default());
    }
}
