//! What a model is trained to do.

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

/// What a model is trained to do, by the names of the `problem_type` of Hugging Face.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Display, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Task {
    /// One class for each text.
    #[default]
    SingleLabelClassification,
}

impl Task {
    /// The metric that decides which evaluation is the best.
    #[must_use]
    pub const fn primary_metric(self) -> &'static str {
        match self {
            Self::SingleLabelClassification => "valid/accuracy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::definition;

    #[test]
    fn a_task_is_named_as_in_model_folders_and_its_metric_is_defined() {
        let task = Task::SingleLabelClassification;
        assert_eq!(serde_json::to_value(task).unwrap(), "single_label_classification");
        assert_eq!(task.to_string(), "single_label_classification");
        assert!(definition(task.primary_metric()).is_some());
    }
}
