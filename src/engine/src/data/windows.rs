//! A text in windows: what a model reads of it at once.

use std::ops::Range;

use pellucid_protocol::settings::{WindowPooling, Windows};

/// The most windows of a text; what lies behind them is cut off. This bounds what one row of the data costs.
pub const MOST: usize = 64;
/// The share of a window that neighbours have in common if nobody says how much.
const USUAL_SHARE: usize = 4;

/// How much of a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLimit {
    /// Tokens that the model reads at once, special ones included.
    pub max_tokens: usize,
    /// How longer texts are read; `None` if they are cut off.
    pub windows: Option<Windows>,
}

impl From<usize> for TextLimit {
    /// Longer texts are cut off.
    fn from(max_tokens: usize) -> Self {
        Self { max_tokens, windows: None }
    }
}

impl TextLimit {
    /// How texts are read that have more tokens, in words.
    #[must_use]
    pub fn told(self, windows: Windows) -> String {
        let pooled = match windows.pooling {
            WindowPooling::Mean => "the mean of their logits counts",
            WindowPooling::Max => "the highest logit of each class counts",
        };
        let (most, stride) = (self.max_tokens, self.stride());
        format!("read in windows of {most} tokens that share {stride} with the next; {pooled}")
    }

    /// Tokens that a window shares with the next one.
    #[must_use]
    pub fn stride(self) -> usize {
        let asked = self.windows.and_then(|windows| windows.stride);
        asked.map_or(self.max_tokens / USUAL_SHARE, |stride| usize::try_from(stride).unwrap_or(usize::MAX))
    }
}

/// The part of a text that its windows lie in. What else there is (special tokens, the other text of a pair) is in every
/// window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windowed {
    /// The tokens of the part, among those of the text.
    pub part: Range<usize>,
    /// Tokens of the part in a window, at most.
    pub width: usize,
    /// Tokens from the start of a window to the start of the next.
    pub step: usize,
    /// How the logits of the text come from those of its windows.
    pub pooling: WindowPooling,
}

impl Windowed {
    /// The tokens of each window of a text of `tokens` tokens, as transformers' tokenizers cut them with
    /// `return_overflowing_tokens`.
    #[must_use]
    pub fn windows(&self, tokens: usize) -> Vec<[Range<usize>; 3]> {
        let Range { start, end } = self.part;
        let mut windows = Vec::new();
        for from in (start..end).step_by(self.step.max(1)) {
            let to = (from + self.width).min(end);
            windows.push([0..start, from..to, end..tokens]);
            if to == end {
                break;
            }
        }
        windows
    }

    /// That of the text of which only the tokens `kept` are left, which ascend; `None` if they fit into one window.
    #[must_use]
    pub fn of_kept(&self, kept: &[usize]) -> Option<Self> {
        let place = |token: usize| kept.partition_point(|kept| *kept < token);
        let part = place(self.part.start)..place(self.part.end);
        (part.len() > self.width).then(|| Self { part, ..self.clone() })
    }
}

/// How the windows lie over a text that has `own` tokens of which `room` fit beside what else must be in each window.
///
/// # Errors
/// When neighbours would share all that a window has room for.
pub fn step(limit: TextLimit, room: usize, is_pair: bool) -> Result<usize, String> {
    // Beside the other text of a pair a window may be narrow, whatever was asked for.
    let stride = if is_pair { limit.stride().min(room / 2) } else { limit.stride() };
    match room.checked_sub(stride) {
        Some(step) if step > 0 => Ok(step),
        _ => Err(format!(
            "windows of {} tokens have room for {room} of the text and cannot share {stride}: --stride {} at most",
            limit.max_tokens,
            room.saturating_sub(1)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windowed(part: Range<usize>) -> Windowed {
        Windowed { part, width: 4, step: 3, pooling: WindowPooling::Mean }
    }

    #[test]
    fn windows_cover_the_part_and_each_has_the_rest() {
        assert_eq!(windowed(1..9).windows(10), [[0..1, 1..5, 9..10], [0..1, 4..8, 9..10], [0..1, 7..9, 9..10]]);
        assert_eq!(windowed(1..8).windows(9), [[0..1, 1..5, 8..9], [0..1, 4..8, 8..9]]);
        assert_eq!(windowed(1..2).windows(3), [[0..1, 1..2, 2..3]]);
    }

    #[test]
    fn what_is_left_of_a_text_is_read_in_windows_while_it_is_too_long() {
        let whole = windowed(1..9);
        assert_eq!(whole.of_kept(&[0, 1, 2, 4, 5, 6, 9]).unwrap().part, 1..6);
        assert_eq!(whole.of_kept(&[0, 2, 4, 5, 6, 9]), None);
    }

    #[test]
    fn neighbours_cannot_share_all() {
        let limit = |stride| TextLimit {
            max_tokens: 16,
            windows: Some(Windows { stride: Some(stride), pooling: WindowPooling::Max }),
        };
        assert_eq!(step(limit(13), 14, false), Ok(1));
        assert!(step(limit(14), 14, false).unwrap_err().ends_with("--stride 13 at most"));
        assert_eq!(step(limit(14), 6, true), Ok(3));
        assert_eq!((TextLimit { windows: Some(Windows::default()), ..limit(0) }).stride(), 4);
    }
}
