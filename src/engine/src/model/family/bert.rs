//! BERT and the families that differ from it in positions, head and names: RoBERTa, XLM-RoBERTa, CamemBERT, ELECTRA.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::keys::{Key, Keys as KeyList, Neutral};
use super::{Family, read_keys, tenth};
use crate::data::layout::PadTokens;
use crate::model::architecture::attention::{AttentionForm, AttentionRule, Heads};
use crate::model::architecture::names::{Names, QkvNames};
use crate::model::architecture::{
    Activation, Architecture, DenseForm, DropoutRates, FeedForwardForm, HeadForm, NormForm, NormKind, Order, Pooling,
    Positions, Presence, Projection,
};

pub(super) const BERT: Family =
    Family { model_type: "bert", layers: "num_hidden_layers", sizes: SIZES, keys: KEYS, read: bert };
pub(super) const ROBERTA: Family = Family { model_type: "roberta", read: roberta, ..BERT };
pub(super) const XLM_ROBERTA: Family = Family { model_type: "xlm-roberta", read: xlm_roberta, ..BERT };
pub(super) const CAMEMBERT: Family = Family { model_type: "camembert", read: camembert, ..BERT };
pub(super) const ELECTRA: Family = Family { model_type: "electra", keys: ELECTRA_KEYS, read: electra, ..BERT };

const SIZES: &[&str] = &[
    "vocab_size",
    "hidden_size",
    "embedding_size",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
    "pad_token_id",
];

const KEYS: KeyList = &[
    ("vocab_size", Key::Read),
    ("hidden_size", Key::Read),
    ("num_hidden_layers", Key::Read),
    ("num_attention_heads", Key::Read),
    ("intermediate_size", Key::Read),
    ("hidden_act", Key::Read),
    ("hidden_dropout_prob", Key::Read),
    ("attention_probs_dropout_prob", Key::Read),
    ("max_position_embeddings", Key::Read),
    ("type_vocab_size", Key::Read),
    ("layer_norm_eps", Key::Read),
    ("classifier_dropout", Key::Read),
    ("position_embedding_type", Key::Only(Neutral::Text("absolute"))),
];

const ELECTRA_KEYS: KeyList = &[
    ("vocab_size", Key::Read),
    ("embedding_size", Key::Read),
    ("hidden_size", Key::Read),
    ("num_hidden_layers", Key::Read),
    ("num_attention_heads", Key::Read),
    ("intermediate_size", Key::Read),
    ("hidden_act", Key::Read),
    ("hidden_dropout_prob", Key::Read),
    ("attention_probs_dropout_prob", Key::Read),
    ("max_position_embeddings", Key::Read),
    ("type_vocab_size", Key::Read),
    ("layer_norm_eps", Key::Read),
    ("classifier_dropout", Key::Read),
    ("position_embedding_type", Key::Only(Neutral::Text("absolute"))),
    // Of the head for multiple choice.
    ("summary_activation", Key::NoEffect),
    ("summary_first_dropout", Key::NoEffect),
    ("summary_last_dropout", Key::NoEffect),
    ("summary_proj_to_labels", Key::NoEffect),
    ("summary_type", Key::NoEffect),
    ("summary_use_proj", Key::NoEffect),
];

/// Keys of `BertConfig`, `RobertaConfig` and `ElectraConfig` of transformers, with their defaults.
#[derive(Deserialize)]
pub(super) struct Keys {
    vocab_size: i64,
    pub(super) hidden_size: i64,
    /// Of ELECTRA and ALBERT alone.
    #[serde(skip)]
    pub(super) embedding_size: Option<i64>,
    pub(super) num_hidden_layers: usize,
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
    pub(super) type_vocab_size: i64,
    #[serde(default = "tiny")]
    layer_norm_eps: f64,
    classifier_dropout: Option<f64>,
    pad_token_id: Option<i64>,
}

/// The key that only `ElectraConfig` has.
#[derive(Deserialize)]
struct ElectraKeys {
    #[serde(default = "narrow")]
    embedding_size: i64,
}

fn narrow() -> i64 {
    128
}

fn two() -> i64 {
    2
}

fn tiny() -> f64 {
    1e-12
}

pub(super) const NAMES: Names = Names {
    prefix: "bert.",
    words: "embeddings.word_embeddings",
    positions: "embeddings.position_embeddings",
    types: "embeddings.token_type_embeddings",
    embedding_norm: Some("embeddings.LayerNorm"),
    projection: "embeddings_project",
    qkv: QkvNames::Apart([
        "encoder.layer.#.attention.self.query",
        "encoder.layer.#.attention.self.key",
        "encoder.layer.#.attention.self.value",
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
    classifier: "BertForSequenceClassification",
};

impl Keys {
    /// BERT with this head, whose parameters have these names.
    pub(super) fn architecture(&self, names: Names, pads: PadTokens, head: HeadForm) -> Result<Architecture, String> {
        // The first position is the one after the padding token's id where that token has a position of its own.
        let offset = if let PadTokens::Unplaced(pad) = pads { pad + 1 } else { 0 };
        let scale = 1.0 / ((self.hidden_size / self.num_attention_heads.max(1)) as f64).sqrt();
        let rule = AttentionRule { scale, window: None, rotary: None };
        let rate = self.hidden_dropout_prob;
        Ok(Architecture {
            vocabulary: self.vocab_size,
            embedding: self.embedding_size.unwrap_or(self.hidden_size),
            embedding_scale: 1.0,
            projection: Projection::AfterNorm,
            hidden: self.hidden_size,
            layers: self.num_hidden_layers,
            passes: (0..self.num_hidden_layers).collect(),
            heads: Heads::split(self.hidden_size, self.num_attention_heads)?,
            intermediate: self.intermediate_size,
            positions: Positions::Learned { count: self.max_position_embeddings, offset },
            token_types: self.type_vocab_size,
            pads,
            norm: NormForm { kind: NormKind::Layer, eps: self.layer_norm_eps, bias: Presence::Present },
            order: Order::Post,
            attention: AttentionForm {
                causal: false,
                bias: Presence::Present,
                out_bias: Presence::Present,
                distances: None,
                rules: vec![rule; self.num_hidden_layers],
            },
            feed_forward: FeedForwardForm { activation: self.hidden_act, gated: false, bias: Presence::Present },
            dropout: DropoutRates {
                embeddings: rate,
                attention: self.attention_probs_dropout_prob,
                attention_output: rate,
                intermediate: 0.0,
                feed_forward_output: rate,
            },
            head,
            names,
        })
    }

    /// Dropout rate of the head.
    fn head_dropout(&self) -> f64 {
        self.classifier_dropout.unwrap_or(self.hidden_dropout_prob)
    }

    /// The head of RoBERTa and ELECTRA: first state, dropout, dense, `activation`, dropout, linear.
    pub(super) fn two_layer_head(&self, activation: Activation) -> HeadForm {
        HeadForm {
            pooling: Pooling::First,
            dropout_before: self.head_dropout(),
            dense: Some(DenseForm { name: "classifier.dense".to_owned(), activation, bias: Presence::Present }),
            norm: None,
            dropout_after: self.head_dropout(),
            out: "classifier.out_proj".to_owned(),
            out_bias: Presence::Present,
        }
    }
}

fn bert(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let keys = read_keys::<Keys>(raw)?;
    let head = HeadForm {
        pooling: Pooling::First,
        dropout_before: 0.0,
        dense: Some(DenseForm {
            name: "bert.pooler.dense".to_owned(),
            activation: Activation::Tanh,
            bias: Presence::Present,
        }),
        norm: None,
        dropout_after: keys.head_dropout(),
        out: "classifier".to_owned(),
        out_bias: Presence::Present,
    };
    keys.architecture(NAMES, PadTokens::Alike, head)
}

fn roberta(raw: &Map<String, Value>) -> Result<Architecture, String> {
    roberta_like(raw, "RobertaForSequenceClassification")
}

fn camembert(raw: &Map<String, Value>) -> Result<Architecture, String> {
    roberta_like(raw, "CamembertForSequenceClassification")
}

fn xlm_roberta(raw: &Map<String, Value>) -> Result<Architecture, String> {
    roberta_like(raw, "XLMRobertaForSequenceClassification")
}

/// RoBERTa and XLM-RoBERTa, whose first position is the one after the padding token's id.
fn roberta_like(raw: &Map<String, Value>, classifier: &'static str) -> Result<Architecture, String> {
    let mut keys = read_keys::<Keys>(raw)?;
    let pad = *keys.pad_token_id.get_or_insert(1);
    let head = keys.two_layer_head(Activation::Tanh);
    keys.architecture(Names { prefix: "roberta.", classifier, ..NAMES }, PadTokens::Unplaced(pad), head)
}

fn electra(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let mut keys = read_keys::<Keys>(raw)?;
    keys.embedding_size = Some(read_keys::<ElectraKeys>(raw)?.embedding_size);
    let head = keys.two_layer_head(Activation::Gelu);
    let classifier = "ElectraForSequenceClassification";
    keys.architecture(Names { prefix: "electra.", classifier, ..NAMES }, PadTokens::Alike, head)
}
