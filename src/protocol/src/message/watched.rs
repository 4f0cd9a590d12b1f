//! Words that are watched at each evaluation, because they go with a class more often in the training data than in
//! the validation data.

use serde::{Deserialize, Serialize};

/// The watched words at an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// Steps done before it.
    pub step: u64,
    /// Share of the validation set that is classified correctly, its texts as they are.
    pub accuracy: f64,
    /// The words.
    pub words: Vec<WatchedWord>,
}

/// A watched word at an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchedWord {
    /// The word, in lower case.
    pub word: String,
    /// The class that occurs with it more often in training than in validation.
    pub class: usize,
    /// The step at which an alert named it; `None` if none did.
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
    /// Share of the validation set that is classified correctly with the word masked wherever it occurs.
    pub masked_accuracy: f64,
}
