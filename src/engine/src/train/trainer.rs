//! A run in progress: the model, its optimiser, and one step, evaluation or checkpoint at a time.

mod batches;
mod deferred;
mod masking;
mod monitors;
mod optimisation;
mod resumption;
mod saved;
mod saving;
mod setup;
mod sparsity;
mod step;
mod testing;
mod throughput;
mod validation;

use pellucid_protocol::event::{Alert, Started};
use pellucid_protocol::explanation::Privacy;
use pellucid_protocol::settings::{LiveSetting, Reference};
use pellucid_protocol::{Metrics, Sample, Settings, Watched};
use pellucid_record::RunDir;
use pellucid_record::log::line;
use serde::{Deserialize, Serialize};
use tch::Device;

use self::batches::Batches;
use self::deferred::Deferred;
use self::monitors::Monitors;
use self::optimisation::Optimisation;
use self::resumption::Resumption;
use self::saved::Saved;
use self::setup::Setup;
use self::throughput::Throughput;
pub use self::validation::Evaluation;
use super::log_sync::LogSync;
use super::loss::References;
use super::loss::consistency::ReferenceMaps;
use super::loss::reasons::Reasons;
use super::prepare::Prepared;
use crate::data::tokenise::TextEncoder;
use crate::data::tokens::TokenRow;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::model::answers;
use crate::model::classifier::Classifier;
use crate::model::pretrained::card;
use crate::task::output_of;
use pellucid_intake::labels::Labels;
use pellucid_intake::rows::Skipped;
use pellucid_intake::split::SplitRecord;

/// Validation samples that the run folder keeps for the screen.
const SAMPLES_KEPT: usize = 2000;

/// A run in progress.
pub struct Trainer {
    setup: Setup,
    references: References,
    batches: Batches,
    optimisation: Optimisation,
    monitors: Monitors,
    progress: Progress,
    throughput: Throughput,
    resumption: Resumption,
    saved: Saved,
    /// What the test measured, once it did.
    tested: Metrics,
    /// Notes for the user, before the first step.
    notes: Vec<String>,
    interrupt: Interrupt,
    log_sync: LogSync,
    /// Steps that the device has done and whose numbers were not read yet; `None` on the CPU.
    deferred: Option<Deferred>,
    /// Why a step was not taken, until somebody asks.
    failure: Option<Error>,
}

/// How far a run has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    /// Steps done.
    step: u64,
    /// Tokens trained on.
    #[serde(default)]
    tokens: u64,
    /// The best evaluation so far.
    best: Option<Best>,
    /// Evaluations since then.
    waited: u64,
    /// The step of the last evaluation.
    evaluated: Option<u64>,
}

/// The best evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Best {
    step: u64,
    metrics: Metrics,
}

impl Trainer {
    /// A run at its start.
    #[must_use]
    pub fn new(prepared: Prepared) -> Self {
        let Prepared { settings, mut data, task, model, teacher, start, device, notes } = prepared;
        let probe = data.probe.take();
        let batches = Batches::new(&settings, &data.train);
        let reasons = Reasons::new(&settings, &data.train);
        let setup = Setup { settings, task, model, data, device };
        Self {
            optimisation: Optimisation::new(&setup, batches.steps_per_epoch()),
            monitors: Monitors::new(&setup, probe.as_ref()),
            references: References { teacher, start, reasons, maps: ReferenceMaps::new() },
            batches,
            progress: Progress::default(),
            throughput: Throughput::default(),
            resumption: Resumption::default(),
            saved: Saved::of_new(&setup.settings, &setup.data.reading.columns),
            tested: Metrics::default(),
            notes,
            interrupt: Interrupt::default(),
            log_sync: LogSync::default(),
            deferred: Deferred::on(device),
            failure: None,
            setup,
        }
    }

    /// Lets `interrupt` end the run from now on.
    pub fn set_interrupt(&mut self, interrupt: Interrupt) {
        self.interrupt = interrupt;
    }

    /// Asks `log_sync` where the event log lies and how long it is from now on.
    pub fn set_log_sync(&mut self, log_sync: LogSync) {
        self.log_sync = log_sync;
    }

    /// What may end the run.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// What is fixed for the run.
    #[must_use]
    pub fn started(&self) -> Started {
        let Setup { settings, task, model, data, .. } = &self.setup;
        Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            log: line::FORMAT,
            run: RunDir::new(&settings.run_dir).name(),
            id: self.saved.run.clone(),
            pid: std::process::id(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            device: device_name(self.setup.device),
            model: card(&settings.model, model),
            teacher: self.references.teacher.as_ref().map(|teacher| teacher.card.clone()),
            labels: data.labels.names().to_vec(),
            data: Some(data.report.clone()),
            train_examples: data.train.len(),
            valid_examples: data.valid.len(),
            steps_per_epoch: self.steps_per_epoch(),
            total_steps: self.optimisation.schedule.total,
            task: task.kind(),
            primary_metric: task.primary_metric().to_owned(),
            resumed: self.resumption.step,
            settings: settings.clone(),
        }
    }

    /// Where it computes.
    #[must_use]
    pub fn device(&self) -> Device {
        self.setup.device
    }

    /// Steps done.
    #[must_use]
    pub fn step_count(&self) -> u64 {
        self.progress.step
    }

    /// Whether all steps are done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.progress.step >= self.optimisation.schedule.total
    }

    /// Whether as many evaluations as the settings have patience for were no better than the best one.
    #[must_use]
    pub fn is_out_of_patience(&self) -> bool {
        let patience = self.settings().patience;
        patience > 0 && self.progress.waited >= patience
    }

    /// Whether an evaluation is due after the step just done.
    #[must_use]
    pub fn evaluation_due(&self) -> bool {
        let interval = self.settings().eval_interval(self.steps_per_epoch());
        self.is_done() || self.progress.step.is_multiple_of(interval)
    }

    /// Whether a checkpoint is due after the step just done.
    #[must_use]
    pub fn checkpoint_due(&self) -> bool {
        let interval = self.settings().checkpoint_interval(self.steps_per_epoch());
        self.is_done() || self.progress.step.is_multiple_of(interval)
    }

    /// Steps in one pass over the training data.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        self.batches.steps_per_epoch()
    }

    /// Changes a setting from the next step on.
    ///
    /// # Errors
    /// When the value is out of range, or the setting has no effect in this run: nothing is changed.
    pub fn set(&mut self, key: LiveSetting, value: f64) -> Result<()> {
        let of_teacher = match key {
            LiveSetting::KdAlpha | LiveSetting::KdTemperature => true,
            LiveSetting::Consistency => self.settings().consistency_to == Reference::Teacher,
            _ => false,
        };
        if of_teacher && self.references.teacher.is_none() {
            return Err(Error::Refused(format!("{key} is of no use: the run has no teacher")));
        }
        if key == LiveSetting::Rrr && !self.references.reasons.are_known() {
            let message =
                format!("{key} is of no use: the training data has no rationales, and --avoid named no words");
            return Err(Error::Refused(message));
        }
        key.set(&mut self.setup.settings, value).map_err(|error| Error::Refused(error.to_string()))?;
        self.optimisation.schedule.peak = self.settings().lr;
        Ok(())
    }

    /// Makes the changes that were made before this step when it was first done, and gives them.
    pub fn repeat_changes(&mut self) -> Vec<(LiveSetting, f64)> {
        let due = self.resumption.due_changes(self.progress.step);
        due.into_iter().filter(|&(key, value)| self.set(key, value).is_ok()).collect()
    }

    /// Names changes that are to be made again, by the step before which they were made.
    pub fn expect_changes(&mut self, changes: Vec<(u64, LiveSetting, f64)>) {
        self.resumption.changes = changes;
    }

    /// Says that a run whose folder is already there starts over.
    pub fn start_over(&mut self) {
        self.resumption.step = Some(0);
        self.add_note("there is no whole checkpoint: the run begins anew".to_owned());
    }

    /// Adds a note for the user.
    pub fn add_note(&mut self, message: String) {
        self.notes.push(message);
    }

    /// What was found since the last call.
    pub fn take_alerts(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.monitors.alerts)
    }

    /// What the last evaluation says about words that may be shortcuts, once.
    pub fn take_watched(&mut self) -> Option<Watched> {
        self.monitors.watched.take()
    }

    /// Notes for the user, before the first step.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The step of the best evaluation so far.
    #[must_use]
    pub fn best_step(&self) -> Option<u64> {
        self.progress.best.as_ref().map(|best| best.step)
    }

    /// Says that the run has the id `id`, with which it began.
    pub fn set_id(&mut self, id: String) {
        self.saved.run = id;
    }

    /// The metrics of the best evaluation so far.
    #[must_use]
    pub fn best_metrics(&self) -> Metrics {
        self.progress.best.as_ref().map(|best| best.metrics.clone()).unwrap_or_default()
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Classifier {
        &self.setup.model
    }

    /// The model's tokenizer.
    #[must_use]
    pub fn encoder(&self) -> &TextEncoder {
        &self.setup.data.encoder
    }

    /// Class names.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.setup.data.labels
    }

    /// The settings of the run as they are now.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.setup.settings
    }

    /// How the training file was split, if it was.
    #[must_use]
    pub fn split(&self) -> Option<&SplitRecord> {
        self.setup.data.split.as_ref()
    }

    /// The rows of the data that were left out.
    #[must_use]
    pub fn skipped(&self) -> &Skipped {
        &self.setup.data.skipped
    }

    /// The validation samples that the run folder keeps; of a private run only what they are called.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        let valid = &self.setup.data.valid;
        let kept = |index| match self.settings().private.is_on() {
            true => Sample { text: valid.name(index), pair: None, rationale: Vec::new(), ..valid.sample(index) },
            false => valid.sample(index),
        };
        (0..self.sample_count()).map(kept).collect()
    }

    /// Whether the text of a sample, or one that a user has typed, may be written down.
    #[must_use]
    pub fn privacy(&self, sample: Option<usize>) -> Privacy {
        if !self.settings().private.is_on() {
            return Privacy::Public;
        }
        Privacy::Named(sample.map_or_else(|| "a typed text".to_owned(), |index| self.setup.data.valid.name(index)))
    }

    /// How many of them there are.
    #[must_use]
    pub fn sample_count(&self) -> usize {
        self.setup.data.valid.len().min(SAMPLES_KEPT)
    }

    /// One of them.
    #[must_use]
    pub fn sample(&self, index: usize) -> Option<Sample> {
        (index < self.sample_count()).then(|| self.setup.data.valid.sample(index))
    }

    /// The teacher's probabilities for a text, with distillation.
    ///
    /// # Errors
    /// When the text cannot be encoded or libtorch refuses.
    pub fn teacher_probabilities(&self, text: &str, pair: Option<&str>) -> Result<Option<Vec<f64>>> {
        let Some(state) = &self.references.teacher else { return Ok(None) };
        let rows: Vec<TokenRow> = state.encoder.encode(&[(text, pair)])?.into_iter().map(TokenRow::from).collect();
        let logits = answers::host_rows(&state.teacher.forward(&rows))?;
        let model = state.teacher.model();
        let answers = rows.iter().zip(logits).map(|(row, logits)| answers::checked(model, || row.clone(), logits));
        let answer = answers::all(answers.collect(), "the teacher, text")?.pop();
        Ok(answer.map(|row| output_of(model).probabilities(&row)))
    }

    fn epoch(&self) -> f64 {
        self.progress.step as f64 / self.steps_per_epoch().max(1) as f64
    }
}

fn device_name(device: Device) -> String {
    match device {
        Device::Cpu => match tch::get_num_threads() {
            1 => "cpu, 1 thread".to_owned(),
            threads => format!("cpu, {threads} threads"),
        },
        Device::Cuda(index) => format!("cuda:{index}"),
        other => format!("{other:?}").to_lowercase(),
    }
}
