//! Validation samples and what the model answered to them, as kept in the run folder.

use serde::{Deserialize, Serialize};

use crate::explanation::Span;

/// One validation sample: a line of `samples.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The text.
    pub text: String,
    /// The second text of a pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
    /// The correct class.
    pub label: usize,
    /// Characters of `text` that a person marked as the rationale.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rationale: Vec<Span>,
}

/// The answer to one sample: a line of `predictions/step-<N>.jsonl`, in the order of the samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Probability of each class.
    pub probabilities: Vec<f32>,
    /// Cross entropy with the label.
    pub loss: f32,
    /// The teacher's probability of each class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher: Option<Vec<f32>>,
}

impl Prediction {
    /// The predicted class: the first of the highest probabilities.
    #[must_use]
    pub fn class(&self) -> usize {
        highest(&self.probabilities)
    }

    /// The teacher's class.
    #[must_use]
    pub fn teacher_class(&self) -> Option<usize> {
        self.teacher.as_deref().map(highest)
    }
}

fn highest(values: &[f32]) -> usize {
    values.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (i, &v)| if v > best.1 { (i, v) } else { best }).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_first_class() {
        let prediction = Prediction { probabilities: vec![0.4, 0.4, 0.2], loss: 1.0, teacher: Some(vec![0.1, 0.9]) };
        assert_eq!((prediction.class(), prediction.teacher_class()), (0, Some(1)));
    }
}
