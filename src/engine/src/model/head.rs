//! The classification head: one vector for a text, and logits of it.

use tch::{Kind, Tensor};

use super::architecture::{Activation, Architecture, HeadForm, Pooling, Presence};
use super::dropout::Dropout;
use super::layers::{Linear, Norm};
use super::params::{FlatParams, SpecList};
use crate::data::layout::Layout;

/// Pooling, dropout, dense, activation, norm, dropout, linear; what the family does not have is left out.
#[derive(Debug)]
pub struct Head {
    form: HeadForm,
    dense: Option<(Linear, Activation)>,
    norm: Option<Norm>,
    out: Linear,
}

impl Head {
    /// Lists the places of the parameters of a head for `classes` classes.
    pub fn specs(architecture: &Architecture, classes: i64, list: &mut SpecList) {
        let (form, hidden) = (&architecture.head, architecture.hidden);
        if let Some((name, _, bias)) = &form.dense {
            list.linear(name, [hidden, hidden], *bias == Presence::Present);
        }
        if let Some(name) = &form.norm {
            list.norm(name, hidden, architecture.norm.bias == Presence::Present);
        }
        list.linear(&form.out, [classes, hidden], form.out_bias == Presence::Present);
    }

    /// The head on these parameters.
    #[must_use]
    pub fn new(architecture: &Architecture, params: &FlatParams) -> Self {
        let form = architecture.head.clone();
        Self {
            dense: form.dense.as_ref().map(|(name, activation, _)| (Linear::new(params, name), *activation)),
            norm: form.norm.as_ref().map(|name| Norm::new(params, name, architecture.norm)),
            out: Linear::new(params, &form.out),
            form,
        }
    }

    /// Which of the last states it reads.
    #[must_use]
    pub fn pooling(&self) -> Pooling {
        self.form.pooling
    }

    /// Logits `[rows, classes]` of one hidden state a text, `[rows, hidden]`.
    pub fn forward(&self, pooled: &Tensor, drop: &mut Dropout) -> Tensor {
        let mut x = drop.apply(pooled.shallow_clone(), self.form.dropout_before);
        if let Some((layer, activation)) = &self.dense {
            x = activation.apply(&layer.forward(&x));
        }
        if let Some(norm) = &self.norm {
            x = norm.forward(&x);
        }
        self.out.forward(&drop.apply(x, self.form.dropout_after))
    }
}

impl Pooling {
    /// One state for each text: `[tokens, hidden]` -> `[rows, hidden]`.
    pub fn of(self, hidden: &Tensor, layout: &Layout) -> Tensor {
        match self {
            Pooling::First => hidden.index_select(0, &layout.firsts),
            Pooling::Last => hidden.index_select(0, &layout.lasts),
            Pooling::Mean => {
                let (rows, size) = (layout.lengths.size()[0], hidden.size()[1]);
                let sums = Tensor::zeros([rows, size], (Kind::Float, hidden.device()));
                // [rows] -> [rows, 1]
                sums.index_add(0, &layout.texts, hidden) / layout.lengths.unsqueeze(1)
            }
        }
    }
}
