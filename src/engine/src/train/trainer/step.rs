//! One step: forward and backward passes, the numbers of the step, the optimiser.

use std::time::Instant;

use pellucid_protocol::event::Step;
use pellucid_protocol::metric::layer_grad_norm;
use pellucid_protocol::{Event, Metrics};
use tch::Tensor;

use super::Trainer;
use super::batches::Rows;
use crate::error::{Error, Result};
use crate::model::layers::dropout::Dropout;
use crate::model::teacher::TeacherState;
use crate::train::loss::{Forward, StepLoss, Sum, Totals};
use crate::train::measured::{DeviceNumbers, Form, GRAD_NORM, Measured, Quantity};
use crate::train::optimiser::gradient::{Gradient, Lookup};
use crate::train::optimiser::prunable_units::GROUP_L1;
use crate::train::optimiser::{GradientNorms, StepRule};

/// Sparsity and the gradient norms of layers are measured every so many steps.
pub(super) const SPARSITY_EVERY: u64 = 10;

/// The passes of a step, as they are on the device.
pub(super) struct Work {
    /// The sums of the terms of the loss and of the task's score.
    pub(super) sums: DeviceNumbers,
    pub(super) gradient: Gradient,
    pub(super) facts: Facts,
}

/// What is known of a step before its numbers are.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Steps done with it.
    pub(super) step: u64,
    epoch: f64,
    /// Learning rate.
    rate: f64,
    examples: f64,
    pub(super) tokens: usize,
    pub(super) detail: Detail,
}

/// What is measured of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// What every step has.
    Usual,
    /// Also the zeros among the weights after it, and the gradient norm of each layer.
    Layers,
}

impl Detail {
    /// That of the `number`th step.
    fn of(number: u64) -> Self {
        if number == 1 || number.is_multiple_of(SPARSITY_EVERY) { Self::Layers } else { Self::Usual }
    }
}

/// The passes over one batch.
struct BatchPass {
    sums: Vec<Sum>,
    gradient: Gradient,
    tokens: usize,
}

impl Trainer {
    /// The examples of the next `steps` steps, in their order.
    #[must_use]
    pub fn examples_ahead(&self, steps: u64) -> Vec<usize> {
        self.batches.of_steps(self.progress.step, steps)
    }

    /// Asks the teacher about those of `examples` that it has not answered yet.
    pub fn ask_teacher(&mut self, examples: &[usize]) {
        let Some(state) = &mut self.references.teacher else { return };
        for chunk in examples.chunks(self.setup.settings.batch_size as usize) {
            drop(state.teacher.logits(&mut state.train, chunk));
        }
    }

    /// Does one optimiser step. `emit` gets the steps whose numbers are known, in their order: at once on the CPU, some
    /// steps later and together on a device.
    ///
    /// # Errors
    /// When a number is not finite: that step and those after it were not taken, the weights are as before it.
    pub fn train_step(&mut self, emit: &mut dyn FnMut(Event)) -> Result<()> {
        if self.deferred.is_some() {
            return self.step_deferred(emit);
        }
        emit(Event::Step(self.step_now()?));
        Ok(())
    }

    fn step_now(&mut self) -> Result<Step> {
        let start = Instant::now();
        let Work { sums, gradient, facts } = self.passes()?;
        let penalty = self.setup.penalty();
        let norms = self.optimisation.optimiser.norms(self.setup.model.params(), &gradient, &penalty);
        let mut measured = sums.read()?;
        add_norms(&mut measured, &norms, facts.detail);
        measured.check_finite(self.progress.step).map_err(|error| self.traced(error))?;
        let rule = self.optimisation.step_rule(&self.setup, self.progress.step);
        self.take_step(gradient, StepRule { norm: norms.total, ..rule }, &mut measured);
        self.advance(&facts);
        let mut metrics = facts.metrics(&measured);
        if facts.detail == Detail::Layers {
            metrics.extend(self.sparsity()?);
        }
        Ok(self.timed(&facts, metrics, start.elapsed().as_secs_f64()))
    }

    /// An error about a number of a step; where the teacher's answers are the reason, about these.
    pub(super) fn traced(&self, error: Error) -> Error {
        let teacher = self.references.teacher.as_ref();
        teacher.and_then(TeacherState::fault).unwrap_or(error)
    }

    /// Moves the weights; adds to `measured` what the penalties were before.
    fn take_step(&mut self, gradient: Gradient, rule: StepRule, measured: &mut Measured) {
        let (params, group_l1) = (self.setup.model.params(), self.setup.settings.group_l1);
        let group = (group_l1 > 0.0).then(|| group_l1 * self.optimisation.units.norms(params));
        let penalties = self.optimisation.optimiser.step(params, gradient, rule);
        penalties.terms(&rule.penalty).into_iter().for_each(|(quantity, value)| measured.push(quantity, value));
        if let Some(group) = group {
            measured.push(Quantity::penalty(GROUP_L1), group);
            self.optimisation.optimiser.shrink_units(params, &self.optimisation.units, rule.rate * group_l1, None);
        }
    }

    /// A step was taken.
    pub(super) fn advance(&mut self, facts: &Facts) {
        self.progress.step = facts.step;
        self.progress.tokens += facts.tokens as u64;
    }

    /// The event of a step that took `seconds`.
    pub(super) fn timed(&mut self, facts: &Facts, mut metrics: Metrics, seconds: f64) -> Step {
        metrics.extend(self.throughput.of_step(facts.examples, facts.tokens, seconds));
        Step { step: facts.step, epoch: facts.epoch, metrics }
    }

    fn facts(&self, examples: f64, tokens: usize) -> Facts {
        let done = self.progress.step;
        Facts {
            step: done + 1,
            epoch: (done + 1) as f64 / self.steps_per_epoch().max(1) as f64,
            rate: self.optimisation.schedule.rate(done),
            examples,
            tokens,
            detail: Detail::of(done + 1),
        }
    }

    /// Forward and backward passes of the batches of the next step.
    pub(super) fn passes(&mut self) -> Result<Work> {
        let done = self.progress.step;
        let batches = self.batches.of_step(done);
        let rows: Vec<Rows<'_>> = batches.iter().map(|batch| Rows::new(batch, self.settings().masking)).collect();
        let totals = self.totals(&rows);
        let loss = StepLoss::new(&self.setup.inputs(done), &self.references, totals);
        let (mut sums, mut gradient, mut tokens): (Vec<Sum>, Option<Gradient>, usize) = (Vec::new(), None, 0);
        for (number, &rows) in rows.iter().enumerate() {
            let found = self.batch_pass(&loss, rows, self.batches.pass(done, number))?;
            tokens += found.tokens;
            add_sums(&mut sums, found.sums);
            match &mut gradient {
                None => gradient = Some(found.gradient),
                Some(gradient) => gradient.add(found.gradient),
            }
        }
        let Some(gradient) = gradient else { unreachable!("a step has a batch") };
        let gradient = self.optimisation.optimiser.joined(self.setup.model.params(), gradient, &self.setup.penalty());
        let score = Quantity::new(self.setup.task.step_metric(), Form::Mean(totals.rows));
        let sums = named(loss.quantities().chain([score]), &sums);
        Ok(Work { sums, gradient, facts: self.facts(totals.examples, tokens) })
    }

    fn totals(&self, rows: &[Rows<'_>]) -> Totals {
        let train = &self.setup.data.train;
        let labels: Vec<usize> = rows.iter().flat_map(|rows| rows.labels(train)).collect();
        Totals {
            loss_weight: self.setup.task.loss_weight(&labels),
            examples: rows.iter().map(|rows| rows.whole.len()).sum::<usize>() as f64,
            rows: labels.len() as f64,
        }
    }

    /// Forward and backward passes of one batch, its masks and dropout drawn for `pass`.
    fn batch_pass(&mut self, loss: &StepLoss, rows: Rows<'_>, pass: u64) -> Result<BatchPass> {
        let inputs = self.setup.inputs(self.progress.step);
        let batch = rows.batch(&inputs, pass)?;
        let targets = inputs.task.targets(&rows.labels(inputs.train), inputs.device);
        let lookup = Lookup::new(inputs.model, &batch);
        let mut dropout = Dropout::of_step(inputs.settings.seed, pass);
        dropout.seed_device(inputs.device);
        let logits = inputs.model.forward(&lookup.embeddings, &batch.types, &batch.layout, &mut dropout);
        let forward = Forward { logits: &logits, targets: &targets, whole: rows.whole };
        let trained = lookup.embeddings.requires_grad().then_some(&lookup);
        let (mut sums, mut gradient) = loss.of_logits(&inputs, &mut self.references, &forward, trained)?;
        let score = inputs.task.step_score(&logits.detach(), &targets);
        // With the logits goes what is left of their graph, before other passes need the memory.
        drop(logits);
        sums.push(Sum { metric: inputs.task.step_metric(), value: score });
        sums.extend(loss.of_own_passes(&inputs, &mut self.references, rows.whole, &mut gradient)?);
        Ok(BatchPass { sums, gradient, tokens: batch.tokens() })
    }
}

impl Facts {
    /// The metrics of the step but for zeros among the weights and time.
    pub(super) fn metrics(&self, measured: &Measured) -> Metrics {
        let mut metrics = measured.metrics();
        metrics.set("optim/lr", self.rate);
        metrics
    }
}

/// Adds the sums of one more batch to those of the same names.
fn add_sums(sums: &mut Vec<Sum>, more: Vec<Sum>) {
    for new in more {
        match sums.iter_mut().find(|sum| sum.metric == new.metric) {
            Some(sum) => sum.value = &sum.value + &new.value,
            None => sums.push(new),
        }
    }
}

/// The sums with what they become.
fn named(quantities: impl Iterator<Item = Quantity>, sums: &[Sum]) -> DeviceNumbers {
    let value = |metric: &str| sums.iter().find(|sum| sum.metric == metric).map(|sum| sum.value.shallow_clone());
    let with_value = |quantity: Quantity| value(&quantity.metric).map(|value: Tensor| (quantity, value));
    DeviceNumbers::new(quantities.filter_map(with_value).collect())
}

/// The norms of a gradient by name; those of layers if the step has them.
fn add_norms(measured: &mut Measured, norms: &GradientNorms, detail: Detail) {
    measured.push(Quantity::new(GRAD_NORM, Form::Value), norms.total);
    if detail == Detail::Layers {
        let layers = norms.layers.iter().enumerate();
        layers.for_each(|(layer, &norm)| measured.push(Quantity::new(layer_grad_norm(layer), Form::Value), norm));
    }
}
