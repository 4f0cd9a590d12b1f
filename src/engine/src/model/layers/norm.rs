//! Norms over the last axis.

use tch::{Kind, Tensor};

use crate::model::architecture::{NormForm, NormKind};
use crate::model::weights::params::FlatParams;

/// A norm over the last axis, with weights.
#[derive(Debug)]
pub struct Norm {
    kind: NormKind,
    weight: Tensor,
    bias: Option<Tensor>,
    eps: f64,
}

impl Norm {
    /// The norm of this name.
    #[must_use]
    pub fn new(params: &FlatParams, name: &str, form: NormForm) -> Self {
        let (weight, bias) = (params.view(&format!("{name}.weight")), params.find(&format!("{name}.bias")));
        Self { kind: form.kind, weight, bias, eps: form.eps }
    }

    /// `[.., hidden]` -> `[.., hidden]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        match self.kind {
            NormKind::Layer => x.layer_norm(self.weight.size(), Some(&self.weight), self.bias.as_ref(), self.eps, true),
            NormKind::RootMeanSquare => self.by_root_mean_square(x, &self.weight),
            NormKind::ShiftedRootMeanSquare => self.by_root_mean_square(x, &(&self.weight + 1.0)),
        }
    }

    fn by_root_mean_square(&self, x: &Tensor, weight: &Tensor) -> Tensor {
        let mean_square = x.square().mean_dim([-1i64].as_slice(), true, Kind::Float);
        let scaled = x * (mean_square + self.eps).rsqrt() * weight;
        self.bias.as_ref().map_or_else(|| scaled.shallow_clone(), |bias| &scaled + bias)
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::model::architecture::Presence;
    use crate::model::weights::spec::SpecList;

    fn norm(kind: NormKind, bias: Presence) -> Norm {
        let mut list = SpecList::default();
        let form = NormForm { kind, eps: 1e-3, bias };
        list.norm("norm", 3, form);
        let mut params = FlatParams::zeros(list.finish(), Device::Cpu);
        params.set("norm.weight", &Tensor::from_slice(&[0.5f32, -1.0, 2.0]));
        if bias.is_there() {
            params.set("norm.bias", &Tensor::from_slice(&[0.25f32, 0.0, -1.0]));
        }
        Norm::new(&params, "norm", form)
    }

    /// Both formulas, number by number in f64.
    fn reference(kind: NormKind, x: [f64; 3], bias: [f64; 3]) -> [f64; 3] {
        let mean = if kind == NormKind::Layer { x.iter().sum::<f64>() / 3.0 } else { 0.0 };
        let spread = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 3.0 + 1e-3).sqrt();
        let shift = if kind == NormKind::ShiftedRootMeanSquare { 1.0 } else { 0.0 };
        let weight = [0.5, -1.0, 2.0].map(|weight| weight + shift);
        [0, 1, 2].map(|at| (x[at] - mean) / spread * weight[at] + bias[at])
    }

    #[test]
    fn all_kinds_are_their_formulas() {
        for kind in [NormKind::Layer, NormKind::RootMeanSquare, NormKind::ShiftedRootMeanSquare] {
            for (presence, bias) in [(Presence::Absent, [0.0; 3]), (Presence::Present, [0.25, 0.0, -1.0])] {
                let rows = [[1.0, -2.0, 0.5], [3.0, 4.0, -1.0]];
                let x = Tensor::from_slice(&rows.concat()).to_kind(Kind::Float).view([2, 3]);
                let found = norm(kind, presence).forward(&x);
                for (row, expected) in rows.map(|x| reference(kind, x, bias)).iter().enumerate() {
                    for (at, expected) in expected.iter().enumerate() {
                        let found = found.double_value(&[row as i64, at as i64]);
                        assert!((found - expected).abs() < 1e-5, "{kind:?}, {presence:?}: {found} is not {expected}");
                    }
                }
            }
        }
    }
}
