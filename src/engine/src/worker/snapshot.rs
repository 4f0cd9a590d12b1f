//! A copy of the model's weights as they were after a step.

use pellucid_record::RunDir;

use crate::error::{Error, Result};
use crate::model::classifier::Classifier;
use crate::model::pretrained::load_classifier;
use crate::model::weights::params::Use;
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

    /// The weights of the best evaluation so far, as they were saved.
    ///
    /// # Errors
    /// When nothing was evaluated yet, or the checkpoint cannot be read.
    pub fn best(trainer: &Trainer) -> Result<Self> {
        let none = || Error::Refused("no evaluation was the best yet".to_owned());
        let step = trainer.best_step().ok_or_else(none)?;
        let folder = trainer.settings().run_dir.join(RunDir::checkpoint_name("best"));
        let (model, _, _) = load_classifier(&folder, trainer.encoder().limit())?;
        Ok(Self { step, model: model.to_device(trainer.device()) })
    }

    /// The weights of now, in the memory of these unless they are fixed.
    #[must_use]
    pub fn renewed(mut self, trainer: &Trainer) -> Self {
        if self.step == trainer.step_count() {
            return self;
        }
        if self.is_fixed() {
            return Self::new(trainer);
        }
        self.model.copy_from(trainer.model());
        self.step = trainer.step_count();
        self
    }

    /// The same weights in the order in which they answer fastest: worth it where many questions come and no training waits
    /// for the memory.
    #[must_use]
    pub fn fixed(self) -> Self {
        if self.is_fixed() { self } else { Self { model: self.model.fixed(), ..self } }
    }

    fn is_fixed(&self) -> bool {
        self.model.params().weights_use() == Use::Fixed
    }
}
