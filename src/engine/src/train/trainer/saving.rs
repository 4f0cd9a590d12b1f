//! Checkpoints of a run, and resuming a run from one.

use std::collections::BTreeMap;
use std::path::Path;

use pellucid_protocol::event::{Checkpoint, CheckpointKind};
use pellucid_protocol::settings::{DataPart, LiveSetting};
use pellucid_record::RunDir;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::setup::Setup;
use super::{Progress, Trainer};
use crate::data::examples::Examples;
use crate::error::{Error, Result};
use crate::explain::probe::ProbeState;
use crate::explain::shortcuts::ReportedShortcut;
use crate::model::teacher::TeacherState;
use crate::model::weights::provenance::{CheckpointOf, Provenance};
use crate::model::weights::save::{SaveRequest, Storage};
use crate::model::weights::tensor_file;
use crate::train::checkpoints::{Checkpoints, STATE, step_of};

/// What a run needs to go on beside its weights and the tensors of the same file.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    progress: Progress,
    /// Steps of the optimiser.
    steps: u64,
    /// The settings that may change, as they are now.
    live: BTreeMap<LiveSetting, f64>,
    /// What the probe set has shown so far.
    #[serde(default)]
    probe: ProbeState,
    /// The shortcuts that were reported.
    #[serde(default, rename = "told")]
    shortcuts: Vec<ReportedShortcut>,
    /// Fingerprint of the training examples.
    examples: String,
    /// Fingerprint of the validation examples; empty in checkpoints of earlier versions.
    #[serde(default)]
    valid: String,
    /// Fingerprint of the test examples; empty without some.
    #[serde(default)]
    test: String,
    /// Bytes that the event log must have for training to go on from here: a shorter one misses what came before.
    #[serde(default, rename = "record")]
    log_length: u64,
}

impl Trainer {
    /// Writes a checkpoint, whole or not at all, and opens it again. Those that training can go on from hold its state as
    /// well. A folder of that step which an earlier process has written is replaced: its weights may be others.
    ///
    /// # Errors
    /// What the file system says.
    pub fn checkpoint(&mut self, kind: CheckpointKind) -> Result<Checkpoint> {
        self.synced_log()?;
        let (step, kept) = (self.progress.step, self.checkpoints());
        if self.saved.step != Some(step) || !kept.has(step) {
            self.saved.step = None;
            kept.write(step, self.save_request(Some(&self.saved.checkpoint(step))))?;
            self.saved.step = Some(step);
        }
        let folder = kept.path(step);
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
        if kind != CheckpointKind::Best {
            self.saved.best_of_state = self.best_step();
        }
        kept.prune(self.settings().keep as usize, self.saved.best_of_state, &self.saved.run);
        Ok(Checkpoint { step, kind, path: RunDir::checkpoint_name(&name) })
    }

    /// Saves the model as a checkpoint would be, opens it again and removes it: what a save needs is there before the first
    /// step.
    ///
    /// # Errors
    /// What a checkpoint would fail of.
    pub fn try_saving(&self) -> Result<()> {
        self.checkpoints().try_writing(self.save_request(Some(&self.saved.checkpoint(self.progress.step))))
    }

    /// The length of the event log with everything so far. From here on the run is written where its log lies.
    ///
    /// # Errors
    /// When the log is closed.
    pub(super) fn synced_log(&mut self) -> Result<u64> {
        let synced = self.log_sync.synced().ok_or_else(|| Error::Refused("the worker is ending".to_owned()))?;
        if let Some(folder) = synced.folder {
            self.setup.settings.run_dir = folder;
        }
        Ok(synced.length)
    }

    fn checkpoints(&self) -> Checkpoints {
        Checkpoints::of(&RunDir::new(&self.settings().run_dir))
    }

    fn save_request<'a>(&'a self, checkpoint: Option<&'a CheckpointOf>) -> SaveRequest<'a> {
        let Setup { model, data, .. } = &self.setup;
        let (params, config) = (model.params(), model.config());
        SaveRequest { params, config, tokenizer: &data.tokenizer, storage: Storage::F32, checkpoint }
    }

    /// Refuses the checkpoint in `folder` if it says that it is of another run or step; notes settings that have changed.
    fn check_provenance(&mut self, folder: &Path, step: u64) -> Result<()> {
        let said = Provenance::of(folder)?.and_then(|said| said.checkpoint);
        let Some(of) = said else {
            if self.saved.has_id() {
                return Err(Error::file(folder, "has no pellucid.json, which every checkpoint of this run has"));
            }
            self.add_note(format!(
                "the checkpoint of step {step} does not say what it is of: an earlier version wrote it"
            ));
            return Ok(());
        };
        if let Some(why) = self.saved.mismatch(&of, step) {
            return Err(Error::file(folder, why));
        }
        if !self.saved.has_settings_of(&of) {
            self.add_note("run.toml has changed since the checkpoint was written; it counts as it is now".to_owned());
        }
        Ok(())
    }

    fn write_state(&mut self, folder: &Path) -> Result<()> {
        // First, so that after a power cut the log is never older than what training goes on from.
        let log_length = self.synced_log()?;
        let (steps, moments) = self.optimisation.optimiser.state();
        let shortcuts = self.monitors.shortcuts.as_ref();
        let state = State {
            progress: self.progress.clone(),
            steps,
            live: LiveSetting::ALL.iter().map(|&key| (key, key.of(self.settings()))).collect(),
            probe: self.monitors.probe.state().clone(),
            shortcuts: shortcuts.map(|monitor| monitor.reported().to_vec()).unwrap_or_default(),
            examples: self.setup.data.train.fingerprint(),
            valid: self.setup.data.valid.fingerprint(),
            test: self.setup.data.test.as_ref().map(Examples::fingerprint).unwrap_or_default(),
            log_length,
        };
        let text = serde_json::to_string(&state).map_err(|error| Error::file(folder, error))?;
        let teacher = self.references.teacher.as_ref();
        let answers = teacher.map(|teacher| teacher.train.state());
        let names = ["moment.0", "moment.1", "moment.2"];
        let mut tensors: Vec<(&str, &Tensor)> = names.into_iter().zip(moments).collect();
        if let Some((logits, known)) = &answers {
            tensors.extend([("teacher.logits", logits), ("teacher.known", known)]);
        }
        teacher.into_iter().for_each(TeacherState::share);
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
        self.check_provenance(folder, state.progress.step)?;
        if step_of(folder).is_some_and(|step| step != state.progress.step) {
            return Err(Error::file(folder, format!("holds the state of step {}", state.progress.step)));
        }
        if state.examples != self.setup.data.train.fingerprint() {
            let message = "the training data has changed since the run began; it cannot be taken up again";
            return Err(Error::file(&self.settings().train, message));
        }
        let (valid, test) = (&self.setup.data.valid, self.setup.data.test.as_ref());
        let parts = [
            ("validation", &state.valid, Some(valid), &self.settings().valid),
            ("test", &state.test, test, &self.settings().test),
        ];
        for (name, before, now, part) in parts {
            if !before.is_empty() && now.is_none_or(|now| now.fingerprint() != *before) {
                let message =
                    format!("the {name} data has changed since the run began: its figures could not be compared");
                let path = part.as_ref().and_then(DataPart::file).unwrap_or(&self.settings().train);
                return Err(Error::file(path, message));
            }
        }
        let mut moments = Vec::new();
        while let Some(moment) = tensors.remove(&format!("moment.{}", moments.len())) {
            moments.push(moment);
        }
        self.optimisation.optimiser.restore(state.steps, &moments).map_err(|error| Error::file(&path, error))?;
        if let (Some(teacher), Some(logits), Some(known)) =
            (&mut self.references.teacher, tensors.remove("teacher.logits"), tensors.remove("teacher.known"))
        {
            teacher.train.restore(&logits, &known);
        }
        for (key, value) in state.live {
            key.set(&mut self.setup.settings, value).map_err(|error| Error::file(&path, error))?;
        }
        self.optimisation.schedule.peak = self.settings().lr;
        self.monitors.probe.restore(state.probe);
        if let Some(monitor) = &mut self.monitors.shortcuts {
            monitor.restore(state.shortcuts);
        }
        self.saved.step = Some(state.progress.step);
        self.saved.best_of_state = state.progress.best.as_ref().map(|best| best.step);
        self.resumption.log_length = state.log_length;
        self.resumption.step = Some(state.progress.step);
        self.progress = state.progress;
        self.batches.reset();
        Ok(())
    }

    /// Bytes of the event log when the checkpoint was written from which the run was resumed; 0 where that is not known.
    #[must_use]
    pub fn log_length_needed(&self) -> u64 {
        self.resumption.log_length
    }
}
