//! `config.json` of a model folder and the architecture that it describes.

use std::path::Path;

use pellucid_intake::labels::Labels;
use pellucid_intake::model_folder::config::ConfigFile;
use pellucid_intake::model_folder::old_layout::import_command;

use super::architecture::{Architecture, Pooling};
use super::family;
use crate::error::{Error, Result};

/// A `config.json`, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// The architecture that it describes.
    pub architecture: Architecture,
    file: ConfigFile,
}

impl ModelConfig {
    /// Reads `config.json` of `folder`.
    ///
    /// # Errors
    /// When it is missing, not a configuration, of a family that is not supported, or contradicts itself.
    pub fn load(folder: &Path) -> Result<Self> {
        let file = ConfigFile::load(folder)?;
        if file.keys().get("model_type").is_none() {
            let command = import_command(folder);
            let message = format!("has no model_type; {command} infers it from the names of the weights");
            return Err(Error::file(&ConfigFile::path(folder), message));
        }
        Self::of(file).map_err(|message| Error::file(&ConfigFile::path(folder), message))
    }

    /// Parses the text of a `config.json`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        Self::of(ConfigFile::parse(text)?)
    }

    fn of(file: ConfigFile) -> std::result::Result<Self, String> {
        file.classes()?;
        Ok(Self { architecture: family::read(file.keys())?, file })
    }

    /// The family, e.g. `bert`.
    #[must_use]
    pub fn family(&self) -> &str {
        self.file.family().unwrap_or("bert")
    }

    /// Class names, unless they are the placeholders `LABEL_0`, `LABEL_1`, ...
    #[must_use]
    pub fn labels(&self) -> Option<Labels> {
        self.file.labels()
    }

    /// How many classes it says there are, if it says so.
    #[must_use]
    pub fn classes(&self) -> Option<usize> {
        self.file.classes().ok().flatten()
    }

    /// Whether it takes token types for words, as GPT-2 of transformers does.
    #[must_use]
    pub fn reads_types_as_words(&self) -> bool {
        self.family() == "gpt2"
    }

    /// Refuses a model that answers with anything but one of several classes.
    ///
    /// # Errors
    /// Naming the key that says so.
    pub fn check_single_label(&self) -> std::result::Result<(), String> {
        self.file.check_single_label()
    }

    /// This configuration as that of a classifier with `labels`.
    #[must_use]
    pub fn for_classifier(&self, labels: &Labels) -> Self {
        let file = self.file.clone().with_labels(labels).with_architecture(self.architecture.names.classifier);
        Self { architecture: self.architecture.clone(), file }
    }

    /// This configuration with another pooling, if the family has a key for it.
    #[must_use]
    pub fn pooling(&self, pooling: Pooling) -> Option<Self> {
        let value = match (self.family(), pooling) {
            ("modernbert", Pooling::First) => "cls",
            ("eurobert", Pooling::First) => "bos",
            ("modernbert" | "eurobert", Pooling::Mean) => "mean",
            _ => return None,
        };
        Self::of(self.file.clone().with_text("classifier_pooling", value)).ok()
    }

    /// This configuration as that of a masked language model.
    #[must_use]
    pub fn for_masked_lm(&self) -> Self {
        let file = self.file.clone().with_architecture("BertForMaskedLM");
        Self { architecture: self.architecture.clone(), file }
    }

    /// The text of the `config.json`, for weights stored as `dtype`.
    #[must_use]
    pub fn to_json(&self, dtype: &str) -> String {
        self.file.to_json(dtype)
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
