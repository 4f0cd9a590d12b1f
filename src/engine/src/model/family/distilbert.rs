//! DistilBERT: BERT without token types and pooler.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::keys::{Key, Keys as KeyList};
use super::{Family, read_keys, tenth};
use crate::data::layout::PadTokens;
use crate::model::architecture::attention::{AttentionForm, AttentionRule, Heads};
use crate::model::architecture::names::{Names, QkvNames};
use crate::model::architecture::{
    Activation, Architecture, DenseForm, DropoutRates, FeedForwardForm, HeadForm, NormForm, NormKind, Order, Pooling,
    Positions, Presence, Projection,
};

pub(super) const DISTILBERT: Family = Family {
    model_type: "distilbert",
    layers: "n_layers",
    sizes: &["vocab_size", "dim", "n_heads", "hidden_dim", "max_position_embeddings", "pad_token_id"],
    keys: KEYS,
    read: distilbert,
};

const KEYS: KeyList = &[
    ("vocab_size", Key::Read),
    ("dim", Key::Read),
    ("n_layers", Key::Read),
    ("n_heads", Key::Read),
    ("hidden_dim", Key::Read),
    ("max_position_embeddings", Key::Read),
    ("activation", Key::Read),
    ("dropout", Key::Read),
    ("attention_dropout", Key::Read),
    ("seq_classif_dropout", Key::Read),
    ("hidden_size", Key::Alias("dim")),
    ("num_attention_heads", Key::Alias("n_heads")),
    ("num_hidden_layers", Key::Alias("n_layers")),
    // How the table of positions begins; it is stored in any case.
    ("sinusoidal_pos_embds", Key::NoEffect),
    // Of the head for questions.
    ("qa_dropout", Key::NoEffect),
];

/// Keys of `DistilBertConfig` of transformers, with their defaults.
#[derive(Deserialize)]
struct Keys {
    vocab_size: i64,
    dim: i64,
    n_layers: usize,
    n_heads: i64,
    hidden_dim: i64,
    max_position_embeddings: i64,
    #[serde(default)]
    activation: Activation,
    #[serde(default = "tenth")]
    dropout: f64,
    #[serde(default = "tenth")]
    attention_dropout: f64,
    #[serde(default = "fifth")]
    seq_classif_dropout: f64,
}

fn fifth() -> f64 {
    0.2
}

const NAMES: Names = Names {
    prefix: "distilbert.",
    words: "embeddings.word_embeddings",
    positions: "embeddings.position_embeddings",
    types: "",
    embedding_norm: Some("embeddings.LayerNorm"),
    projection: "",
    qkv: QkvNames::Apart([
        "transformer.layer.#.attention.q_lin",
        "transformer.layer.#.attention.k_lin",
        "transformer.layer.#.attention.v_lin",
    ]),
    out_proj: "transformer.layer.#.attention.out_lin",
    attention_norm: "transformer.layer.#.sa_layer_norm",
    head_norms: None,
    up_proj: &["transformer.layer.#.ffn.lin1"],
    down_proj: "transformer.layer.#.ffn.lin2",
    output_norm: "transformer.layer.#.output_layer_norm",
    added_norms: None,
    final_norm: None,
    transposed: false,
    classifier: "DistilBertForSequenceClassification",
};

fn distilbert(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let keys: Keys = read_keys(raw)?;
    let scale = 1.0 / ((keys.dim / keys.n_heads.max(1)) as f64).sqrt();
    Ok(Architecture {
        vocabulary: keys.vocab_size,
        embedding: keys.dim,
        embedding_scale: 1.0,
        projection: Projection::AfterNorm,
        hidden: keys.dim,
        layers: keys.n_layers,
        passes: (0..keys.n_layers).collect(),
        heads: Heads::split(keys.dim, keys.n_heads)?,
        intermediate: keys.hidden_dim,
        positions: Positions::Learned { count: keys.max_position_embeddings, offset: 0 },
        token_types: 0,
        pads: PadTokens::Alike,
        norm: NormForm { kind: NormKind::Layer, eps: 1e-12, bias: Presence::Present },
        order: Order::Post,
        attention: AttentionForm {
            causal: false,
            bias: Presence::Present,
            out_bias: Presence::Present,
            distances: None,
            rules: vec![AttentionRule { scale, window: None, rotary: None }; keys.n_layers],
        },
        feed_forward: FeedForwardForm { activation: keys.activation, gated: false, bias: Presence::Present },
        dropout: DropoutRates {
            embeddings: keys.dropout,
            attention: keys.attention_dropout,
            attention_output: 0.0,
            intermediate: 0.0,
            feed_forward_output: keys.dropout,
        },
        head: HeadForm {
            pooling: Pooling::First,
            dropout_before: 0.0,
            dense: Some(DenseForm {
                name: "pre_classifier".to_owned(),
                activation: Activation::Relu,
                bias: Presence::Present,
            }),
            norm: None,
            dropout_after: keys.seq_classif_dropout,
            out: "classifier".to_owned(),
            out_bias: Presence::Present,
        },
        names: NAMES,
    })
}
