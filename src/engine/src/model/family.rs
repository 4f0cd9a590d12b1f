//! Families of models: from the keys of a `config.json` to an [`Architecture`]. A family is a file here and a line in
//! `FAMILIES`.

mod albert;
mod bert;
mod deberta;
mod decoder;
mod distilbert;
mod gpt2;
mod keys;
mod modernbert;
mod mpnet;
mod rope;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::architecture::Architecture;

/// The families that can be loaded.
const FAMILIES: &[Family] = &[
    bert::BERT,
    distilbert::DISTILBERT,
    bert::ROBERTA,
    bert::XLM_ROBERTA,
    bert::CAMEMBERT,
    mpnet::MPNET,
    albert::ALBERT,
    bert::ELECTRA,
    gpt2::GPT2,
    modernbert::MODERNBERT,
    deberta::DEBERTA,
    decoder::LLAMA,
    decoder::MISTRAL,
    decoder::QWEN2,
    decoder::QWEN3,
    decoder::SMOLLM3,
    decoder::GEMMA3,
    decoder::EUROBERT,
];

/// A family of models.
struct Family {
    /// Its `model_type`.
    model_type: &'static str,
    /// The key of the number of layers.
    layers: &'static str,
    /// The keys of all other sizes that the architecture is computed from.
    sizes: &'static [&'static str],
    /// What becomes of the keys that not every family has.
    keys: keys::Keys,
    /// Makes an architecture of the keys of a `config.json`.
    read: fn(&Map<String, Value>) -> Result<Architecture, String>,
}

/// The families that can be loaded, by their `model_type`.
#[must_use]
pub fn supported() -> String {
    FAMILIES.iter().map(|family| family.model_type).collect::<Vec<_>>().join(", ")
}

/// The architecture that a configuration describes.
///
/// # Errors
/// A family that is not supported, a key that is missing or out of range.
pub fn read(raw: &Map<String, Value>) -> Result<Architecture, String> {
    let model_type = raw.get("model_type").and_then(Value::as_str).unwrap_or("");
    let Some(family) = FAMILIES.iter().find(|family| family.model_type == model_type) else {
        return Err(format!("model_type `{model_type}` is not supported; supported are {}", supported()));
    };
    family.check_sizes(raw)?;
    keys::check(raw, family.keys)?;
    let architecture = (family.read)(raw)?;
    architecture.check()?;
    Ok(architecture)
}

/// The most layers that a model may have, and the most of anything else.
const MOST_LAYERS: i64 = 1000;
const MOST: i64 = 1 << 24;

impl Family {
    /// Refuses sizes that no machine can hold, before anything is computed from them.
    fn check_sizes(&self, raw: &Map<String, Value>) -> Result<(), String> {
        let limits = self.sizes.iter().map(|&key| (key, MOST)).chain([(self.layers, MOST_LAYERS)]);
        for (key, most) in limits {
            let size = raw.get(key).and_then(Value::as_f64);
            if let Some(size) = size.filter(|size| size.abs() > most as f64) {
                return Err(format!("{key} is {size}; at most {most}"));
            }
        }
        Ok(())
    }
}

/// The keys that a family reads.
fn read_keys<T: DeserializeOwned>(raw: &Map<String, Value>) -> Result<T, String> {
    serde_path_to_error::deserialize(Value::Object(raw.clone())).map_err(|error| {
        match error.path().to_string().as_str() {
            "." => error.inner().to_string(),
            key => format!("{key}: {}", error.inner()),
        }
    })
}

/// The keys that a family with the keys `own` reads, and `defaults` for those that are not there.
fn defaulted(raw: &Map<String, Value>, own: keys::Keys, defaults: Value) -> Map<String, Value> {
    let mut all = if let Value::Object(defaults) = defaults { defaults } else { Map::new() };
    let read = raw.iter().filter(|(key, _)| *key == "pad_token_id" || keys::is_read(key, own));
    all.extend(read.map(|(key, value)| (key.clone(), value.clone())));
    all
}

/// 0.1, the usual dropout rate.
fn tenth() -> f64 {
    0.1
}
