//! The tokens of a model and their ids.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// `text` with the line ends that Python makes of the three kinds.
pub(super) fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The tokens of a model and their ids.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    ids: HashMap<String, u64>,
    /// One after the largest id.
    end: u64,
}

impl Vocabulary {
    /// Gives `token` the id `id`; whether it had none.
    pub(super) fn add(&mut self, token: &str, id: u64) -> bool {
        self.end = self.end.max(id.saturating_add(1));
        self.ids.insert(token.to_owned(), id).is_none()
    }

    /// The id of `token`.
    pub(super) fn id(&self, token: &str) -> Option<u64> {
        self.ids.get(token).copied()
    }

    /// One after the largest id.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// How many tokens there are.
    pub(super) fn len(&self) -> u64 {
        self.ids.len() as u64
    }

    /// Whether every number below [`Vocabulary::end`] is an id.
    pub(super) fn is_dense(&self) -> bool {
        self.len() == self.end
    }

    /// The tokens, in no order.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &str> {
        self.ids.keys().map(String::as_str)
    }

    /// As an object from tokens to ids.
    pub(super) fn to_json(&self) -> Value {
        Value::Object(self.ids.iter().map(|(token, id)| (token.clone(), json!(id))).collect::<Map<_, _>>())
    }
}
