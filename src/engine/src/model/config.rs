//! `config.json` of a model folder and the architecture that it describes.

use std::path::Path;

use pellucid_intake::labels::Labels;
use pellucid_intake::model_folder::config::ConfigFile;
use pellucid_intake::model_folder::old_layout::import_command;
use serde_json::Value;

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
        check_padding(&file)?;
        let architecture = family::read(file.keys())?;
        check_types(&file, &architecture)?;
        Ok(Self { architecture, file })
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

/// The families that look no padding token up in their table of tokens when they make it.
const WITHOUT_PADDING_ROW: &[&str] = &["mpnet", "gpt2"];
/// The families that add the row of type 0 to each token.
const OF_TYPES: &[&str] = &["bert", "roberta", "xlm-roberta", "camembert", "electra", "albert"];

/// Refuses a padding token for which the table of tokens has no row: transformers makes no model then.
fn check_padding(file: &ConfigFile) -> std::result::Result<(), String> {
    let number = |key: &str| file.keys().get(key).and_then(Value::as_i64);
    let (Some(pad), Some(rows)) = (number("pad_token_id"), number("vocab_size")) else { return Ok(()) };
    let is_looked_up = !WITHOUT_PADDING_ROW.contains(&file.family().unwrap_or_default());
    if is_looked_up && rows > 0 && !(-rows..rows).contains(&pad) {
        return Err(format!("pad_token_id is {pad}, but vocab_size is {rows}; correct one of them, or write null"));
    }
    Ok(())
}

/// Refuses a table of types without rows, from which no model of transformers gives an answer.
fn check_types(file: &ConfigFile, architecture: &Architecture) -> std::result::Result<(), String> {
    let (family, types) = (file.family().unwrap_or_default(), architecture.token_types);
    if types < 1 && OF_TYPES.contains(&family) {
        return Err(format!(
            "type_vocab_size is {types}, but {family} adds the row of a type to each token; 1 or more"
        ));
    }
    Ok(())
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
    fn tables_have_the_rows_that_are_looked_up() {
        let told = |model_type: &str, keys: &str| {
            ModelConfig::parse(&SMALL.replace("\"bert\"", &format!("\"{model_type}\",{keys}"))).map(|_| ())
        };
        // transformers 4.57.1 and 5.24.0: AssertionError in torch.nn.Embedding, of all but MPNet and GPT-2.
        for family in ["bert", "distilbert", "roberta", "albert", "modernbert", "deberta-v2"] {
            let sizes = r#""dim":4,"n_heads":2,"hidden_dim":8,"n_layers":1,"relative_attention":true"#;
            for pad in [9, 99999, -10] {
                let why = told(family, &format!("{sizes},\"pad_token_id\":{pad}")).unwrap_err();
                assert!(why.contains(&format!("pad_token_id is {pad}, but vocab_size is 9")), "{family}: {why}");
            }
            for pad in ["8", "null"] {
                assert_eq!(told(family, &format!("{sizes},\"pad_token_id\":{pad}")), Ok(()), "{family}: {pad}");
            }
        }
        assert_eq!(told("mpnet", "\"pad_token_id\":99999"), Ok(()));
        for family in ["bert", "roberta", "xlm-roberta", "camembert", "electra", "albert"] {
            let why = told(family, "\"type_vocab_size\":0").unwrap_err();
            assert!(why.contains("type_vocab_size is 0"), "{family}: {why}");
        }
        assert_eq!(told("mpnet", "\"type_vocab_size\":0"), Ok(()));
        assert_eq!(told("deberta-v2", "\"type_vocab_size\":0,\"relative_attention\":true"), Ok(()));
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
