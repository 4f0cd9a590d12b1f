//! L1 and L2 penalties on the flat buffer, and the sparsity they lead to.

use pellucid_protocol::metric::{Metrics, layer_sparsity};
use pellucid_protocol::settings::{L1Form, L2Form};
use tch::{Kind, Tensor, no_grad};

use crate::model::params::{FlatParams, Group};

/// A weight under this share of its tensor's root mean square counts as near zero.
const NEAR: f64 = 1e-3;

/// The penalties of a run. L1 acts on the matrices of the encoder layers, L2 on all matrices;
/// biases and norms are exempt from both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty {
    /// Lambda of L1.
    pub l1: f64,
    /// How L1 is applied.
    pub l1_form: L1Form,
    /// Lambda of L2.
    pub l2: f64,
    /// How L2 is applied.
    pub l2_form: L2Form,
}

impl Penalty {
    /// Whether L2 is a term of the loss: decoupled decay is none, it acts beside the loss.
    #[must_use]
    pub fn l2_in_loss(&self) -> bool {
        self.l2 > 0.0 && self.l2_form == L2Form::Coupled
    }

    /// The terms of the loss lambda * sum |w| and lambda * sum w^2, as scalars on the device; a term that
    /// is not in the loss is zero and costs nothing.
    pub fn values(&self, params: &FlatParams) -> (Tensor, Tensor) {
        let part = |group| params.weights().narrow(0, 0, params.upto(group)).detach();
        let zero = || Tensor::zeros([], (Kind::Float, params.weights().device()));
        no_grad(|| {
            let l1 = if self.l1 > 0.0 { part(Group::Encoder).abs().sum(Kind::Float) * self.l1 } else { zero() };
            let l2 = if self.l2_in_loss() { part(Group::Matrix).square().sum(Kind::Float) * self.l2 } else { zero() };
            (l1, l2)
        })
    }

    /// Adds the gradients of the penalties that are part of the loss: subgradient L1 and coupled L2.
    pub fn add_gradients(&self, params: &FlatParams) {
        let Some(gradients) = params.gradients() else { return };
        no_grad(|| {
            if self.l1 > 0.0 && self.l1_form == L1Form::Subgradient {
                let size = params.upto(Group::Encoder);
                let _ = gradients.narrow(0, 0, size).g_add_(&(params.weights().narrow(0, 0, size).sign() * self.l1));
            }
            if self.l2_in_loss() {
                let size = params.upto(Group::Matrix);
                let _ = gradients.narrow(0, 0, size).g_add_(&(params.weights().narrow(0, 0, size) * (2.0 * self.l2)));
            }
        });
    }

    /// The lambda of the proximal operator, if that is how L1 is applied.
    #[must_use]
    pub fn proximal(&self) -> Option<f64> {
        (self.l1 > 0.0 && self.l1_form == L1Form::Proximal).then_some(self.l1)
    }

    /// The lambda of decoupled decay, if that is how L2 is applied.
    #[must_use]
    pub fn decay(&self) -> Option<f64> {
        (self.l2 > 0.0 && self.l2_form == L2Form::Decoupled).then_some(self.l2)
    }
}

/// soft(w, t) = sign(w) max(|w| - t, 0), in place; exactly zero wherever |w| <= t.
pub fn soft_threshold(weights: &mut Tensor, threshold: &Tensor) {
    let inner = weights.clamp_tensor(Some(&threshold.neg()), Some(threshold));
    let _ = weights.g_sub_(&inner);
}

/// Shares of zeros among the encoder matrices: in all, per layer, and near zero.
#[must_use]
pub fn sparsity(params: &FlatParams, layers: usize) -> Metrics {
    let mut names = Vec::new();
    let mut counts = Vec::new();
    let mut sizes = Vec::new();
    no_grad(|| {
        let weights = params.weights();
        let mut count = |name: String, tensor: Tensor, size: i64| {
            names.push(name);
            counts.push(tensor);
            sizes.push(size as f64);
        };
        let total = params.upto(Group::Encoder);
        let zeros = |start: i64, length: i64| weights.narrow(0, start, length).eq(0.0).sum(Kind::Float);
        count("sparsity/exact".to_owned(), zeros(0, total), total);
        count("sparsity/near".to_owned(), near_zeros(params), total);
        for layer in 0..layers {
            let ranges = params.layer_ranges(layer);
            let size = ranges.iter().map(|range| range.end - range.start).sum();
            let parts: Vec<Tensor> = ranges.iter().map(|range| zeros(range.start, range.end - range.start)).collect();
            count(layer_sparsity(layer), Tensor::stack(&parts, 0).sum(Kind::Float), size);
        }
    });
    // One sync of all counts from device to host.
    let counts = Vec::<f64>::try_from(Tensor::stack(&counts, 0).to_kind(Kind::Double)).unwrap_or_default();
    let mut metrics = Metrics::default();
    for ((name, count), size) in names.into_iter().zip(counts).zip(sizes) {
        metrics.set(name, if size > 0.0 { count / size } else { 0.0 });
    }
    metrics
}

fn near_zeros(params: &FlatParams) -> Tensor {
    let encoder = params.ranges().filter(|(spec, _)| spec.group == Group::Encoder);
    let counts: Vec<Tensor> = encoder
        .map(|(_, range)| {
            let weights = params.weights().narrow(0, range.start, range.end - range.start);
            let limit = weights.square().mean(Kind::Float).sqrt() * NEAR;
            weights.abs().le_tensor(&limit).sum(Kind::Float)
        })
        .collect();
    Tensor::stack(&counts, 0).sum(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_threshold_gives_exact_zeros() {
        let mut weights = Tensor::from_slice(&[0.3f32, -0.3, 0.05, -0.05, 0.1, 0.0]);
        soft_threshold(&mut weights, &Tensor::from_slice(&[0.1f32; 6]));
        let values: Vec<f32> = weights.try_into().unwrap();
        let expected = [0.2f32, -0.2, 0.0, 0.0, 0.0, 0.0];
        assert!(values.iter().zip(expected).all(|(value, wanted)| (value - wanted).abs() < 1e-7), "{values:?}");
        assert_eq!(values[2..].iter().map(|value| value.to_bits()).collect::<Vec<_>>(), [0; 4]);
    }
}
