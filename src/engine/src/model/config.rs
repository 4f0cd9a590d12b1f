//! `config.json` of a model folder: what the architecture needs of it, the rest kept as it came.

use std::path::Path;

use pellucid_files::bounded;
use serde_json::{Map, Value, json};

use super::architecture::Architecture;
use super::{family, member};
use crate::data::labels::Labels;
use crate::error::{Error, Result};

/// A `config.json`, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// What it comes down to.
    pub architecture: Architecture,
    raw: Map<String, Value>,
}

impl ModelConfig {
    /// Reads `config.json` of `folder`.
    ///
    /// # Errors
    /// When it is missing, not one, of a family that is not supported, or contradicts itself.
    pub fn load(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            return Err(Error::file(folder, "is not a folder; give a model folder in Hugging Face layout"));
        }
        let text = member::read_text(folder, "config.json", bounded::SETTINGS)?;
        Self::parse(&text).map_err(|message| Error::file(&folder.join("config.json"), message))
    }

    /// Parses the text of a `config.json`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let raw: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let architecture = family::read(&raw)?;
        Ok(Self { architecture, raw })
    }

    /// The family, e.g. `bert`.
    #[must_use]
    pub fn family(&self) -> &str {
        self.raw.get("model_type").and_then(Value::as_str).unwrap_or("bert")
    }

    /// Class names, unless they are the placeholders `LABEL_0`, `LABEL_1`, ...
    #[must_use]
    pub fn labels(&self) -> Option<Labels> {
        let map = self.raw.get("id2label")?.as_object()?;
        let names: Option<Vec<String>> =
            (0..map.len()).map(|index| Some(map.get(&index.to_string())?.as_str()?.to_owned())).collect();
        let names = names.filter(|names| names.len() >= 2)?;
        let placeholders = names.iter().enumerate().all(|(index, name)| *name == format!("LABEL_{index}"));
        (!placeholders).then(|| Labels::new(names))
    }

    /// This configuration as that of a classifier with `labels`.
    #[must_use]
    pub fn for_classifier(&self, labels: &Labels) -> Self {
        let mut raw = self.raw.clone();
        let names = labels.names();
        let by_index: Map<_, _> = names.iter().enumerate().map(|(i, name)| (i.to_string(), json!(name))).collect();
        let by_name: Map<_, _> = names.iter().enumerate().map(|(i, name)| (name.clone(), json!(i))).collect();
        raw.insert("architectures".into(), json!([self.architecture.names.classifier]));
        raw.insert("problem_type".into(), json!("single_label_classification"));
        raw.insert("id2label".into(), Value::Object(by_index));
        raw.insert("label2id".into(), Value::Object(by_name));
        Self { architecture: self.architecture.clone(), raw }
    }

    /// This configuration as that of a masked language model.
    #[must_use]
    pub fn for_masked_lm(&self) -> Self {
        let mut raw = self.raw.clone();
        raw.insert("architectures".into(), json!(["BertForMaskedLM"]));
        Self { architecture: self.architecture.clone(), raw }
    }

    /// The text of the `config.json`, for weights stored as `dtype`.
    #[must_use]
    pub fn to_json(&self, dtype: &str) -> String {
        let mut raw = self.raw.clone();
        raw.insert("torch_dtype".into(), json!(dtype));
        format!("{:#}\n", Value::Object(raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{"model_type":"bert","vocab_size":9,"hidden_size":4,"num_hidden_layers":1,
        "num_attention_heads":2,"intermediate_size":8,"max_position_embeddings":16,"future_key":[1]}"#;

    #[test]
    fn defaults_are_those_of_transformers_and_unknown_keys_are_kept() {
        let config = ModelConfig::parse(SMALL).unwrap();
        assert_eq!((config.architecture.token_types, config.architecture.norm.eps), (2, 1e-12));
        assert!(config.labels().is_none());
        let saved = config.for_classifier(&Labels::new(vec!["no".into(), "yes".into()])).to_json("float32");
        let back = ModelConfig::parse(&saved).unwrap();
        assert_eq!(back.labels().unwrap().names(), ["no", "yes"]);
        assert!(saved.contains("future_key"));
    }

    #[test]
    fn what_cannot_be_loaded_is_named() {
        let cases = [
            (
                SMALL.replace("\"bert\"", "\"t5\""),
                "model_type `t5` is not supported; supported are bert, distilbert, roberta",
            ),
            (SMALL.replace("\"hidden_size\":4", "\"hidden_size\":5"), "hidden_size 5 cannot be split into 2"),
            (SMALL.replace("\"vocab_size\":9", "\"vocab_size\":-9"), "vocab_size is -9"),
            (SMALL.replace("\"vocab_size\":9", "\"vocab_size\":1000000000000"), "vocab_size is 1000000000000; at most"),
            (SMALL.replace("layers\":1", "layers\":1000000000000"), "num_hidden_layers is 1000000000000; at most 1000"),
            (SMALL.replace("[1]", &"[".repeat(1000)), "recursion limit"),
            (SMALL.replace("\"vocab_size\":9,", ""), "missing field `vocab_size`"),
            (SMALL.replace("bert\",", "bert\",\"hidden_act\":\"mish\","), "unknown variant `mish`"),
        ];
        for (text, part) in cases {
            let message = ModelConfig::parse(&text).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }
}
