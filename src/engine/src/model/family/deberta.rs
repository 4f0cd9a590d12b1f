//! DeBERTa-v2 and -v3 (He et al. 2021): distances between tokens have embeddings of their own.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::keys::{Key, Keys as KeyList, Neutral};
use super::{Family, read_keys, tenth};
use crate::data::layout::PadTokens;
use crate::model::architecture::attention::{AttentionForm, AttentionRule, Heads, RelativeForm, RelativeNames};
use crate::model::architecture::names::{Names, QkvNames};
use crate::model::architecture::{
    Activation, Architecture, DenseForm, DropoutRates, FeedForwardForm, HeadForm, NormForm, NormKind, Order, Pooling,
    Positions, Presence, Projection,
};

pub(super) const DEBERTA: Family = Family {
    model_type: "deberta-v2",
    layers: "num_hidden_layers",
    sizes: &[
        "vocab_size",
        "hidden_size",
        "embedding_size",
        "num_attention_heads",
        "attention_head_size",
        "intermediate_size",
        "max_position_embeddings",
        "type_vocab_size",
        "max_relative_positions",
        "position_buckets",
        "pad_token_id",
    ],
    keys: KEYS,
    read: deberta,
};

const KEYS: KeyList = &[
    ("vocab_size", Key::Read),
    ("hidden_size", Key::Read),
    ("embedding_size", Key::Read),
    ("num_hidden_layers", Key::Read),
    ("num_attention_heads", Key::Read),
    ("attention_head_size", Key::Read),
    ("intermediate_size", Key::Read),
    ("hidden_act", Key::Read),
    ("hidden_dropout_prob", Key::Read),
    ("attention_probs_dropout_prob", Key::Read),
    ("max_position_embeddings", Key::Read),
    ("type_vocab_size", Key::Read),
    ("layer_norm_eps", Key::Read),
    ("relative_attention", Key::Read),
    ("max_relative_positions", Key::Read),
    ("position_buckets", Key::Read),
    ("position_biased_input", Key::Read),
    ("pos_att_type", Key::Read),
    ("share_att_key", Key::Read),
    ("norm_rel_ebd", Key::Read),
    ("pooler_dropout", Key::Read),
    ("pooler_hidden_act", Key::Read),
    ("cls_dropout", Key::Read),
    ("pooler_hidden_size", Key::Alias("hidden_size")),
    ("conv_kernel_size", Key::Only(Neutral::Zero)),
    // Of the convolution.
    ("conv_act", Key::NoEffect),
    ("conv_groups", Key::NoEffect),
    // Of the head for masked words.
    ("legacy", Key::NoEffect),
];

/// Keys of `DebertaV2Config` of transformers, with their defaults.
#[derive(Deserialize)]
struct Keys {
    vocab_size: i64,
    hidden_size: i64,
    embedding_size: Option<i64>,
    num_hidden_layers: usize,
    num_attention_heads: i64,
    attention_head_size: Option<i64>,
    intermediate_size: i64,
    #[serde(default)]
    hidden_act: Activation,
    #[serde(default = "tenth")]
    hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    attention_probs_dropout_prob: f64,
    max_position_embeddings: i64,
    #[serde(default)]
    type_vocab_size: i64,
    #[serde(default = "tiny")]
    layer_norm_eps: f64,
    #[serde(default)]
    relative_attention: bool,
    #[serde(default = "unlimited")]
    max_relative_positions: i64,
    #[serde(default = "unlimited")]
    position_buckets: i64,
    #[serde(default = "yes")]
    position_biased_input: bool,
    pos_att_type: Option<PosAttType>,
    #[serde(default)]
    share_att_key: bool,
    norm_rel_ebd: Option<String>,
    #[serde(default)]
    pooler_dropout: f64,
    #[serde(default)]
    pooler_hidden_act: Activation,
    cls_dropout: Option<f64>,
}

/// `p2c|c2p`, or a list of the two.
#[derive(Deserialize)]
#[serde(untagged)]
enum PosAttType {
    Joined(String),
    List(Vec<String>),
}

impl PosAttType {
    fn has(&self, kind: &str) -> bool {
        match self {
            PosAttType::Joined(text) => text.to_lowercase().split('|').any(|part| part.trim() == kind),
            PosAttType::List(list) => list.iter().any(|part| part.eq_ignore_ascii_case(kind)),
        }
    }
}

fn tiny() -> f64 {
    1e-7
}

fn unlimited() -> i64 {
    -1
}

fn yes() -> bool {
    true
}

const NAMES: Names = Names {
    prefix: "deberta.",
    words: "embeddings.word_embeddings",
    positions: "embeddings.position_embeddings",
    types: "embeddings.token_type_embeddings",
    embedding_norm: Some("embeddings.LayerNorm"),
    projection: "embeddings.embed_proj",
    qkv: QkvNames::Apart([
        "encoder.layer.#.attention.self.query_proj",
        "encoder.layer.#.attention.self.key_proj",
        "encoder.layer.#.attention.self.value_proj",
    ]),
    out_proj: "encoder.layer.#.attention.output.dense",
    attention_norm: "encoder.layer.#.attention.output.LayerNorm",
    head_norms: None,
    up_proj: &["encoder.layer.#.intermediate.dense"],
    down_proj: "encoder.layer.#.output.dense",
    output_norm: "encoder.layer.#.output.LayerNorm",
    added_norms: None,
    final_norm: None,
    transposed: false,
    classifier: "DebertaV2ForSequenceClassification",
};

const DISTANCES: RelativeNames = RelativeNames {
    table: "encoder.rel_embeddings",
    norm: "encoder.LayerNorm",
    key: "encoder.layer.#.attention.self.pos_key_proj",
    query: "encoder.layer.#.attention.self.pos_query_proj",
};

impl Keys {
    fn check(&self) -> Result<(), String> {
        if !self.relative_attention {
            return Err("relative_attention false is not supported for deberta-v2".to_owned());
        }
        match self.attention_head_size {
            Some(size) if size * self.num_attention_heads != self.hidden_size => {
                Err(format!("attention_head_size {size} is not hidden_size / num_attention_heads"))
            }
            _ => Ok(()),
        }
    }

    fn attends(&self, kind: &str) -> bool {
        self.pos_att_type.as_ref().is_some_and(|types| types.has(kind))
    }

    fn relative(&self) -> RelativeForm {
        let limit = self.max_position_embeddings;
        RelativeForm {
            limit,
            buckets: self.position_buckets.max(0),
            span: if self.max_relative_positions < 1 { limit } else { self.max_relative_positions },
            shared: self.share_att_key,
            content_to_position: self.attends("c2p"),
            position_to_content: self.attends("p2c"),
            normalised: self.norm_rel_ebd.as_deref().is_some_and(|norm| norm.to_lowercase().contains("layer_norm")),
            absolute: if self.position_biased_input { limit } else { 0 },
            names: DISTANCES,
        }
    }

    fn rule(&self) -> AttentionRule {
        let parts = 1 + i64::from(self.attends("c2p")) + i64::from(self.attends("p2c"));
        let size = self.hidden_size / self.num_attention_heads.max(1) * parts;
        AttentionRule { scale: 1.0 / (size as f64).sqrt(), window: None, rotary: None }
    }

    fn head(&self) -> HeadForm {
        HeadForm {
            pooling: Pooling::First,
            dropout_before: self.pooler_dropout,
            dense: Some(DenseForm {
                name: "pooler.dense".to_owned(),
                activation: self.pooler_hidden_act,
                bias: Presence::Present,
            }),
            norm: None,
            dropout_after: self.cls_dropout.unwrap_or(self.hidden_dropout_prob),
            out: "classifier".to_owned(),
            out_bias: Presence::Present,
        }
    }
}

fn deberta(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let keys: Keys = read_keys(raw)?;
    keys.check()?;
    let rate = keys.hidden_dropout_prob;
    Ok(Architecture {
        vocabulary: keys.vocab_size,
        embedding: keys.embedding_size.unwrap_or(keys.hidden_size),
        embedding_scale: 1.0,
        projection: Projection::BeforeNorm,
        hidden: keys.hidden_size,
        layers: keys.num_hidden_layers,
        passes: (0..keys.num_hidden_layers).collect(),
        heads: Heads::split(keys.hidden_size, keys.num_attention_heads)?,
        intermediate: keys.intermediate_size,
        positions: Positions::Relative(keys.relative()),
        token_types: keys.type_vocab_size,
        pads: PadTokens::Alike,
        norm: NormForm { kind: NormKind::Layer, eps: keys.layer_norm_eps, bias: Presence::Present },
        order: Order::Post,
        attention: AttentionForm {
            causal: false,
            bias: Presence::Present,
            out_bias: Presence::Present,
            distances: None,
            rules: vec![keys.rule(); keys.num_hidden_layers],
        },
        feed_forward: FeedForwardForm { activation: keys.hidden_act, gated: false, bias: Presence::Present },
        dropout: DropoutRates {
            embeddings: rate,
            attention: keys.attention_probs_dropout_prob,
            attention_output: rate,
            intermediate: 0.0,
            feed_forward_output: rate,
        },
        head: keys.head(),
        names: NAMES,
    })
}
