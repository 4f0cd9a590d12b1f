//! Parameters as views of one flat buffer, so that clipping, decay, penalty and update are one pass.

use std::collections::HashMap;
use std::ops::Range;

use tch::{Device, Kind, Tensor, no_grad};

/// What regularisation may do to a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// A matrix of an encoder layer: L1 and L2.
    Encoder,
    /// Another matrix (embeddings, pooler, head): L2 only.
    Matrix,
    /// A bias or a norm: neither.
    Plain,
}

/// A parameter's place in a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamSpec {
    /// Name in the checkpoint.
    pub name: String,
    /// Shape.
    pub shape: Vec<i64>,
    /// What regularisation may do to it.
    pub group: Group,
    /// Index of its encoder layer, if it is in one.
    pub layer: Option<usize>,
}

impl ParamSpec {
    fn len(&self) -> i64 {
        self.shape.iter().product()
    }
}

/// Parameters in one buffer, ordered by [`Group`] and then as listed.
///
/// ```text
/// weights   [ encoder matrices | other matrices | biases and norms ]
///             L1: 0..encoder
///             L2: 0..decayed ----------------->
/// gradients [ the same places, once `train` was called               ]
/// ```
#[derive(Debug)]
pub struct FlatParams {
    specs: Vec<ParamSpec>,
    offsets: Vec<i64>,
    weights: Tensor,
    gradients: Option<Tensor>,
    views: Vec<Tensor>,
}

impl FlatParams {
    /// Parameters of these places, all zero.
    #[must_use]
    pub fn zeros(mut specs: Vec<ParamSpec>, device: Device) -> Self {
        specs.sort_by_key(|spec| spec.group);
        let mut offsets = Vec::with_capacity(specs.len());
        let mut total = 0;
        for spec in &specs {
            offsets.push(total);
            total += spec.len();
        }
        let weights = Tensor::zeros([total], (Kind::Float, device));
        let views = specs
            .iter()
            .zip(&offsets)
            // [n] -> the parameter's shape
            .map(|(spec, &offset)| weights.narrow(0, offset, spec.len()).view(spec.shape.as_slice()))
            .collect();
        Self { specs, offsets, weights, gradients: None, views }
    }

    /// The same places with the same values, without gradients.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let mut copy = Self::zeros(self.specs.clone(), self.weights.device());
        copy.copy_from(self);
        copy
    }

    /// The same parameters on `device`, without gradients.
    #[must_use]
    pub fn to_device(self, device: Device) -> Self {
        if self.weights.device() == device {
            return self;
        }
        let mut moved = Self::zeros(self.specs.clone(), device);
        moved.copy_from(&self);
        moved
    }

    /// Takes over the values of `other`, which must have the same places.
    pub fn copy_from(&mut self, other: &FlatParams) {
        no_grad(|| self.weights.copy_(&other.weights));
    }

    /// Makes every parameter a leaf of the graph whose gradient is a view of the flat buffer.
    pub fn train(&mut self) {
        if self.gradients.is_some() {
            return;
        }
        let gradients = Tensor::zeros_like(&self.weights);
        self.views = self.views.iter().map(|view| view.detach().set_requires_grad(true)).collect();
        // One backward pass gives every leaf a gradient tensor; its storage is then exchanged.
        let zeros: Vec<Tensor> = self.views.iter().map(|view| view.sum(Kind::Float) * 0.0).collect();
        Tensor::stack(&zeros, 0).sum(Kind::Float).backward();
        no_grad(|| {
            for ((view, spec), &offset) in self.views.iter().zip(&self.specs).zip(&self.offsets) {
                // [n] -> the parameter's shape
                let place = gradients.narrow(0, offset, spec.len()).view(spec.shape.as_slice());
                let _ = view.grad().set_source_tensor_(&place);
            }
        });
        self.gradients = Some(gradients);
    }

    /// The flat buffer of weights, `[parameters]`.
    pub fn weights(&self) -> &Tensor {
        &self.weights
    }

    /// The flat buffer of gradients, `[parameters]`, once [`FlatParams::train`] was called.
    pub fn gradients(&self) -> Option<&Tensor> {
        self.gradients.as_ref()
    }

    /// The places in the order of the buffer.
    #[must_use]
    pub fn specs(&self) -> &[ParamSpec] {
        &self.specs
    }

    /// Number of parameters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.weights.numel()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length of the leading part whose groups are at most `group`.
    #[must_use]
    pub fn upto(&self, group: Group) -> i64 {
        self.specs.iter().filter(|spec| spec.group <= group).map(ParamSpec::len).sum()
    }

    /// Places of the encoder matrices of `layer` in the buffer.
    #[must_use]
    pub fn layer_ranges(&self, layer: usize) -> Vec<Range<i64>> {
        let within = |spec: &ParamSpec| spec.group == Group::Encoder && spec.layer == Some(layer);
        self.ranges().filter(|(spec, _)| within(spec)).map(|(_, range)| range).collect()
    }

    /// Every place with its range in the buffer.
    pub fn ranges(&self) -> impl Iterator<Item = (&ParamSpec, Range<i64>)> {
        self.specs.iter().zip(&self.offsets).map(|(spec, &offset)| (spec, offset..offset + spec.len()))
    }

    /// The parameter of this name, as a view of the buffer.
    ///
    /// # Panics
    /// When there is none: the names are fixed by the architecture.
    pub fn view(&self, name: &str) -> Tensor {
        let at = self.specs.iter().position(|spec| spec.name == name);
        self.views[at.unwrap_or_else(|| panic!("no parameter {name}"))].shallow_clone()
    }

    /// All parameters by name.
    #[must_use]
    pub fn by_name(&self) -> HashMap<&str, &Tensor> {
        self.specs.iter().map(|spec| spec.name.as_str()).zip(&self.views).collect()
    }

    /// Sets the parameter of this name.
    pub fn set(&mut self, name: &str, value: &Tensor) {
        let mut view = self.view(name);
        no_grad(|| view.copy_(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> FlatParams {
        let spec = |name: &str, shape: &[i64], group, layer| ParamSpec {
            name: name.to_owned(),
            shape: shape.to_vec(),
            group,
            layer,
        };
        FlatParams::zeros(
            vec![
                spec("bias", &[2], Group::Plain, Some(0)),
                spec("head", &[2, 3], Group::Matrix, None),
                spec("dense", &[3, 2], Group::Encoder, Some(0)),
            ],
            Device::Cpu,
        )
    }

    #[test]
    fn groups_lie_together() {
        let params = params();
        assert_eq!(params.specs().iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>(), ["dense", "head", "bias"]);
        assert_eq!((params.upto(Group::Encoder), params.upto(Group::Matrix), params.len()), (6, 12, 14));
        assert_eq!(params.layer_ranges(0), vec![0..6]);
    }

    #[test]
    fn gradients_of_views_land_in_the_flat_buffer_and_add_up() {
        let mut params = params();
        params.set("dense", &Tensor::ones([3, 2], (Kind::Float, Device::Cpu)));
        params.train();
        for round in 1..=2 {
            let loss = (params.view("dense").sum(Kind::Float) * 3.0) + params.view("bias").sum(Kind::Float) * 5.0;
            loss.backward();
            let flat: Vec<f32> = params.gradients().unwrap().try_into().unwrap();
            let times = round as f32;
            assert_eq!(flat[..6], [3.0 * times; 6]);
            assert_eq!(flat[6..12], [0.0; 6]);
            assert_eq!(flat[12..], [5.0 * times; 2]);
        }
        no_grad(|| {
            let _ = params.weights().shallow_clone().fill_(2.0);
        });
        assert_eq!(params.view("dense").double_value(&[0, 0]), 2.0);
    }

    #[test]
    fn a_snapshot_does_not_follow() {
        let mut params = params();
        let copy = params.snapshot();
        params.set("bias", &Tensor::ones([2], (Kind::Float, Device::Cpu)));
        assert_eq!(copy.view("bias").double_value(&[0]), 0.0);
    }
}
