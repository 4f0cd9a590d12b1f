//! BERT and the families that differ from it in positions, head and names: RoBERTa, XLM-RoBERTa, ELECTRA.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{keys, tenth};
use crate::model::architecture::{
    Activation, Architecture, AttentionForm, AttentionRule, DropoutRates, FeedForwardForm, HeadForm, Names, NormForm,
    Order, Pooling, Positions, Presence, Projection,
};

/// Keys of `BertConfig`, `RobertaConfig` and `ElectraConfig` of transformers, with their defaults.
#[derive(Deserialize)]
struct Keys {
    vocab_size: i64,
    hidden_size: i64,
    embedding_size: Option<i64>,
    num_hidden_layers: usize,
    num_attention_heads: i64,
    intermediate_size: i64,
    #[serde(default)]
    hidden_act: Activation,
    #[serde(default = "tenth")]
    hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    attention_probs_dropout_prob: f64,
    max_position_embeddings: i64,
    #[serde(default = "two")]
    type_vocab_size: i64,
    #[serde(default = "tiny")]
    layer_norm_eps: f64,
    classifier_dropout: Option<f64>,
    pad_token_id: Option<i64>,
    position_embedding_type: Option<String>,
}

fn two() -> i64 {
    2
}

fn tiny() -> f64 {
    1e-12
}

const NAMES: Names = Names {
    prefix: "bert.",
    words: "embeddings.word_embeddings",
    positions: "embeddings.position_embeddings",
    types: "embeddings.token_type_embeddings",
    embedding_norm: Some("embeddings.LayerNorm"),
    projection: "embeddings_project",
    qkv: &[
        "encoder.layer.#.attention.self.query",
        "encoder.layer.#.attention.self.key",
        "encoder.layer.#.attention.self.value",
    ],
    mix: "encoder.layer.#.attention.output.dense",
    attention_norm: "encoder.layer.#.attention.output.LayerNorm",
    wide: "encoder.layer.#.intermediate.dense",
    narrow: "encoder.layer.#.output.dense",
    output_norm: "encoder.layer.#.output.LayerNorm",
    final_norm: None,
    transposed: false,
    classifier: "BertForSequenceClassification",
};

impl Keys {
    fn read(raw: &Map<String, Value>) -> Result<Self, String> {
        let keys: Self = keys(raw)?;
        match keys.position_embedding_type.as_deref() {
            None | Some("absolute") => Ok(keys),
            Some(other) => Err(format!("position_embedding_type `{other}` is not supported; supported is absolute")),
        }
    }

    fn architecture(&self, names: Names, offset: i64, head: HeadForm) -> Architecture {
        let scale = 1.0 / ((self.hidden_size / self.num_attention_heads.max(1)) as f64).sqrt();
        let rule = AttentionRule { scale, window: None, theta: None };
        let rate = self.hidden_dropout_prob;
        Architecture {
            vocabulary: self.vocab_size,
            embedding: self.embedding_size.unwrap_or(self.hidden_size),
            projection: Projection::AfterNorm,
            hidden: self.hidden_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            wide: self.intermediate_size,
            positions: Positions::Learned { count: self.max_position_embeddings, offset },
            token_types: self.type_vocab_size,
            pad: self.pad_token_id,
            norm: NormForm { eps: self.layer_norm_eps, bias: Presence::Present },
            order: Order::Post,
            attention: AttentionForm {
                causal: false,
                bias: Presence::Present,
                rules: vec![rule; self.num_hidden_layers],
            },
            feed_forward: FeedForwardForm { activation: self.hidden_act, gated: false, bias: Presence::Present },
            dropout: DropoutRates {
                embeddings: rate,
                attention: self.attention_probs_dropout_prob,
                mixed: rate,
                wide: 0.0,
                narrow: rate,
            },
            head,
            names,
        }
    }

    /// Share dropped in the head.
    fn head_dropout(&self) -> f64 {
        self.classifier_dropout.unwrap_or(self.hidden_dropout_prob)
    }

    /// The first state, dropout, dense, `activation`, dropout, linear: the head of RoBERTa and ELECTRA.
    fn two_layer_head(&self, activation: Activation) -> HeadForm {
        HeadForm {
            pooling: Pooling::First,
            dropout_before: self.head_dropout(),
            dense: Some(("classifier.dense".to_owned(), activation, Presence::Present)),
            norm: None,
            dropout_after: self.head_dropout(),
            out: "classifier.out_proj".to_owned(),
            out_bias: Presence::Present,
        }
    }
}

pub(super) fn bert(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let keys = Keys::read(raw)?;
    let head = HeadForm {
        pooling: Pooling::First,
        dropout_before: 0.0,
        dense: Some(("bert.pooler.dense".to_owned(), Activation::Tanh, Presence::Present)),
        norm: None,
        dropout_after: keys.head_dropout(),
        out: "classifier".to_owned(),
        out_bias: Presence::Present,
    };
    Ok(keys.architecture(NAMES, 0, head))
}

pub(super) fn roberta(raw: &Map<String, Value>) -> Result<Architecture, String> {
    roberta_like(raw, "RobertaForSequenceClassification")
}

pub(super) fn xlm_roberta(raw: &Map<String, Value>) -> Result<Architecture, String> {
    roberta_like(raw, "XLMRobertaForSequenceClassification")
}

/// Positions start after that of the padding token.
fn roberta_like(raw: &Map<String, Value>, classifier: &'static str) -> Result<Architecture, String> {
    let mut keys = Keys::read(raw)?;
    let pad = *keys.pad_token_id.get_or_insert(1);
    let head = keys.two_layer_head(Activation::Tanh);
    Ok(keys.architecture(Names { prefix: "roberta.", classifier, ..NAMES }, pad + 1, head))
}

pub(super) fn electra(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let mut keys = Keys::read(raw)?;
    keys.embedding_size.get_or_insert(128);
    let head = keys.two_layer_head(Activation::Gelu);
    let classifier = "ElectraForSequenceClassification";
    Ok(keys.architecture(Names { prefix: "electra.", classifier, ..NAMES }, 0, head))
}
