//! Zeros among the weights of the encoder's matrices.

use std::ops::Range;

use pellucid_protocol::metric::{Metrics, layer_sparsity};
use rayon::prelude::*;
use tch::{Kind, Tensor, no_grad};

use super::optimiser::kernel;
use crate::host::numbers;
use crate::model::weights::params::FlatParams;
use crate::model::weights::spec::{Group, ParamSpec};

/// A weight under this share of its tensor's root mean square counts as near zero.
const NEAR: f64 = 1e-3;

/// Zeros and near zeros of one parameter, and its size.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    zero: f64,
    near: f64,
    size: f64,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.zero += other.zero;
        self.near += other.near;
        self.size += other.size;
    }
}

/// The matrices of the encoder layers, with their ranges in the flat buffer.
fn matrices(params: &FlatParams) -> impl Iterator<Item = (&ParamSpec, Range<i64>)> {
    params.ranges().filter(|(spec, _)| spec.group == Group::Encoder)
}

/// The share of zeros in the matrices of the encoder layers: in all, near zero, and in each layer. They are on the CPU.
#[must_use]
pub fn sparsity(params: &FlatParams, layers: usize) -> Metrics {
    let flat = numbers(params.weights());
    let ranges: Vec<_> = matrices(params).map(|(_, range)| range.start as usize..range.end as usize).collect();
    shares(params, layers, ranges.into_par_iter().map(|range| count_on_host(&flat[range])).collect())
}

/// Zeros and near zeros of each matrix of the encoder layers, counted on a device: `[2 * matrices]`.
pub fn zeros(params: &FlatParams) -> Tensor {
    let weights = params.weights();
    let part = |range: Range<i64>| weights.narrow(0, range.start, range.end - range.start);
    let pairs: Vec<Tensor> = no_grad(|| matrices(params).map(|(_, range)| count_on_device(&part(range))).collect());
    if pairs.is_empty() { Tensor::zeros([0i64], (Kind::Float, weights.device())) } else { Tensor::cat(&pairs, 0) }
}

/// As [`sparsity`], from what [`zeros`] counted.
#[must_use]
pub fn sparsity_of(params: &FlatParams, layers: usize, zeros: &[f64]) -> Metrics {
    let sizes = matrices(params).map(|(_, range)| (range.end - range.start) as f64);
    let count = |(pair, size): (&[f64], f64)| Count { zero: pair[0], near: pair[1], size };
    shares(params, layers, zeros.chunks_exact(2).zip(sizes).map(count).collect())
}

fn shares(params: &FlatParams, layers: usize, counts: Vec<Count>) -> Metrics {
    let (mut all, mut of_layer) = (Count::default(), vec![Count::default(); layers]);
    for ((spec, _), count) in matrices(params).zip(counts) {
        all += count;
        if let Some(layer) = spec.layer.and_then(|layer| of_layer.get_mut(layer)) {
            *layer += count;
        }
    }
    let share = |count: f64, size: f64| if size > 0.0 { count / size } else { 0.0 };
    let mut metrics = Metrics::default();
    metrics.set("sparsity/exact", share(all.zero, all.size));
    metrics.set("sparsity/near", share(all.near, all.size));
    for (layer, count) in of_layer.iter().enumerate() {
        metrics.set(layer_sparsity(layer), share(count.zero, count.size));
    }
    metrics
}

fn count_on_host(weights: &[f32]) -> Count {
    let size = weights.len() as f64;
    let limit = (kernel::distances(weights, None) / size).sqrt() * NEAR;
    let (zero, near) = kernel::zeros(weights, limit as f32);
    Count { zero: zero as f64, near: near as f64, size }
}

fn count_on_device(weights: &Tensor) -> Tensor {
    let limit = weights.square().mean(Kind::Float).sqrt() * NEAR;
    let (zero, near) = (weights.eq(0.0).sum(Kind::Float), weights.abs().le_tensor(&limit).sum(Kind::Float));
    Tensor::stack(&[zero, near], 0)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::model::architecture::Presence;
    use crate::model::weights::spec::SpecList;

    #[test]
    fn zeros_are_shares_of_the_matrices_of_layers() {
        let mut list = SpecList::default();
        list.linear("head", [2, 2], Presence::Present);
        for layer in 0..2 {
            list.begin_layer(layer, false);
            list.linear(&format!("layer.{layer}"), [2, 5], Presence::Present);
        }
        let mut params = FlatParams::zeros(list.finish(), Device::Cpu);
        let values = Tensor::from_slice(&[1f32, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1e-4, 0.0]).view([2, 5]);
        params.set("layer.1.weight", &values);
        let metrics = sparsity(&params, 2);
        assert_eq!(sparsity_of(&params, 2, &crate::host::read(&zeros(&params)).unwrap()), metrics);
        assert_eq!(metrics.get("sparsity/exact"), Some(13.0 / 20.0));
        assert_eq!(metrics.get("sparsity/near"), Some(14.0 / 20.0));
        assert_eq!((metrics.get("sparsity/layer/0"), metrics.get("sparsity/layer/1")), (Some(1.0), Some(0.3)));
    }
}
