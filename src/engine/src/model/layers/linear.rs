//! Linear layers.

use tch::{Kind, Tensor};

use crate::model::weights::params::FlatParams;

/// y = x W^T + b. The result is in 32-bit floats, whatever kind of numbers the product is computed in.
#[derive(Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
    compute: Kind,
}

impl Linear {
    /// The layer of this name.
    #[must_use]
    pub fn new(params: &FlatParams, name: &str) -> Self {
        Self {
            weight: params.view(&format!("{name}.weight")),
            bias: params.find(&format!("{name}.bias")),
            compute: params.compute(),
        }
    }

    /// `[.., in]` -> `[.., out]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        if self.compute == Kind::Float {
            return x.linear(&self.weight, self.bias.as_ref());
        }
        let cast = |tensor: &Tensor| tensor.to_kind(self.compute);
        cast(x).linear(&cast(&self.weight), self.bias.as_ref().map(cast)).to_kind(Kind::Float)
    }

    /// The layer that gives `count` of the outputs, from output `start` on.
    #[must_use]
    pub fn outputs(&self, start: i64, count: i64) -> Self {
        let part = |tensor: &Tensor| tensor.narrow(0, start, count);
        Self { weight: part(&self.weight), bias: self.bias.as_ref().map(part), compute: self.compute }
    }
}
