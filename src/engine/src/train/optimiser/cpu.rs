//! The optimiser on the CPU: one pass over memory on all threads. Its sums do not depend on the number of threads.

use pellucid_protocol::settings::OptimizerKind;
use rayon::prelude::*;
use tch::{Tensor, no_grad};

use super::gradient::Gradient;
use super::kernel::{self, Coefficients, Piece};
use super::penalty::{Penalty, PenaltyValues};
use super::{GradientNorms, LeafRule, Optimiser, StepRule, layer_count};
use crate::host::{numbers, numbers_mut};
use crate::model::weights::params::FlatParams;

/// How many weights a thread takes at a time: with gradient and moments they fit into a core's own cache.
const PIECE: usize = 1 << 14;
/// How many small pieces a thread takes at a time at least.
const TOGETHER: usize = 16;

/// A piece of a parameter with its rule.
struct Task<'a> {
    piece: Piece<'a>,
    /// Index of its parameter.
    leaf: usize,
    rule: LeafRule,
    coefficients: Coefficients,
}

/// The flat buffers, cut up from the left. Those of moments and of the anchor leave out frozen weights.
struct Buffers<'a> {
    weights: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    anchor: Option<&'a [f32]>,
}

impl<'a> Buffers<'a> {
    /// Cuts off the leftmost `size` weights, which are frozen.
    fn skip(&mut self, size: usize) {
        left(&mut self.weights, size);
    }

    /// Cuts off the leftmost `size` numbers of each.
    fn cut(&mut self, size: usize, gradient: Option<&'a [f32]>) -> Piece<'a> {
        let anchor = self.anchor.map(|anchor| {
            let (left, right) = anchor.split_at(size);
            self.anchor = Some(right);
            left
        });
        Piece {
            weights: left(&mut self.weights, size),
            gradient,
            anchor,
            first: left(&mut self.first, size),
            second: left(&mut self.second, size),
        }
    }
}

fn left<'a>(from: &mut &'a mut [f32], size: usize) -> &'a mut [f32] {
    // SGD has no second moment.
    let size = size.min(from.len());
    let (left, right) = std::mem::take(from).split_at_mut(size);
    *from = right;
    left
}

impl Optimiser {
    /// The norms of the gradient, with the penalties that are part of it, in one pass; everything is on the CPU.
    #[must_use]
    pub fn norms(&self, params: &FlatParams, gradient: &Gradient, penalty: &Penalty) -> GradientNorms {
        let rule = StepRule { rate: 0.0, clip_norm: 0.0, norm: 0.0, penalty: *penalty };
        let (mut weights, mut first) = (params.weights().detach(), self.first.shallow_clone());
        let buffers = Buffers {
            weights: numbers_mut(&mut weights),
            first: numbers_or_nothing_mut(&mut first),
            second: &mut [],
            anchor: self.anchor.as_ref().map(numbers_or_nothing),
        };
        let tasks = tasks(buffers, params, gradient, &self.touched, &|leaf| {
            (self.rules[leaf], self.coefficients(&rule, &self.rules[leaf]))
        });
        let squares: Vec<f64> = tasks
            .par_iter()
            .with_min_len(TOGETHER)
            .map(|task| kernel::squares(&task.piece, &task.coefficients))
            .collect();
        let mut layers = vec![0.0; layer_count(params)];
        for (task, square) in tasks.iter().zip(&squares) {
            if let Some(layer) = params.specs()[task.leaf].layer {
                layers[layer] += square;
            }
        }
        GradientNorms::of(squares.iter().sum(), layers)
    }

    pub(super) fn step_on_cpu(&mut self, params: &FlatParams, gradient: &Gradient, rule: StepRule) -> PenaltyValues {
        self.touch(params, gradient);
        let numbers_of: Vec<_> = self.rules.iter().map(|leaf| (*leaf, self.coefficients(&rule, leaf))).collect();
        let mut weights = params.weights().detach();
        let second = self.second.as_mut().map_or(&mut [][..], numbers_or_nothing_mut);
        let buffers = Buffers {
            weights: numbers_mut(&mut weights),
            first: numbers_or_nothing_mut(&mut self.first),
            second,
            anchor: self.anchor.as_ref().map(numbers_or_nothing),
        };
        let kind = self.form.kind;
        let mut tasks = tasks(buffers, params, gradient, &self.touched, &|leaf| numbers_of[leaf]);
        let values: Vec<PenaltyValues> =
            no_grad(|| tasks.par_iter_mut().with_min_len(TOGETHER).map(|task| task.run(kind, &rule.penalty)).collect());
        values
            .iter()
            .fold(PenaltyValues::default(), |sum, value| PenaltyValues { l1: sum.l1 + value.l1, l2: sum.l2 + value.l2 })
    }
}

/// Cuts all trainable parameters into pieces; of a table with a gradient by rows, only the rows that ever had one.
fn tasks<'a>(
    mut buffers: Buffers<'a>,
    params: &FlatParams,
    gradient: &'a Gradient,
    touched: &[bool],
    numbers_of: &dyn Fn(usize) -> (LeafRule, Coefficients),
) -> Vec<Task<'a>> {
    let mut tasks = Vec::new();
    for (leaf, spec) in params.specs().iter().enumerate() {
        let (rule, coefficients) = numbers_of(leaf);
        let size = spec.len() as usize;
        if rule.is_frozen() {
            buffers.skip(size);
            continue;
        }
        let mut add = |piece| tasks.push(Task { piece, leaf, rule, coefficients });
        if let Some(words) = gradient.words.as_ref().filter(|words| words.table == leaf) {
            let width = spec.shape[1] as usize;
            let mut fresh = words.rows.iter().zip(numbers_or_nothing(&words.values).chunks(width)).peekable();
            for row in 0..spec.shape[0] as usize {
                let new = fresh.next_if(|(with, _)| **with == row).map(|(_, values)| values);
                let piece = buffers.cut(width, new);
                if new.is_some() || touched.get(row).copied().unwrap_or(false) {
                    add(piece);
                }
            }
            continue;
        }
        let dense = gradient.dense[leaf].as_ref().map(numbers);
        for start in (0..size).step_by(PIECE) {
            let length = PIECE.min(size - start);
            add(buffers.cut(length, dense.map(|dense| &dense[start..start + length])));
        }
    }
    tasks
}

fn numbers_or_nothing(tensor: &Tensor) -> &[f32] {
    if tensor.numel() == 0 { &[] } else { numbers(tensor) }
}

fn numbers_or_nothing_mut(tensor: &mut Tensor) -> &mut [f32] {
    if tensor.numel() == 0 { &mut [] } else { numbers_mut(tensor) }
}

impl Task<'_> {
    /// Takes the step; gives the penalties before it.
    fn run(&mut self, kind: OptimizerKind, penalty: &Penalty) -> PenaltyValues {
        let l1 =
            if self.rule.l1 && penalty.l1 > 0.0 { penalty.l1 * kernel::absolutes(self.piece.weights) } else { 0.0 };
        let l2 = if self.rule.l2 && penalty.l2_in_loss() {
            penalty.l2 * kernel::distances(self.piece.weights, self.piece.anchor)
        } else {
            0.0
        };
        match kind {
            OptimizerKind::Adamw => kernel::adamw(&mut self.piece, &self.coefficients),
            OptimizerKind::Sgd => kernel::sgd(&mut self.piece, &self.coefficients),
        }
        PenaltyValues { l1, l2 }
    }
}
