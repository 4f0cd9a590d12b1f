//! A copy of the model's weights as they were after a step.

use crate::model::classifier::Classifier;
use crate::train::Trainer;

/// Weights as they were after a step.
pub struct Snapshot {
    /// The step.
    pub step: u64,
    /// The model with these weights.
    pub model: Classifier,
}

impl Snapshot {
    /// The weights of now.
    #[must_use]
    pub fn new(trainer: &Trainer) -> Self {
        Self { step: trainer.step_count(), model: trainer.model().snapshot() }
    }

    /// The weights of now, in the memory of these.
    #[must_use]
    pub fn renewed(mut self, trainer: &Trainer) -> Self {
        if self.step != trainer.step_count() {
            self.model.copy_from(trainer.model());
            self.step = trainer.step_count();
        }
        self
    }
}
