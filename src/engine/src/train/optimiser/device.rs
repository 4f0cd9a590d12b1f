//! The optimiser as tensor operations, for devices whose memory is not ours: a few per run of parameters under one rule.

use pellucid_protocol::settings::OptimizerKind;
use tch::{Kind, Tensor, no_grad};

use super::{GradientNorms, LeafRule, Optimiser, StepRule, layer_count};
use crate::model::params::FlatParams;
use crate::train::gradient::Gradient;
use crate::train::kernel::{BETA1, BETA2, EPSILON};
use crate::train::penalty::{Penalty, PenaltyValues};

/// Neighbouring parameters under one rule, as a stretch of the flat buffers.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    start: i64,
    length: i64,
    rule: LeafRule,
}

impl Stretch {
    fn of(&self, flat: &Tensor) -> Tensor {
        flat.narrow(0, self.start, self.length)
    }
}

impl Optimiser {
    fn stretches(&self, params: &FlatParams) -> Vec<Stretch> {
        let mut all: Vec<Stretch> = Vec::new();
        for ((_, range), &rule) in params.ranges().zip(&self.rules) {
            let length = range.end - range.start;
            match all.last_mut() {
                Some(last) if last.rule == rule => last.length += length,
                _ => all.push(Stretch { start: range.start, length, rule }),
            }
        }
        all
    }

    /// The way of `weights` from what L2 draws them to.
    fn way(&self, stretch: &Stretch, weights: &Tensor) -> Tensor {
        match &self.anchor {
            Some(anchor) => weights - stretch.of(anchor),
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
                let _ = part.g_add_(&(self.way(&stretch, &weights) * (2.0 * penalty.coupled())));
            }
        }
        flat
    }

    /// One sync from device to host.
    pub(super) fn norms_on_device(&self, params: &FlatParams, gradient: &Gradient, penalty: &Penalty) -> GradientNorms {
        let densified = Gradient {
            dense: gradient.dense.iter().map(|part| part.as_ref().map(Tensor::shallow_clone)).collect(),
            words: None,
        };
        let apart = gradient.words.as_ref().map(|words| words.values.square().sum(Kind::Float));
        let sums = no_grad(|| {
            let squares = self.flat(params, &densified, penalty).square();
            let rest = squares.sum(Kind::Float);
            let total = apart.map_or_else(|| rest.shallow_clone(), |apart| apart + &rest);
            let layers = layer_squares(params, &squares);
            Tensor::stack(&std::iter::once(total).chain(layers).collect::<Vec<_>>(), 0).to_kind(Kind::Double)
        });
        let sums = Vec::<f64>::try_from(sums).unwrap_or_default();
        GradientNorms::of(sums.first().copied().unwrap_or(f64::NAN), sums.iter().skip(1).copied())
    }

    pub(super) fn step_on_device(&mut self, params: &FlatParams, gradient: &Gradient, rule: StepRule) -> PenaltyValues {
        no_grad(|| {
            let values = self.values(params, &rule.penalty);
            let flat = self.flat(params, gradient, &rule.penalty);
            for stretch in self.stretches(params).into_iter().filter(|stretch| !stretch.rule.is_frozen()) {
                self.step_stretch(params, &stretch.of(&flat), &stretch, &rule);
            }
            values
        })
    }

    /// What the penalties come to: at most one sync each.
    fn values(&self, params: &FlatParams, penalty: &Penalty) -> PenaltyValues {
        let stretches = self.stretches(params);
        let total = |chosen: &dyn Fn(&LeafRule) -> bool, of: &dyn Fn(&Stretch, Tensor) -> Tensor| -> f64 {
            let active = stretches.iter().filter(|stretch| !stretch.rule.is_frozen() && chosen(&stretch.rule));
            let sums: Vec<Tensor> = active.map(|s| of(s, s.of(params.weights())).sum(Kind::Float)).collect();
            if sums.is_empty() { 0.0 } else { Tensor::stack(&sums, 0).sum(Kind::Double).double_value(&[]) }
        };
        let l1 = if penalty.l1 > 0.0 { penalty.l1 * total(&|rule| rule.l1, &|_, w| w.abs()) } else { 0.0 };
        let l2 = if penalty.l2_in_loss() {
            penalty.l2 * total(&|rule| rule.l2, &|stretch, w| self.way(stretch, &w).square())
        } else {
            0.0
        };
        PenaltyValues { l1, l2 }
    }

    fn step_stretch(&self, params: &FlatParams, gradient: &Tensor, stretch: &Stretch, rule: &StepRule) {
        let c = self.coefficients(rule, &stretch.rule);
        let gradient = gradient * f64::from(c.clip);
        let mut weights = stretch.of(params.weights());
        if c.decay > 0.0 {
            weights = weights.g_sub_(&(self.way(stretch, &weights) * f64::from(c.decay)));
        }
        let mut first = stretch.of(&self.first);
        match (self.form.kind, &self.second) {
            (OptimizerKind::Adamw, Some(second)) => {
                let mut second = stretch.of(second);
                first = first.lerp_(&gradient, f64::from(1.0 - BETA1));
                second = second.lerp_(&gradient.square(), f64::from(1.0 - BETA2));
                let metric = second.sqrt() * f64::from(c.unbias) + f64::from(EPSILON);
                weights = weights.g_sub_(&(&first / &metric * f64::from(c.rate)));
                if c.threshold > 0.0 {
                    soft_threshold(&mut weights, &(metric.reciprocal() * f64::from(c.threshold)));
                }
            }
            _ => {
                first = first.g_mul_scalar_(f64::from(c.momentum)).g_add_(&gradient);
                weights = weights.g_sub_(&(first * f64::from(c.rate)));
                if c.threshold > 0.0 {
                    let threshold = weights.ones_like() * f64::from(c.threshold);
                    soft_threshold(&mut weights, &threshold);
                }
            }
        }
    }
}

/// Sum over the parameters of each encoder layer, which lie apart in the flat buffer `[weights]`; each `[]`.
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
