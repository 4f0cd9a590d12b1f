//! What a run trains on what: model, task, data and settings.

use pellucid_protocol::Settings;
use tch::Device;

use crate::model::classifier::Classifier;
use crate::task::Task;
use crate::train::loss::Inputs;
use crate::train::optimiser::penalty::Penalty;
use crate::train::prepare::Data;

/// What a run trains on what.
pub(super) struct Setup {
    /// With the changes made so far.
    pub(super) settings: Settings,
    pub(super) task: Box<dyn Task>,
    pub(super) model: Classifier,
    pub(super) data: Data,
    pub(super) device: Device,
}

impl Setup {
    /// What the terms of the loss read, after `step` steps.
    pub(super) fn inputs(&self, step: u64) -> Inputs<'_> {
        Inputs {
            settings: &self.settings,
            step,
            task: &*self.task,
            model: &self.model,
            encoder: &self.data.encoder,
            train: &self.data.train,
            device: self.device,
        }
    }

    /// The L1 and L2 penalties as they are now.
    pub(super) fn penalty(&self) -> Penalty {
        let Settings { l1, l1_form, l2, l2_form, .. } = self.settings;
        Penalty { l1, l1_form, l2, l2_form }
    }
}
