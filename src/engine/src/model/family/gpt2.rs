//! GPT-2: causal, norms first, matrices stored the other way round, the last token stands for the text.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::keys::{Key, Keys as KeyList};
use super::{Family, read_keys, tenth};
use crate::data::layout::PadTokens;
use crate::model::architecture::attention::{AttentionForm, AttentionRule, Heads};
use crate::model::architecture::names::{Names, QkvNames};
use crate::model::architecture::{
    Activation, Architecture, DropoutRates, FeedForwardForm, HeadForm, NormForm, NormKind, Order, Pooling, Positions,
    Presence, Projection,
};

pub(super) const GPT2: Family = Family {
    model_type: "gpt2",
    layers: "n_layer",
    sizes: &["vocab_size", "n_embd", "n_head", "n_inner", "n_positions", "pad_token_id"],
    keys: KEYS,
    read: gpt2,
};

const KEYS: KeyList = &[
    ("vocab_size", Key::Read),
    ("n_embd", Key::Read),
    ("n_layer", Key::Read),
    ("n_head", Key::Read),
    ("n_inner", Key::Read),
    ("n_positions", Key::Read),
    ("activation_function", Key::Read),
    ("resid_pdrop", Key::Read),
    ("embd_pdrop", Key::Read),
    ("attn_pdrop", Key::Read),
    ("layer_norm_epsilon", Key::Read),
    ("scale_attn_weights", Key::Read),
    ("scale_attn_by_inverse_layer_idx", Key::Read),
    ("hidden_size", Key::Alias("n_embd")),
    ("max_position_embeddings", Key::Alias("n_positions")),
    ("num_attention_heads", Key::Alias("n_head")),
    ("num_hidden_layers", Key::Alias("n_layer")),
    // The same numbers in another order.
    ("reorder_and_upcast_attn", Key::NoEffect),
    // Of the heads for tokens and for two tasks.
    ("classifier_dropout", Key::NoEffect),
    ("hidden_dropout", Key::NoEffect),
    ("summary_activation", Key::NoEffect),
    ("summary_first_dropout", Key::NoEffect),
    ("summary_last_dropout", Key::NoEffect),
    ("summary_proj_to_labels", Key::NoEffect),
    ("summary_type", Key::NoEffect),
    ("summary_use_proj", Key::NoEffect),
];

/// Keys of `GPT2Config` of transformers, with their defaults.
#[derive(Deserialize)]
struct Keys {
    vocab_size: i64,
    n_embd: i64,
    n_layer: usize,
    n_head: i64,
    n_inner: Option<i64>,
    n_positions: i64,
    #[serde(default = "gelu_new")]
    activation_function: Activation,
    #[serde(default = "tenth")]
    resid_pdrop: f64,
    #[serde(default = "tenth")]
    embd_pdrop: f64,
    #[serde(default = "tenth")]
    attn_pdrop: f64,
    #[serde(default = "small")]
    layer_norm_epsilon: f64,
    #[serde(default = "yes")]
    scale_attn_weights: bool,
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: bool,
    pad_token_id: Option<i64>,
}

fn gelu_new() -> Activation {
    Activation::GeluNew
}

fn small() -> f64 {
    1e-5
}

fn yes() -> bool {
    true
}

const NAMES: Names = Names {
    prefix: "transformer.",
    words: "wte",
    positions: "wpe",
    types: "",
    embedding_norm: None,
    projection: "",
    qkv: QkvNames::Joined("h.#.attn.c_attn"),
    out_proj: "h.#.attn.c_proj",
    attention_norm: "h.#.ln_1",
    head_norms: None,
    up_proj: &["h.#.mlp.c_fc"],
    down_proj: "h.#.mlp.c_proj",
    output_norm: "h.#.ln_2",
    added_norms: None,
    final_norm: Some("ln_f"),
    transposed: true,
    classifier: "GPT2ForSequenceClassification",
};

impl Keys {
    fn rule(&self, layer: usize) -> AttentionRule {
        let root = ((self.n_embd / self.n_head.max(1)) as f64).sqrt();
        let by_size = if self.scale_attn_weights { 1.0 / root } else { 1.0 };
        let by_layer = if self.scale_attn_by_inverse_layer_idx { 1.0 / (layer + 1) as f64 } else { 1.0 };
        AttentionRule { scale: by_size * by_layer, window: None, rotary: None }
    }
}

fn gpt2(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let keys: Keys = read_keys(raw)?;
    Ok(Architecture {
        vocabulary: keys.vocab_size,
        embedding: keys.n_embd,
        embedding_scale: 1.0,
        projection: Projection::AfterNorm,
        hidden: keys.n_embd,
        layers: keys.n_layer,
        passes: (0..keys.n_layer).collect(),
        heads: Heads::split(keys.n_embd, keys.n_head)?,
        intermediate: keys.n_inner.unwrap_or(4 * keys.n_embd),
        positions: Positions::Learned { count: keys.n_positions, offset: 0 },
        token_types: 0,
        pads: keys.pad_token_id.map_or(PadTokens::Alike, PadTokens::Unpooled),
        norm: NormForm { kind: NormKind::Layer, eps: keys.layer_norm_epsilon, bias: Presence::Present },
        order: Order::Pre { bare_start: false },
        attention: AttentionForm {
            causal: true,
            bias: Presence::Present,
            out_bias: Presence::Present,
            distances: None,
            rules: (0..keys.n_layer).map(|layer| keys.rule(layer)).collect(),
        },
        feed_forward: FeedForwardForm { activation: keys.activation_function, gated: false, bias: Presence::Present },
        dropout: DropoutRates {
            embeddings: keys.embd_pdrop,
            attention: keys.attn_pdrop,
            attention_output: keys.resid_pdrop,
            intermediate: 0.0,
            feed_forward_output: keys.resid_pdrop,
        },
        head: HeadForm {
            pooling: Pooling::Last,
            dropout_before: 0.0,
            dense: None,
            norm: None,
            dropout_after: 0.0,
            out: "score".to_owned(),
            out_bias: Presence::Absent,
        },
        names: NAMES,
    })
}
