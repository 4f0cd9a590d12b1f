//! Linear layers.

use std::cell::OnceCell;

use tch::{Device, Kind, Tensor};

use super::onednn::{self, PackedWeight};
use crate::model::weights::params::{FlatParams, Use};

/// Tokens from which on a pass over the weights, to read them in oneDNN's order, costs less than it saves.
const MANY_TOKENS: i64 = 128;

/// y = x W^T + b. The result is in 32-bit floats, whatever kind of numbers the product is computed in.
#[derive(Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
    compute: Kind,
    weights: Use,
    /// The weights in the order of oneDNN, once they were needed; `None` in it if there is no such order.
    packed: OnceCell<Option<PackedWeight>>,
}

impl Linear {
    /// The layer of this name.
    #[must_use]
    pub fn new(params: &FlatParams, name: &str) -> Self {
        Self {
            weight: params.view(&format!("{name}.weight")),
            bias: params.find(&format!("{name}.bias")),
            compute: params.compute(),
            weights: params.weights_use(),
            packed: OnceCell::new(),
        }
    }

    /// `[.., in]` -> `[.., out]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        if self.compute == Kind::Float {
            return self.without_gradient(x).unwrap_or_else(|| x.linear(&self.weight, self.bias.as_ref()));
        }
        let cast = |tensor: &Tensor| tensor.to_kind(self.compute);
        cast(x).linear(&cast(&self.weight), self.bias.as_ref().map(cast)).to_kind(Kind::Float)
    }

    /// The same by oneDNN; `None` if a gradient is asked for, or this is no faster.
    fn without_gradient(&self, x: &Tensor) -> Option<Tensor> {
        let tokens = x.numel() as i64 / self.weight.size()[1].max(1);
        if x.device() != Device::Cpu || tokens == 0 {
            return None;
        }
        if onednn::needs_gradient([x, &self.weight].into_iter().chain(&self.bias)) {
            return None;
        }
        match self.weights {
            Use::Fixed => {
                let packed = self.packed.get_or_init(|| PackedWeight::new(&self.weight));
                packed.as_ref()?.product(x, self.bias.as_ref())
            }
            Use::Changing if tokens >= MANY_TOKENS => onednn::product(x, &self.weight, self.bias.as_ref()),
            Use::Changing => None,
        }
    }

    /// The layer that gives `count` of the outputs, from output `start` on.
    #[must_use]
    pub fn outputs(&self, start: i64, count: i64) -> Self {
        let part = |tensor: &Tensor| tensor.narrow(0, start, count);
        Self {
            weight: part(&self.weight),
            bias: self.bias.as_ref().map(part),
            compute: self.compute,
            weights: self.weights,
            packed: OnceCell::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::no_grad;

    use super::*;
    use crate::model::architecture::Presence;
    use crate::model::weights::spec::{ParamSpec, SpecList};

    const SIZES: [i64; 2] = [21, 13];

    fn specs(bias: Presence) -> Vec<ParamSpec> {
        let mut list = SpecList::default();
        list.linear("layer", SIZES, bias);
        list.finish()
    }

    fn params(bias: Presence) -> FlatParams {
        let params = FlatParams::zeros(specs(bias), Device::Cpu);
        let _ = params.weights().shallow_clone().uniform_(-1.0, 1.0);
        params
    }

    /// The product in 64-bit floats.
    fn reference(layer: &Linear, x: &Tensor) -> Tensor {
        let double = |tensor: &Tensor| tensor.to_kind(Kind::Double);
        double(x).linear(&double(&layer.weight), layer.bias.as_ref().map(double))
    }

    fn worst(found: &Tensor, expected: &Tensor) -> f64 {
        (found.to_kind(Kind::Double) - expected).abs().max().double_value(&[])
    }

    #[test]
    fn a_product_is_the_same_by_either_library() {
        for bias in [Presence::Absent, Presence::Present] {
            let [changing, fixed] = [params(bias), params(bias).fixed()].map(|params| Linear::new(&params, "layer"));
            for layer in [&changing, &fixed, &changing.outputs(3, 7), &fixed.outputs(3, 7)] {
                for tokens in [0, 1, 17, MANY_TOKENS, 3 * MANY_TOKENS + 5] {
                    let wide = Tensor::randn([tokens, 2 * SIZES[1]], (Kind::Float, Device::Cpu));
                    // Rows one after the other, and rows with gaps.
                    for x in [wide.narrow(1, 0, SIZES[1]).contiguous(), wide.narrow(1, 5, SIZES[1])] {
                        let found = no_grad(|| layer.forward(&x));
                        let expected = reference(layer, &x);
                        assert_eq!(found.size(), expected.size());
                        assert!(tokens == 0 || worst(&found, &expected) < 1e-5, "{bias:?}, {tokens} tokens");
                    }
                }
            }
        }
    }

    #[test]
    fn other_weights_are_seen_where_they_may_change() {
        let params = params(Presence::Present);
        let layer = Linear::new(&params, "layer");
        let x = Tensor::randn([MANY_TOKENS, SIZES[1]], (Kind::Float, Device::Cpu));
        let before = no_grad(|| layer.forward(&x));
        let _ = params.weights().shallow_clone().g_mul_scalar_(2.0);
        let after = no_grad(|| layer.forward(&x));
        assert!(worst(&after, &(before.to_kind(Kind::Double) * 2.0)) < 1e-4);
    }

    #[test]
    #[should_panic(expected = "fixed weights are overwritten")]
    fn fixed_weights_are_not_overwritten() {
        params(Presence::Absent).fixed().copy_from(&params(Presence::Absent));
    }

    #[test]
    fn a_product_keeps_its_gradient_whoever_asks_for_it() {
        let x = || Tensor::ones([2 * MANY_TOKENS, SIZES[1]], (Kind::Float, Device::Cpu));
        let mut trained = params(Presence::Present);
        trained.train(&|_| false);
        // Of the weights, though the input has none.
        Linear::new(&trained, "layer").forward(&x()).sum(Kind::Float).backward();
        let of_weight = trained.view("layer.weight").grad();
        assert!(worst(&of_weight, &(of_weight.ones_like() * (2 * MANY_TOKENS)).to_kind(Kind::Double)) < 1e-3);
        // Of the input, though the weights have none and are in another order as well.
        let fixed = params(Presence::Present).fixed();
        let (layer, input) = (Linear::new(&fixed, "layer"), x().set_requires_grad(true));
        let _ = no_grad(|| layer.forward(&input));
        layer.forward(&input).sum(Kind::Float).backward();
        let of_row = fixed.view("layer.weight").sum_dim_intlist([0i64].as_slice(), false, Kind::Double);
        assert!(worst(&input.grad(), &of_row.expand(input.size(), false)) < 1e-5);
    }
}
