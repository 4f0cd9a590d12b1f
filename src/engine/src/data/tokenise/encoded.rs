//! A text as token ids.

use pellucid_explain::words::written;

use crate::data::windows::Windowed;

/// A text as token ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids, special tokens included.
    pub ids: Vec<i64>,
    /// Token types: 0, and 1 for the second text of a pair.
    pub types: Vec<i64>,
    /// Whether a token is of the second text of a pair.
    pub second: Vec<bool>,
    /// The characters that each token stands for, in the first or the second text as `second` says.
    pub spans: Vec<(usize, usize)>,
    /// Whether the tokenizer added the token, as it adds `[CLS]`.
    pub special: Vec<bool>,
    /// How many tokens were cut off, because the text was longer than the limit.
    pub cut: usize,
    /// Its windows, if it is read in several.
    pub windows: Option<Windowed>,
}

impl Encoded {
    /// Whether the text was longer than the limit and was cut.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut > 0
    }

    /// How many words of the text, and of its second text, are not read, or not to their end.
    #[must_use]
    pub fn words_cut(&self, text: &str, pair: Option<&str>) -> usize {
        self.words_outside(text, false) + pair.map_or(0, |pair| self.words_outside(pair, true))
    }

    /// How many words of one of the texts end behind its last token that is read, or begin before its first.
    fn words_outside(&self, text: &str, second: bool) -> usize {
        let own = self.spans.iter().zip(self.second.iter().zip(&self.special));
        let own = own.filter(|(_, (of_second, special))| **of_second == second && !**special).map(|(span, _)| *span);
        let (start, end) = own.fold((usize::MAX, 0), |(start, end), span| (start.min(span.0), end.max(span.1)));
        written(text).iter().filter(|word| word.end > end || word.start < start).count()
    }
}
