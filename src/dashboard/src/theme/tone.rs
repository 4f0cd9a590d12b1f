//! Whether words bring good or bad news, and the style for it.

use ratatui::style::Style;

use super::Styles;

/// Whether words bring good or bad news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    Plain,
    /// Something to look at.
    Warn,
    /// Something is wrong.
    Bad,
}

impl Styles {
    /// The style of words with this tone.
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
