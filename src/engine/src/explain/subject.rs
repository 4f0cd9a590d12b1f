//! A text to be explained: its tokens, and the words they make up.

use pellucid_explain::words;
use pellucid_protocol::explanation::Span;

use crate::data::tokenise::{Encoded, TextEncoder};
use crate::error::{Error, Result};

/// A text as the model and as a person see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The text; of a pair, both with an empty line between.
    pub text: String,
    /// Its tokens.
    pub encoded: Encoded,
    /// Words as spans of characters of `text`.
    pub words: Vec<Span>,
    /// The word of each token; `None` for special tokens.
    pub word_of_token: Vec<Option<usize>>,
    /// Words that were cut off.
    pub truncated_words: usize,
    /// Token that stands for a masked one.
    pub mask: i64,
    /// Token of the baseline of integrated gradients.
    pub pad: i64,
}

const BETWEEN: &str = "\n\n";

impl Subject {
    /// Encodes a text, or a pair of texts.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub fn new(encoder: &TextEncoder, text: &str, pair: Option<&str>) -> Result<Self> {
        let encoded = encoder.encode(&[(text, pair)])?.pop();
        let encoded = encoded.ok_or_else(|| Error::Torch("tokenizer: no encoding".to_owned()))?;
        let (shown, shift) = match pair {
            Some(pair) => (format!("{text}{BETWEEN}{pair}"), text.chars().count() + BETWEEN.len()),
            None => (text.to_owned(), 0),
        };
        let shifted = encoded.spans.iter().zip(&encoded.second);
        let spans: Vec<_> = shifted
            .map(|(&(start, end), &second)| if second { (start + shift, end + shift) } else { (start, end) })
            .collect();
        let found = words::group(&shown, &spans, &encoded.special);
        Ok(Self {
            text: shown,
            words: found.spans,
            word_of_token: found.of_token,
            truncated_words: found.uncovered,
            mask: encoder.mask_id(),
            pad: encoder.pad_id(),
            encoded,
        })
    }

    /// The token ids with the words that are not present masked, all their pieces together.
    #[must_use]
    pub fn masked(&self, presence: &[bool]) -> Vec<i64> {
        let hidden = |word: &Option<usize>| word.is_some_and(|word| !presence[word]);
        let tokens = self.encoded.ids.iter().zip(&self.word_of_token);
        tokens.map(|(&id, word)| if hidden(word) { self.mask } else { id }).collect()
    }

    /// The token ids with every word replaced by padding, special tokens kept.
    #[must_use]
    pub fn baseline(&self) -> Vec<i64> {
        let tokens = self.encoded.ids.iter().zip(&self.word_of_token);
        tokens.map(|(&id, word)| if word.is_some() { self.pad } else { id }).collect()
    }

    /// Sums values of tokens into values of words.
    #[must_use]
    pub fn by_word(&self, of_tokens: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.words.len()];
        for (value, word) in of_tokens.iter().zip(&self.word_of_token) {
            if let Some(word) = word {
                sums[*word] += value;
            }
        }
        sums
    }
}
