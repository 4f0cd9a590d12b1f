//! What the model would answer if some words were different.

use serde::{Deserialize, Serialize};

use super::subject::Subject;
use super::weights::Weights;
use crate::explanation::edit::WordEdit;

/// A text, and which of its words to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatIf {
    /// The text as it is.
    pub subject: Subject,
    /// The words that are changed.
    pub edits: Vec<WordEdit>,
    /// Which weights answer.
    #[serde(default)]
    pub weights: Weights,
}

/// What the model answers to both texts, with the same weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatIfAnswer {
    /// What was asked.
    pub question: WhatIf,
    /// Steps done by the model that answers.
    pub step: u64,
    /// Probability of each class for the text as it is.
    pub before: Vec<f64>,
    /// Probability of each class for the changed text.
    pub after: Vec<f64>,
    /// Time from the question to the answer in the worker, in milliseconds.
    pub ms: f64,
}
