//! How words are meant: well, ill, or neither.

use ratatui::style::Style;

use super::Styles;

/// How the words are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    Plain,
    /// Look at it.
    Warn,
    /// Something is wrong.
    Bad,
}

impl Styles {
    /// The style of words that are meant like this.
    #[must_use]
    pub fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Good => self.good,
            Tone::Plain => self.text,
            Tone::Warn => self.warn,
            Tone::Bad => self.bad,
        }
    }
}
