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
    let architecture = reader(raw)?;
    architecture.check()?;
    Ok(architecture)
}

/// The keys that a family reads.
fn keys<T: DeserializeOwned>(raw: &Map<String, Value>) -> Result<T, String> {
    serde_json::from_value(Value::Object(raw.clone())).map_err(|error| error.to_string())
}

/// 0.1, the usual share of dropped activations.
fn tenth() -> f64 {
    0.1
}
