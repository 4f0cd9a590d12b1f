//! The encoder, or decoder: one for all families, which differ in their [`Architecture`].

mod embeddings;
mod layer;

use std::ops::Range;

use tch::{Device, Tensor};

use self::embeddings::{Embeddings, TokenInputs};
use self::layer::{Layer, States};
use super::architecture::{Architecture, Pooling};
use super::layers::attention::{Attention, LayerRule, OneQuery};
use super::layers::dropout::Dropout;
use super::layers::linear::Linear;
use super::layers::norm::Norm;
use super::weights::params::FlatParams;
use super::weights::spec::SpecList;
use crate::data::layout::Layout;
use crate::host::is_finite;

/// Embeddings and layers, without a head.
#[derive(Debug)]
pub struct Encoder {
    architecture: Architecture,
    embeddings: Embeddings,
    layers: Vec<Layer>,
    /// The queries, and the keys with the values, of the last layer, if it computes one query for each text.
    pooling: Option<[Linear; 2]>,
    /// What distances add to scores, `[buckets, heads]`.
    distances: Option<Tensor>,
    final_norm: Option<Norm>,
}

/// What the first layer reads.
struct FirstInput {
    /// `[tokens, hidden]`.
    hidden: Tensor,
    /// Queries, keys and values of the first layer, if they are known already: `[tokens, queries + keys + values]`.
    qkv: Option<Tensor>,
}

impl Encoder {
    /// Lists the specs of the parameters. Their order decides which random numbers each of them is initialised with.
    pub fn specs(a: &Architecture, list: &mut SpecList) {
        Embeddings::specs(a, list);
        for index in 0..a.layers {
            Layer::specs(a, index, list);
        }
        list.end_layers();
        if let Some(table) = &a.attention.distances {
            list.table(&a.names.of_encoder(table.name), table.rows, a.heads.queries);
        }
        if let Some(norm) = a.names.final_norm {
            list.norm(&a.names.of_encoder(norm), a.hidden, a.norm);
        }
    }

    /// The encoder on these parameters.
    #[must_use]
    pub fn new(architecture: &Architecture, params: &FlatParams) -> Self {
        let a = architecture;
        let layers: Vec<_> = (0..a.layers).map(|index| Layer::new(a, params, index)).collect();
        let [queries, keys, values] = a.heads.qkv();
        let last = a.passes.last().filter(|_| a.pools_one_query());
        Self {
            embeddings: Embeddings::new(a, params),
            pooling: last.map(|&last| {
                let qkv = &layers[last].qkv;
                [qkv.outputs(0, queries), qkv.outputs(queries, keys + values)]
            }),
            layers,
            distances: a.attention.distances.as_ref().map(|table| {
                let name = a.names.of_encoder(table.name);
                params.view(&format!("{name}.weight"))
            }),
            final_norm: a.names.final_norm.map(|norm| Norm::new(params, &a.names.of_encoder(norm), a.norm)),
            architecture: a.clone(),
        }
    }

    /// Its architecture.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The table of word embeddings, `[vocabulary, embedding]`.
    pub fn words(&self) -> &Tensor {
        &self.embeddings.words
    }

    /// Word embeddings of `ids`: `[tokens]` -> `[tokens, embedding]`.
    pub fn embed(&self, ids: &Tensor) -> Tensor {
        Tensor::embedding(&self.embeddings.words, ids, -1, false, false)
    }

    /// Hidden states after the last layer `[tokens, hidden]`, from word embeddings `[tokens, embedding]` and token
    /// types `[tokens]` of the packed texts of `layout`.
    pub fn forward(&self, embeddings: &Tensor, types: &Tensor, layout: &Layout, drop: &mut Dropout) -> Tensor {
        let attention = self.attending(layout, embeddings.device());
        let first = self.first_input(embeddings, types, layout, drop);
        self.normalise_final(&self.pass(0..self.architecture.passes.len(), first, &attention, drop))
    }

    /// One hidden state for each text, `[rows, hidden]` in the order in which the rows were given; otherwise as
    /// [`Encoder::forward`]. Where the architecture allows it, the last layer computes only what these states depend on:
    /// keys and values of all tokens, and one query for each text. Training and explaining both use this.
    pub fn pooled(&self, embeddings: &Tensor, types: &Tensor, layout: &Layout, drop: &mut Dropout) -> Tensor {
        let (a, pooling) = (&self.architecture, self.architecture.head.pooling);
        let ends = a.passes.split_last().zip(a.attention.rules.last());
        let Some((((&last, before), rule), [query, key_value])) = ends.zip(self.pooling.as_ref()) else {
            return pooling.of(&self.forward(embeddings, types, layout, drop), layout);
        };
        let (attention, last) = (self.attending(layout, embeddings.device()), &self.layers[last]);
        let first = self.first_input(embeddings, types, layout, drop);
        let hidden = self.pass(0..before.len(), first, &attention, drop);
        let places = if pooling == Pooling::Last { &layout.lasts } else { &layout.firsts };
        // In the order of packing, as attention has the texts.
        let places = places.index_select(0, &layout.packed);
        let positions = &places - layout.firsts.index_select(0, &layout.packed);
        let attend = |x: &Tensor, drop: &mut Dropout| {
            let queries = query.forward(&x.index_select(0, &places));
            let queries = OneQuery { queries: &queries, positions: &positions };
            last.out_proj.forward(&attention.one_query(&queries, &key_value.forward(x), last.rule(rule), drop))
        };
        let states = States { all: &hidden, residual: &hidden.index_select(0, &places) };
        let pooled = last.forward(a, states, &attend, drop);
        self.normalise_final(&pooled).index_select(0, &layout.ranks)
    }

    /// Who attends to whom in the packed texts of `layout`, without dropout; see [`Attention::into_recorded`].
    pub fn attention(&self, embeddings: &Tensor, types: &Tensor, layout: &Layout) -> Vec<Tensor> {
        let attention = self.attending(layout, embeddings.device()).recording();
        let first = self.first_input(embeddings, types, layout, &mut Dropout::Off);
        drop(self.pass(0..self.architecture.passes.len(), first, &attention, &mut Dropout::Off));
        attention.into_recorded()
    }

    /// What first gives a hidden state that is no number, without dropout, as the weights name it; `None` if nothing
    /// does. Reads from the device after each layer.
    pub fn origin_of_fault(&self, embeddings: &Tensor, types: &Tensor, layout: &Layout) -> Option<String> {
        let (a, drop) = (&self.architecture, &mut Dropout::Off);
        let attention = self.attending(layout, embeddings.device());
        let mut hidden = self.first_input(embeddings, types, layout, drop).hidden;
        if !is_finite(&hidden) {
            return Some(a.names.embeddings());
        }
        for (index, &layer) in a.passes.iter().enumerate() {
            hidden = self.pass(index..index + 1, FirstInput { hidden, qkv: None }, &attention, drop);
            if !is_finite(&hidden) {
                return Some(a.names.layer(layer));
            }
        }
        let norm = a.names.final_norm.filter(|_| !is_finite(&self.normalise_final(&hidden)));
        norm.map(|norm| a.names.of_encoder(norm))
    }

    /// What the layers share on the texts of `layout`.
    fn attending<'a>(&self, layout: &'a Layout, device: Device) -> Attention<'a> {
        Attention::new(&self.architecture, layout, device, self.distances.as_ref())
    }

    /// Hidden states through some of the layers: `[tokens, hidden]` -> `[tokens, hidden]`.
    fn pass(&self, passes: Range<usize>, first: FirstInput, attention: &Attention<'_>, drop: &mut Dropout) -> Tensor {
        let a = &self.architecture;
        let FirstInput { mut hidden, qkv: mut known } = first;
        let table = self.embeddings.distances();
        for (&layer, rule) in a.passes[passes.clone()].iter().zip(&a.attention.rules[passes]) {
            let layer = &self.layers[layer];
            let distances = layer.distances(a, table.as_ref(), drop);
            let known = known.take();
            let attend = |x: &Tensor, drop: &mut Dropout| {
                let qkv = known.as_ref().map_or_else(|| layer.qkv.forward(x), Tensor::shallow_clone);
                let layer_rule = LayerRule { distances: distances.as_ref(), ..layer.rule(rule) };
                layer.out_proj.forward(&attention.forward(&qkv, layer_rule, drop))
            };
            hidden = layer.forward(a, States { all: &hidden, residual: &hidden }, &attend, drop);
        }
        hidden
    }

    /// The hidden states after the norm that follows the last layer, if there is one.
    fn normalise_final(&self, hidden: &Tensor) -> Tensor {
        self.final_norm.as_ref().map_or_else(|| hidden.shallow_clone(), |norm| norm.forward(hidden))
    }

    /// What the first layer reads. Tokens that are [`Alike`](crate::data::layout::Alike) are computed once.
    fn first_input(&self, embeddings: &Tensor, types: &Tensor, layout: &Layout, drop: &mut Dropout) -> FirstInput {
        let a = &self.architecture;
        let inputs = |of_tokens: &dyn Fn(&Tensor) -> Tensor| TokenInputs {
            words: of_tokens(embeddings),
            types: of_tokens(types),
            positions: of_tokens(&layout.positions),
        };
        let (Some(alike), Some(first)) = (&layout.alike, self.layers.first()) else {
            return FirstInput { hidden: self.embeddings.forward(a, &inputs(&Tensor::shallow_clone), drop), qkv: None };
        };
        let hidden = self.embeddings.forward(a, &inputs(&|tensor| tensor.index_select(0, &alike.firsts)), drop);
        let qkv = first.qkv.forward(&first.attention_input(a.order, &hidden));
        // [kinds, size] -> [tokens, size]
        let all = |of_kinds: &Tensor| of_kinds.index_select(0, &alike.kinds);
        FirstInput { hidden: all(&hidden), qkv: Some(all(&qkv)) }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Kind, no_grad};

    use super::*;
    use crate::model::architecture::attention::Heads;
    use crate::model::config::ModelConfig;
    use crate::model::weights::init::initialise;

    const BERT: &str = r#"{"model_type":"bert","vocab_size":9,"hidden_size":8,"num_hidden_layers":2,
        "num_attention_heads":4,"intermediate_size":8,"max_position_embeddings":16}"#;
    const MODERNBERT: &str = r#"{"model_type":"modernbert","vocab_size":9,"hidden_size":8,"num_hidden_layers":2,
        "num_attention_heads":4,"intermediate_size":8,"max_position_embeddings":16}"#;

    /// Random parameters, large enough that attention depends on every head.
    fn random(architecture: &Architecture) -> FlatParams {
        let mut list = SpecList::default();
        Encoder::specs(architecture, &mut list);
        let params = initialise(list.finish(), 3);
        let _ = params.weights().shallow_clone().g_mul_scalar_(5.0);
        params
    }

    /// The weights of an encoder with fewer heads of keys and values, for one in which each query head has its own.
    fn repeated(grouped: &Architecture, params: &FlatParams, full: &Architecture) -> FlatParams {
        let ([queries, keys, _], Heads { queries: heads, key_values, size }) = (grouped.heads.qkv(), grouped.heads);
        let mut all = random(full);
        for (spec, view) in params.specs().iter().zip(params.leaves()) {
            let is_qkv = (0..grouped.layers).any(|layer| spec.name.starts_with(&grouped.names.qkv_parameter(layer)));
            if !is_qkv {
                all.set(&spec.name, view);
                continue;
            }
            let repeat = |start: i64| -> Vec<Tensor> {
                let head = |query: i64| view.narrow(0, start + query / (heads / key_values) * size, size);
                (0..heads).map(head).collect()
            };
            let parts = [vec![view.narrow(0, 0, queries)], repeat(queries), repeat(queries + keys)];
            all.set(&spec.name, &Tensor::cat(&parts.into_iter().flatten().collect::<Vec<_>>(), 0));
        }
        all
    }

    #[test]
    fn shared_heads_of_keys_and_values_are_as_if_every_query_head_had_its_own() {
        for config in [BERT, MODERNBERT] {
            let full = ModelConfig::parse(config).unwrap().architecture;
            let grouped = Architecture { heads: Heads { key_values: 2, ..full.heads }, ..full.clone() };
            let params = random(&grouped);
            let all = repeated(&grouped, &params, &full);
            let (grouped, full) = (Encoder::new(&grouped, &params), Encoder::new(&full, &all));
            let layout = Layout::new(&[3, 5], Device::Cpu);
            let ids = Tensor::arange(8, (Kind::Int64, Device::Cpu));
            let run = |encoder: &Encoder, pooled: bool| {
                let (embeddings, types) = (encoder.embed(&ids), ids.zeros_like());
                no_grad(|| match pooled {
                    true => encoder.pooled(&embeddings, &types, &layout, &mut Dropout::Off),
                    false => encoder.forward(&embeddings, &types, &layout, &mut Dropout::Off),
                })
            };
            for pooled in [false, true] {
                let worst = (run(&grouped, pooled) - run(&full, pooled)).abs().max().double_value(&[]);
                assert!(worst < 1e-4, "pooled {pooled}: {worst}");
            }
        }
    }

    /// Configurations whose last layer sees part of a text, or knows places by angles.
    const POOLED_BY_ONE: [&str; 4] = [
        r#""model_type":"bert""#,
        r#""model_type":"modernbert","global_attn_every_n_layers":3,"local_attention":6"#,
        r#""model_type":"llama","num_key_value_heads":2,"pad_token_id":0"#,
        r#""model_type":"mistral","num_key_value_heads":2,"sliding_window":3,"pad_token_id":0"#,
    ];

    #[test]
    fn one_query_gives_what_the_whole_layer_gives() {
        for family in POOLED_BY_ONE {
            let sizes = r#""vocab_size":9,"hidden_size":8,"num_hidden_layers":2,"num_attention_heads":4"#;
            let more = r#""intermediate_size":8,"max_position_embeddings":16"#;
            let config = ModelConfig::parse(&format!("{{{family},{sizes},{more}}}")).unwrap();
            let (a, params) = (&config.architecture, random(&config.architecture));
            assert!(a.pools_one_query(), "{family}");
            let encoder = Encoder::new(a, &params);
            // The longest text ends with padding tokens, of which one stands for none where the last token does.
            let ids = [1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 1, 2, 3, 4, 5];
            let layout = Layout::new(&[2, 8, 5], Device::Cpu).heeding(a.pads, &ids);
            let ids = Tensor::from_slice(&ids);
            let (embeddings, types) = (encoder.embed(&ids), ids.zeros_like());
            let one = no_grad(|| encoder.pooled(&embeddings, &types, &layout, &mut Dropout::Off));
            let all = no_grad(|| encoder.forward(&embeddings, &types, &layout, &mut Dropout::Off));
            let worst = (one - a.head.pooling.of(&all, &layout)).abs().max().double_value(&[]);
            assert!(worst < 1e-5, "{family}: {worst}");
        }
    }

    #[test]
    fn heads_may_be_larger_than_their_share_of_the_hidden_state() {
        let full = ModelConfig::parse(BERT).unwrap().architecture;
        let large = Architecture { heads: Heads { size: 6, ..full.heads }, ..full };
        let params = random(&large);
        let shape = |name: &str| params.view(name).size();
        assert_eq!(shape(&format!("{}.weight", large.names.qkv_parameter(0))), [72, 8]);
        assert_eq!(shape("bert.encoder.layer.0.attention.output.dense.weight"), [8, 24]);
        let (encoder, layout) = (Encoder::new(&large, &params), Layout::new(&[4], Device::Cpu));
        let ids = Tensor::arange(4, (Kind::Int64, Device::Cpu));
        let hidden = encoder.forward(&encoder.embed(&ids), &ids.zeros_like(), &layout, &mut Dropout::Off);
        assert_eq!(hidden.size(), [4, 8]);
    }
}
