//! Whether a text may be written down.

use serde::{Deserialize, Serialize};

/// What stands for each letter of a text that must not be written down.
const LETTER: char = '\u{2022}';

/// Whether a text may be written down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Privacy {
    /// It may.
    #[default]
    Public,
    /// It must not: it is there to be looked at. This is what its row is called.
    Named(String),
    /// Its letters are left out; this is what its row is called.
    Masked(String),
}

impl Privacy {
    pub(super) fn is_public(&self) -> bool {
        *self == Self::Public
    }

    /// What the row of a private text is called.
    #[must_use]
    pub fn row(&self) -> Option<&str> {
        match self {
            Self::Public => None,
            Self::Named(row) | Self::Masked(row) => Some(row),
        }
    }
}

/// `text` with a dot for each letter; what is between words stays, so that words keep their places.
#[must_use]
pub fn masked(text: &str) -> String {
    text.chars().map(|letter| if letter.is_whitespace() { letter } else { LETTER }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_places_and_no_letter_is_left() {
        let text = "Na\u{ef}ve 12.5mg\n\ntwice";
        let hidden = masked(text);
        assert_eq!(hidden.chars().count(), text.chars().count());
        assert!(!hidden.chars().any(char::is_alphanumeric) && hidden.split_whitespace().count() == 3);
    }
}
