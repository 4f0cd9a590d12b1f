//! Parameters as views of one flat buffer, so that clipping, decay, penalty and update are one pass.

use std::collections::HashMap;
use std::ops::Range;

use tch::{Device, Kind, Tensor, no_grad};

/// What a parameter is, as far as regularisation cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// A matrix of a layer.
    Encoder,
    /// A table of embeddings, or their projection.
    Embeddings,
    /// A matrix of the pooler or the classification head.
    Head,
    /// A bias.
    Biases,
    /// Weight or bias of a norm.
    Norms,
}

/// A parameter's place in memory and in a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamSpec {
    /// Name: that of the checkpoint, unless the parameter joins several.
    pub name: String,
    /// Shape.
    pub shape: Vec<i64>,
    /// What it is.
    pub group: Group,
    /// Index of its layer, if it is in one.
    pub layer: Option<usize>,
    /// The tensors of the checkpoint that make it up, one below the other.
    pub stored: Vec<Stored>,
}

/// A tensor of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub name: String,
    /// Rows of the parameter that it holds.
    pub rows: i64,
    /// Whether it is stored as `[in, out]`.
    pub transposed: bool,
}

impl ParamSpec {
    /// Number of weights.
    #[must_use]
    pub fn len(&self) -> i64 {
        self.shape.iter().product()
    }

    /// Whether it has no weights.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape of one of its stored tensors, as stored.
    #[must_use]
    pub fn stored_shape(&self, stored: &Stored) -> Vec<i64> {
        let mut shape = self.shape.clone();
        shape[0] = stored.rows;
        if stored.transposed {
            shape.reverse();
        }
        shape
    }
}

/// Parameters in one buffer, ordered by [`Group`] and then as listed.
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
}

/// Refuses parameters that the memory of this machine cannot hold.
///
/// # Errors
/// How much they need, and how much there is.
pub fn check_memory(specs: &[ParamSpec]) -> Result<(), String> {
    let numbers: f64 = specs.iter().map(|spec| spec.shape.iter().map(|&size| size as f64).product::<f64>()).sum();
    let needed = numbers * size_of::<f32>() as f64;
    match memory() {
        Some(there) if needed > there => {
            let gib = |bytes: f64| bytes / f64::from(1u32 << 30);
            Err(format!("its weights need {:.1} GiB of memory; the machine has {:.1}", gib(needed), gib(there)))
        }
        _ => Ok(()),
    }
}

/// Bytes of memory of this machine, where it says.
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
        Self { specs, offsets, weights, views, compute: Kind::Float }
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

    /// The same places with the same values, not trainable, computing in 32-bit floats.
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

    /// Takes over the values of `other`, which must have the same places.
    pub fn copy_from(&mut self, other: &FlatParams) {
        no_grad(|| self.weights.copy_(&other.weights));
    }

    /// Makes every parameter that is not `frozen` a leaf of the graph.
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

    /// The places in the order of the buffer.
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

    /// Length of the leading part whose groups are at most `group`.
    #[must_use]
    pub fn upto(&self, group: Group) -> i64 {
        self.specs.iter().filter(|spec| spec.group <= group).map(ParamSpec::len).sum()
    }

    /// Every place with its range in the buffer.
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

/// Collects [`ParamSpec`]s.
#[derive(Default)]
pub struct SpecList {
    specs: Vec<ParamSpec>,
    layer: Option<usize>,
    transposed: bool,
}

impl SpecList {
    /// What follows is in layer `layer`; its matrices are stored as `[in, out]` if `transposed`.
    pub fn enter(&mut self, layer: usize, transposed: bool) {
        (self.layer, self.transposed) = (Some(layer), transposed);
    }

    /// What follows is in no layer.
    pub fn leave(&mut self) {
        (self.layer, self.transposed) = (None, false);
    }

    /// The list.
    #[must_use]
    pub fn finish(self) -> Vec<ParamSpec> {
        self.specs
    }

    fn push(&mut self, name: String, shape: &[i64], group: Group) {
        let stored = vec![Stored { name: name.clone(), rows: shape[0], transposed: false }];
        self.specs.push(ParamSpec { name, shape: shape.to_vec(), group, layer: self.layer, stored });
    }

    /// A table of embeddings, `[rows, size]`.
    pub fn table(&mut self, name: &str, rows: i64, size: i64) {
        self.push(format!("{name}.weight"), &[rows, size], Group::Embeddings);
    }

    /// A matrix `[out, from]` and, if there is one, a bias `[out]`.
    pub fn linear(&mut self, name: &str, [out, from]: [i64; 2], bias: bool) {
        self.joined(&[name.to_owned()], [out, from], bias);
    }

    /// Matrices that are stored apart and used as one, `[out, from]`, each with `out / names.len()` rows.
    pub fn joined(&mut self, names: &[String], [out, from]: [i64; 2], bias: bool) {
        let rows = out / names.len().max(1) as i64;
        let parts = |ending: &str, transposed: bool| {
            names.iter().map(|name| Stored { name: format!("{name}.{ending}"), rows, transposed }).collect::<Vec<_>>()
        };
        let group = if self.layer.is_some() { Group::Encoder } else { Group::Head };
        let mut add = |ending: &str, shape: &[i64], group, stored| {
            let name = format!("{}.{ending}", names.join("+"));
            self.specs.push(ParamSpec { name, shape: shape.to_vec(), group, layer: self.layer, stored });
        };
        add("weight", &[out, from], group, parts("weight", self.transposed));
        if bias {
            add("bias", &[out], Group::Biases, parts("bias", false));
        }
    }

    /// The projection of embeddings, `[out, from]`.
    pub fn projection(&mut self, name: &str, [out, from]: [i64; 2], bias: bool) {
        self.push(format!("{name}.weight"), &[out, from], Group::Embeddings);
        if bias {
            self.push(format!("{name}.bias"), &[out], Group::Biases);
        }
    }

    /// A bias on its own.
    pub fn bias(&mut self, name: &str, size: i64) {
        self.push(name.to_owned(), &[size], Group::Biases);
    }

    /// A norm.
    pub fn norm(&mut self, name: &str, size: i64, bias: bool) {
        self.push(format!("{name}.weight"), &[size], Group::Norms);
        if bias {
            self.push(format!("{name}.bias"), &[size], Group::Norms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> FlatParams {
        let mut list = SpecList::default();
        list.linear("head", [2, 3], true);
        list.enter(0, true);
        list.joined(&["query".to_owned(), "key".to_owned()], [4, 3], true);
        list.norm("norm", 3, false);
        FlatParams::zeros(list.finish(), Device::Cpu)
    }

    #[test]
    fn groups_lie_together() {
        let params = params();
        let names: Vec<_> = params.specs().iter().map(|spec| spec.name.as_str()).collect();
        assert_eq!(names, ["query+key.weight", "head.weight", "head.bias", "query+key.bias", "norm.weight"]);
        assert_eq!((params.upto(Group::Encoder), params.upto(Group::Head), params.len()), (12, 18, 27));
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
