//! A run in progress: the model, its optimiser, and one step, evaluation or checkpoint at a time.

use std::time::Instant;

use pellucid_protocol::event::{Checkpoint, CheckpointKind, Eval, ModelCard, Started, Step};
use pellucid_protocol::{Metrics, Prediction, RunDir, Sample, Settings, run_dir};
use tch::{Device, Kind, Tensor, no_grad};

use super::gradient::{Gradient, Lookup};
use super::loss::{accuracy, cross_entropy, distillation};
use super::measured::Measured;
use super::optimiser::{LeafRule, Optimiser, OptimiserForm, StepRule};
use super::penalty::{Penalty, sparsity};
use super::prepare::{Examples, Prepared, card};
use super::schedule::Schedule;
use super::teacher::{Answers, Teacher};
use super::{evaluate, score};
use crate::data::batch::Batch;
use crate::data::labels::Labels;
use crate::data::order::BatchPlan;
use crate::data::tokenise::{Encoded, TextEncoder};
use crate::error::{Error, Result};
use crate::explain::probe::Probe;
use crate::model::classifier::Classifier;
use crate::model::dropout::Dropout;
use crate::model::folder::{SaveRequest, Storage, save};
use crate::model::params::{Group, ParamSpec};

/// Validation samples that the run folder keeps for the screen.
const SAMPLES_KEPT: usize = 2000;
/// Steps between measurements of sparsity, which read all weights.
const SPARSITY_EVERY: u64 = 10;

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
    optimiser: Optimiser,
    schedule: Schedule,
    plan: BatchPlan,
    order: Vec<Vec<usize>>,
    probe: Probe,
    device: Device,
    step: u64,
    best: Option<(f64, f64, Metrics)>,
    notes: Vec<String>,
}

fn form(settings: &Settings) -> OptimiserForm {
    OptimiserForm { kind: settings.optimizer, momentum: settings.momentum, ..OptimiserForm::default() }
}

/// Penalties act on the matrices of layers; embeddings, head, biases and norms are exempt.
fn leaf_rule(spec: &ParamSpec) -> LeafRule {
    let is_encoder = spec.group == Group::Encoder;
    LeafRule { l1: is_encoder, l2: is_encoder, rate: 1.0 }
}

struct TeacherDesk {
    teacher: Teacher,
    encoder: TextEncoder,
    card: ModelCard,
    train: Answers,
    valid: Answers,
}

impl Trainer {
    /// A run at its start.
    #[must_use]
    pub fn new(prepared: Prepared) -> Self {
        let Prepared { settings, labels, train, valid, model, encoder, teacher, device, notes } = prepared;
        let plan =
            BatchPlan { batch_size: settings.batch_size as usize, grouping: settings.grouping, seed: settings.seed };
        let total = settings.total_steps(plan.batches(train.samples.len()) as u64);
        let teacher = teacher.map(|made| TeacherDesk {
            train: made.teacher.answers(made.train),
            valid: made.teacher.answers(made.valid),
            teacher: made.teacher,
            encoder: made.encoder,
            card: made.card,
        });
        Self {
            optimiser: Optimiser::new(form(&settings), model.params(), &leaf_rule),
            schedule: Schedule::new(settings.lr, settings.warmup, total),
            lengths: train.encoded.iter().map(|row| row.ids.len()).collect(),
            probe: Probe::choose(&valid, settings.probe as usize, settings.seed),
            settings,
            labels,
            train,
            valid,
            model,
            encoder,
            teacher,
            plan,
            order: Vec::new(),
            device,
            step: 0,
            best: None,
            notes,
        }
    }

    /// What is fixed for the run.
    #[must_use]
    pub fn started(&self) -> Started {
        let device = match self.device {
            Device::Cpu => format!("cpu, {} threads", tch::get_num_threads()),
            Device::Cuda(index) => format!("cuda:{index}"),
            other => format!("{other:?}").to_lowercase(),
        };
        Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run: RunDir::new(&self.settings.run_dir).name(),
            pid: std::process::id(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            device,
            model: card(&self.settings.model, &self.model),
            teacher: self.teacher.as_ref().map(|desk| desk.card.clone()),
            labels: self.labels.names().to_vec(),
            train_examples: self.train.samples.len(),
            valid_examples: self.valid.samples.len(),
            steps_per_epoch: self.steps_per_epoch(),
            total_steps: self.schedule.total,
            settings: self.settings.clone(),
        }
    }

    /// Steps done.
    #[must_use]
    pub fn step_count(&self) -> u64 {
        self.step
    }

    /// Whether all steps are done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.step >= self.schedule.total
    }

    /// Whether an evaluation is due after the step just done.
    #[must_use]
    pub fn evaluation_due(&self) -> bool {
        self.is_done() || self.step.is_multiple_of(self.settings.eval_interval(self.steps_per_epoch()))
    }

    /// Whether the step just done was the last one of an epoch.
    #[must_use]
    pub fn epoch_ended(&self) -> bool {
        self.step.is_multiple_of(self.steps_per_epoch())
    }

    /// Steps in one pass over the training data.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        self.plan.batches(self.train.samples.len()) as u64
    }

    /// Things that a person should know before the first step.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The metrics of the best evaluation so far.
    #[must_use]
    pub fn best_metrics(&self) -> Metrics {
        self.best.as_ref().map(|(_, _, metrics)| metrics.clone()).unwrap_or_default()
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

    /// What was asked for.
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
        self.step as f64 / self.steps_per_epoch().max(1) as f64
    }

    fn next_batch(&mut self) -> Vec<usize> {
        let at = self.step % self.steps_per_epoch();
        if at == 0 || self.order.is_empty() {
            self.order = self.plan.epoch(self.step / self.steps_per_epoch(), &self.lengths);
        }
        self.order[at as usize].clone()
    }

    fn penalty(&self) -> Penalty {
        let Settings { l1, l1_form, l2, l2_form, .. } = self.settings;
        Penalty { l1, l1_form, l2, l2_form }
    }

    /// Does one optimiser step and measures it.
    ///
    /// # Errors
    /// When a number is not finite: the step is not taken and the weights are as before.
    pub fn train_step(&mut self) -> Result<Step> {
        let start = Instant::now();
        let indices = self.next_batch();
        let rows: Vec<&Encoded> = indices.iter().map(|&index| &self.train.encoded[index]).collect();
        let batch = Batch::new(&rows, self.device);
        let (mut measured, gradient) = self.backward(&batch, &indices)?;
        measured.norm = self.optimiser.norm(self.model.params(), &gradient, &self.penalty());
        measured.check_finite(self.step)?;
        let rate = self.schedule.rate(self.step);
        let rule = StepRule { rate, clip_norm: self.settings.clip_norm, norm: measured.norm, penalty: self.penalty() };
        let penalties = self.optimiser.step(self.model.params(), gradient, rule);
        self.step += 1;
        let alpha = self.teacher.as_ref().map(|_| self.settings.kd_alpha);
        let mut metrics = measured.metrics(&self.penalty(), penalties, alpha);
        metrics.set("optim/lr", rate);
        if self.step == 1 || self.step.is_multiple_of(SPARSITY_EVERY) {
            metrics.extend(self.sparsity());
        }
        let seconds = start.elapsed().as_secs_f64();
        metrics.set("speed/step_ms", seconds * 1e3);
        metrics.set("speed/examples_per_s", batch.rows() as f64 / seconds);
        metrics.set("speed/tokens_per_s", batch.tokens() as f64 / seconds);
        Ok(Step { step: self.step, epoch: self.epoch(), metrics })
    }

    /// Forward and backward pass.
    fn backward(&mut self, batch: &Batch, indices: &[usize]) -> Result<(Measured, Gradient)> {
        let classes: Vec<i64> = indices.iter().map(|&index| self.train.samples[index].label as i64).collect();
        let classes = Tensor::from_slice(&classes).to_device(self.device);
        let lookup = self.look_up(batch)?;
        let mut drop = Dropout::of_step(self.settings.seed, self.step);
        drop.seed_device(self.device);
        let logits = self.model.forward(&lookup.embeddings, &batch.types, &batch.layout, &mut drop);
        let task = cross_entropy(&logits, &classes);
        let (alpha, temperature) = (self.settings.kd_alpha, self.settings.kd_temperature);
        let kd = self.teacher.as_mut().map(|desk| {
            let wanted = desk.teacher.logits(&mut desk.train, indices);
            distillation(&logits, &wanted, temperature)
        });
        let loss = match &kd {
            Some(kd) => &task * (1.0 - alpha) + kd * alpha,
            None => task.shallow_clone(),
        };
        let gradient = Gradient::of(&loss, self.model.params(), Some(&lookup))?;
        let kd = kd.unwrap_or_else(|| task.zeros_like());
        let scalars = [task.detach(), kd.detach(), accuracy(&logits.detach(), &classes)];
        // One sync of a step from device to host; the norm of the gradient is the other one.
        let host = Vec::<f64>::try_from(Tensor::stack(&scalars, 0).to_kind(Kind::Double))?;
        Ok((Measured { task: host[0], kd: host[1], accuracy: host[2], norm: f64::NAN }, gradient))
    }

    /// The word embeddings of a batch as a leaf, so that the gradient of the table is that of a few rows.
    fn look_up(&self, batch: &Batch) -> Result<Lookup> {
        let embeddings = no_grad(|| self.model.embed(&batch.ids)).detach().set_requires_grad(true);
        // On the CPU this is a copy, not a sync.
        let ids = Vec::<i64>::try_from(&batch.ids)?;
        Ok(Lookup { table: self.model.word_table(), ids, embeddings })
    }

    fn sparsity(&self) -> Metrics {
        sparsity(self.model.params(), self.model.config().architecture.layers)
    }

    /// Evaluates on the validation set and writes the predictions to the run folder.
    ///
    /// # Errors
    /// When libtorch refuses or the predictions cannot be written.
    pub fn evaluate(&mut self) -> Result<Eval> {
        let predictions = self.predict_valid()?;
        let classes: Vec<usize> = self.valid.samples.iter().map(|sample| sample.label).collect();
        let predicted: Vec<usize> = predictions.iter().map(Prediction::class).collect();
        let mut metrics = Metrics::default();
        let loss = predictions.iter().map(|p| f64::from(p.loss)).sum::<f64>() / predictions.len().max(1) as f64;
        let accuracy = score::accuracy(&predicted, &classes);
        metrics.set("valid/loss", loss);
        metrics.set("valid/accuracy", accuracy);
        metrics.set("valid/f1", score::macro_f1(&predicted, &classes, self.labels.len()));
        if let Some((divergence, agreement)) = score::gap(&predictions) {
            let teacher: Vec<usize> = predictions.iter().filter_map(Prediction::teacher_class).collect();
            metrics.set("kd/kl", divergence);
            metrics.set("kd/agreement", agreement);
            metrics.set("kd/accuracy_gap", score::accuracy(&teacher, &classes) - accuracy);
        }
        metrics.extend(self.sparsity());
        metrics.extend(self.probe.measure(&self.model, &self.encoder, &self.valid)?);
        let better =
            |(best, lowest, _): &(f64, f64, Metrics)| accuracy > *best || (accuracy == *best && loss < *lowest);
        // Weights that were not trained yet are no candidate: a run always leaves a best checkpoint of its own.
        let best = self.step > 0 && self.best.as_ref().is_none_or(better);
        if best {
            self.best = Some((accuracy, loss, metrics.clone()));
        }
        let name = self.write_predictions(&predictions)?;
        Ok(Eval { step: self.step, epoch: self.epoch(), metrics, best, predictions: Some(name) })
    }

    fn predict_valid(&mut self) -> Result<Vec<Prediction>> {
        let logits = evaluate::logits(&self.model, &self.valid.encoded)?;
        let teacher = match &mut self.teacher {
            Some(desk) => {
                let all: Vec<usize> = (0..self.valid.samples.len()).collect();
                let mut rows = Vec::new();
                for chunk in all.chunks(64) {
                    rows.extend(evaluate::host_rows(&desk.teacher.logits(&mut desk.valid, chunk))?);
                }
                Some(rows)
            }
            None => None,
        };
        let samples = self.valid.samples.iter().zip(&logits).enumerate();
        Ok(samples
            .map(|(index, (sample, logits))| {
                let theirs = teacher.as_ref().map(|rows| rows[index].as_slice());
                evaluate::prediction(logits, sample.label, theirs)
            })
            .collect())
    }

    fn write_predictions(&self, predictions: &[Prediction]) -> Result<String> {
        let name = RunDir::predictions_name(self.step);
        let path = self.settings.run_dir.join(&name);
        let kept = &predictions[..predictions.len().min(SAMPLES_KEPT)];
        let write = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            run_dir::write_lines(&path, kept)
        };
        write().map_err(|error| Error::file(&path, error))?;
        Ok(name)
    }

    /// Writes a model folder, whole or not at all.
    ///
    /// # Errors
    /// What the file system says.
    pub fn checkpoint(&self, kind: CheckpointKind) -> Result<Checkpoint> {
        let name = match kind {
            CheckpointKind::Best => "best".to_owned(),
            CheckpointKind::Last => "last".to_owned(),
            CheckpointKind::Requested => format!("step-{:06}", self.step),
        };
        let path = RunDir::checkpoint_name(&name);
        let request = SaveRequest {
            params: self.model.params(),
            config: self.model.config(),
            tokenizer: &self.settings.model,
            storage: Storage::F32,
        };
        save(&self.settings.run_dir.join(&path), request)?;
        Ok(Checkpoint { step: self.step, kind, path })
    }
}
