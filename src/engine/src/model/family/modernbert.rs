//! ModernBERT (Warner et al. 2024): norms first, rotary positions, gated feed-forward layers, two layers of three local.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Family, keys};
use crate::model::architecture::attention::{AttentionForm, AttentionRule, Heads, Rotary};
use crate::model::architecture::names::{Names, QkvNames};
use crate::model::architecture::{
    Activation, Architecture, DenseForm, DropoutRates, FeedForwardForm, HeadForm, NormForm, NormKind, Order, Pooling,
    Positions, Projection,
};

pub(super) const MODERNBERT: Family = Family {
    model_type: "modernbert",
    layers: "num_hidden_layers",
    sizes: &[
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "num_attention_heads",
        "max_position_embeddings",
        "global_attn_every_n_layers",
        "local_attention",
        "pad_token_id",
    ],
    read: modernbert,
};

/// Keys of `ModernBertConfig` of transformers, with their defaults.
#[derive(Deserialize)]
struct Keys {
    vocab_size: i64,
    hidden_size: i64,
    intermediate_size: i64,
    num_hidden_layers: usize,
    num_attention_heads: i64,
    max_position_embeddings: i64,
    #[serde(default)]
    hidden_activation: Activation,
    #[serde(default = "small")]
    norm_eps: f64,
    #[serde(default)]
    norm_bias: bool,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default = "every")]
    global_attn_every_n_layers: usize,
    #[serde(default = "far")]
    global_rope_theta: f64,
    #[serde(default = "window")]
    local_attention: i64,
    /// `null` stands for the global one.
    #[serde(default = "near")]
    local_rope_theta: Option<f64>,
    #[serde(default)]
    embedding_dropout: f64,
    #[serde(default)]
    attention_dropout: f64,
    #[serde(default)]
    mlp_dropout: f64,
    #[serde(default)]
    classifier_dropout: f64,
    #[serde(default)]
    classifier_pooling: Pooled,
    #[serde(default)]
    classifier_bias: bool,
    #[serde(default)]
    classifier_activation: Activation,
    pad_token_id: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Pooled {
    #[default]
    Cls,
    Mean,
}

fn small() -> f64 {
    1e-5
}

fn every() -> usize {
    3
}

fn far() -> f64 {
    160_000.0
}

fn near() -> Option<f64> {
    Some(10_000.0)
}

fn window() -> i64 {
    128
}

const NAMES: Names = Names {
    prefix: "model.",
    words: "embeddings.tok_embeddings",
    positions: "",
    types: "",
    embedding_norm: Some("embeddings.norm"),
    projection: "",
    qkv: QkvNames::Joined("layers.#.attn.Wqkv"),
    out_proj: "layers.#.attn.Wo",
    attention_norm: "layers.#.attn_norm",
    up_proj: "layers.#.mlp.Wi",
    down_proj: "layers.#.mlp.Wo",
    output_norm: "layers.#.mlp_norm",
    final_norm: Some("final_norm"),
    transposed: false,
    classifier: "ModernBertForSequenceClassification",
};

impl Keys {
    fn rule(&self, layer: usize) -> AttentionRule {
        let scale = 1.0 / ((self.hidden_size / self.num_attention_heads.max(1)) as f64).sqrt();
        if layer.is_multiple_of(self.global_attn_every_n_layers.max(1)) {
            return AttentionRule { scale, window: None, rotary: Some(Rotary::plain(self.global_rope_theta)) };
        }
        let theta = self.local_rope_theta.unwrap_or(self.global_rope_theta);
        AttentionRule { scale, window: Some(self.local_attention / 2), rotary: Some(Rotary::plain(theta)) }
    }

    fn head(&self) -> HeadForm {
        HeadForm {
            pooling: match self.classifier_pooling {
                Pooled::Cls => Pooling::First,
                Pooled::Mean => Pooling::Mean,
            },
            dropout_before: 0.0,
            dense: Some(DenseForm {
                name: "head.dense".to_owned(),
                activation: self.classifier_activation,
                bias: self.classifier_bias.into(),
            }),
            norm: Some("head.norm".to_owned()),
            dropout_after: self.classifier_dropout,
            out: "classifier".to_owned(),
            out_bias: true.into(),
        }
    }
}

fn modernbert(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let keys: Keys = keys(raw)?;
    Ok(Architecture {
        vocabulary: keys.vocab_size,
        embedding: keys.hidden_size,
        projection: Projection::AfterNorm,
        hidden: keys.hidden_size,
        layers: keys.num_hidden_layers,
        heads: Heads::split(keys.hidden_size, keys.num_attention_heads)?,
        intermediate: keys.intermediate_size,
        positions: Positions::Rotary { limit: keys.max_position_embeddings },
        token_types: 0,
        pad: keys.pad_token_id,
        norm: NormForm { kind: NormKind::Layer, eps: keys.norm_eps, bias: keys.norm_bias.into() },
        order: Order::Pre { bare_start: true },
        attention: AttentionForm {
            causal: false,
            bias: keys.attention_bias.into(),
            rules: (0..keys.num_hidden_layers).map(|layer| keys.rule(layer)).collect(),
        },
        feed_forward: FeedForwardForm { activation: keys.hidden_activation, gated: true, bias: keys.mlp_bias.into() },
        dropout: DropoutRates {
            embeddings: keys.embedding_dropout,
            attention: keys.attention_dropout,
            attention_output: keys.attention_dropout,
            intermediate: keys.mlp_dropout,
            feed_forward_output: 0.0,
        },
        head: keys.head(),
        names: NAMES,
    })
}
