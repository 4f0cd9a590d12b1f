//! One layer: attention and feed-forward, each added to the hidden states.

use tch::Tensor;

use crate::model::architecture::attention::AttentionRule;
use crate::model::architecture::{Architecture, Order, Positions, Presence};
use crate::model::layers::attention::{HeadNorms, LayerRule};
use crate::model::layers::dropout::Dropout;
use crate::model::layers::linear::Linear;
use crate::model::layers::norm::Norm;
use crate::model::layers::relative::{DistanceLayers, Distances};
use crate::model::weights::params::FlatParams;
use crate::model::weights::spec::{SpecList, StoredMatrix};

/// A layer.
#[derive(Debug)]
pub(super) struct Layer {
    /// Queries, keys and values as one: `[tokens, hidden]` -> `[tokens, queries + keys + values]`.
    pub(super) qkv: Linear,
    /// The output projection of the attention.
    pub(super) out_proj: Linear,
    attention_norm: Option<Norm>,
    up_proj: Linear,
    down_proj: Linear,
    output_norm: Norm,
    /// Norms of what attention and of what the feed-forward layers add.
    added_norms: Option<[Norm; 2]>,
    head_norms: Option<HeadNorms>,
    distances: Option<DistanceLayers>,
}

/// The hidden states on which a layer works.
#[derive(Clone, Copy)]
pub(super) struct States<'a> {
    /// Those that attention reads, `[tokens, hidden]`.
    pub(super) all: &'a Tensor,
    /// Those that the layer goes on with, and adds to: all of them, or one a text.
    pub(super) residual: &'a Tensor,
}

/// The name of the norm before or after the attention of layer `index`, if it has one.
fn attention_norm(architecture: &Architecture, index: usize) -> Option<String> {
    let bare = index == 0 && architecture.order == Order::Pre { bare_start: true };
    (!bare).then(|| architecture.names.of_layer(architecture.names.attention_norm, index))
}

/// The matrices of queries, keys and values of layer `index`, as they are stored.
fn qkv_matrices(a: &Architecture, index: usize) -> Vec<StoredMatrix> {
    let matrix = |(part, rows): (&&str, i64)| StoredMatrix { name: a.names.of_layer(part, index), rows };
    match a.names.qkv.parts() {
        [joined] => vec![matrix((joined, a.heads.qkv().iter().sum()))],
        apart => apart.iter().zip(a.heads.qkv()).map(matrix).collect(),
    }
}

/// The matrices of the first feed-forward layer of layer `index`, as they are stored.
fn up_matrices(a: &Architecture, index: usize) -> Vec<StoredMatrix> {
    let rows = if a.feed_forward.gated { 2 * a.intermediate } else { a.intermediate };
    let share = rows / a.names.up_proj.len() as i64;
    a.names.up_proj.iter().map(|part| StoredMatrix { name: a.names.of_layer(part, index), rows: share }).collect()
}

impl Layer {
    /// Lists the specs of the parameters of layer `index`.
    pub(super) fn specs(a: &Architecture, index: usize, list: &mut SpecList) {
        list.begin_layer(index, a.names.transposed);
        let name = |part: &str| a.names.of_layer(part, index);
        let (hidden, [queries, keys, _]) = (a.hidden, a.heads.qkv());
        list.joined(&qkv_matrices(a, index), hidden, a.attention.bias);
        for norm in a.names.head_norms.iter().flatten() {
            list.norm(&name(norm), a.heads.size, a.norm);
        }
        if let Positions::Relative(form) = &a.positions
            && !form.shared
        {
            if form.content_to_position {
                list.linear(&name(form.names.key), [keys, hidden], Presence::Present);
            }
            if form.position_to_content {
                list.linear(&name(form.names.query), [queries, hidden], Presence::Present);
            }
        }
        list.linear(&name(a.names.out_proj), [hidden, queries], a.attention.out_bias);
        if let Some(norm) = attention_norm(a, index) {
            list.norm(&norm, hidden, a.norm);
        }
        list.joined(&up_matrices(a, index), hidden, a.feed_forward.bias);
        list.linear(&name(a.names.down_proj), [hidden, a.intermediate], a.feed_forward.bias);
        for norm in [a.names.output_norm].iter().chain(a.names.added_norms.iter().flatten()) {
            list.norm(&name(norm), hidden, a.norm);
        }
    }

    /// Layer `index` on these parameters.
    pub(super) fn new(a: &Architecture, params: &FlatParams, index: usize) -> Self {
        let name = |part: &str| a.names.of_layer(part, index);
        let linear = |part: &str| Linear::new(params, &name(part));
        let norm = |part: &str| Norm::new(params, &name(part), a.norm);
        let qkv = Linear::new(params, &a.names.qkv_parameter(index));
        let [queries, keys, _] = a.heads.qkv();
        let distances = match &a.positions {
            Positions::Relative(form) => Some(DistanceLayers {
                key: form.content_to_position.then(|| match form.shared {
                    true => qkv.outputs(queries, keys),
                    false => linear(form.names.key),
                }),
                query: form.position_to_content.then(|| match form.shared {
                    true => qkv.outputs(0, queries),
                    false => linear(form.names.query),
                }),
            }),
            _ => None,
        };
        Self {
            out_proj: linear(a.names.out_proj),
            attention_norm: attention_norm(a, index).map(|name| Norm::new(params, &name, a.norm)),
            up_proj: Linear::new(params, &a.names.up_parameter(index)),
            down_proj: linear(a.names.down_proj),
            output_norm: norm(a.names.output_norm),
            added_norms: a.names.added_norms.map(|names| names.map(norm)),
            head_norms: a.names.head_norms.map(|[query, key]| HeadNorms { query: norm(query), key: norm(key) }),
            distances,
            qkv,
        }
    }

    /// Its keys and queries of distances, from the embeddings of distances `[2 * reach, hidden]`, if it has them.
    pub(super) fn distances(&self, a: &Architecture, table: Option<&Tensor>, drop: &mut Dropout) -> Option<Distances> {
        let (Positions::Relative(form), Some(layers), Some(table)) = (&a.positions, &self.distances, table) else {
            return None;
        };
        let table = drop.apply(table.shallow_clone(), a.dropout.embeddings);
        Some(Distances::new(form, &table, layers, a.heads.size))
    }

    /// How it attends by `rule`, distances aside.
    pub(super) fn rule<'a>(&'a self, rule: &'a AttentionRule) -> LayerRule<'a> {
        LayerRule { rule, norms: self.head_norms.as_ref(), distances: None }
    }

    /// What attention reads: the hidden states `x`, normalised if the norm comes first.
    pub(super) fn attention_input(&self, order: Order, x: &Tensor) -> Tensor {
        match (order, &self.attention_norm) {
            (Order::Pre { .. } | Order::Around, Some(norm)) => norm.forward(x),
            _ => x.shallow_clone(),
        }
    }

    /// The hidden states after the layer, of the shape of `states.residual`. `attend` gives what attention adds to them.
    pub(super) fn forward(
        &self,
        a: &Architecture,
        states: States<'_>,
        attend: &dyn Fn(&Tensor, &mut Dropout) -> Tensor,
        drop: &mut Dropout,
    ) -> Tensor {
        let rates = a.dropout;
        match (a.order, &self.attention_norm) {
            (Order::Post, Some(norm)) => {
                let attended = attend(states.all, drop);
                let x = norm.forward(&drop.add(states.residual, &attended, rates.attention_output));
                let fed = self.feed_forward(a, &x, drop);
                self.output_norm.forward(&drop.add(&x, &fed, rates.feed_forward_output))
            }
            _ => {
                let attended = attend(&self.attention_input(a.order, states.all), drop);
                let x = drop.add(states.residual, &self.added(0, attended), rates.attention_output);
                let fed = self.added(1, self.feed_forward(a, &self.output_norm.forward(&x), drop));
                drop.add(&x, &fed, rates.feed_forward_output)
            }
        }
    }

    /// What sublayer `number` adds, normalised if there is a norm for it.
    fn added(&self, number: usize, x: Tensor) -> Tensor {
        match &self.added_norms {
            Some(norms) => norms[number].forward(&x),
            None => x,
        }
    }

    /// The feed-forward layers: `[tokens, hidden]` -> `[tokens, hidden]`.
    fn feed_forward(&self, a: &Architecture, x: &Tensor, drop: &mut Dropout) -> Tensor {
        let (up, size) = (self.up_proj.forward(x), a.intermediate);
        let active = if a.feed_forward.gated {
            a.feed_forward.activation.apply(&up.narrow(1, 0, size)) * up.narrow(1, size, size)
        } else {
            a.feed_forward.activation.apply(&up)
        };
        self.down_proj.forward(&drop.apply(active, a.dropout.intermediate))
    }
}
