//! AdamW and SGD over the flat buffer, with decoupled decay and the proximal L1 step in their own metric.

use pellucid_protocol::settings::OptimizerKind;
use tch::{Tensor, no_grad};

use super::penalty::{Penalty, soft_threshold};
use crate::model::params::{FlatParams, Group};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// What a step needs besides the gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRule {
    /// Learning rate of this step.
    pub rate: f64,
    /// Norm to which the gradient is clipped; 0 for no clipping.
    pub clip_norm: f64,
    /// Norm of the gradient before clipping.
    pub norm: f64,
    /// The penalties.
    pub penalty: Penalty,
}

/// An optimiser with its moments, one number per parameter each.
#[derive(Debug)]
pub enum Optimiser {
    /// Adam with bias correction and decoupled decay (Loshchilov and Hutter 2019, algorithm 2).
    AdamW {
        /// Mean of gradients.
        mean: Tensor,
        /// Mean of squared gradients.
        square: Tensor,
        /// Steps done.
        steps: i32,
    },
    /// Gradient descent with heavy-ball momentum (torch.optim.SGD).
    Sgd {
        /// Decaying sum of gradients.
        velocity: Tensor,
        /// Its decay.
        momentum: f64,
    },
}

impl Optimiser {
    /// An optimiser for `params` at its start.
    #[must_use]
    pub fn new(kind: OptimizerKind, momentum: f64, params: &FlatParams) -> Self {
        let zeros = || params.weights().detach().zeros_like();
        match kind {
            OptimizerKind::Adamw => Optimiser::AdamW { mean: zeros(), square: zeros(), steps: 0 },
            OptimizerKind::Sgd => Optimiser::Sgd { velocity: zeros(), momentum },
        }
    }

    /// One step on `params` from their gradients.
    pub fn step(&mut self, params: &FlatParams, rule: StepRule) {
        let Some(gradients) = params.gradients() else { return };
        no_grad(|| {
            let mut gradients = gradients.shallow_clone();
            if rule.clip_norm > 0.0 && rule.norm > rule.clip_norm {
                // The small number is that of torch's clip_grad_norm_.
                let _ = gradients.g_mul_scalar_(rule.clip_norm / (rule.norm + 1e-6));
            }
            let mut weights = params.weights().shallow_clone();
            if let Some(lambda) = rule.penalty.decay() {
                let _ = weights.narrow(0, 0, params.upto(Group::Matrix)).g_mul_scalar_(1.0 - rule.rate * lambda);
            }
            let encoder = params.upto(Group::Encoder);
            match self {
                Optimiser::AdamW { .. } => self.adam(&mut weights, &gradients, rule, encoder),
                Optimiser::Sgd { .. } => self.descend(&mut weights, &gradients, rule, encoder),
            }
        });
    }

    fn adam(&mut self, weights: &mut Tensor, gradients: &Tensor, rule: StepRule, encoder: i64) {
        let Optimiser::AdamW { mean, square, steps } = self else { return };
        *steps += 1;
        let _ = mean.lerp_(gradients, 1.0 - BETA1);
        let _ = square.lerp_(&gradients.square(), 1.0 - BETA2);
        let (unbias1, unbias2) = (1.0 - BETA1.powi(*steps), 1.0 - BETA2.powi(*steps));
        let metric = (square.sqrt() / unbias2.sqrt()) + EPSILON;
        let _ = weights.g_add_(&((&*mean / &metric) * (-rule.rate / unbias1)));
        if let Some(lambda) = rule.penalty.proximal() {
            // The proximal operator in the metric of the step, a threshold for each coordinate.
            let threshold = metric.narrow(0, 0, encoder).reciprocal() * (rule.rate * lambda);
            soft_threshold(&mut weights.narrow(0, 0, encoder), &threshold);
        }
    }

    fn descend(&mut self, weights: &mut Tensor, gradients: &Tensor, rule: StepRule, encoder: i64) {
        let Optimiser::Sgd { velocity, momentum } = self else { return };
        let _ = velocity.g_mul_scalar_(*momentum).g_add_(gradients);
        let _ = weights.g_sub_(&(&*velocity * rule.rate));
        if let Some(lambda) = rule.penalty.proximal() {
            // A gradient acts 1 / (1 - momentum) times in all, and so must the threshold.
            let mut part = weights.narrow(0, 0, encoder);
            let threshold = part.ones_like() * (rule.rate * lambda / (1.0 - *momentum));
            soft_threshold(&mut part, &threshold);
        }
    }
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::settings::{L1Form, L2Form};
    use tch::{Device, Kind};

    use super::*;
    use crate::model::params::ParamSpec;

    const NO_PENALTY: Penalty = Penalty { l1: 0.0, l1_form: L1Form::Proximal, l2: 0.0, l2_form: L2Form::Decoupled };

    fn params(values: &[f32]) -> FlatParams {
        let spec =
            ParamSpec { name: "w".into(), shape: vec![values.len() as i64], group: Group::Encoder, layer: Some(0) };
        let mut params = FlatParams::zeros(vec![spec], Device::Cpu);
        params.set("w", &Tensor::from_slice(values));
        params.train();
        params
    }

    fn run(kind: OptimizerKind, penalty: Penalty, steps: usize) -> Vec<f32> {
        let params = params(&[1.0, -0.5, 0.02]);
        let mut optimiser = Optimiser::new(kind, 0.9, &params);
        for _ in 0..steps {
            let _ = params.gradients().unwrap().shallow_clone().zero_();
            let target = Tensor::from_slice(&[0.2f32, -0.4, 0.0]);
            let loss = (params.view("w") - target).square().sum(Kind::Float) * 0.5;
            loss.backward();
            penalty.add_gradients(&params);
            let norm = params.gradients().unwrap().norm().double_value(&[]);
            optimiser.step(&params, StepRule { rate: 0.05, clip_norm: 0.3, norm, penalty });
        }
        params.weights().try_into().unwrap()
    }

    fn close(values: &[f32], expected: &[f64]) {
        let far = values.iter().zip(expected).any(|(&value, wanted)| (f64::from(value) - wanted).abs() > 2e-6);
        assert!(!far, "{values:?} is not {expected:?}");
    }

    // torch 2.11.0: five steps of torch.optim.AdamW / SGD on the same loss, lr .05, clip_grad_norm_ .3.
    #[test]
    fn steps_equal_torch() {
        close(&run(OptimizerKind::Adamw, NO_PENALTY, 5), &ADAMW);
        close(&run(OptimizerKind::Adamw, Penalty { l2: 0.1, ..NO_PENALTY }, 5), &ADAMW_DECAY);
        close(&run(OptimizerKind::Sgd, NO_PENALTY, 5), &SGD);
        // Coupled: lambda * sum of squares is part of torch's loss, and clipped with it.
        close(&run(OptimizerKind::Sgd, Penalty { l2: 0.1, l2_form: L2Form::Coupled, ..NO_PENALTY }, 5), &SGD_COUPLED);
    }

    const ADAMW: [f64; 3] = [0.7499585, -0.3475044, 0.0147415];
    const ADAMW_DECAY: [f64; 3] = [0.7276985, -0.3461423, 0.0140179];
    const SGD: [f64; 3] = [0.8044214, -0.4755527, 0.0151105];
    const SGD_COUPLED: [f64; 3] = [0.8067210, -0.4613442, 0.0153613];

    #[test]
    fn the_proximal_form_reaches_the_lasso_and_the_subgradient_form_no_zero() {
        // argmin 0.5 (w - b)^2 + 0.1 |w| = soft(b, 0.1) = [0.1, -0.3, 0].
        for kind in [OptimizerKind::Adamw, OptimizerKind::Sgd] {
            let proximal = run(kind, Penalty { l1: 0.1, ..NO_PENALTY }, 4000);
            let expected = [0.1f32, -0.3, 0.0];
            assert!(proximal.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-3), "{kind:?}: {proximal:?}");
            assert_eq!(proximal[2], 0.0);
            let form = Penalty { l1: 0.1, l1_form: L1Form::Subgradient, ..NO_PENALTY };
            assert_ne!(run(kind, form, 4000)[2], 0.0);
        }
    }
}
