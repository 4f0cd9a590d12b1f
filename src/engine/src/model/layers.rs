//! The layers that every family is made of.

use tch::{Kind, Tensor};

use super::architecture::{Activation, NormForm};
use super::params::FlatParams;

/// y = x W^T + b, as 32-bit floats whatever it is computed in.
#[derive(Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
    compute: Kind,
}

/// Layer normalisation over the last axis.
#[derive(Debug)]
pub struct Norm {
    weight: Tensor,
    bias: Option<Tensor>,
    eps: f64,
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
        let narrow = |tensor: &Tensor| tensor.to_kind(self.compute);
        narrow(x).linear(&narrow(&self.weight), self.bias.as_ref().map(narrow)).to_kind(Kind::Float)
    }

    /// Rows `rows` of the layer as one of their own.
    #[must_use]
    pub fn part(&self, start: i64, rows: i64) -> Self {
        let narrow = |tensor: &Tensor| tensor.narrow(0, start, rows);
        Self { weight: narrow(&self.weight), bias: self.bias.as_ref().map(narrow), compute: self.compute }
    }
}

impl Norm {
    /// The norm of this name.
    #[must_use]
    pub fn new(params: &FlatParams, name: &str, form: NormForm) -> Self {
        let (weight, bias) = (params.view(&format!("{name}.weight")), params.find(&format!("{name}.bias")));
        Self { weight, bias, eps: form.eps }
    }

    /// `[.., hidden]` -> `[.., hidden]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.layer_norm(self.weight.size(), Some(&self.weight), self.bias.as_ref(), self.eps, true)
    }
}

impl Activation {
    /// Each element on its own.
    pub fn apply(self, x: &Tensor) -> Tensor {
        match self {
            Activation::Gelu => x.gelu("none"),
            Activation::GeluNew => x.gelu("tanh"),
            Activation::QuickGelu => x * (x * 1.702).sigmoid(),
            Activation::Relu => x.relu(),
            Activation::Silu => x.silu(),
            Activation::Tanh => x.tanh(),
        }
    }
}
