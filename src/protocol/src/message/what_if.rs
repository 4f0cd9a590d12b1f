//! What the model would say if some words were otherwise.

use serde::{Deserialize, Serialize};

use super::subject::Subject;
use crate::explanation::edit::WordEdit;

/// A text, and what is to be otherwise in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatIf {
    /// The text as it is.
    pub subject: Subject,
    /// The words that are changed.
    pub edits: Vec<WordEdit>,
}

/// What the model says to both texts, by the same weights.
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
    /// Time that the worker took from the question to the answer, in milliseconds.
    pub ms: f64,
}
