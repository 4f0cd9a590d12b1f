//! ALBERT (Lan et al. 2020): BERT that goes through the same few layers again and again, with narrow embeddings.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::bert::{self, BERT};
use super::keys::{Key, Keys as KeyList, Neutral};
use super::{Family, defaulted, read_keys};
use crate::data::layout::PadTokens;
use crate::model::architecture::names::{Names, QkvNames};
use crate::model::architecture::{
    Activation, Architecture, DenseForm, DropoutRates, HeadForm, Pooling, Presence, Projection,
};

pub(super) const ALBERT: Family = Family { model_type: "albert", keys: KEYS, read: albert, ..BERT };

const KEYS: KeyList = &[
    ("vocab_size", Key::Read),
    ("embedding_size", Key::Read),
    ("hidden_size", Key::Read),
    ("num_hidden_layers", Key::Read),
    ("num_hidden_groups", Key::Read),
    ("num_attention_heads", Key::Read),
    ("intermediate_size", Key::Read),
    ("hidden_act", Key::Read),
    ("hidden_dropout_prob", Key::Read),
    ("attention_probs_dropout_prob", Key::Read),
    ("classifier_dropout_prob", Key::Read),
    ("max_position_embeddings", Key::Read),
    ("type_vocab_size", Key::Read),
    ("layer_norm_eps", Key::Read),
    ("inner_group_num", Key::Only(Neutral::One)),
    ("position_embedding_type", Key::Only(Neutral::Text("absolute"))),
];

/// The keys that only `AlbertConfig` has.
#[derive(Deserialize)]
struct Keys {
    embedding_size: i64,
    num_hidden_groups: usize,
    classifier_dropout_prob: f64,
}

const NAMES: Names = Names {
    prefix: "albert.",
    projection: "encoder.embedding_hidden_mapping_in",
    qkv: QkvNames::Apart([
        "encoder.albert_layer_groups.#.albert_layers.0.attention.query",
        "encoder.albert_layer_groups.#.albert_layers.0.attention.key",
        "encoder.albert_layer_groups.#.albert_layers.0.attention.value",
    ]),
    out_proj: "encoder.albert_layer_groups.#.albert_layers.0.attention.dense",
    attention_norm: "encoder.albert_layer_groups.#.albert_layers.0.attention.LayerNorm",
    up_proj: &["encoder.albert_layer_groups.#.albert_layers.0.ffn"],
    down_proj: "encoder.albert_layer_groups.#.albert_layers.0.ffn_output",
    output_norm: "encoder.albert_layer_groups.#.albert_layers.0.full_layer_layer_norm",
    classifier: "AlbertForSequenceClassification",
    ..bert::NAMES
};

fn head(dropout_after: f64) -> HeadForm {
    HeadForm {
        pooling: Pooling::First,
        dropout_before: 0.0,
        dense: Some(DenseForm {
            name: "albert.pooler".to_owned(),
            activation: Activation::Tanh,
            bias: Presence::Present,
        }),
        norm: None,
        dropout_after,
        out: "classifier".to_owned(),
        out_bias: Presence::Present,
    }
}

fn albert(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let defaults = json!({"embedding_size": 128, "num_hidden_groups": 1, "hidden_act": "gelu_new",
        "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0, "classifier_dropout_prob": 0.1});
    let all = defaulted(raw, KEYS, defaults);
    let (mut keys, own) = (read_keys::<bert::Keys>(&all)?, read_keys::<Keys>(&all)?);
    keys.embedding_size = Some(own.embedding_size);
    let (passes, groups) = (keys.num_hidden_layers, own.num_hidden_groups);
    if groups == 0 || groups > passes {
        return Err(format!("num_hidden_groups is {groups}, but num_hidden_layers is {passes}"));
    }
    let plain = keys.architecture(NAMES, PadTokens::Alike, head(own.classifier_dropout_prob))?;
    // As transformers divides, rounding included.
    let share = passes as f64 / groups as f64;
    Ok(Architecture {
        projection: Projection::Always,
        layers: groups,
        passes: (0..passes).map(|pass| (pass as f64 / share) as usize).collect(),
        dropout: DropoutRates { feed_forward_output: 0.0, ..plain.dropout },
        ..plain
    })
}
