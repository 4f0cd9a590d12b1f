//! The classification head: one vector for a text, and logits from it.

use tch::{Kind, Tensor};

use super::architecture::{Activation, Architecture, HeadForm, Pooling};
use super::layers::dropout::Dropout;
use super::layers::linear::Linear;
use super::layers::norm::Norm;
use super::weights::params::FlatParams;
use super::weights::spec::SpecList;
use crate::data::layout::Layout;

/// Pooling, dropout, dense, activation, norm, dropout, linear, without those that the family does not have.
#[derive(Debug)]
pub struct Head {
    form: HeadForm,
    dense: Option<Dense>,
    norm: Option<Norm>,
    out: Linear,
}

/// A square layer and its activation.
#[derive(Debug)]
struct Dense {
    linear: Linear,
    activation: Activation,
}

impl Head {
    /// Lists the specs of the parameters of a head for `classes` classes.
    pub fn specs(architecture: &Architecture, classes: i64, list: &mut SpecList) {
        let (form, hidden) = (&architecture.head, architecture.hidden);
        if let Some(dense) = &form.dense {
            list.linear(&dense.name, [hidden, hidden], dense.bias);
        }
        if let Some(name) = &form.norm {
            list.norm(name, hidden, architecture.norm);
        }
        list.linear(&form.out, [classes, hidden], form.out_bias);
    }

    /// The head on these parameters.
    #[must_use]
    pub fn new(architecture: &Architecture, params: &FlatParams) -> Self {
        let form = architecture.head.clone();
        Self {
            dense: form
                .dense
                .as_ref()
                .map(|dense| Dense { linear: Linear::new(params, &dense.name), activation: dense.activation }),
            norm: form.norm.as_ref().map(|name| Norm::new(params, name, architecture.norm)),
            out: Linear::new(params, &form.out),
            form,
        }
    }

    /// Which hidden state it reads.
    #[must_use]
    pub fn pooling(&self) -> Pooling {
        self.form.pooling
    }

    /// Logits `[rows, classes]`, from what [`Pooling::of`] gives of the hidden states of the texts of `layout`.
    pub fn forward(&self, pooled: &Tensor, layout: &Layout, drop: &mut Dropout) -> Tensor {
        let mut x = drop.apply(pooled.shallow_clone(), self.form.dropout_before);
        if let Some(dense) = &self.dense {
            x = dense.activation.apply(&dense.linear.forward(&x));
        }
        if let Some(norm) = &self.norm {
            x = norm.forward(&x);
        }
        x = drop.apply(x, self.form.dropout_after);
        if self.form.pooling == Pooling::Late {
            // The mean of what a linear layer gives is what it gives of the mean.
            x = Pooling::Mean.of(&x, layout);
        }
        self.out.forward(&x)
    }
}

impl Pooling {
    /// One hidden state for each text: `[tokens, hidden]` -> `[rows, hidden]`; all of them if that of no token or mean stands
    /// for the text.
    pub fn of(self, hidden: &Tensor, layout: &Layout) -> Tensor {
        match self {
            Pooling::First => hidden.index_select(0, &layout.firsts),
            Pooling::Last => hidden.index_select(0, &layout.lasts),
            Pooling::Late => hidden.shallow_clone(),
            Pooling::Mean => {
                let (rows, size) = (layout.lengths.size()[0], hidden.size()[1]);
                let sums = Tensor::zeros([rows, size], (Kind::Float, hidden.device()));
                // [rows] -> [rows, 1]
                sums.index_add(0, &layout.texts, hidden) / layout.lengths.unsqueeze(1)
            }
        }
    }
}
