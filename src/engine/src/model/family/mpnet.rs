//! MPNet (Song et al. 2020): BERT whose scores have a part for the distance between two tokens.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::bert::{self, BERT};
use super::keys::{Key, Keys as KeyList};
use super::{Family, defaulted, read_keys};
use crate::data::layout::PadTokens;
use crate::model::architecture::attention::{AttentionForm, DISTANCE_BUCKETS, DistanceScores};
use crate::model::architecture::names::{Names, QkvNames};
use crate::model::architecture::{Activation, Architecture};

pub(super) const MPNET: Family = Family { model_type: "mpnet", keys: KEYS, read: mpnet, ..BERT };

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
    ("layer_norm_eps", Key::Read),
    ("relative_attention_num_buckets", Key::Read),
];

/// The key that only `MPNetConfig` has.
#[derive(Deserialize)]
struct Buckets {
    relative_attention_num_buckets: i64,
}

/// The token that has no position of its own, whatever `pad_token_id` says.
const UNPLACED: i64 = 1;

const NAMES: Names = Names {
    prefix: "mpnet.",
    types: "",
    qkv: QkvNames::Apart([
        "encoder.layer.#.attention.attn.q",
        "encoder.layer.#.attention.attn.k",
        "encoder.layer.#.attention.attn.v",
    ]),
    out_proj: "encoder.layer.#.attention.attn.o",
    attention_norm: "encoder.layer.#.attention.LayerNorm",
    classifier: "MPNetForSequenceClassification",
    ..bert::NAMES
};

fn mpnet(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let all = defaulted(raw, KEYS, json!({"type_vocab_size": 0, "relative_attention_num_buckets": DISTANCE_BUCKETS}));
    let (keys, rows) = (read_keys::<bert::Keys>(&all)?, read_keys::<Buckets>(&all)?.relative_attention_num_buckets);
    if !(DISTANCE_BUCKETS..=1 << 24).contains(&rows) {
        return Err(format!("relative_attention_num_buckets is {rows}; {DISTANCE_BUCKETS} are used"));
    }
    let plain = keys.architecture(NAMES, PadTokens::Unplaced(UNPLACED), keys.two_layer_head(Activation::Tanh))?;
    let distances = Some(DistanceScores { name: "encoder.relative_attention_bias", rows });
    Ok(Architecture { attention: AttentionForm { distances, ..plain.attention }, ..plain })
}
