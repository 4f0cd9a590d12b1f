//! The optimiser on a device: a few tensor operations for each stretch of parameters under one rule. Nothing is read from the
//! device: it decides itself whether a step is taken and how far the gradient is clipped.

use pellucid_protocol::settings::OptimizerKind;
use tch::{Kind, Tensor, no_grad};

use super::gradient::Gradient;
use super::kernel::{BETA1, BETA2, EPSILON};
use super::penalty::{L1, L2, Penalty};
use super::{LeafRule, Optimiser, StepRule, layer_count};
use crate::model::weights::params::FlatParams;
use crate::train::measured::Quantity;

/// Squares of the norms of a gradient, on the device, each `[]`.
#[derive(Debug)]
pub struct SquaredNorms {
    /// Over all parameters.
    pub total: Tensor,
    /// Over the parameters of each encoder layer.
    pub layers: Vec<Tensor>,
}

/// What the device decides about a step.
#[derive(Debug)]
pub struct Gate {
    /// Whether the step is taken, `[]`, bool.
    taken: Tensor,
    /// 1 if it is, 0 if not, `[]`.
    share: Tensor,
    /// The factor of the gradient, `[]`.
    clip: Tensor,
}

impl Gate {
    /// A gate that lets the step be taken if `taken`, `[]`, bool, and clips its gradient, which has the norm `norm`, `[]`, to
    /// `clip_norm`; 0 for no clipping.
    #[must_use]
    pub fn new(taken: &Tensor, norm: &Tensor, clip_norm: f64) -> Self {
        let share = taken.to_kind(Kind::Float);
        // torch's clip_grad_norm_ adds the same small number.
        let clipped: Tensor = clip_norm / (norm + 1e-6);
        let clip = clipped.where_scalarother(&norm.gt(if clip_norm > 0.0 { clip_norm } else { f64::INFINITY }), 1.0);
        Self { taken: taken.shallow_clone(), share, clip: clip.to_kind(Kind::Float) }
    }

    /// `values` if the step is taken, `other` everywhere if not.
    pub(super) fn or(&self, values: &Tensor, other: f64) -> Tensor {
        values.where_scalarother(&self.taken, other)
    }

    /// `number` if the step is taken, 0 if not, `[]`.
    fn times(&self, number: f32) -> Tensor {
        &self.share * f64::from(number)
    }
}

/// Neighbouring parameters under one rule, as a stretch of the flat buffers.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    start: i64,
    length: i64,
    /// Where its moments begin.
    moments: i64,
    rule: LeafRule,
}

/// A stretch with its weights and its part of the gradient.
struct Part {
    stretch: Stretch,
    weights: Tensor,
    gradient: Tensor,
}

impl Stretch {
    fn of(&self, flat: &Tensor) -> Tensor {
        flat.narrow(0, self.start, self.length)
    }

    /// Its part of a buffer that leaves out frozen weights.
    fn of_moments(&self, moments: &Tensor) -> Tensor {
        moments.narrow(0, self.moments, self.length)
    }
}

impl Optimiser {
    fn stretches(&self, params: &FlatParams) -> Vec<Stretch> {
        let mut all: Vec<Stretch> = Vec::new();
        for (leaf, ((_, range), &rule)) in params.ranges().zip(&self.rules).enumerate() {
            let length = range.end - range.start;
            match all.last_mut() {
                Some(last) if last.rule == rule => last.length += length,
                _ => all.push(Stretch { start: range.start, length, moments: self.layout.start(leaf), rule }),
            }
        }
        all
    }

    /// The distance of `weights` from what L2 pulls them towards.
    fn distance(&self, stretch: &Stretch, weights: &Tensor) -> Tensor {
        match &self.anchor {
            Some(anchor) => weights - stretch.of_moments(anchor),
            None => weights.shallow_clone(),
        }
    }

    /// The gradient as one buffer, with the penalties that are part of it.
    fn flat(&self, params: &FlatParams, gradient: &Gradient, penalty: &Penalty) -> Tensor {
        let parts: Vec<Tensor> = params
            .leaves()
            .iter()
            .zip(&gradient.dense)
            // the parameter's shape -> [n]
            .map(|(leaf, part)| {
                part.as_ref().map_or_else(|| leaf.detach().zeros_like(), Tensor::shallow_clone).view([-1])
            })
            .collect();
        let flat = Tensor::cat(&parts, 0);
        for stretch in self.stretches(params) {
            let (weights, mut part) = (stretch.of(params.weights()), stretch.of(&flat));
            if stretch.rule.is_frozen() {
                let _ = part.zero_();
                continue;
            }
            if stretch.rule.l1 && penalty.subgradient() > 0.0 {
                part = part.g_add_(&(weights.sign() * penalty.subgradient()));
            }
            if stretch.rule.l2 && penalty.coupled() > 0.0 {
                let _ = part.g_add_(&(self.distance(&stretch, &weights) * (2.0 * penalty.coupled())));
            }
        }
        flat
    }

    /// Squares of the norms of the gradient with the penalties that are part of it.
    pub fn squares(&self, params: &FlatParams, gradient: &Gradient, penalty: &Penalty) -> SquaredNorms {
        let densified = Gradient {
            dense: gradient.dense.iter().map(|part| part.as_ref().map(Tensor::shallow_clone)).collect(),
            words: None,
        };
        let apart = gradient.words.as_ref().map(|words| words.values.square().sum(Kind::Float));
        no_grad(|| {
            let squares = self.flat(params, &densified, penalty).square();
            let rest = squares.sum(Kind::Float);
            let total = apart.map_or_else(|| rest.shallow_clone(), |apart| apart + &rest);
            SquaredNorms { total, layers: layer_squares(params, &squares) }
        })
    }

    /// The penalties that are terms of the loss, each `[]`, f64.
    pub fn penalties(&self, params: &FlatParams, penalty: &Penalty) -> Vec<(Quantity, Tensor)> {
        let stretches = self.stretches(params);
        let total = |lambda: f64, chosen: &dyn Fn(&LeafRule) -> bool, of: &dyn Fn(&Stretch, Tensor) -> Tensor| {
            let active = stretches.iter().filter(|stretch| !stretch.rule.is_frozen() && chosen(&stretch.rule));
            let zero = Tensor::zeros([0i64; 0], (Kind::Double, params.weights().device()));
            active.fold(zero, |sum, s| sum + of(s, s.of(params.weights())).sum(Kind::Float)) * lambda
        };
        let mut terms = Vec::new();
        no_grad(|| {
            if penalty.l1 > 0.0 {
                terms.push((Quantity::penalty(L1), total(penalty.l1, &|rule| rule.l1, &|_, w| w.abs())));
            }
            if penalty.l2_in_loss() {
                let distance = |stretch: &Stretch, w: Tensor| self.distance(stretch, &w).square();
                terms.push((Quantity::penalty(L2), total(penalty.l2, &|rule| rule.l2, &distance)));
            }
        });
        terms
    }

    /// One step on `params`, if `gate` lets it; the norm of `rule` is not used.
    pub fn step_gated(&mut self, params: &FlatParams, gradient: Gradient, rule: StepRule, gate: &Gate) {
        self.steps += 1;
        let gradient = gradient.densified(params);
        no_grad(|| {
            let flat = self.flat(params, &gradient, &rule.penalty);
            for stretch in self.stretches(params).into_iter().filter(|stretch| !stretch.rule.is_frozen()) {
                let gradient = gate.or(&(stretch.of(&flat) * &gate.clip), 0.0);
                self.step_part(Part { weights: stretch.of(params.weights()), gradient, stretch }, &rule, gate);
            }
        });
    }

    /// Takes back the count of steps that were not taken.
    pub fn forget_steps(&mut self, count: u64) {
        self.steps = self.steps.saturating_sub(count);
    }

    /// Moves the weights of a stretch.
    fn step_part(&self, part: Part, rule: &StepRule, gate: &Gate) {
        let Part { mut weights, gradient, stretch } = part;
        let c = self.coefficients(rule, &stretch.rule);
        if c.decay > 0.0 {
            weights = weights.g_sub_(&(self.distance(&stretch, &weights) * gate.times(c.decay)));
        }
        let mut first = stretch.of_moments(&self.first);
        match (self.form.kind, &self.second) {
            (OptimizerKind::Adamw, Some(second)) => {
                let mut second = stretch.of_moments(second);
                first = first.lerp_tensor_(&gradient, &gate.times(1.0 - BETA1));
                second = second.lerp_tensor_(&gradient.square(), &gate.times(1.0 - BETA2));
                let metric = second.sqrt() * f64::from(c.unbias) + f64::from(EPSILON);
                weights = weights.g_sub_(&(&first / &metric * gate.times(c.rate)));
                if c.threshold > 0.0 {
                    soft_threshold(&mut weights, &(metric.reciprocal() * gate.times(c.threshold)));
                }
            }
            _ => {
                let momentum = Tensor::where_scalar(&gate.taken, f64::from(c.momentum), 1.0).to_kind(Kind::Float);
                first = first.g_mul_(&momentum).g_add_(&gradient);
                weights = weights.g_sub_(&(first * gate.times(c.rate)));
                if c.threshold > 0.0 {
                    let threshold = weights.ones_like() * gate.times(c.threshold);
                    soft_threshold(&mut weights, &threshold);
                }
            }
        }
    }
}

/// The sum over the parameters of each encoder layer, each `[]`; in the flat buffer `[weights]` they are not neighbours.
fn layer_squares(params: &FlatParams, squares: &Tensor) -> Vec<Tensor> {
    let mut sums: Vec<Tensor> =
        (0..layer_count(params)).map(|_| Tensor::zeros([0i64; 0], (Kind::Float, squares.device()))).collect();
    for (spec, range) in params.ranges() {
        if let Some(sum) = spec.layer.and_then(|layer| sums.get_mut(layer)) {
            *sum += squares.narrow(0, range.start, range.end - range.start).sum(Kind::Float);
        }
    }
    sums
}

/// soft(w, t) = sign(w) max(|w| - t, 0), in place; exactly zero wherever |w| <= t.
fn soft_threshold(weights: &mut Tensor, threshold: &Tensor) {
    let inner = weights.clamp_tensor(Some(&threshold.neg()), Some(threshold));
    let _ = weights.g_sub_(&inner);
}
