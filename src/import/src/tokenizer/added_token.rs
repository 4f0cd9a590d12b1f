//! A token that is found in a text as it stands, before the text is taken apart.

use serde_json::{Map, Value, json};

use crate::brief::brief;

/// A token that is found as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AddedToken {
    pub(super) content: String,
    pub(super) single_word: bool,
    pub(super) lstrip: bool,
    pub(super) rstrip: bool,
    pub(super) normalized: bool,
    pub(super) special: bool,
}

impl AddedToken {
    /// A token that is only found.
    pub(super) fn plain(content: &str) -> Self {
        let content = content.to_owned();
        Self { content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false }
    }

    /// A special token.
    pub(super) fn special(content: &str) -> Self {
        Self { special: true, ..Self::plain(content) }
    }

    /// Of its JSON object.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        let content = value.get("content").and_then(Value::as_str);
        let content = content.ok_or_else(|| format!("has {} for a token", brief(value)))?;
        let flag = |key: &str| value.get(key).and_then(Value::as_bool);
        let special = flag("special").unwrap_or(false);
        Ok(Self {
            content: content.to_owned(),
            single_word: flag("single_word").unwrap_or(false),
            lstrip: flag("lstrip").unwrap_or(false),
            rstrip: flag("rstrip").unwrap_or(false),
            normalized: flag("normalized").unwrap_or(!special),
            special,
        })
    }

    /// As an object of `tokenizer.json`, without its id.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        let Self { content, single_word, lstrip, rstrip, normalized, special } = self;
        let value = json!({
            "content": content, "single_word": single_word, "lstrip": lstrip, "rstrip": rstrip,
            "normalized": normalized, "special": special,
        });
        value.as_object().cloned().unwrap_or_default()
    }
}
