//! Special tokens, and others that are found in a text before it is taken apart.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::added_token::AddedToken;
use super::class::{Class, Role};
use super::settings::TokenizerSettings;
use super::vocabulary::Vocabulary;
use crate::brief::quoted;

/// Roles without which nothing can be encoded.
const NEEDED: &[&str] = &["unk_token", "cls_token", "sep_token"];

/// The special and added tokens of a tokenizer.
#[derive(Debug, Default)]
pub(super) struct SpecialTokens {
    by_id: BTreeMap<u64, AddedToken>,
    roles: Vec<(&'static str, Option<String>)>,
    additional: Vec<String>,
    notes: Vec<String>,
    /// The id that the next token gets which the vocabulary lacks.
    next: u64,
}

impl SpecialTokens {
    /// Those of `class`, as `settings` has them. `inherent` are those that the vocabulary itself marks. Tokens that the
    /// vocabulary lacks get the ids after it, as transformers gives them, if there are as many `embeddings`.
    ///
    /// # Errors
    /// When one is needed and has no place, or has another place than is said.
    pub(super) fn resolve(
        class: &Class,
        settings: &TokenizerSettings,
        vocabulary: &Vocabulary,
        inherent: Vec<AddedToken>,
        embeddings: u64,
    ) -> Result<Self, String> {
        let mut tokens = Self { next: vocabulary.end(), ..Self::default() };
        for token in inherent {
            tokens.place(vocabulary, embeddings, token)?;
        }
        let roles = roles(class, settings)?;
        let additional = additional(class, settings)?;
        let is_special = |content: &str| {
            let of_role = roles.iter().any(|(_, token)| token.as_ref().is_some_and(|token| token.content == content));
            of_role || additional.iter().any(|token| token.content == content)
        };
        let added = settings.added(&is_special)?;
        for (id, token) in &added {
            if tokens.place(vocabulary, embeddings, token.clone())? != Some(*id) {
                return Err(format!(
                    "has the added token {} with the id {id}, which is not its place in the vocabulary",
                    quoted(&token.content)
                ));
            }
        }
        let is_added = |content: &str| added.iter().any(|(_, token)| token.content == content);
        for (key, token) in roles {
            let content = token.as_ref().map(|token| token.content.clone());
            let placed = match token {
                Some(token) if !is_added(&token.content) => tokens.place(vocabulary, embeddings, token)?.is_some(),
                Some(_) => true,
                None => false,
            };
            tokens.set_role(key, content, placed)?;
        }
        for token in additional {
            let content = token.content.clone();
            if is_added(&content) || tokens.place(vocabulary, embeddings, token)?.is_some() {
                tokens.additional.push(content);
            }
        }
        Ok(tokens)
    }

    fn set_role(&mut self, key: &'static str, content: Option<String>, placed: bool) -> Result<(), String> {
        if let Some(content) = content.as_ref().filter(|_| !placed) {
            if NEEDED.contains(&key) {
                return Err(format!("lacks {}, its {key}", quoted(content)));
            }
            self.notes.push(format!(
                "{key}: the vocabulary lacks {}, and there is no embedding for it; the tokenizer has none",
                quoted(content)
            ));
        }
        self.roles.push((key, content.filter(|_| placed)));
        Ok(())
    }

    /// Gives a token its id: that of the vocabulary, or the next one if the table of embeddings has a row for it.
    fn place(&mut self, vocabulary: &Vocabulary, embeddings: u64, token: AddedToken) -> Result<Option<u64>, String> {
        let known = self.id(&token.content).or_else(|| vocabulary.id(&token.content));
        let id = match known {
            Some(id) => id,
            // transformers counts the tokens for the next id, which is that of another token here.
            None if !vocabulary.is_dense() && vocabulary.len() < embeddings => {
                return Err(format!(
                    "lacks the token {}, and has no place for it: its {} tokens have ids up to {}, as one is there twice or an id is left out; add the token to it",
                    quoted(&token.content),
                    vocabulary.len(),
                    vocabulary.end().saturating_sub(1),
                ));
            }
            None if self.next >= embeddings => return Ok(None),
            None => {
                self.next += 1;
                self.next - 1
            }
        };
        self.by_id.insert(id, token);
        Ok(Some(id))
    }

    /// The id of one of the tokens.
    pub(super) fn id(&self, content: &str) -> Option<u64> {
        self.by_id.iter().find(|(_, token)| token.content == content).map(|(id, _)| *id)
    }

    /// The token with a role.
    pub(super) fn role(&self, key: &str) -> Option<&str> {
        self.roles.iter().find(|(known, _)| *known == key)?.1.as_deref()
    }

    /// Each role and its token.
    pub(super) fn roles(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        self.roles.iter().map(|(key, content)| (*key, content.as_deref()))
    }

    /// Special tokens without a role.
    pub(super) fn additional(&self) -> &[String] {
        &self.additional
    }

    /// What was left out, for people.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The list of `tokenizer.json`.
    pub(super) fn listed(&self) -> Value {
        let listed = self.by_id.iter().map(|(id, token)| {
            let mut object = token.to_json();
            object.insert("id".to_owned(), json!(id));
            Value::Object(object)
        });
        Value::Array(listed.collect())
    }

    /// The list of `tokenizer_config.json`.
    pub(super) fn decoder(&self) -> Value {
        Value::Object(self.by_id.iter().map(|(id, token)| (id.to_string(), Value::Object(token.to_json()))).collect())
    }
}

/// The token of each role of `class`.
fn roles(class: &Class, settings: &TokenizerSettings) -> Result<Vec<(&'static str, Option<AddedToken>)>, String> {
    let token = |role: &Role, content: &str| AddedToken {
        lstrip: role.lstrip,
        normalized: role.normalized,
        ..AddedToken::special(content)
    };
    let one = |role: &Role| {
        let found = match settings.token(role.key) {
            None => Some(token(role, role.content)),
            Some(Value::Null) => None,
            Some(Value::String(content)) => Some(token(role, content)),
            Some(value) => Some(special(value)?),
        };
        Ok((role.key, found))
    };
    class.roles.iter().map(one).collect()
}

/// Special tokens without a role; those of `class` where none are said.
fn additional(class: &Class, settings: &TokenizerSettings) -> Result<Vec<AddedToken>, String> {
    let one = |value: &Value| match value {
        Value::String(content) => Ok(AddedToken::special(content)),
        value => special(value),
    };
    match settings.token("additional_special_tokens") {
        None => Ok(class.additional.iter().copied().map(AddedToken::special).collect()),
        Some(said) => said.as_array().into_iter().flatten().map(one).collect(),
    }
}

/// A special token of its JSON object.
fn special(value: &Value) -> Result<AddedToken, String> {
    let token = AddedToken::parse(value)?;
    let normalized = value.get("normalized").and_then(Value::as_bool).unwrap_or(false);
    Ok(AddedToken { special: true, normalized, ..token })
}
