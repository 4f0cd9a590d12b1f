//! Checkpoints of a run, and taking a run up again from one.

use std::collections::BTreeMap;
use std::path::Path;

use pellucid_protocol::event::{Checkpoint, CheckpointKind};
use pellucid_protocol::settings::LiveSetting;
use pellucid_record::RunDir;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Progress, Trainer};
use crate::error::{Error, Result};
use crate::explain::alarm::Told;
use crate::explain::probe::ProbeState;
use crate::model::weights::save::{SaveRequest, Storage};
use crate::model::weights::tensor_file;
use crate::train::checkpoints::{Checkpoints, STATE};

/// What a run needs to go on beside its weights and the tensors of the same file.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    progress: Progress,
    /// Steps of the optimiser.
    steps: u64,
    /// The settings that may change, as they are now.
    live: BTreeMap<LiveSetting, f64>,
    /// What the probe set showed so far.
    #[serde(default)]
    probe: ProbeState,
    /// Shortcuts that were told.
    #[serde(default)]
    told: Vec<Told>,
    /// Fingerprint of the examples.
    examples: String,
    /// Bytes that the record must have for training to go on from here: beyond, it would miss what came before.
    #[serde(default)]
    record: u64,
}

impl Trainer {
    /// Writes a checkpoint, whole or not at all. Those that training can go on from hold its state as well.
    ///
    /// # Errors
    /// What the file system says.
    pub fn checkpoint(&self, kind: CheckpointKind) -> Result<Checkpoint> {
        let (step, kept) = (self.progress.step, Checkpoints::of(&RunDir::new(&self.settings.run_dir)));
        let request = SaveRequest {
            params: self.model.params(),
            config: self.model.config(),
            tokenizer: &self.settings.model,
            storage: Storage::F32,
        };
        let folder = kept.write(step, request)?;
        let name = match kind {
            CheckpointKind::Best => kept.link("best", step)?,
            CheckpointKind::Last => {
                self.write_state(&folder)?;
                kept.link("last", step)?
            }
            CheckpointKind::Requested => {
                self.write_state(&folder)?;
                kept.mark_requested(step)?
            }
        };
        kept.prune(self.settings.keep as usize);
        Ok(Checkpoint { step, kind, path: RunDir::checkpoint_name(&name) })
    }

    fn write_state(&self, folder: &Path) -> Result<()> {
        // First, so that after a power cut the record is never older than what training goes on from.
        let record = self.ledger.settle().ok_or_else(|| Error::Refused("the worker is ending".to_owned()))?;
        let (steps, moments) = self.optimiser.state();
        let state = State {
            progress: self.progress.clone(),
            steps,
            live: LiveSetting::ALL.iter().map(|&key| (key, key.of(&self.settings))).collect(),
            probe: self.probe.state().clone(),
            told: self.alarm.as_ref().map(|alarm| alarm.told().to_vec()).unwrap_or_default(),
            examples: self.fingerprint(),
            record,
        };
        let text = serde_json::to_string(&state).map_err(|error| Error::file(folder, error))?;
        let answers = self.teacher.as_ref().map(|desk| desk.train.state());
        let names = ["moment.0", "moment.1", "moment.2"];
        let mut tensors: Vec<(&str, &Tensor)> = names.into_iter().zip(moments).collect();
        if let Some((logits, known)) = &answers {
            tensors.extend([("teacher.logits", logits), ("teacher.known", known)]);
        }
        if let Some(desk) = &self.teacher {
            desk.share();
        }
        tensor_file::write(&folder.join(STATE), &tensors, &text)
    }

    /// Goes on from the checkpoint in `folder`, whose weights the model has already.
    ///
    /// # Errors
    /// When its state is damaged, or of other data or another model.
    pub fn resume(&mut self, folder: &Path) -> Result<()> {
        let path = folder.join(STATE);
        let (mut tensors, text) = tensor_file::read(&path)?;
        let state: State = serde_json::from_str(&text).map_err(|error| Error::file(&path, error))?;
        if state.examples != self.fingerprint() {
            let message = "the training data has changed since the run began; it cannot be taken up again";
            return Err(Error::file(&self.settings.train, message));
        }
        let mut moments = Vec::new();
        while let Some(moment) = tensors.remove(&format!("moment.{}", moments.len())) {
            moments.push(moment);
        }
        let (_, mine) = self.optimiser.state();
        let same = mine.len() == moments.len() && mine.iter().zip(&moments).all(|(a, b)| a.size() == b.size());
        if !same {
            return Err(Error::file(&path, "is of another model or optimiser"));
        }
        self.optimiser.restore(state.steps, &moments);
        if let (Some(desk), Some(logits), Some(known)) =
            (&mut self.teacher, tensors.remove("teacher.logits"), tensors.remove("teacher.known"))
        {
            desk.train.restore(&logits, &known);
        }
        for (key, value) in state.live {
            key.set(&mut self.settings, value).map_err(|error| Error::file(&path, error))?;
        }
        self.schedule.peak = self.settings.lr;
        self.probe.restore(state.probe);
        if let Some(alarm) = &mut self.alarm {
            alarm.restore(state.told);
        }
        self.recorded = state.record;
        self.resumed = Some(state.progress.step);
        self.progress = state.progress;
        self.order.clear();
        Ok(())
    }

    /// Bytes of the record when the checkpoint was written that the run was taken up from; 0 where that is not known.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.recorded
    }

    fn fingerprint(&self) -> String {
        self.train.fingerprint()
    }
}
