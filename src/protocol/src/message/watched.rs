//! Words that are watched at each evaluation, because training data and validation data do not agree about them.

use serde::{Deserialize, Serialize};

/// What an evaluation says of the watched words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// Steps done before it.
    pub step: u64,
    /// Share of the validation set answered rightly, its texts as they are.
    pub accuracy: f64,
    /// The words.
    pub words: Vec<WatchedWord>,
}

/// A watched word, as of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchedWord {
    /// The word, in lower case.
    pub word: String,
    /// The class that it goes with in training more often than in validation.
    pub class: usize,
    /// The step at which the alarm named it; none if it did not.
    pub named: Option<u64>,
    /// Validation texts with the word.
    pub texts: usize,
    /// The first of them.
    pub examples: Vec<usize>,
    /// Share of the training texts with the word that have the class.
    pub in_training: f64,
    /// Share of the validation texts with the word that have the class.
    pub in_validation: f64,
    /// Share of importance: the word's part of the sum of |gradient x input| over all words of a text, for the logit of
    /// the class, mean over `examples`.
    pub importance: f64,
    /// Mean probability of the class over the texts with the word.
    pub probability: f64,
    /// The same with the word masked.
    pub masked_probability: f64,
    /// Share of the validation set answered rightly with the word masked wherever it stands.
    pub masked_accuracy: f64,
}
