//! Explanations of many samples, one after the other, while nothing else is asked.

use serde::{Deserialize, Serialize};

use crate::explanation::method::Method;

/// What is to be explained. Another survey takes the place of one under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyRequest {
    /// Validation samples, in the order in which they are done.
    pub samples: Vec<usize>,
    /// The methods for each.
    pub methods: Vec<Method>,
}

/// How far a survey has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyProgress {
    /// Steps done by the model that is surveyed: the same for all samples.
    pub step: u64,
    /// Samples that are explained.
    pub done: usize,
    /// Samples in all.
    pub total: usize,
    /// Whether it goes on.
    pub state: SurveyState,
}

/// Whether a survey goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurveyState {
    /// It does.
    Going,
    /// All samples are done.
    Done,
    /// It was ended before.
    Cancelled,
    /// It could not go on, and why.
    Failed(String),
}
