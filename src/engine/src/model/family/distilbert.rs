//! DistilBERT: BERT without token types and pooler.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{keys, tenth};
use crate::model::architecture::{
    Activation, Architecture, AttentionForm, AttentionRule, DropoutRates, FeedForwardForm, HeadForm, Names, NormForm,
    Order, Pooling, Positions, Presence, Projection,
};

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
    #[serde(default)]
    pad_token_id: i64,
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
    qkv: &[
        "transformer.layer.#.attention.q_lin",
        "transformer.layer.#.attention.k_lin",
        "transformer.layer.#.attention.v_lin",
    ],
    mix: "transformer.layer.#.attention.out_lin",
    attention_norm: "transformer.layer.#.sa_layer_norm",
    wide: "transformer.layer.#.ffn.lin1",
    narrow: "transformer.layer.#.ffn.lin2",
    output_norm: "transformer.layer.#.output_layer_norm",
    final_norm: None,
    transposed: false,
    classifier: "DistilBertForSequenceClassification",
};

pub(super) fn distilbert(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let keys: Keys = keys(raw)?;
    let scale = 1.0 / ((keys.dim / keys.n_heads.max(1)) as f64).sqrt();
    Ok(Architecture {
        vocabulary: keys.vocab_size,
        embedding: keys.dim,
        projection: Projection::AfterNorm,
        hidden: keys.dim,
        layers: keys.n_layers,
        heads: keys.n_heads,
        wide: keys.hidden_dim,
        positions: Positions::Learned { count: keys.max_position_embeddings, offset: 0 },
        token_types: 0,
        pad: Some(keys.pad_token_id),
        norm: NormForm { eps: 1e-12, bias: Presence::Present },
        order: Order::Post,
        attention: AttentionForm {
            causal: false,
            bias: Presence::Present,
            rules: vec![AttentionRule { scale, window: None, theta: None }; keys.n_layers],
        },
        feed_forward: FeedForwardForm { activation: keys.activation, gated: false, bias: Presence::Present },
        dropout: DropoutRates {
            embeddings: keys.dropout,
            attention: keys.attention_dropout,
            mixed: 0.0,
            wide: 0.0,
            narrow: keys.dropout,
        },
        head: HeadForm {
            pooling: Pooling::First,
            dropout_before: 0.0,
            dense: Some(("pre_classifier".to_owned(), Activation::Relu, Presence::Present)),
            norm: None,
            dropout_after: keys.seq_classif_dropout,
            out: "classifier".to_owned(),
            out_bias: Presence::Present,
        },
        names: NAMES,
    })
}
