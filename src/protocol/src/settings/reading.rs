//! How a data file is read, where its own words do not say it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{LabelMap, Switch};

/// Whether the first row of a data file names its columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// It is found out; where both could be, the file is refused.
    #[default]
    Auto,
    /// It does not: the first row is data, and columns go by their numbers.
    None,
}

/// What a column of a data file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The text.
    Text,
    /// The second text of a pair.
    Pair,
    /// The label.
    Label,
    /// What the row is called.
    Id,
    /// What rows have in common that must not be on both sides of a split: a patient, a client, a contract.
    Group,
    /// The parts of the text that a person marked as the reason for the label.
    Rationale,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 6] = [Self::Text, Self::Pair, Self::Label, Self::Id, Self::Group, Self::Rationale];

    /// The flag that names the column.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Text => "--text-column",
            Self::Pair => "--pair-column",
            Self::Label => "--label-column",
            Self::Id => "--id-column",
            Self::Group => "--group-column",
            Self::Rationale => "--rationale-column",
        }
    }
}

/// Which column is for what, as the user says it: each by its name, or by its number from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColumnNames {
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The second text of a pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
    /// The label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What the row is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What must not be on both sides of a split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The rationale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
}

impl ColumnNames {
    /// The column that was named for `role`.
    #[must_use]
    pub fn of(&self, role: Role) -> Option<&str> {
        match role {
            Role::Text => self.text.as_deref(),
            Role::Pair => self.pair.as_deref(),
            Role::Label => self.label.as_deref(),
            Role::Id => self.id.as_deref(),
            Role::Group => self.group.as_deref(),
            Role::Rationale => self.rationale.as_deref(),
        }
    }

    /// Whether any column was named.
    #[must_use]
    pub fn are_any(&self) -> bool {
        Role::ALL.iter().any(|role| self.of(*role).is_some())
    }

    /// These names, and those of `under` for what has none.
    #[must_use]
    pub fn or(self, under: &Self) -> Self {
        Self {
            text: self.text.or_else(|| under.text.clone()),
            pair: self.pair.or_else(|| under.pair.clone()),
            label: self.label.or_else(|| under.label.clone()),
            id: self.id.or_else(|| under.id.clone()),
            group: self.group.or_else(|| under.group.clone()),
            rationale: self.rationale.or_else(|| under.rationale.clone()),
        }
    }
}

/// How a data file is read. What is left open is found in the file, or the file is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// Which column is for what.
    pub columns: ColumnNames,
    /// Which column was for what in the data that the model was trained on: taken where the file has such columns.
    pub trained_on: ColumnNames,
    /// Whether the first row names the columns.
    pub header: Header,
    /// What stands between two fields of a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
    /// The name of the encoding, as in the WHATWG standard; `None` for UTF-8, and UTF-16 with its mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// How many bad rows are left out at most.
    pub skip_bad: u64,
    /// Which class each label stands for, where its own name does not say it.
    pub labels: LabelMap,
    /// Whether no cell of the data is told, but for labels that many rows share.
    pub private: Switch,
}

/// What stands between two fields of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Delimiter(pub u8);

impl Delimiter {
    /// Those that are looked for.
    pub const USUAL: [Self; 4] = [Self(b','), Self(b';'), Self(b'\t'), Self(b'|')];
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == b'\t' { f.write_str("tab") } else { write!(f, "{}", char::from(self.0)) }
    }
}

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.as_bytes() {
            _ if text == "tab" || text == "\\t" => Ok(Self(b'\t')),
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'"' | b'\n' | b'\r') => {
                Ok(Self(*byte))
            }
            _ => Err(format!("`{text}` is no delimiter; give one character such as ; or |, or `tab`")),
        }
    }
}

impl TryFrom<String> for Delimiter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Delimiter> for String {
    fn from(delimiter: Delimiter) -> Self {
        delimiter.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_written_as_they_are_read() {
        for text in [",", ";", "|", "tab"] {
            assert_eq!(text.parse::<Delimiter>().unwrap().to_string(), text);
        }
        for text in ["", "a", "\"", "\n", ",,", "é"] {
            assert!(text.parse::<Delimiter>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_named_is_taken_from_below() {
        let named = |text: Option<&str>, label: Option<&str>| ColumnNames {
            text: text.map(str::to_owned),
            label: label.map(str::to_owned),
            ..ColumnNames::default()
        };
        let both = named(Some("a"), None).or(&named(Some("b"), Some("c")));
        assert_eq!((both.of(Role::Text), both.of(Role::Label), both.of(Role::Id)), (Some("a"), Some("c"), None));
        assert!(!ColumnNames::default().are_any());
    }
}
