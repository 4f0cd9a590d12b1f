//! The encoder (or decoder) that all families are settings of.

use tch::Tensor;

use super::architecture::{Architecture, Names, Order, Pooling, Positions, Presence, Projection};
use super::attention::{Attention, Own};
use super::dropout::Dropout;
use super::layers::{Linear, Norm};
use super::params::{FlatParams, SpecList};
use super::relative::{DistanceLayers, Distances};
use crate::data::layout::Layout;

/// Embeddings and layers, without a head.
#[derive(Debug)]
pub struct Encoder {
    architecture: Architecture,
    words: Tensor,
    positions: Option<Tensor>,
    types: Option<Tensor>,
    embedding_norm: Option<Norm>,
    projection: Option<Linear>,
    distances: Option<(Tensor, Option<Norm>)>,
    layers: Vec<Layer>,
    final_norm: Option<Norm>,
}

#[derive(Debug)]
struct Layer {
    qkv: Linear,
    mix: Linear,
    attention_norm: Option<Norm>,
    wide: Linear,
    narrow: Linear,
    output_norm: Norm,
    distances: Option<DistanceLayers>,
}

/// What the first layer begins with.
struct Start {
    /// `[tokens, hidden]`.
    hidden: Tensor,
    /// Queries, keys and values of the first layer, if they are known: `[tokens, 3 * hidden]`.
    qkv: Option<Tensor>,
}

/// Names of what only DeBERTa has.
const DISTANCES: &str = "encoder.rel_embeddings";
const DISTANCE_NORM: &str = "encoder.LayerNorm";
const DISTANCE_KEY: &str = "encoder.layer.#.attention.self.pos_key_proj";
const DISTANCE_QUERY: &str = "encoder.layer.#.attention.self.pos_query_proj";

fn is(presence: Presence) -> bool {
    presence == Presence::Present
}

/// Names of the norm before or after the attention of layer `index`, if it has one.
fn attention_norm(architecture: &Architecture, index: usize) -> Option<String> {
    let bare = index == 0 && architecture.order == Order::Pre { bare_start: true };
    (!bare).then(|| architecture.names.of_layer(architecture.names.attention_norm, index))
}

fn qkv_names(names: &Names, index: usize) -> Vec<String> {
    names.qkv.iter().map(|part| names.of_layer(part, index)).collect()
}

impl Encoder {
    /// Lists the places of the parameters.
    pub fn specs(a: &Architecture, list: &mut SpecList) {
        let name = |part: &str| a.names.of_encoder(part);
        let (hidden, norm_bias) = (a.hidden, is(a.norm.bias));
        list.table(&name(a.names.words), a.vocabulary, a.embedding);
        match &a.positions {
            Positions::Learned { count, .. } => list.table(&name(a.names.positions), *count, a.embedding),
            Positions::Rotary { .. } => {}
            Positions::Relative(form) => {
                if form.absolute > 0 {
                    list.table(&name(a.names.positions), form.absolute, a.embedding);
                }
                list.table(&name(DISTANCES), 2 * form.reach(), hidden);
                if form.normalised {
                    list.norm(&name(DISTANCE_NORM), hidden, norm_bias);
                }
            }
        }
        if a.token_types > 0 {
            list.table(&name(a.names.types), a.token_types, a.embedding);
        }
        if let Some(norm) = a.names.embedding_norm {
            let size = if a.projection == Projection::BeforeNorm { hidden } else { a.embedding };
            list.norm(&name(norm), size, norm_bias);
        }
        if a.embedding != hidden {
            list.projection(&name(a.names.projection), [hidden, a.embedding], a.projection == Projection::AfterNorm);
        }
        for index in 0..a.layers {
            Self::layer_specs(a, index, list);
        }
        list.leave();
        if let Some(norm) = a.names.final_norm {
            list.norm(&name(norm), hidden, norm_bias);
        }
    }

    fn layer_specs(a: &Architecture, index: usize, list: &mut SpecList) {
        list.enter(index, a.names.transposed);
        let name = |part: &str| a.names.of_layer(part, index);
        let (hidden, bias, wide_bias) = (a.hidden, is(a.attention.bias), is(a.feed_forward.bias));
        list.joined(&qkv_names(&a.names, index), [3 * hidden, hidden], bias);
        if let Positions::Relative(form) = &a.positions
            && !form.shared
        {
            for (part, there) in [(DISTANCE_KEY, form.content_to_position), (DISTANCE_QUERY, form.position_to_content)]
            {
                if there {
                    list.linear(&name(part), [hidden, hidden], true);
                }
            }
        }
        list.linear(&name(a.names.mix), [hidden, hidden], bias);
        if let Some(norm) = attention_norm(a, index) {
            list.norm(&norm, hidden, is(a.norm.bias));
        }
        let gates = if a.feed_forward.gated { 2 } else { 1 };
        list.linear(&name(a.names.wide), [gates * a.wide, hidden], wide_bias);
        list.linear(&name(a.names.narrow), [hidden, a.wide], wide_bias);
        list.norm(&name(a.names.output_norm), hidden, is(a.norm.bias));
    }

    /// The encoder on these parameters.
    #[must_use]
    pub fn new(architecture: &Architecture, params: &FlatParams) -> Self {
        let a = architecture;
        let table = |part: &str| params.find(&format!("{}.weight", a.names.of_encoder(part)));
        let norm = |part: &str| Norm::new(params, &a.names.of_encoder(part), a.norm);
        let distances = match &a.positions {
            Positions::Relative(form) => table(DISTANCES).map(|t| (t, form.normalised.then(|| norm(DISTANCE_NORM)))),
            _ => None,
        };
        Self {
            words: params.view(&format!("{}.weight", a.names.of_encoder(a.names.words))),
            positions: if a.names.positions.is_empty() { None } else { table(a.names.positions) },
            types: if a.token_types > 0 { table(a.names.types) } else { None },
            embedding_norm: a.names.embedding_norm.map(norm),
            projection: (a.embedding != a.hidden).then(|| Linear::new(params, &a.names.of_encoder(a.names.projection))),
            distances,
            layers: (0..a.layers).map(|index| Layer::new(a, params, index)).collect(),
            final_norm: a.names.final_norm.map(norm),
            architecture: a.clone(),
        }
    }

    /// What it is.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The table of word embeddings, `[vocabulary, embedding]`.
    pub fn words(&self) -> &Tensor {
        &self.words
    }

    /// Word embeddings of `ids`: `[tokens]` -> `[tokens, embedding]`.
    pub fn embed(&self, ids: &Tensor) -> Tensor {
        Tensor::embedding(&self.words, ids, -1, false, false)
    }

    /// Hidden states after the last layer `[tokens, hidden]`, from word embeddings `[tokens, embedding]` and token
    /// types `[tokens]` of the packed texts of `layout`.
    pub fn forward(&self, embeddings: &Tensor, types: &Tensor, layout: &Layout, drop: &mut Dropout) -> Tensor {
        let attention = Attention::new(&self.architecture, layout, embeddings.device());
        let start = self.start(embeddings, types, layout, drop);
        self.leave(&self.pass(&self.layers, start, &attention, drop))
    }

    /// One hidden state for each text, `[rows, hidden]` in the order in which the rows were given; otherwise as
    /// [`Encoder::forward`]. Of the last layer only what these states depend on is computed, where the family allows:
    /// keys and values of all tokens, and one query a text. Training and explaining both pass here.
    pub fn pooled(&self, embeddings: &Tensor, types: &Tensor, layout: &Layout, drop: &mut Dropout) -> Tensor {
        let (a, pooling) = (&self.architecture, self.architecture.head.pooling);
        let ends = self.layers.split_last().zip(a.attention.rules.last());
        let Some(((last, before), rule)) = ends.filter(|_| a.pools_one_query()) else {
            return pooling.of(&self.forward(embeddings, types, layout, drop), layout);
        };
        let attention = Attention::new(a, layout, embeddings.device());
        let start = self.start(embeddings, types, layout, drop);
        let hidden = self.pass(before, start, &attention, drop);
        let places = if pooling == Pooling::Last { &layout.lasts } else { &layout.firsts };
        // In the order of packing, as attention has the texts.
        let places = places.index_select(0, &layout.packed);
        let (query, key_value) = (last.qkv.part(0, a.hidden), last.qkv.part(a.hidden, 2 * a.hidden));
        let mix = |x: &Tensor, drop: &mut Dropout| {
            let queries = query.forward(&x.index_select(0, &places));
            last.mix.forward(&attention.mix_one(&queries, &key_value.forward(x), rule, drop))
        };
        let pooled = last.forward(a, (&hidden, &hidden.index_select(0, &places)), &mix, drop);
        self.leave(&pooled).index_select(0, &layout.ranks)
    }

    /// Who attends to whom in the packed texts of `layout`, nothing dropped; see [`Attention::kept`].
    pub fn attention(&self, embeddings: &Tensor, types: &Tensor, layout: &Layout) -> Vec<Tensor> {
        let attention = Attention::new(&self.architecture, layout, embeddings.device()).keeping();
        let start = self.start(embeddings, types, layout, &mut Dropout::Off);
        drop(self.pass(&self.layers, start, &attention, &mut Dropout::Off));
        attention.kept()
    }

    /// Hidden states through `layers`, which are the first ones: `[tokens, hidden]` -> `[tokens, hidden]`.
    fn pass(&self, layers: &[Layer], start: Start, attention: &Attention<'_>, drop: &mut Dropout) -> Tensor {
        let a = &self.architecture;
        let Start { mut hidden, qkv: mut ready } = start;
        let distances = self
            .distances
            .as_ref()
            .map(|(table, norm)| norm.as_ref().map_or_else(|| table.shallow_clone(), |norm| norm.forward(table)));
        for (layer, rule) in layers.iter().zip(&a.attention.rules) {
            let near = layer.near(a, distances.as_ref(), drop);
            let ready = ready.take();
            let mix = |x: &Tensor, drop: &mut Dropout| {
                let qkv = ready.as_ref().map_or_else(|| layer.qkv.forward(x), Tensor::shallow_clone);
                layer.mix.forward(&attention.mix(&qkv, Own { rule, distances: near.as_ref() }, drop))
            };
            hidden = layer.forward(a, (&hidden, &hidden), &mix, drop);
        }
        hidden
    }

    /// The norm at the end of the layers, where there is one.
    fn leave(&self, hidden: &Tensor) -> Tensor {
        self.final_norm.as_ref().map_or_else(|| hidden.shallow_clone(), |norm| norm.forward(hidden))
    }

    /// What the first layer begins with; see [`Alike`](crate::data::layout::Alike).
    fn start(&self, embeddings: &Tensor, types: &Tensor, layout: &Layout, drop: &mut Dropout) -> Start {
        let (Some(alike), Some(first)) = (&layout.alike, self.layers.first()) else {
            return Start { hidden: self.enter((embeddings, types, &layout.positions), drop), qkv: None };
        };
        let each = |of_tokens: &Tensor| of_tokens.index_select(0, &alike.firsts);
        let hidden = self.enter((&each(embeddings), &each(types), &each(&layout.positions)), drop);
        let qkv = first.qkv.forward(&first.input(self.architecture.order, &hidden));
        // [kinds, size] -> [tokens, size]
        let all = |of_kinds: &Tensor| of_kinds.index_select(0, &alike.kinds);
        Start { hidden: all(&hidden), qkv: Some(all(&qkv)) }
    }

    /// The first hidden states: words, types and places, normalised.
    fn enter(&self, (embeddings, types, places): (&Tensor, &Tensor, &Tensor), drop: &mut Dropout) -> Tensor {
        let a = &self.architecture;
        let mut sum = embeddings.shallow_clone();
        if let Some(table) = &self.positions {
            let offset = if let Positions::Learned { offset, .. } = &a.positions { *offset } else { 0 };
            sum = &sum + Tensor::embedding(table, &(places + offset), -1, false, false);
        }
        if let Some(table) = &self.types {
            sum = &sum + Tensor::embedding(table, &types.clamp_max(a.token_types - 1), -1, false, false);
        }
        if let (Some(layer), Projection::BeforeNorm) = (&self.projection, a.projection) {
            sum = layer.forward(&sum);
        }
        if let Some(norm) = &self.embedding_norm {
            sum = norm.forward(&sum);
        }
        sum = drop.apply(sum, a.dropout.embeddings);
        match (&self.projection, a.projection) {
            (Some(layer), Projection::AfterNorm) => layer.forward(&sum),
            _ => sum,
        }
    }
}

impl Layer {
    fn new(a: &Architecture, params: &FlatParams, index: usize) -> Self {
        let name = |part: &str| a.names.of_layer(part, index);
        let linear = |part: &str| Linear::new(params, &name(part));
        let qkv = Linear::new(params, &qkv_names(&a.names, index).join("+"));
        let distances = match &a.positions {
            Positions::Relative(form) => Some(DistanceLayers {
                key: form.content_to_position.then(|| match form.shared {
                    true => qkv.part(a.hidden, a.hidden),
                    false => linear(DISTANCE_KEY),
                }),
                query: form.position_to_content.then(|| match form.shared {
                    true => qkv.part(0, a.hidden),
                    false => linear(DISTANCE_QUERY),
                }),
            }),
            _ => None,
        };
        Self {
            mix: linear(a.names.mix),
            attention_norm: attention_norm(a, index).map(|name| Norm::new(params, &name, a.norm)),
            wide: linear(a.names.wide),
            narrow: linear(a.names.narrow),
            output_norm: Norm::new(params, &name(a.names.output_norm), a.norm),
            distances,
            qkv,
        }
    }

    fn near(&self, a: &Architecture, embeddings: Option<&Tensor>, drop: &mut Dropout) -> Option<Distances> {
        let (Positions::Relative(form), Some(layers), Some(table)) = (&a.positions, &self.distances, embeddings) else {
            return None;
        };
        let table = drop.apply(table.shallow_clone(), a.dropout.embeddings);
        Some(Distances::new(form, &table, layers, a.heads))
    }

    /// What attention reads of the hidden states `x`.
    fn input(&self, order: Order, x: &Tensor) -> Tensor {
        match (order, &self.attention_norm) {
            (Order::Pre { .. }, Some(norm)) => norm.forward(x),
            _ => x.shallow_clone(),
        }
    }

    /// The layer on hidden states `x`; `residual` are those of them that it goes on with, to which `mix` adds.
    fn forward(
        &self,
        a: &Architecture,
        (x, residual): (&Tensor, &Tensor),
        mix: &dyn Fn(&Tensor, &mut Dropout) -> Tensor,
        drop: &mut Dropout,
    ) -> Tensor {
        let (mixed, narrow) = (a.dropout.mixed, a.dropout.narrow);
        match (a.order, &self.attention_norm) {
            (Order::Post, Some(norm)) => {
                let attended = mix(x, drop);
                let x = norm.forward(&drop.add(residual, &attended, mixed));
                let fed = self.feed(a, &x, drop);
                self.output_norm.forward(&drop.add(&x, &fed, narrow))
            }
            _ => {
                let attended = mix(&self.input(a.order, x), drop);
                let x = drop.add(residual, &attended, mixed);
                let fed = self.feed(a, &self.output_norm.forward(&x), drop);
                drop.add(&x, &fed, narrow)
            }
        }
    }

    /// The feed-forward layers: `[tokens, hidden]` -> `[tokens, hidden]`.
    fn feed(&self, a: &Architecture, x: &Tensor, drop: &mut Dropout) -> Tensor {
        let wide = self.wide.forward(x);
        let active = if a.feed_forward.gated {
            a.feed_forward.activation.apply(&wide.narrow(1, 0, a.wide)) * wide.narrow(1, a.wide, a.wide)
        } else {
            a.feed_forward.activation.apply(&wide)
        };
        self.narrow.forward(&drop.apply(active, a.dropout.wide))
    }
}
