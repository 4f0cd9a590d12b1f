//! How a text is read in windows that is longer than the model reads.

use serde::{Deserialize, Serialize};
use strum::{EnumString, VariantNames};

/// How the logits of a text come from those of its windows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum WindowPooling {
    /// Their mean, class by class.
    #[default]
    Mean,
    /// The highest of each class.
    Max,
}

/// Windows over a text that is too long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// Tokens that a window shares with the next one; `None` for a quarter of a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<u64>,
    /// How their logits become those of the text.
    #[serde(default)]
    pub pooling: WindowPooling,
}
