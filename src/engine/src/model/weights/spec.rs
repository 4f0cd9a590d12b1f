//! Names, shapes and places of parameters, in memory and in a checkpoint.

use crate::model::architecture::{NormForm, NormKind, Presence};

/// The kind of a parameter; penalties and learning rates go by it.
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

/// What a parameter begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Random numbers.
    Random,
    /// Zeros.
    Zeros,
    /// Ones.
    Ones,
}

/// A parameter's place in memory and in a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamSpec {
    /// Name: that of the checkpoint, unless the parameter joins several.
    pub name: String,
    /// Shape.
    pub shape: Vec<i64>,
    /// Its kind.
    pub group: Group,
    /// What it begins with where it is not loaded.
    pub start: Start,
    /// Index of its layer, if it belongs to one.
    pub layer: Option<usize>,
    /// The tensors of the checkpoint that make it up, one below the other.
    pub stored: Vec<Stored>,
}

/// A tensor of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub name: String,
    /// How many rows of the parameter it holds.
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

    /// The shape that one of its tensors has in the checkpoint.
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

/// A matrix as a checkpoint stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMatrix {
    /// Its name, without `.weight`.
    pub name: String,
    /// Its rows, one for each output.
    pub rows: i64,
}

/// Collects [`ParamSpec`]s.
#[derive(Default)]
pub struct SpecList {
    specs: Vec<ParamSpec>,
    layer: Option<usize>,
    transposed: bool,
}

impl SpecList {
    /// The parameters that follow belong to layer `layer`; its matrices are stored as `[in, out]` if `transposed`.
    pub fn begin_layer(&mut self, layer: usize, transposed: bool) {
        (self.layer, self.transposed) = (Some(layer), transposed);
    }

    /// The parameters that follow belong to no layer.
    pub fn end_layers(&mut self) {
        (self.layer, self.transposed) = (None, false);
    }

    /// The list.
    #[must_use]
    pub fn finish(self) -> Vec<ParamSpec> {
        self.specs
    }

    fn push(&mut self, name: String, shape: &[i64], group: Group, start: Start) {
        let stored = vec![Stored { name: name.clone(), rows: shape[0], transposed: false }];
        self.specs.push(ParamSpec { name, shape: shape.to_vec(), group, start, layer: self.layer, stored });
    }

    /// A table of embeddings, `[rows, size]`.
    pub fn table(&mut self, name: &str, rows: i64, size: i64) {
        self.push(format!("{name}.weight"), &[rows, size], Group::Embeddings, Start::Random);
    }

    /// A matrix `[out, from]` and, if there is one, a bias `[out]`.
    pub fn linear(&mut self, name: &str, [out, from]: [i64; 2], bias: Presence) {
        self.joined(&[StoredMatrix { name: name.to_owned(), rows: out }], from, bias);
    }

    /// Matrices `[rows, from]` that are stored apart and used as one, and their biases, if they have any.
    pub fn joined(&mut self, matrices: &[StoredMatrix], from: i64, bias: Presence) {
        let rows: i64 = matrices.iter().map(|matrix| matrix.rows).sum();
        let names: Vec<&str> = matrices.iter().map(|matrix| matrix.name.as_str()).collect();
        let group = if self.layer.is_some() { Group::Encoder } else { Group::Head };
        let mut add = |ending: &str, shape: Vec<i64>, group, transposed| {
            let stored = |matrix: &StoredMatrix| Stored {
                name: format!("{}.{ending}", matrix.name),
                rows: matrix.rows,
                transposed,
            };
            let (name, stored) = (format!("{}.{ending}", names.join("+")), matrices.iter().map(stored).collect());
            let start = if group == Group::Biases { Start::Zeros } else { Start::Random };
            self.specs.push(ParamSpec { name, shape, group, start, layer: self.layer, stored });
        };
        add("weight", vec![rows, from], group, self.transposed);
        if bias.is_there() {
            add("bias", vec![rows], Group::Biases, false);
        }
    }

    /// The projection of embeddings, `[out, from]`.
    pub fn projection(&mut self, name: &str, [out, from]: [i64; 2], bias: Presence) {
        self.push(format!("{name}.weight"), &[out, from], Group::Embeddings, Start::Random);
        if bias.is_there() {
            self.push(format!("{name}.bias"), &[out], Group::Biases, Start::Zeros);
        }
    }

    /// A bias on its own.
    pub fn bias(&mut self, name: &str, size: i64) {
        self.push(name.to_owned(), &[size], Group::Biases, Start::Zeros);
    }

    /// A norm. It begins as the identity.
    pub fn norm(&mut self, name: &str, size: i64, form: NormForm) {
        let start = if form.kind == NormKind::ShiftedRootMeanSquare { Start::Zeros } else { Start::Ones };
        self.push(format!("{name}.weight"), &[size], Group::Norms, start);
        if form.bias.is_there() {
            self.push(format!("{name}.bias"), &[size], Group::Norms, Start::Zeros);
        }
    }
}
