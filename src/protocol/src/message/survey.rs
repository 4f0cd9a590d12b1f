//! Explanations of many samples, one after the other, while the worker has nothing else to explain.

use serde::{Deserialize, Serialize};

use crate::explanation::method::Method;

/// What to explain. A new survey replaces the one under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyRequest {
    /// Validation samples, in the order in which they are explained.
    pub samples: Vec<usize>,
    /// The methods for each.
    pub methods: Vec<Method>,
}

/// The progress of a survey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyProgress {
    /// Steps done by the explained model: the same for all samples.
    pub step: u64,
    /// Explained samples.
    pub done: usize,
    /// Samples in all.
    pub total: usize,
    /// Whether it is still running.
    pub state: SurveyState,
}

/// Whether a survey is still running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurveyState {
    /// It is.
    Going,
    /// All samples are done.
    Done,
    /// It was cancelled before.
    Cancelled,
    /// It failed, and why.
    Failed(String),
}
