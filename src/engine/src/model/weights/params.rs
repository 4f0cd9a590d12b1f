//! Parameters as views of one flat buffer, so that clipping, decay, penalty and update need one pass.

use std::collections::HashMap;
use std::ops::Range;

use tch::{Device, Kind, Tensor, no_grad};

use super::spec::ParamSpec;

/// Parameters in one buffer, ordered by [`Group`](super::spec::Group) and then as listed.
///
/// ```text
/// weights [ encoder matrices | embeddings | head | biases | norms ]
/// ```
#[derive(Debug)]
pub struct FlatParams {
    specs: Vec<ParamSpec>,
    offsets: Vec<i64>,
    weights: Tensor,
    views: Vec<Tensor>,
    compute: Kind,
    weights_use: Use,
}

/// What becomes of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// They may change from one product to the next.
    Changing,
    /// They stay as they are: layers may keep them in another order as well.
    Fixed,
}

/// The largest part of the machine's memory that fixed weights may take and be kept in another order as well.
const MOST_OF_MEMORY: f64 = 0.2;

/// Refuses parameters that the memory of this machine cannot hold.
///
/// # Errors
/// How much they need, and how much there is.
pub fn check_memory(specs: &[ParamSpec]) -> Result<(), String> {
    let numbers: f64 = specs.iter().map(|spec| spec.shape.iter().map(|&size| size as f64).product::<f64>()).sum();
    check_size(numbers * size_of::<f32>() as f64)
}

/// Refuses `needed` bytes of weights if the memory of this machine cannot hold them.
///
/// # Errors
/// As [`check_memory`].
pub(super) fn check_size(needed: f64) -> Result<(), String> {
    match memory() {
        Some(there) if needed > there => {
            let gib = |bytes: f64| bytes / f64::from(1u32 << 30);
            Err(format!("its weights need {:.1} GiB of memory; the machine has {:.1}", gib(needed), gib(there)))
        }
        _ => Ok(()),
    }
}

/// Bytes of memory of this machine; `None` where the system does not tell.
#[cfg(target_os = "linux")]
fn memory() -> Option<f64> {
    let info = rustix::system::sysinfo();
    Some(info.totalram as f64 * f64::from(info.mem_unit.max(1)))
}

#[cfg(not(target_os = "linux"))]
fn memory() -> Option<f64> {
    None
}

impl FlatParams {
    /// The parameters `specs`, all zero.
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
        Self { specs, offsets, weights, views, compute: Kind::Float, weights_use: Use::Changing }
    }

    /// The same parameters, whose products are computed in numbers of `kind`; they stay 32-bit floats themselves.
    #[must_use]
    pub fn computing_in(mut self, kind: Kind) -> Self {
        self.compute = kind;
        self
    }

    /// The numbers in which products are computed.
    #[must_use]
    pub fn compute(&self) -> Kind {
        self.compute
    }

    /// The same parameters, which no one will change. Those of a model that fills much of the machine's memory stay
    /// [`Use::Changing`], for there is no room for them in another order as well.
    #[must_use]
    pub fn fixed(mut self) -> Self {
        let needed = self.len() as f64 * size_of::<f32>() as f64;
        if memory().is_none_or(|there| needed <= there * MOST_OF_MEMORY) {
            self.weights_use = Use::Fixed;
        }
        self
    }

    /// What becomes of the weights.
    #[must_use]
    pub fn weights_use(&self) -> Use {
        self.weights_use
    }

    /// A copy of the parameters, not trainable, computing in 32-bit floats.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let mut copy = Self::zeros(self.specs.clone(), self.weights.device());
        copy.copy_from(self);
        copy
    }

    /// The same parameters on `device`, not trainable.
    #[must_use]
    pub fn to_device(self, device: Device) -> Self {
        if self.weights.device() == device {
            return self;
        }
        let mut moved = Self::zeros(self.specs.clone(), device);
        moved.copy_from(&self);
        moved
    }

    /// Copies the values of `other`, which must have the same specs.
    ///
    /// # Panics
    /// When these are [`Use::Fixed`]: that is a mistake in this program, not the user's.
    pub fn copy_from(&mut self, other: &FlatParams) {
        assert_eq!(self.weights_use, Use::Changing, "fixed weights are overwritten");
        no_grad(|| self.weights.copy_(&other.weights));
    }

    /// Makes every parameter that is not `frozen` a leaf of the graph, which collects a gradient.
    pub fn train(&mut self, frozen: &dyn Fn(&ParamSpec) -> bool) {
        let leaves = self.views.iter().zip(&self.specs);
        self.views = leaves.map(|(view, spec)| view.detach().set_requires_grad(!frozen(spec))).collect();
    }

    /// The flat buffer of weights, `[parameters]`.
    pub fn weights(&self) -> &Tensor {
        &self.weights
    }

    /// The parameters in the order of the buffer, each a view of it.
    pub fn leaves(&self) -> &[Tensor] {
        &self.views
    }

    /// The specs in the order of the buffer.
    #[must_use]
    pub fn specs(&self) -> &[ParamSpec] {
        &self.specs
    }

    /// Number of weights.
    #[must_use]
    pub fn len(&self) -> usize {
        self.weights.numel()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every spec with its range in the buffer.
    pub fn ranges(&self) -> impl Iterator<Item = (&ParamSpec, Range<i64>)> {
        self.specs.iter().zip(&self.offsets).map(|(spec, &offset)| (spec, offset..offset + spec.len()))
    }

    /// Index of the parameter of this name.
    ///
    /// # Panics
    /// When there is none: the names are fixed by the architecture.
    #[must_use]
    pub fn index(&self, name: &str) -> usize {
        let at = self.specs.iter().position(|spec| spec.name == name);
        at.unwrap_or_else(|| panic!("no parameter {name}"))
    }

    /// The parameter of this name, as a view of the buffer.
    ///
    /// # Panics
    /// When there is none: the names are fixed by the architecture.
    pub fn view(&self, name: &str) -> Tensor {
        self.views[self.index(name)].shallow_clone()
    }

    /// The parameter of this name, if there is one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Tensor> {
        self.specs.iter().position(|spec| spec.name == name).map(|at| self.views[at].shallow_clone())
    }

    /// Sets the parameter of this name.
    pub fn set(&mut self, name: &str, value: &Tensor) {
        let mut view = self.view(name);
        no_grad(|| view.copy_(value));
    }

    /// The tensors as they are stored in a checkpoint, by name; views of the buffer.
    #[must_use]
    pub fn stored(&self) -> HashMap<&str, Tensor> {
        let mut all = HashMap::new();
        for (spec, view) in self.specs.iter().zip(&self.views) {
            let mut row = 0;
            for stored in &spec.stored {
                let part = view.detach().narrow(0, row, stored.rows);
                row += stored.rows;
                all.insert(stored.name.as_str(), if stored.transposed { part.tr() } else { part });
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::architecture::{NormForm, NormKind, Presence};
    use crate::model::weights::spec::{Group, SpecList, StoredMatrix};

    fn params() -> FlatParams {
        let mut list = SpecList::default();
        list.linear("head", [2, 3], Presence::Present);
        list.begin_layer(0, true);
        let matrix = |name: &str, rows| StoredMatrix { name: name.to_owned(), rows };
        list.joined(&[matrix("query", 2), matrix("key", 2)], 3, Presence::Present);
        list.norm("norm", 3, NormForm { kind: NormKind::Layer, eps: 0.0, bias: Presence::Absent });
        FlatParams::zeros(list.finish(), Device::Cpu)
    }

    #[test]
    fn groups_lie_together() {
        let params = params();
        let names: Vec<_> = params.specs().iter().map(|spec| spec.name.as_str()).collect();
        assert_eq!(names, ["query+key.weight", "head.weight", "head.bias", "query+key.bias", "norm.weight"]);
        let starts: Vec<i64> = params.ranges().map(|(_, range)| range.start).collect();
        assert_eq!((starts, params.len()), (vec![0, 12, 18, 20, 24], 27));
        assert_eq!(params.specs()[0].layer, Some(0));
    }

    #[test]
    fn what_is_stored_apart_is_one_parameter() {
        let mut params = params();
        params.set("query+key.weight", &Tensor::arange(12, (Kind::Float, Device::Cpu)).view([4, 3]));
        let stored = params.stored();
        assert_eq!(stored["key.weight"].size(), [3, 2]);
        assert_eq!(stored["key.weight"].double_value(&[2, 0]), 8.0);
        assert_eq!(stored["query.bias"].size(), [2]);
        let spec = &params.specs()[0];
        assert_eq!(spec.stored_shape(&spec.stored[1]), [3, 2]);
    }

    #[test]
    fn what_is_stored_apart_may_have_different_sizes() {
        let mut list = SpecList::default();
        let matrix = |name: &str, rows| StoredMatrix { name: name.to_owned(), rows };
        list.joined(&[matrix("q", 4), matrix("k", 2), matrix("v", 2)], 3, Presence::Absent);
        let mut params = FlatParams::zeros(list.finish(), Device::Cpu);
        params.set("q+k+v.weight", &Tensor::arange(24, (Kind::Float, Device::Cpu)).view([8, 3]));
        let stored = params.stored();
        assert_eq!(["q.weight", "k.weight", "v.weight"].map(|name| stored[name].size()[0]), [4, 2, 2]);
        assert_eq!(stored["v.weight"].double_value(&[0, 0]), 18.0);
    }

    #[test]
    fn leaves_are_views_and_the_frozen_ones_have_no_gradient() {
        let mut params = params();
        params.train(&|spec| spec.group == Group::Norms);
        no_grad(|| {
            let _ = params.weights().shallow_clone().fill_(2.0);
        });
        assert_eq!(params.view("head.weight").double_value(&[0, 0]), 2.0);
        let wanting: Vec<bool> = params.leaves().iter().map(Tensor::requires_grad).collect();
        assert_eq!(wanting, [true, true, true, true, false]);
    }

    #[test]
    fn a_snapshot_does_not_follow() {
        let mut params = params();
        let copy = params.snapshot();
        params.set("head.bias", &Tensor::ones([2], (Kind::Float, Device::Cpu)));
        assert_eq!(copy.view("head.bias").double_value(&[0]), 0.0);
    }
}
