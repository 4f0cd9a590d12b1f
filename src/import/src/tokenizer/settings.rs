//! `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json`: what is said of a tokenizer beside its
//! vocabulary.

use std::path::{Path, PathBuf};

use pellucid_files::bounded;
use pellucid_intake::error::{Error, Result};
use pellucid_intake::model_folder::json;
use pellucid_intake::model_folder::member::read_text;
use serde_json::{Map, Value};

use super::added_token::AddedToken;
use crate::brief::{brief, quoted};

/// The file that is read and written.
pub(super) const FILE: &str = "tokenizer_config.json";
const SPECIAL: &str = "special_tokens_map.json";
const ADDED: &str = "added_tokens.json";
/// Keys that name files of the folder that the tokenizer came from, or code.
const NOT_KEPT: &[&str] = &[
    "special_tokens_map_file",
    "tokenizer_file",
    "name_or_path",
    "vocab_file",
    "merges_file",
    "auto_map",
    "added_tokens_decoder",
];

/// What is said of a tokenizer beside its vocabulary.
#[derive(Debug)]
pub(super) struct TokenizerSettings {
    keys: Map<String, Value>,
    special: Map<String, Value>,
    added: Map<String, Value>,
    /// Names of the files that are there.
    files: Vec<&'static str>,
}

impl TokenizerSettings {
    /// Reads those files that `folder` has.
    ///
    /// # Errors
    /// When one cannot be read or is no JSON object.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let mut files = Vec::new();
        let mut object = |name: &'static str| {
            if !folder.join(name).exists() {
                return Ok(Map::new());
            }
            files.push(name);
            let text = read_text(folder, name, bounded::SETTINGS)?;
            json::parse(&text).map_err(|why| Error::file(&folder.join(name), why))
        };
        let (keys, special, added) = (object(FILE)?, object(SPECIAL)?, object(ADDED)?);
        Ok(Self { keys, special, added, files })
    }

    /// The files that were read.
    pub(super) fn files(&self, folder: &Path) -> Vec<PathBuf> {
        self.files.iter().map(|name| folder.join(name)).collect()
    }

    /// Whether there is a `tokenizer_config.json`.
    pub(super) fn has_file(&self) -> bool {
        self.files.contains(&FILE)
    }

    /// The class of the tokenizer.
    pub(super) fn class(&self) -> Option<&str> {
        self.keys.get("tokenizer_class").and_then(Value::as_str)
    }

    /// What stands under `key`; `None` if nothing or null does.
    ///
    /// # Errors
    /// When it is not true or false.
    pub(super) fn flag(&self, key: &str) -> std::result::Result<Option<bool>, String> {
        match self.keys.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(format!("has {} for {key}; true or false is meant", brief(other))),
        }
    }

    /// What is said of the special token with this role: a text, an object, or null if there is none.
    pub(super) fn token(&self, role: &str) -> Option<&Value> {
        let in_keys = self.keys.get(role);
        // As transformers: the list of added tokens says all, if there is one.
        if self.keys.contains_key("added_tokens_decoder") { in_keys } else { self.special.get(role).or(in_keys) }
    }

    /// Tokens that were added, with their ids.
    ///
    /// # Errors
    /// When one is no token.
    pub(super) fn added(
        &self,
        is_special: &dyn Fn(&str) -> bool,
    ) -> std::result::Result<Vec<(u64, AddedToken)>, String> {
        let mut added = Vec::new();
        if let Some(listed) = self.keys.get("added_tokens_decoder") {
            for (id, token) in listed.as_object().into_iter().flatten() {
                let id = id.parse().map_err(|_| format!("{FILE} has an added token of the id {}", quoted(id)))?;
                added.push((id, AddedToken::parse(token)?));
            }
        } else {
            for (content, id) in &self.added {
                let id = id.as_u64().ok_or_else(|| format!("{ADDED} has {} for an id", brief(id)))?;
                let special = is_special(content);
                added.push((id, AddedToken { normalized: !special, special, ..AddedToken::plain(content) }));
            }
        }
        added.sort_by_key(|(id, _)| *id);
        Ok(added)
    }

    /// What `tokenizer_config.json` says that is kept.
    pub(super) fn kept(&self) -> Map<String, Value> {
        self.keys
            .iter()
            .filter(|(key, _)| !NOT_KEPT.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}
