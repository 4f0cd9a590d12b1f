//! A run in progress: the model, its optimiser, and one step, evaluation or checkpoint at a time.

mod ahead;
mod saving;
mod sparsity;
mod step;
mod terms;
mod validation;

use std::collections::BTreeMap;

use pellucid_intake::labels::Labels;
use pellucid_protocol::event::{Alert, Started};
use pellucid_protocol::settings::{LiveSetting, Reference};
use pellucid_protocol::{Metrics, Sample, Settings, Task, Watched};
use pellucid_record::{RunDir, log_line};
use serde::{Deserialize, Serialize};
use tch::Device;

use self::ahead::Ahead;
use super::evaluate;
use super::interrupt::Interrupt;
use super::ledger::Ledger;
use super::loss::Targets;
use super::optimiser::{Optimiser, OptimiserForm};
use super::penalty::Penalty;
use super::prepare::{Examples, Prepared, card};
use super::reasons::Reasons;
use super::rules;
use super::schedule::Schedule;
use super::teacher::TeacherDesk;
use super::units::Units;
use crate::data::order::BatchPlan;
use crate::data::tokenise::TextEncoder;
use crate::error::{Error, Result};
use crate::explain::alarm::Alarm;
use crate::explain::probe::Probe;
use crate::model::classifier::Classifier;

/// Validation samples that the run folder keeps for the screen.
const SAMPLES_KEPT: usize = 2000;

/// A run in progress.
pub struct Trainer {
    settings: Settings,
    labels: Labels,
    train: Examples,
    lengths: Vec<usize>,
    valid: Examples,
    model: Classifier,
    encoder: TextEncoder,
    teacher: Option<TeacherDesk>,
    start: Option<Classifier>,
    reasons: Reasons,
    /// What the reference says of training texts, as far as it was asked.
    maps: BTreeMap<usize, terms::WordMap>,
    targets: Targets,
    optimiser: Optimiser,
    units: Units,
    schedule: Schedule,
    plan: BatchPlan,
    order: Vec<Vec<usize>>,
    probe: Probe,
    /// None without a probe set.
    alarm: Option<Alarm>,
    device: Device,
    progress: Progress,
    resumed: Option<u64>,
    /// Changes of settings that are to be made again, by the step before which they were made.
    expected: Vec<(u64, LiveSetting, f64)>,
    notes: Vec<String>,
    interrupt: Interrupt,
    ledger: Ledger,
    /// Bytes of the record when the checkpoint was written that the run was taken up from.
    recorded: u64,
    alerts: Vec<Alert>,
    watched: Option<Watched>,
    /// Seconds that steps and that the probe set took, since this process took the run up.
    seconds: [f64; 2],
    /// Steps that a device has done and whose numbers were not read; none on the CPU.
    ahead: Option<Ahead>,
    /// Why a step was not taken, until that is asked for.
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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Best {
    step: u64,
    accuracy: f64,
    loss: f64,
    metrics: Metrics,
}

impl Trainer {
    /// A run at its start.
    #[must_use]
    pub fn new(prepared: Prepared) -> Self {
        let Prepared { settings, labels, weights, train, valid, probe, model, encoder, teacher, start, device, notes } =
            prepared;
        let plan =
            BatchPlan { batch_size: settings.batch_size as usize, grouping: settings.grouping, seed: settings.seed };
        let steps = plan.batches(train.samples.len()).div_ceil(settings.accumulate as usize);
        let total = settings.total_steps(steps as u64);
        let form = OptimiserForm { kind: settings.optimizer, momentum: settings.momentum, anchor: settings.l2_anchor };
        let architecture = &model.config().architecture;
        let rule = |spec: &_| rules::rule(&settings, architecture, spec);
        Self {
            optimiser: Optimiser::new(form, model.params(), &rule),
            units: Units::new(architecture, model.params()),
            targets: Targets::new(weights, settings.label_smoothing, device),
            schedule: Schedule {
                kind: settings.schedule,
                peak: settings.lr,
                warmup: Schedule::rise(settings.warmup, total),
                total,
            },
            lengths: train.encoded.iter().map(|row| row.ids.len()).collect(),
            probe: match &probe {
                Some(given) => Probe::of(given, &encoder, &settings),
                None => Probe::choose(&valid, &encoder, &settings),
            },
            alarm: (settings.probe > 0).then(|| Alarm::new(&train, &valid, labels.len())),
            reasons: Reasons::new(&settings, &train),
            maps: BTreeMap::new(),
            order: Vec::new(),
            progress: Progress::default(),
            resumed: None,
            expected: Vec::new(),
            settings,
            labels,
            train,
            valid,
            model,
            encoder,
            teacher,
            start,
            plan,
            device,
            notes,
            interrupt: Interrupt::default(),
            ledger: Ledger::default(),
            recorded: 0,
            alerts: Vec::new(),
            watched: None,
            seconds: [0.0; 2],
            ahead: Ahead::on(device),
            failure: None,
        }
    }

    /// Heeds `interrupt` from now on.
    pub fn heed(&mut self, interrupt: Interrupt) {
        self.interrupt = interrupt;
    }

    /// Asks `ledger` about the record of the run from now on.
    pub fn keep_to(&mut self, ledger: Ledger) {
        self.ledger = ledger;
    }

    /// Who may wish for the end.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// What is fixed for the run.
    #[must_use]
    pub fn started(&self) -> Started {
        let device = match self.device {
            Device::Cpu => match tch::get_num_threads() {
                1 => "cpu, 1 thread".to_owned(),
                threads => format!("cpu, {threads} threads"),
            },
            Device::Cuda(index) => format!("cuda:{index}"),
            other => format!("{other:?}").to_lowercase(),
        };
        Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            log: log_line::FORMAT,
            run: RunDir::new(&self.settings.run_dir).name(),
            pid: std::process::id(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            device,
            task: Task::SingleLabelClassification,
            primary_metric: Task::SingleLabelClassification.primary_metric().to_owned(),
            model: card(&self.settings.model, &self.model),
            teacher: self.teacher.as_ref().map(|desk| desk.card.clone()),
            labels: self.labels.names().to_vec(),
            train_examples: self.train.samples.len(),
            valid_examples: self.valid.samples.len(),
            steps_per_epoch: self.steps_per_epoch(),
            total_steps: self.schedule.total,
            resumed: self.resumed,
            settings: self.settings.clone(),
        }
    }

    /// What it computes on.
    #[must_use]
    pub fn device(&self) -> tch::Device {
        self.device
    }

    /// Steps done.
    #[must_use]
    pub fn step_count(&self) -> u64 {
        self.progress.step
    }

    /// Whether all steps are done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.progress.step >= self.schedule.total
    }

    /// Whether as many evaluations as the settings have patience for were no better than the best one.
    #[must_use]
    pub fn is_out_of_patience(&self) -> bool {
        self.settings.patience > 0 && self.progress.waited >= self.settings.patience
    }

    /// Whether an evaluation is due after the step just done.
    #[must_use]
    pub fn evaluation_due(&self) -> bool {
        self.is_done() || self.progress.step.is_multiple_of(self.settings.eval_interval(self.steps_per_epoch()))
    }

    /// Whether a checkpoint is due after the step just done.
    #[must_use]
    pub fn checkpoint_due(&self) -> bool {
        self.is_done() || self.progress.step.is_multiple_of(self.settings.checkpoint_interval(self.steps_per_epoch()))
    }

    /// Steps in one pass over the training data.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        self.batches_per_epoch().div_ceil(self.settings.accumulate)
    }

    fn batches_per_epoch(&self) -> u64 {
        self.plan.batches(self.train.samples.len()) as u64
    }

    /// Changes a setting from the next step on.
    ///
    /// # Errors
    /// When the value is out of range, or the setting is of no use in this run: nothing is changed.
    pub fn set(&mut self, key: LiveSetting, value: f64) -> Result<()> {
        let of_teacher = match key {
            LiveSetting::KdAlpha | LiveSetting::KdTemperature => true,
            LiveSetting::Consistency => self.settings.consistency_to == Reference::Teacher,
            _ => false,
        };
        if of_teacher && self.teacher.is_none() {
            return Err(Error::Refused(format!("{key} is of no use: the run has no teacher")));
        }
        if key == LiveSetting::Rrr && !self.reasons.are_known() {
            let message =
                format!("{key} is of no use: the training data has no rationales, and --avoid named no words");
            return Err(Error::Refused(message));
        }
        key.set(&mut self.settings, value).map_err(|error| Error::Refused(error.to_string()))?;
        self.schedule.peak = self.settings.lr;
        Ok(())
    }

    /// Makes the changes that were made before this step when it was done the first time.
    pub fn repeat_changes(&mut self) -> Vec<(LiveSetting, f64)> {
        let (due, later) = self.expected.drain(..).partition(|(step, ..)| *step <= self.progress.step);
        self.expected = later;
        let due: Vec<(u64, LiveSetting, f64)> = due;
        due.into_iter()
            .filter(|&(_, key, value)| self.set(key, value).is_ok())
            .map(|(_, key, value)| (key, value))
            .collect()
    }

    /// Names changes that are to be made again, by the step before which they were made.
    pub fn expect(&mut self, changes: Vec<(u64, LiveSetting, f64)>) {
        self.expected = changes;
    }

    /// Says that a run whose folder is there already begins anew.
    pub fn begin_again(&mut self) {
        self.resumed = Some(0);
        self.note("there is no whole checkpoint: the run begins anew".to_owned());
    }

    /// Adds something that a person should know.
    pub fn note(&mut self, message: String) {
        self.notes.push(message);
    }

    /// What was found since this was last asked for.
    pub fn take_alerts(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.alerts)
    }

    /// What the last evaluation says of words that may be shortcuts, once.
    pub fn take_watched(&mut self) -> Option<Watched> {
        self.watched.take()
    }

    /// Things that a person should know before the first step.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The step of the best evaluation so far.
    #[must_use]
    pub fn best_step(&self) -> Option<u64> {
        self.progress.best.as_ref().map(|best| best.step)
    }

    /// The metrics of the best evaluation so far.
    #[must_use]
    pub fn best_metrics(&self) -> Metrics {
        self.progress.best.as_ref().map(|best| best.metrics.clone()).unwrap_or_default()
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Classifier {
        &self.model
    }

    /// The model's tokenizer.
    #[must_use]
    pub fn encoder(&self) -> &TextEncoder {
        &self.encoder
    }

    /// Class names.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// What was asked for, with what was changed since.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Validation samples, those that the run folder keeps.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.valid.samples[..self.valid.samples.len().min(SAMPLES_KEPT)]
    }

    /// The teacher's probabilities for a text, with distillation.
    ///
    /// # Errors
    /// When the text cannot be encoded or libtorch refuses.
    pub fn teacher_probabilities(&self, text: &str, pair: Option<&str>) -> Result<Option<Vec<f64>>> {
        let Some(desk) = &self.teacher else { return Ok(None) };
        let encoded = desk.encoder.encode(&[(text, pair)])?;
        let logits = evaluate::host_rows(&desk.teacher.forward(&encoded.iter().collect::<Vec<_>>()))?;
        Ok(logits.first().map(|row| evaluate::softmax(row)))
    }

    fn epoch(&self) -> f64 {
        self.progress.step as f64 / self.steps_per_epoch().max(1) as f64
    }

    fn penalty(&self) -> Penalty {
        let Settings { l1, l1_form, l2, l2_form, .. } = self.settings;
        Penalty { l1, l1_form, l2, l2_form }
    }
}
