//! What a domain is asked for and what it draws: one text.

use crate::text::Text;

/// What a text is asked to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// The planted word.
    Planted(&'static str),
    /// Anything but the planted word.
    Free,
}

/// A text as a domain draws it, with the label that its latent state has.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The number of the label.
    pub(crate) label: usize,
    /// The text and its rationale.
    pub(crate) text: Text,
}
