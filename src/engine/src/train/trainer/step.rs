//! One optimiser step of a run, from the batches of its turn to its metrics.

use std::time::Instant;

use pellucid_protocol::event::Step;
use pellucid_protocol::metric::layer_grad_norm;
use tch::{Kind, Tensor, no_grad};

use super::Trainer;
use crate::data::batch::Batch;
use crate::error::Result;
use crate::model::dropout::Dropout;
use crate::train::gradient::{Gradient, Lookup};
use crate::train::loss::{distillation, right};
use crate::train::masking;
use crate::train::measured::{Measured, PenaltyReport};
use crate::train::optimiser::StepRule;
use crate::train::penalty::{Penalty, sparsity};

/// Steps between measurements of sparsity, which read all weights, and of each layer's gradient.
const SPARSITY_EVERY: u64 = 10;

/// What the batches of a step are divided by, so that their sums become the means over the step.
#[derive(Debug, Clone, Copy)]
struct Totals {
    /// Sum of the weights of the examples' classes.
    weight: f64,
    /// Number of examples.
    examples: f64,
    /// Number of examples and of masked copies of them.
    rows: f64,
}

/// The sums of a step so far, as tensors: cross entropy, distillation, right answers, wrong reasons, inconsistency;
/// each `[]`.
type Sums = [Tensor; 5];

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

    /// Does one optimiser step and measures it.
    ///
    /// # Errors
    /// When a number is not finite: the step is not taken and the weights are as before.
    pub fn train_step(&mut self) -> Result<Step> {
        let start = Instant::now();
        let batches = self.next_batches();
        let (mut measured, gradient, tokens) = self.gradient(&batches)?;
        let penalty = self.penalty();
        let norms = self.optimiser.norms(self.model.params(), &gradient, &penalty);
        measured.norm = norms.total;
        measured.check_finite(self.progress.step)?;
        let report = self.take_step(gradient, measured.norm, &penalty);
        self.progress.step += 1;
        self.progress.tokens += tokens as u64;
        let mut metrics = measured.metrics(&report);
        metrics.set("optim/lr", self.schedule.rate(self.progress.step - 1));
        if self.progress.step == 1 || self.progress.step.is_multiple_of(SPARSITY_EVERY) {
            metrics.extend(self.sparsity());
            norms.layers.iter().enumerate().for_each(|(layer, &norm)| metrics.set(layer_grad_norm(layer), norm));
        }
        let seconds = start.elapsed().as_secs_f64();
        self.seconds[0] += seconds;
        metrics.set("speed/step_ms", seconds * 1e3);
        metrics.set("speed/examples_per_s", batches.iter().map(Vec::len).sum::<usize>() as f64 / seconds);
        metrics.set("speed/tokens_per_s", tokens as f64 / seconds);
        Ok(Step { step: self.progress.step, epoch: self.epoch(), metrics })
    }

    /// Moves the weights; gives what the penalties came to before.
    fn take_step(&mut self, gradient: Gradient, norm: f64, penalty: &Penalty) -> PenaltyReport {
        let rate = self.schedule.rate(self.progress.step);
        let rule = StepRule { rate, clip_norm: self.settings.clip_norm, norm, penalty: *penalty };
        let group_l1 = self.settings.group_l1;
        let group = (group_l1 > 0.0).then(|| group_l1 * self.units.norms(self.model.params()));
        let values = self.optimiser.step(self.model.params(), gradient, rule);
        if group_l1 > 0.0 {
            self.optimiser.shrink_units(self.model.params(), &self.units, rate * group_l1);
        }
        PenaltyReport {
            l1: (penalty.l1 > 0.0).then_some(values.l1),
            l2: penalty.l2_in_loss().then_some(values.l2),
            group,
            alpha: self.teacher.as_ref().map(|_| self.settings.kd_alpha),
            rrr: self.weight_now(self.settings.rrr),
            consistency: self.weight_now(self.settings.consistency),
        }
    }

    /// Mean losses and gradient of the batches of a step, and its tokens.
    fn gradient(&mut self, batches: &[Vec<usize>]) -> Result<(Measured, Gradient, usize)> {
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
        // One sync of a step from device to host; the norm of the gradient is the other one.
        let host = Vec::<f64>::try_from(Tensor::stack(&sums, 0).to_kind(Kind::Double))?;
        let measured = Measured {
            task: host[0] / totals.weight,
            kd: host[1] / totals.examples,
            accuracy: host[2] / totals.rows,
            rrr: host[3] / totals.examples,
            consistency: host[4] / totals.examples,
            norm: f64::NAN,
        };
        Ok((measured, gradient, tokens))
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
        let classes = Tensor::from_slice(&classes).to_device(self.device);
        let lookup = self.look_up(batch)?;
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
    pub(super) fn look_up(&self, batch: &Batch) -> Result<Lookup> {
        let table = self.model.word_table();
        let wanted = self.model.params().leaves()[table].requires_grad();
        let embeddings = no_grad(|| self.model.embed(&batch.ids)).detach().set_requires_grad(wanted);
        // On the CPU this is a copy, not a sync.
        let ids = Vec::<i64>::try_from(&batch.ids)?;
        Ok(Lookup { table, ids, embeddings })
    }

    /// Shares of zeros among the weights, and of dead heads and neurons.
    pub(super) fn sparsity(&self) -> pellucid_protocol::Metrics {
        let mut metrics = sparsity(self.model.params(), self.model.config().architecture.layers);
        metrics.extend(self.units.dead(self.model.params()));
        metrics
    }
}
