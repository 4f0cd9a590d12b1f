//! Shapley values, estimated or exact.

pub mod exact;
pub mod exhaustive;
mod group_orders;
pub mod kernel_shap;
pub mod owen;
pub mod permutation;
pub mod shapley_values;

use pellucid_protocol::Attribution;

use crate::context::Context;
use crate::explainer::sampling;
use crate::oracle::Answer;
use crate::oracle::masking::Masking;

/// Shapley values or an estimate of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Shapley {
    /// One for each word, in probability; they add up to p(text) - p(all masked).
    pub scores: Vec<f64>,
    /// Standard error of each; zeros where they are exact.
    pub errors: Vec<f64>,
    /// Probability with all words masked, to which the scores add up.
    pub all_masked: f64,
    /// Number of different maskings they rest on.
    pub rows: usize,
    /// Number of different maskings that the last estimate will rest on.
    pub planned: usize,
}

/// The rows of an estimate for a text with so many words.
fn cost(words: usize, context: &Context) -> f64 {
    context.samples.fit_of(words)
}

impl Shapley {
    /// For a text with at most one word: that word has the whole difference.
    fn of_few_words(masking: &mut Masking) -> Answer<Self> {
        let words = masking.words();
        let full = masking.full()?;
        let scores = masking.single_drops()?;
        let all_masked = full - scores.iter().sum::<f64>();
        Ok(Self { errors: vec![0.0; words], scores, all_masked, rows: words + 1, planned: words + 1 })
    }

    fn attribution(&self, blank: &Attribution) -> Attribution {
        Attribution {
            scores: self.scores.clone(),
            errors: self.errors.clone(),
            checks: vec![sampling(&self.errors, self.rows, self.planned)],
            start: Some(self.all_masked),
            evaluations: self.rows,
            ..blank.clone()
        }
    }
}
