//! What a folder of sentence-transformers says beside its model: `modules.json` and the pooling that it names.

use std::path::Path;

use pellucid_files::bounded;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::member;
use crate::error::{Error, Result};

const MODULES: &str = "modules.json";
const SETTINGS: &str = "sentence_bert_config.json";

/// How a folder of sentence-transformers makes one vector of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentenceModel {
    /// The folder of the model within it; empty if it is the folder itself.
    pub model: String,
    /// What stands for a text, if one pooling alone is named.
    pub pooling: Option<SentencePooling>,
    /// What else it does to a text: kinds of its modules after the pooling, and keys of its settings.
    pub further: Vec<String>,
}

/// What stands for a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentencePooling {
    /// The first token.
    First,
    /// The last token.
    Last,
    /// The mean over the tokens.
    Mean,
    /// Something else, by its name.
    Other(String),
}

/// A line of `modules.json`.
#[derive(Debug, Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
    r#type: String,
}

impl Module {
    /// Its kind, e.g. `Pooling`.
    fn kind(&self) -> &str {
        self.r#type.rsplit('.').next().unwrap_or_default()
    }
}

impl SentenceModel {
    /// That of `folder`, if it is a folder of sentence-transformers.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn of(folder: &Path) -> Result<Option<Self>> {
        let path = member::member(folder, MODULES)?;
        if !path.exists() {
            return Ok(None);
        }
        let text = member::read_text(folder, MODULES, bounded::SETTINGS)?;
        let modules: Vec<Module> = serde_json::from_str(&text).map_err(|error| Error::file(&path, error))?;
        let model = modules.iter().find(|module| module.kind() == "Transformer").map(|module| module.path.clone());
        let place = modules.iter().position(|module| module.kind() == "Pooling");
        let pooling = place.map(|place| pooling(folder, &modules[place].path)).transpose()?;
        let after = place.map_or(modules.len(), |place| place + 1);
        let further = modules[after..].iter().map(|module| module.kind().to_owned());
        let further = further.chain(lower_cases(folder)?.then(|| format!("do_lower_case of {SETTINGS}"))).collect();
        Ok(Some(Self { model: model.unwrap_or_default(), pooling, further }))
    }
}

/// Whether the settings beside the modules of `folder` say that a text is lower-cased before the tokenizer gets it.
fn lower_cases(folder: &Path) -> Result<bool> {
    let path = member::member(folder, SETTINGS)?;
    if !path.exists() {
        return Ok(false);
    }
    let text = member::read_text(folder, SETTINGS, bounded::SETTINGS)?;
    let keys: Map<String, Value> = serde_json::from_str(&text).map_err(|error| Error::file(&path, error))?;
    Ok(keys.get("do_lower_case") == Some(&Value::Bool(true)))
}

/// The pooling that the folder `module` of `folder` describes.
fn pooling(folder: &Path, module: &str) -> Result<SentencePooling> {
    let name = format!("{module}/config.json");
    let text = member::read_text(folder, &name, bounded::SETTINGS)?;
    let keys: Map<String, Value> =
        serde_json::from_str(&text).map_err(|error| Error::file(&folder.join(&name), error))?;
    let named = keys.get("pooling_mode").and_then(Value::as_str).map(str::to_owned);
    let modes = keys.iter().filter(|(_, value)| **value == Value::Bool(true));
    let modes = modes.filter_map(|(key, _)| key.strip_prefix("pooling_mode_")).collect::<Vec<_>>().join("+");
    Ok(match named.unwrap_or(modes).as_str() {
        "cls" | "cls_token" => SentencePooling::First,
        "lasttoken" => SentencePooling::Last,
        "mean" | "mean_tokens" => SentencePooling::Mean,
        other => SentencePooling::Other(other.to_owned()),
    })
}

impl std::fmt::Display for SentencePooling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::First => f.write_str("the first token"),
            Self::Last => f.write_str("the last token"),
            Self::Mean => f.write_str("the mean over the tokens"),
            Self::Other(name) => write!(f, "{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(modules: &str, pooling: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(MODULES), modules).unwrap();
        fs::create_dir(folder.path().join("1_Pooling")).unwrap();
        fs::write(folder.path().join("1_Pooling/config.json"), pooling).unwrap();
        folder
    }

    const MODULES_OF_THREE: &str = r#"[
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]"#;

    #[test]
    fn the_pooling_is_that_of_its_folder_and_other_modules_are_named() {
        let of = |pooling: &str| SentenceModel::of(folder(MODULES_OF_THREE, pooling).path());
        let mean = of(r#"{"word_embedding_dimension": 8, "pooling_mode_cls_token": false,
            "pooling_mode_mean_tokens": true, "include_prompt": true}"#);
        let expected = SentenceModel {
            model: String::new(),
            pooling: Some(SentencePooling::Mean),
            further: vec!["Normalize".to_owned()],
        };
        assert_eq!(mean.unwrap(), Some(expected));
        let pooled = |keys| of(keys).unwrap().unwrap().pooling.unwrap();
        assert_eq!(pooled(r#"{"pooling_mode_cls_token": true}"#), SentencePooling::First);
        assert_eq!(pooled(r#"{"pooling_mode": "lasttoken"}"#), SentencePooling::Last);
        let both = pooled(r#"{"pooling_mode_max_tokens": true, "pooling_mode_mean_tokens": true}"#);
        assert_eq!(both.to_string(), "max_tokens+mean_tokens");
        assert_eq!(SentenceModel::of(tempfile::tempdir().unwrap().path()).unwrap(), None);
    }

    #[test]
    fn lower_casing_of_its_own_is_named() {
        let folder = folder(MODULES_OF_THREE, "{}");
        let further = |settings: &str| {
            fs::write(folder.path().join(SETTINGS), settings).unwrap();
            SentenceModel::of(folder.path()).unwrap().unwrap().further
        };
        assert_eq!(further(r#"{"max_seq_length": 128, "do_lower_case": false}"#), ["Normalize"]);
        let named = "do_lower_case of sentence_bert_config.json";
        assert_eq!(further(r#"{"do_lower_case": true}"#), ["Normalize", named]);
    }

    #[test]
    fn damaged_files_are_named() {
        for (modules, pooling, part) in [
            ("{", "{}", "modules.json"),
            (MODULES_OF_THREE, "[", "1_Pooling/config.json"),
            ("[1]", "{}", "modules.json"),
        ] {
            let why = SentenceModel::of(folder(modules, pooling).path()).unwrap_err().to_string();
            assert!(why.contains(part) && !why.contains('\n'), "{why}");
        }
        let outside = MODULES_OF_THREE.replace("1_Pooling", "../..");
        assert!(SentenceModel::of(folder(&outside, "{}").path()).is_err());
    }
}
