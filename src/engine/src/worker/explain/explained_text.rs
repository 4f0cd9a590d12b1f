//! A text with its explanation and what all output formats show beside it.

use pellucid_intake::labels::Labels;
use pellucid_intake::rows::Row;
use pellucid_protocol::explanation::{Scalar, Span};
use pellucid_protocol::{Attribution, Explanation};

use super::unit_scores::UnitScores;

/// A text that has been explained.
#[derive(Debug)]
pub struct ExplainedText<'a> {
    /// The scores of all methods, by word.
    pub explanation: Explanation,
    /// The row that the text comes from.
    pub row: &'a Row,
    /// The names of the classes.
    pub labels: &'a Labels,
    /// The tokens of the text as the vocabulary writes them, special ones included.
    pub tokens: Vec<String>,
    /// The scores of each method by its own unit; `None` for one that had no time for them. Only JSON needs them; for other
    /// formats there are none.
    pub by_unit: Vec<Option<UnitScores>>,
    /// Where each distinct word comes first.
    pub distinct: Vec<usize>,
}

impl ExplainedText<'_> {
    /// The words that have scores.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let characters: Vec<char> = self.explanation.text.chars().collect();
        let cut = |span: &Span| characters[span.start..span.end].iter().collect();
        self.explanation.words.iter().map(cut).collect()
    }

    /// The name of the explained class.
    #[must_use]
    pub fn class(&self) -> &str {
        &self.labels.names()[self.explanation.target]
    }

    /// The probability of the explained class, from 0 to 1.
    #[must_use]
    pub fn probability(&self) -> f64 {
        self.explanation.probabilities[self.explanation.target]
    }

    /// The name of the class with the highest probability.
    #[must_use]
    pub fn predicted(&self) -> &str {
        let probabilities = &self.explanation.probabilities;
        let highest = (0..probabilities.len()).rev().max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
        &self.labels.names()[highest.unwrap_or(0)]
    }

    /// What `attribution` explains, in words: the scalar and the class.
    #[must_use]
    pub fn scalar(&self, attribution: &Attribution) -> String {
        match attribution.scalar {
            Scalar::Attention => "attention, whatever the class".to_owned(),
            scalar => format!("{scalar} of {}", self.class()),
        }
    }
}
