//! ModernBERT (Warner et al. 2024): norms first, rotary positions, gated feed-forward layers, two layers of three local.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::keys::{Key, Keys as KeyList, NOTHING};
use super::{Family, read_keys};
use crate::data::layout::PadTokens;
use crate::model::architecture::attention::{AttentionForm, AttentionRule, Heads, Rotary, RotaryScaling};
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
    keys: KEYS,
    read: modernbert,
};

const KEYS: KeyList = &[
    ("vocab_size", Key::Read),
    ("hidden_size", Key::Read),
    ("intermediate_size", Key::Read),
    ("num_hidden_layers", Key::Read),
    ("num_attention_heads", Key::Read),
    ("max_position_embeddings", Key::Read),
    ("hidden_activation", Key::Read),
    ("norm_eps", Key::Read),
    ("norm_bias", Key::Read),
    ("attention_bias", Key::Read),
    ("mlp_bias", Key::Read),
    ("global_attn_every_n_layers", Key::Read),
    ("global_rope_theta", Key::Read),
    ("local_attention", Key::Read),
    ("local_rope_theta", Key::Read),
    ("layer_types", Key::Read),
    ("rope_parameters", Key::Read),
    ("embedding_dropout", Key::Read),
    ("attention_dropout", Key::Read),
    ("mlp_dropout", Key::Read),
    ("classifier_dropout", Key::Read),
    ("classifier_pooling", Key::Read),
    ("classifier_bias", Key::Read),
    ("classifier_activation", Key::Read),
    ("rope_scaling", NOTHING),
    ("rope_theta", NOTHING),
    ("partial_rotary_factor", NOTHING),
    ("head_dim", NOTHING),
    ("sliding_window", NOTHING),
    // How weights begin.
    ("initializer_cutoff_factor", Key::NoEffect),
    // Of the head for masked words.
    ("decoder_bias", Key::NoEffect),
    ("sparse_prediction", Key::NoEffect),
    ("sparse_pred_ignore_index", Key::NoEffect),
    ("repad_logits_with_grad", Key::NoEffect),
    // How it is computed.
    ("deterministic_flash_attn", Key::NoEffect),
    ("reference_compile", Key::NoEffect),
];

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
    global_attn_every_n_layers: Option<usize>,
    #[serde(default = "far")]
    global_rope_theta: f64,
    #[serde(default = "window")]
    local_attention: i64,
    /// `null` stands for the global one.
    #[serde(default = "near")]
    local_rope_theta: Option<f64>,
    /// As transformers 5 writes which layers attend to all tokens.
    layer_types: Option<Vec<LayerType>>,
    /// As transformers 5 writes the bases of rotary positions.
    #[serde(default)]
    rope_parameters: RopeParameters,
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
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Pooled {
    #[default]
    Cls,
    Mean,
}

/// What a layer attends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LayerType {
    FullAttention,
    SlidingAttention,
}

/// Rotary positions of the layers of each type.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RopeParameters {
    full_attention: Option<Rope>,
    sliding_attention: Option<Rope>,
}

/// Rotary positions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rope {
    #[serde(default, alias = "type")]
    rope_type: RopeType,
    rope_theta: Option<f64>,
    factor: Option<f64>,
    partial_rotary_factor: Option<f64>,
}

/// How the angles of rotary positions are scaled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RopeType {
    #[default]
    Default,
    Linear,
}

fn small() -> f64 {
    1e-5
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
    head_norms: None,
    up_proj: &["layers.#.mlp.Wi"],
    down_proj: "layers.#.mlp.Wo",
    output_norm: "layers.#.mlp_norm",
    added_norms: None,
    final_norm: Some("final_norm"),
    transposed: false,
    classifier: "ModernBertForSequenceClassification",
};

/// Of so many layers one sees the whole text, where the configuration does not say.
const USUAL_EVERY: usize = 3;

/// The type of a layer if one of `every` sees the whole text.
fn by_number(layer: usize, every: usize) -> LayerType {
    if layer.is_multiple_of(every.max(1)) { LayerType::FullAttention } else { LayerType::SlidingAttention }
}

impl Keys {
    /// Refuses what is not computed.
    fn check(&self) -> Result<(), String> {
        let of_layers = self.layer_types.as_ref().map(Vec::len);
        if of_layers.is_some_and(|count| count != self.num_hidden_layers) {
            return Err(format!("layer_types has not the {} of num_hidden_layers", self.num_hidden_layers));
        }
        if let Some(every) = self.global_attn_every_n_layers
            && (0..self.num_hidden_layers).any(|layer| self.layer_type(layer) != by_number(layer, every))
        {
            // Versions of transformers differ in which of them counts.
            return Err("layer_types and global_attn_every_n_layers contradict each other; remove one".to_owned());
        }
        let RopeParameters { full_attention, sliding_attention } = &self.rope_parameters;
        for rope in [full_attention, sliding_attention].into_iter().flatten() {
            if rope.partial_rotary_factor.is_some_and(|part| part != 1.0) {
                return Err("rope_parameters: partial_rotary_factor is not supported but for 1".to_owned());
            }
            if rope.rope_type == RopeType::Linear && rope.factor.is_none() {
                return Err("rope_parameters: rope_type linear has no factor".to_owned());
            }
        }
        Ok(())
    }

    fn layer_type(&self, layer: usize) -> LayerType {
        let by_number = || by_number(layer, self.global_attn_every_n_layers.unwrap_or(USUAL_EVERY));
        self.layer_types.as_ref().and_then(|types| types.get(layer).copied()).unwrap_or_else(by_number)
    }

    /// Rotary positions with the base `theta` where `written` has none.
    fn rotary(written: Option<&Rope>, theta: f64) -> Rotary {
        let plain = Rotary::plain(written.and_then(|rope| rope.rope_theta).unwrap_or(theta));
        match written.filter(|rope| rope.rope_type == RopeType::Linear).and_then(|rope| rope.factor) {
            Some(factor) => Rotary { scaling: RotaryScaling::Linear { factor }, ..plain },
            None => plain,
        }
    }

    fn rule(&self, layer: usize) -> AttentionRule {
        let scale = 1.0 / ((self.hidden_size / self.num_attention_heads.max(1)) as f64).sqrt();
        let RopeParameters { full_attention, sliding_attention } = &self.rope_parameters;
        match self.layer_type(layer) {
            LayerType::FullAttention => {
                let rotary = Self::rotary(full_attention.as_ref(), self.global_rope_theta);
                AttentionRule { scale, window: None, rotary: Some(rotary) }
            }
            LayerType::SlidingAttention => {
                let theta = self.local_rope_theta.unwrap_or(self.global_rope_theta);
                let rotary = Self::rotary(sliding_attention.as_ref(), theta);
                AttentionRule { scale, window: Some(self.local_attention / 2), rotary: Some(rotary) }
            }
        }
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
    let keys: Keys = read_keys(raw)?;
    keys.check()?;
    Ok(Architecture {
        vocabulary: keys.vocab_size,
        embedding: keys.hidden_size,
        embedding_scale: 1.0,
        projection: Projection::AfterNorm,
        hidden: keys.hidden_size,
        layers: keys.num_hidden_layers,
        passes: (0..keys.num_hidden_layers).collect(),
        heads: Heads::split(keys.hidden_size, keys.num_attention_heads)?,
        intermediate: keys.intermediate_size,
        positions: Positions::Rotary { limit: keys.max_position_embeddings },
        token_types: 0,
        pads: PadTokens::Alike,
        norm: NormForm { kind: NormKind::Layer, eps: keys.norm_eps, bias: keys.norm_bias.into() },
        order: Order::Pre { bare_start: true },
        attention: AttentionForm {
            causal: false,
            bias: keys.attention_bias.into(),
            out_bias: keys.attention_bias.into(),
            distances: None,
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
