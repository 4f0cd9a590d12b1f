//! One optimiser step of a run, from the batches of its turn to its metrics.

use std::time::Instant;

use pellucid_protocol::event::Step;
use pellucid_protocol::metric::layer_grad_norm;
use pellucid_protocol::{Event, Metrics};
use tch::{Kind, Tensor, no_grad};

use super::Trainer;
use crate::data::batch::Batch;
use crate::error::Result;
use crate::host::{read, upload};
use crate::model::layers::dropout::Dropout;
use crate::train::gradient::{Gradient, Lookup};
use crate::train::loss::{distillation, right};
use crate::train::masking;
use crate::train::measured::{Measured, PenaltyReport, Totals};
use crate::train::optimiser::StepRule;
use crate::train::penalty::Penalty;

/// Steps between measurements of sparsity, which read all weights, and of each layer's gradient.
pub(super) const SPARSITY_EVERY: u64 = 10;

/// The sums of a step so far, as tensors: cross entropy, distillation, right answers, wrong reasons, inconsistency;
/// each `[]`.
type Sums = [Tensor; 5];

/// The passes of a step, as they are on the device.
pub(super) struct Work {
    /// Its sums, `[5]`, f64; see [`Measured::of`].
    pub(super) sums: Tensor,
    pub(super) gradient: Gradient,
    pub(super) facts: Facts,
}

/// What is known of a step before its numbers are.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Steps done with it.
    pub(super) step: u64,
    pub(super) epoch: f64,
    /// Learning rate.
    pub(super) rate: f64,
    pub(super) totals: Totals,
    pub(super) tokens: usize,
    /// Which terms take part, and the weights of those that have one.
    pub(super) report: PenaltyReport,
    pub(super) detail: Detail,
}

/// What is measured of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// What every step has.
    Usual,
    /// Also the zeros among the weights after it, and the gradient of each layer.
    Layers,
}

impl Detail {
    /// That of the step that is the `number`th.
    fn of(number: u64) -> Self {
        if number == 1 || number.is_multiple_of(SPARSITY_EVERY) { Self::Layers } else { Self::Usual }
    }
}

/// The texts of a batch, as numbers of examples.
#[derive(Debug, Clone, Copy)]
struct Rows<'a> {
    /// Those that are whole; they come first.
    whole: &'a [usize],
    /// Those that are there a second time, with words masked.
    masked: &'a [usize],
}

impl Rows<'_> {
    fn all(self) -> impl Iterator<Item = usize> {
        self.whole.iter().chain(self.masked).copied()
    }
}

impl Trainer {
    /// The examples of each batch of the next step.
    fn next_batches(&mut self) -> Vec<Vec<usize>> {
        let steps = self.steps_per_epoch();
        let at = self.progress.step % steps;
        if at == 0 || self.order.is_empty() {
            self.order = self.plan.epoch(self.progress.step / steps, &self.lengths);
        }
        let start = (at * self.settings.accumulate) as usize;
        let end = (start + self.settings.accumulate as usize).min(self.order.len());
        self.order[start..end].to_vec()
    }

    /// The examples of the next `steps` steps, in their order.
    pub fn examples_ahead(&self, steps: u64) -> Vec<usize> {
        let per_epoch = self.steps_per_epoch();
        let epochs = self.progress.step / per_epoch..(self.progress.step + steps).div_ceil(per_epoch);
        let all = epochs.flat_map(|epoch| self.plan.epoch(epoch, &self.lengths));
        let batches = (steps * self.settings.accumulate) as usize;
        all.skip((self.progress.step % per_epoch * self.settings.accumulate) as usize).take(batches).flatten().collect()
    }

    /// Asks the teacher about `examples`, those that it has not answered yet.
    pub fn ask_teacher(&mut self, examples: &[usize]) {
        let Some(desk) = &mut self.teacher else { return };
        for chunk in examples.chunks(self.settings.batch_size as usize) {
            drop(desk.teacher.logits(&mut desk.train, chunk));
        }
    }

    /// Does one optimiser step. `emit` is told the steps whose numbers are there, in their order: at once on the CPU, some
    /// steps later and together on a device.
    ///
    /// # Errors
    /// When a number is not finite: that step and what followed it were not taken, the weights are as before it.
    pub fn train_step(&mut self, emit: &mut dyn FnMut(Event)) -> Result<()> {
        if self.ahead.is_some() {
            return self.step_ahead(emit);
        }
        emit(Event::Step(self.step_now()?));
        Ok(())
    }

    fn step_now(&mut self) -> Result<Step> {
        let start = Instant::now();
        let Work { sums, gradient, mut facts } = self.passes()?;
        let penalty = self.penalty();
        let norms = self.optimiser.norms(self.model.params(), &gradient, &penalty);
        let measured = Measured::of(five(&read(&sums)?), facts.totals, norms.total);
        measured.check_finite(self.progress.step)?;
        self.take_step(gradient, &mut facts.report, StepRule { norm: measured.norm, ..self.step_rule(penalty) });
        self.pass(&facts);
        let mut metrics = facts.metrics(&measured, &norms.layers);
        if facts.detail == Detail::Layers {
            metrics.extend(self.sparsity()?);
        }
        Ok(self.timed(&facts, metrics, start.elapsed().as_secs_f64()))
    }

    /// What the optimiser needs for the next step.
    pub(super) fn step_rule(&self, penalty: Penalty) -> StepRule {
        let rate = self.schedule.rate(self.progress.step);
        StepRule { rate, clip_norm: self.settings.clip_norm, norm: f64::NAN, penalty }
    }

    /// Moves the weights; fills in what the penalties came to before.
    fn take_step(&mut self, gradient: Gradient, report: &mut PenaltyReport, rule: StepRule) {
        let group_l1 = self.settings.group_l1;
        report.group = report.group.map(|_| group_l1 * self.units.norms(self.model.params()));
        let values = self.optimiser.step(self.model.params(), gradient, rule);
        if group_l1 > 0.0 {
            self.optimiser.shrink_units(self.model.params(), &self.units, rule.rate * group_l1, None);
        }
        (report.l1, report.l2) = (report.l1.map(|_| values.l1), report.l2.map(|_| values.l2));
    }

    /// A step was taken.
    pub(super) fn pass(&mut self, facts: &Facts) {
        self.progress.step = facts.step;
        self.progress.tokens += facts.tokens as u64;
    }

    /// A step that took so many seconds.
    pub(super) fn timed(&mut self, facts: &Facts, mut metrics: Metrics, seconds: f64) -> Step {
        self.seconds[0] += seconds;
        metrics.set("speed/step_ms", seconds * 1e3);
        metrics.set("speed/examples_per_s", facts.totals.examples / seconds);
        metrics.set("speed/tokens_per_s", facts.tokens as f64 / seconds);
        Step { step: facts.step, epoch: facts.epoch, metrics }
    }

    fn facts(&self, totals: Totals, tokens: usize) -> Facts {
        let (done, penalty) = (self.progress.step, self.penalty());
        let takes_part = |part: bool| part.then_some(0.0);
        Facts {
            step: done + 1,
            epoch: (done + 1) as f64 / self.steps_per_epoch().max(1) as f64,
            rate: self.schedule.rate(done),
            totals,
            tokens,
            report: PenaltyReport {
                l1: takes_part(penalty.l1 > 0.0),
                l2: takes_part(penalty.l2_in_loss()),
                group: takes_part(self.settings.group_l1 > 0.0),
                alpha: self.teacher.as_ref().map(|_| self.settings.kd_alpha),
                rrr: self.weight_now(self.settings.rrr),
                consistency: self.weight_now(self.settings.consistency),
            },
            detail: Detail::of(done + 1),
        }
    }

    /// Forward and backward passes of the batches of the next step.
    pub(super) fn passes(&mut self) -> Result<Work> {
        let batches = self.next_batches();
        let rows: Vec<Rows<'_>> = batches.iter().map(|batch| self.rows(batch)).collect();
        let classes = rows.iter().flat_map(|rows| rows.all()).map(|index| self.train.samples[index].label);
        let totals = Totals {
            weight: self.targets.total(classes),
            examples: batches.iter().map(Vec::len).sum::<usize>() as f64,
            rows: rows.iter().map(|rows| rows.whole.len() + rows.masked.len()).sum::<usize>() as f64,
        };
        let (mut sums, mut gradient, mut tokens): (Option<Sums>, Option<Gradient>, usize) = (None, None, 0);
        for (number, &rows) in rows.iter().enumerate() {
            let pass = self.progress.step * self.settings.accumulate + number as u64;
            let batch = self.batch(rows, pass);
            tokens += batch.tokens();
            let ([task, kd, right], mut new) = self.backward(&batch, rows, (pass, totals))?;
            let [rrr, consistency] = self.add_reasons(rows.whole, totals.examples, &mut new)?;
            let of_batch = [task, kd, right, rrr, consistency];
            sums = Some(match sums {
                None => of_batch,
                Some(sums) => std::array::from_fn(|at| &sums[at] + &of_batch[at]),
            });
            match &mut gradient {
                None => gradient = Some(new),
                Some(gradient) => gradient.add(new),
            }
        }
        let (Some(sums), Some(gradient)) = (sums, gradient) else { unreachable!("a step has a batch") };
        let sums = Tensor::stack(&sums, 0).to_kind(Kind::Double);
        let gradient = self.optimiser.joined(self.model.params(), gradient, &self.penalty());
        Ok(Work { sums, gradient, facts: self.facts(totals, tokens) })
    }

    /// The texts of a batch; the first ones also have a masked copy.
    fn rows<'a>(&self, whole: &'a [usize]) -> Rows<'a> {
        Rows { whole, masked: &whole[..masking::count(self.settings.masking, whole.len())] }
    }

    /// The texts of a batch, the copies with words masked as drawn for `pass`.
    fn batch(&self, rows: Rows<'_>, pass: u64) -> Batch {
        let mut draws = masking::generator(self.settings.seed, pass);
        let masked = masking::masked(&self.train, &self.encoder, rows.masked, &mut draws);
        let whole = rows.whole.iter().map(|&index| &self.train.encoded[index]);
        Batch::new(&whole.chain(&masked).collect::<Vec<_>>(), self.device)
    }

    /// Adds the gradients of the terms on reasons to that of a batch; gives their sums, zero where they take no part.
    fn add_reasons(&mut self, indices: &[usize], examples: f64, gradient: &mut Gradient) -> Result<[Tensor; 2]> {
        let terms = [self.wrong_reasons(indices, examples)?, self.inconsistency(indices, examples)?];
        Ok(terms.map(|term| {
            let Some(term) = term else { return self.zero() };
            if let Some(new) = term.gradient {
                gradient.add(new);
            }
            term.sum
        }))
    }

    /// Forward and backward pass of one batch, its dropout drawn for `pass`. The teacher is not asked about masked
    /// copies: distillation is the mean over the whole texts.
    fn backward(
        &mut self,
        batch: &Batch,
        rows: Rows<'_>,
        (pass, totals): (u64, Totals),
    ) -> Result<([Tensor; 3], Gradient)> {
        let classes: Vec<i64> = rows.all().map(|index| self.train.samples[index].label as i64).collect();
        let classes = upload(&classes, self.device);
        let lookup = self.look_up(batch);
        let mut drop = Dropout::of_step(self.settings.seed, pass);
        drop.seed_device(self.device);
        let logits = self.model.forward(&lookup.embeddings, &batch.types, &batch.layout, &mut drop);
        let task = self.targets.cross_entropy(&logits, &classes);
        let (alpha, temperature) = (self.settings.kd_alpha, self.settings.kd_temperature);
        let kd = self.teacher.as_mut().map(|desk| {
            let wanted = desk.teacher.logits(&mut desk.train, rows.whole);
            // [rows, classes] -> [whole, classes]
            distillation(&logits.narrow(0, 0, rows.whole.len() as i64), &wanted, temperature)
        });
        let loss = match &kd {
            Some(kd) => &task * ((1.0 - alpha) / totals.weight) + kd * (alpha / totals.examples),
            None => &task / totals.weight,
        };
        let lookup = lookup.embeddings.requires_grad().then_some(&lookup);
        let gradient = Gradient::of(&loss, self.model.params(), lookup)?;
        let kd = kd.unwrap_or_else(|| task.zeros_like());
        Ok(([task.detach(), kd.detach(), right(&logits.detach(), &classes)], gradient))
    }

    /// The word embeddings of a batch as a leaf, so that the gradient of the table is that of a few rows.
    pub(super) fn look_up(&self, batch: &Batch) -> Lookup {
        let table = self.model.word_table();
        let wanted = self.model.params().leaves()[table].requires_grad();
        let embeddings = no_grad(|| self.model.embed(&batch.ids)).detach().set_requires_grad(wanted);
        Lookup { table, ids: batch.host_ids.clone(), embeddings }
    }
}

impl Facts {
    /// The metrics of the step without those of zeros and of time; `layers` are the norms of the gradients of layers.
    pub(super) fn metrics(&self, measured: &Measured, layers: &[f64]) -> Metrics {
        let mut metrics = measured.metrics(&self.report);
        metrics.set("optim/lr", self.rate);
        if self.detail == Detail::Layers {
            layers.iter().enumerate().for_each(|(layer, &norm)| metrics.set(layer_grad_norm(layer), norm));
        }
        metrics
    }
}

/// The first five numbers; none of them finite where there are fewer.
pub(super) fn five(numbers: &[f64]) -> [f64; 5] {
    numbers.first_chunk().copied().unwrap_or([f64::NAN; 5])
}
