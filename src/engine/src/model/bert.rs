//! The BERT encoder. Field and parameter names are the checkpoint's own.

use tch::{Kind, Tensor};

use super::config::{Activation, BertConfig};
use super::params::{FlatParams, Group, ParamSpec};

/// Whether dropout is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Dropout on.
    Train,
    /// Dropout off.
    Eval,
}

impl Mode {
    fn dropout(self, x: &Tensor, p: f64) -> Tensor {
        match self {
            Mode::Train if p > 0.0 => x.dropout(p, true),
            _ => x.shallow_clone(),
        }
    }
}

/// The encoder with its embeddings.
#[derive(Debug)]
pub struct Bert {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    config: BertConfig,
}

#[derive(Debug)]
struct Embeddings {
    word: Tensor,
    position: Tensor,
    token_type: Tensor,
    norm: Norm,
}

#[derive(Debug)]
struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attention_output: Linear,
    attention_norm: Norm,
    intermediate: Linear,
    output: Linear,
    output_norm: Norm,
}

/// y = x W^T + b.
#[derive(Debug)]
pub(super) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

/// Layer normalisation over the last axis.
#[derive(Debug)]
pub(super) struct Norm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

impl Linear {
    pub(super) fn new(params: &FlatParams, name: &str) -> Self {
        Self { weight: params.view(&format!("{name}.weight")), bias: params.view(&format!("{name}.bias")) }
    }

    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, Some(&self.bias))
    }
}

impl Norm {
    pub(super) fn new(params: &FlatParams, name: &str, eps: f64) -> Self {
        Self { weight: params.view(&format!("{name}.weight")), bias: params.view(&format!("{name}.bias")), eps }
    }

    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        x.layer_norm(self.weight.size(), Some(&self.weight), Some(&self.bias), self.eps, true)
    }
}

impl Activation {
    pub(super) fn apply(self, x: &Tensor) -> Tensor {
        match self {
            Activation::Gelu => x.gelu("none"),
            Activation::GeluNew => x.gelu("tanh"),
            Activation::Relu => x.relu(),
            Activation::Silu => x.silu(),
        }
    }
}

impl Bert {
    /// The places of the encoder's parameters.
    #[must_use]
    pub fn specs(config: &BertConfig) -> Vec<ParamSpec> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let mut list = SpecList::default();
        list.matrix("bert.embeddings.word_embeddings.weight", &[config.vocab_size, hidden]);
        list.matrix("bert.embeddings.position_embeddings.weight", &[config.max_position_embeddings, hidden]);
        list.matrix("bert.embeddings.token_type_embeddings.weight", &[config.type_vocab_size, hidden]);
        list.norm("bert.embeddings.LayerNorm", hidden);
        for index in 0..config.num_hidden_layers {
            list.layer = Some(index);
            let name = |part: &str| format!("bert.encoder.layer.{index}.{part}");
            for part in ["query", "key", "value"] {
                list.linear(&name(&format!("attention.self.{part}")), hidden, hidden);
            }
            list.linear(&name("attention.output.dense"), hidden, hidden);
            list.norm(&name("attention.output.LayerNorm"), hidden);
            list.linear(&name("intermediate.dense"), wide, hidden);
            list.linear(&name("output.dense"), hidden, wide);
            list.norm(&name("output.LayerNorm"), hidden);
        }
        list.specs
    }

    /// The encoder on these parameters.
    #[must_use]
    pub fn new(config: &BertConfig, params: &FlatParams) -> Self {
        let eps = config.layer_norm_eps;
        let embedding = |part: &str| params.view(&format!("bert.embeddings.{part}_embeddings.weight"));
        Self {
            embeddings: Embeddings {
                word: embedding("word"),
                position: embedding("position"),
                token_type: embedding("token_type"),
                norm: Norm::new(params, "bert.embeddings.LayerNorm", eps),
            },
            layers: (0..config.num_hidden_layers).map(|index| Layer::new(params, index, eps)).collect(),
            config: config.clone(),
        }
    }

    /// Word embeddings of `ids`: `[batch, tokens]` -> `[batch, tokens, hidden]`.
    pub fn embed(&self, ids: &Tensor) -> Tensor {
        Tensor::embedding(&self.embeddings.word, ids, -1, false, false)
    }

    /// The word embeddings, `[vocabulary, hidden]`.
    pub fn word_embeddings(&self) -> &Tensor {
        &self.embeddings.word
    }

    /// Hidden states of the last layer, `[batch, tokens, hidden]`, from word embeddings of the same shape,
    /// token types and mask, both `[batch, tokens]`. Training and explaining both pass here.
    pub fn forward(&self, embeddings: &Tensor, types: &Tensor, mask: &Tensor, mode: Mode) -> Tensor {
        let mut hidden = self.embeddings.forward(embeddings, types, &self.config, mode);
        let bias = attention_bias(mask);
        for layer in &self.layers {
            hidden = layer.forward(&hidden, &bias, &self.config, mode);
        }
        hidden
    }
}

/// 0 where attention may go and the lowest number where not, `[batch, 1, 1, tokens]`.
fn attention_bias(mask: &Tensor) -> Tensor {
    // [batch, tokens] -> [batch, 1, 1, tokens]
    let hidden = mask.eq(0).unsqueeze(1).unsqueeze(1);
    hidden.to_kind(Kind::Float) * f64::from(f32::MIN)
}

impl Embeddings {
    fn forward(&self, words: &Tensor, types: &Tensor, config: &BertConfig, mode: Mode) -> Tensor {
        let tokens = words.size()[1];
        // [tokens, hidden] -> [1, tokens, hidden]
        let positions = self.position.narrow(0, 0, tokens).unsqueeze(0);
        let sum = words + positions + Tensor::embedding(&self.token_type, types, -1, false, false);
        mode.dropout(&self.norm.forward(&sum), config.hidden_dropout_prob)
    }
}

impl Layer {
    fn new(params: &FlatParams, index: usize, eps: f64) -> Self {
        let linear = |part: &str| Linear::new(params, &format!("bert.encoder.layer.{index}.{part}"));
        let norm = |part: &str| Norm::new(params, &format!("bert.encoder.layer.{index}.{part}"), eps);
        Self {
            query: linear("attention.self.query"),
            key: linear("attention.self.key"),
            value: linear("attention.self.value"),
            attention_output: linear("attention.output.dense"),
            attention_norm: norm("attention.output.LayerNorm"),
            intermediate: linear("intermediate.dense"),
            output: linear("output.dense"),
            output_norm: norm("output.LayerNorm"),
        }
    }

    fn forward(&self, x: &Tensor, bias: &Tensor, config: &BertConfig, mode: Mode) -> Tensor {
        let attended = self.attention_output.forward(&self.attend(x, bias, config, mode));
        let x = self.attention_norm.forward(&(x + mode.dropout(&attended, config.hidden_dropout_prob)));
        let wide = config.hidden_act.apply(&self.intermediate.forward(&x));
        let narrow = mode.dropout(&self.output.forward(&wide), config.hidden_dropout_prob);
        self.output_norm.forward(&(x + narrow))
    }

    /// Self-attention: `[batch, tokens, hidden]` -> `[batch, tokens, hidden]`.
    fn attend(&self, x: &Tensor, bias: &Tensor, config: &BertConfig, mode: Mode) -> Tensor {
        let (batch, tokens, hidden) = x.size3().unwrap_or_default();
        let heads = config.num_attention_heads;
        // [batch, tokens, hidden] -> [batch, heads, tokens, hidden / heads]
        let split = |x: Tensor| x.view([batch, tokens, heads, hidden / heads]).transpose(1, 2);
        let (query, key, value) =
            (split(self.query.forward(x)), split(self.key.forward(x)), split(self.value.forward(x)));
        let dropout = if mode == Mode::Train { config.attention_probs_dropout_prob } else { 0.0 };
        let mixed = Tensor::scaled_dot_product_attention(&query, &key, &value, Some(bias), dropout, false, None, false);
        // [batch, heads, tokens, hidden / heads] -> [batch, tokens, hidden]
        mixed.transpose(1, 2).reshape([batch, tokens, hidden])
    }
}

/// Collects [`ParamSpec`]s.
#[derive(Default)]
pub(super) struct SpecList {
    pub(super) specs: Vec<ParamSpec>,
    layer: Option<usize>,
}

impl SpecList {
    fn push(&mut self, name: String, shape: &[i64], group: Group) {
        self.specs.push(ParamSpec { name, shape: shape.to_vec(), group, layer: self.layer });
    }

    pub(super) fn matrix(&mut self, name: &str, shape: &[i64]) {
        let group = if self.layer.is_some() { Group::Encoder } else { Group::Matrix };
        self.push(name.to_owned(), shape, group);
    }

    pub(super) fn plain(&mut self, name: &str, size: i64) {
        self.push(name.to_owned(), &[size], Group::Plain);
    }

    pub(super) fn linear(&mut self, name: &str, out: i64, from: i64) {
        self.matrix(&format!("{name}.weight"), &[out, from]);
        self.plain(&format!("{name}.bias"), out);
    }

    pub(super) fn norm(&mut self, name: &str, size: i64) {
        self.plain(&format!("{name}.weight"), size);
        self.plain(&format!("{name}.bias"), size);
    }
}
