//! Families of models: from the keys of a `config.json` to an [`Architecture`].

mod bert;
mod deberta;
mod distilbert;
mod gpt2;
mod modernbert;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::architecture::Architecture;

type Reader = fn(&Map<String, Value>) -> Result<Architecture, String>;

const READERS: &[(&str, Reader)] = &[
    ("bert", bert::bert),
    ("distilbert", distilbert::distilbert),
    ("roberta", bert::roberta),
    ("xlm-roberta", bert::xlm_roberta),
    ("electra", bert::electra),
    ("gpt2", gpt2::gpt2),
    ("modernbert", modernbert::modernbert),
    ("deberta-v2", deberta::deberta),
];

/// The families that can be loaded, by their `model_type`.
#[must_use]
pub fn supported() -> String {
    READERS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The architecture that a configuration describes.
///
/// # Errors
/// A family that is not supported, a key that is missing or out of range.
pub fn read(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let family = raw.get("model_type").and_then(Value::as_str).unwrap_or("");
    let Some((_, reader)) = READERS.iter().find(|(name, _)| *name == family) else {
        return Err(format!("model_type `{family}` is not supported; supported are {}", supported()));
    };
    check_sizes(raw)?;
    let architecture = reader(raw)?;
    architecture.check()?;
    Ok(architecture)
}

/// The most layers that a model may have, and the most of anything else.
const MOST_LAYERS: i64 = 1000;
const MOST: i64 = 1 << 24;

/// Refuses sizes of no machine before anything is made of them.
fn check_sizes(raw: &Map<String, Value>) -> Result<(), String> {
    for (key, value) in raw {
        let most = match key.as_str() {
            "num_hidden_layers" | "n_layer" | "n_layers" => MOST_LAYERS,
            "vocab_size"
            | "embedding_size"
            | "hidden_size"
            | "intermediate_size"
            | "max_position_embeddings"
            | "num_attention_heads"
            | "attention_head_size"
            | "type_vocab_size"
            | "pad_token_id"
            | "dim"
            | "hidden_dim"
            | "n_heads"
            | "n_embd"
            | "n_head"
            | "n_inner"
            | "n_positions"
            | "local_attention"
            | "global_attn_every_n_layers"
            | "max_relative_positions"
            | "position_buckets" => MOST,
            _ => continue,
        };
        if let Some(size) = value.as_f64().filter(|size| size.abs() > most as f64) {
            return Err(format!("{key} is {size}; at most {most}"));
        }
    }
    Ok(())
}

/// The keys that a family reads.
fn keys<T: DeserializeOwned>(raw: &Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(raw.clone())).map_err(|error| error.to_string())
}

/// 0.1, the usual share of dropped activations.
fn tenth() -> f64 {
    0.1
}
