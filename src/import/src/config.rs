//! `config.json`, completed by what the weights show. What it says is kept, and compared with them.

use std::path::Path;

use pellucid_intake::error::{Error, Result};
use pellucid_intake::model_folder::config::ConfigFile;
use serde_json::{Map, Value, json};

use crate::brief::brief;
use crate::family::{self, Family};
use crate::weights::Weights;

/// The classes of a head when `config.json` says nothing of them.
const USUAL_CLASSES: u64 = 2;

/// A configuration that has all that a reader needs.
#[derive(Debug)]
pub(crate) struct Completed {
    /// All keys.
    pub(crate) keys: Map<String, Value>,
    /// The family of the model.
    pub(crate) family: &'static Family,
    /// What was added and why, for people.
    pub(crate) notes: Vec<String>,
}

/// The configuration of `folder`, completed by its weights.
///
/// # Errors
/// When it is missing or is no configuration, the family cannot be told or is not known, a number is missing that the
/// weights do not show, or one of its numbers is another one there.
pub(crate) fn complete(folder: &Path, weights: &Weights) -> Result<Completed> {
    let file = ConfigFile::load(folder)?;
    let refused = |message: String| Error::file(&ConfigFile::path(folder), message);
    file.classes().map_err(refused)?;
    let keys = file.keys().clone();
    let (family, note) = family_of(folder, &keys, weights).map_err(refused)?;
    let mut completed = Completed { keys, family, notes: note.into_iter().collect() };
    completed.keys.insert("model_type".to_owned(), json!(family.model_type));
    completed.sizes(weights).map_err(refused)?;
    completed.classes(weights).map_err(refused)?;
    completed.architecture(weights);
    Ok(completed)
}

/// The family of the model and, unless `config.json` names it, from what it was inferred.
fn family_of(
    folder: &Path,
    keys: &Map<String, Value>,
    weights: &Weights,
) -> std::result::Result<(&'static Family, Option<String>), String> {
    if let Some(said) = keys.get("model_type") {
        let found = said.as_str().and_then(family::find);
        let why = || format!("model_type {} is not imported; imported are {}", brief(said), family::known());
        return found.map(|family| (family, None)).ok_or_else(why);
    }
    let classes = keys.get("architectures").and_then(Value::as_array).into_iter().flatten();
    if let Some((family, class)) =
        classes.filter_map(Value::as_str).find_map(|class| Some((family::of_architecture(class)?, class)))
    {
        return Ok((family, Some(format!("model_type {}: inferred from the architecture {class}", family.model_type))));
    }
    let names: Vec<&str> = weights.names().collect();
    let mut candidates = family::of_names(&names);
    let mut by = "the names of the weights";
    if candidates.len() > 1 {
        let fits = |family: &&Family| crate::tokenizer::fits(folder, family.tokenizer);
        let fitting: Vec<_> = candidates.iter().copied().filter(fits).collect();
        candidates = if fitting.is_empty() { candidates } else { fitting };
        by = "the names of the weights and the files of the tokenizer";
    }
    match candidates.as_slice() {
        [family] => Ok((*family, Some(format!("model_type {}: inferred from {by}", family.model_type)))),
        [] => Err(format!("has no model_type, and the weights are called as in none of {}", family::known())),
        several => {
            let several: Vec<&str> = several.iter().map(|family| family.model_type).collect();
            Err(format!(
                "has no model_type, and the weights fit several ({}); write the right one into it",
                several.join(", ")
            ))
        }
    }
}

impl Completed {
    /// Adds the sizes that are missing, and compares those that are there.
    fn sizes(&mut self, weights: &Weights) -> std::result::Result<(), String> {
        let mut seen: Vec<(&str, u64)> = self
            .family
            .sizes
            .iter()
            .filter_map(|(key, tensor, dimension)| {
                let shape =
                    weights.shape(&format!("{}{tensor}", self.family.prefix)).or_else(|| weights.shape(tensor))?;
                Some((*key, *shape.get(*dimension)?))
            })
            .collect();
        seen.extend(layers(self.family, weights).map(|count| (self.family.layers.0, count)));
        for (key, size) in seen {
            match self.keys.get(key) {
                None | Some(Value::Null) => {
                    self.keys.insert(key.to_owned(), json!(size));
                    self.notes.push(format!("{key} {size}: inferred from the weights"));
                }
                Some(said) if said.as_u64() == Some(size) => {}
                Some(said) => {
                    return Err(format!("says {key} {}, but the weights have {size}; correct it", brief(said)));
                }
            }
        }
        for key in [self.family.heads, self.family.layers.0] {
            if self.keys.get(key).and_then(Value::as_u64).is_none() {
                return Err(format!("has no {key}, which the weights do not show; write it into it"));
            }
        }
        Ok(())
    }

    /// Adds the number of classes, and compares it with the head.
    fn classes(&mut self, weights: &Weights) -> std::result::Result<(), String> {
        let Some(count) = weights.shape(self.family.head).and_then(|shape| shape.first().copied()) else {
            return Ok(());
        };
        let named = self.keys.get("id2label").and_then(Value::as_object).map(|map| map.len() as u64);
        let said = named.or_else(|| self.keys.get("num_labels").and_then(Value::as_u64));
        match said {
            Some(said) if said != count => {
                Err(format!("has {said} classes, but the head of the weights {count}; correct it"))
            }
            None if count != USUAL_CLASSES => {
                let by_index: Map<_, _> =
                    (0..count).map(|index| (index.to_string(), json!(format!("LABEL_{index}")))).collect();
                let by_name: Map<_, _> = (0..count).map(|index| (format!("LABEL_{index}"), json!(index))).collect();
                self.keys.insert("id2label".to_owned(), Value::Object(by_index));
                self.keys.insert("label2id".to_owned(), Value::Object(by_name));
                self.notes.push(format!("{count} classes without names: inferred from the head of the weights"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Adds the class of the model, if none is named.
    fn architecture(&mut self, weights: &Weights) {
        if self.keys.get("architectures").and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
            return;
        }
        let class = self.family.class;
        let begins = |start: &str| weights.names().any(|name| name.starts_with(start));
        let architecture = if weights.shape(self.family.head).is_some() {
            format!("{class}ForSequenceClassification")
        } else if ["cls.predictions.", "predictions.", "lm_head.", "vocab_"].into_iter().any(begins) {
            format!("{class}ForMaskedLM")
        } else {
            format!("{class}Model")
        };
        self.notes.push(format!("architecture {architecture}: inferred from the names of the weights"));
        self.keys.insert("architectures".to_owned(), json!([architecture]));
    }
}

/// How many layers the weights have, where each has weights of its own.
fn layers(family: &Family, weights: &Weights) -> Option<u64> {
    let (_, start) = family.layers;
    let number = |name: &str| {
        let bare = name.strip_prefix(family.prefix).unwrap_or(name);
        bare.strip_prefix(start)?.split('.').next()?.parse::<u64>().ok()
    };
    let last = weights.names().filter_map(number).max().filter(|_| !start.is_empty())?;
    last.checked_add(1)
}
