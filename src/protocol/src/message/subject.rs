//! The text that a request is about.

use serde::{Deserialize, Serialize};

/// A text to be explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The validation sample of this index.
    Sample(usize),
    /// A text of the user's own.
    Text(String),
}
