//! Which examples a step trains on.

use pellucid_protocol::Settings;

use super::masking;
use crate::data::batch::Batch;
use crate::data::examples::Examples;
use crate::data::order::BatchPlan;
use crate::data::tokens::{TokenRow, TokenSource};
use crate::error::Result;
use crate::train::loss::Inputs;

/// The batches of a run, in an order that depends on the seed alone.
pub(super) struct Batches {
    plan: BatchPlan,
    /// Tokens of each training example.
    lengths: Vec<u32>,
    /// Batches in one step.
    accumulate: u64,
    /// The batches of the epoch under way; empty until they are needed.
    order: Vec<Vec<usize>>,
}

impl Batches {
    pub(super) fn new(settings: &Settings, train: &Examples) -> Self {
        let plan =
            BatchPlan { batch_size: settings.batch_size as usize, grouping: settings.grouping, seed: settings.seed };
        let lengths = (0..train.len()).map(|example| train.tokens.length(example) as u32).collect();
        Self { plan, lengths, accumulate: settings.accumulate, order: Vec::new() }
    }

    pub(super) fn steps_per_epoch(&self) -> u64 {
        (self.plan.batches(self.lengths.len()) as u64).div_ceil(self.accumulate)
    }

    /// The examples of each batch of the step after `done` steps.
    pub(super) fn of_step(&mut self, done: u64) -> Vec<Vec<usize>> {
        let steps = self.steps_per_epoch();
        let at = done % steps;
        if at == 0 || self.order.is_empty() {
            self.order = self.plan.epoch(done / steps, &self.lengths);
        }
        let start = (at * self.accumulate) as usize;
        let end = (start + self.accumulate as usize).min(self.order.len());
        self.order[start..end].to_vec()
    }

    /// The examples of the `steps` steps after `done` steps, in their order.
    pub(super) fn of_steps(&self, done: u64, steps: u64) -> Vec<usize> {
        let per_epoch = self.steps_per_epoch();
        let epochs = done / per_epoch..(done + steps).div_ceil(per_epoch);
        let all = epochs.flat_map(|epoch| self.plan.epoch(epoch, &self.lengths));
        let batches = (steps * self.accumulate) as usize;
        all.skip((done % per_epoch * self.accumulate) as usize).take(batches).flatten().collect()
    }

    /// The number that draws of batch `number` of the step after `done` steps are seeded with.
    pub(super) fn pass(&self, done: u64, number: usize) -> u64 {
        done * self.accumulate + number as u64
    }

    /// Forgets the epoch under way: the run goes on from another step.
    pub(super) fn reset(&mut self) {
        self.order.clear();
    }
}

/// The texts of a batch, as numbers of examples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    /// The whole texts; they come first.
    pub(super) whole: &'a [usize],
    /// Those that are there a second time, with words masked.
    masked: &'a [usize],
}

impl<'a> Rows<'a> {
    /// The examples `whole`, the first ones, a share of `masking`, also as masked copies.
    pub(super) fn new(whole: &'a [usize], masking: f64) -> Self {
        Self { whole, masked: &whole[..masking::count(masking, whole.len())] }
    }

    /// The label of each row.
    pub(super) fn labels(self, train: &Examples) -> Vec<usize> {
        self.whole.iter().chain(self.masked).map(|&index| train.class(index)).collect()
    }

    /// The rows as tensors, the copies masked as drawn for `pass`.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub(super) fn batch(self, inputs: &Inputs<'_>, pass: u64) -> Result<Batch> {
        let mut draws = masking::generator(inputs.settings.seed, pass);
        let masked = masking::masked(inputs.train, inputs.encoder, self.masked, &mut draws)?;
        let whole = self.whole.iter().map(|&index| inputs.train.tokens.row(index));
        let masked = masked.into_iter().map(TokenRow::from);
        Ok(Batch::new(&whole.chain(masked).collect::<Vec<_>>(), inputs.model.pads(), inputs.device))
    }
}
