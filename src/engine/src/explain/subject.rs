//! A text to explain: its tokens, and the words that they make up.

use std::collections::HashMap;

use pellucid_explain::words;
use pellucid_protocol::WordEdit;
use pellucid_protocol::edit::{Change, Edited, edit};
use pellucid_protocol::explanation::Span;
use pellucid_protocol::explanation::stand_in::{Purpose, StandIn};
use tch::{Device, Tensor};

use crate::data::examples::Examples;
use crate::data::tokenise::{Encoded, TextEncoder};
use crate::error::{Error, Result};

/// A text as the model and as a person see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The text; a pair has an empty line between its texts.
    pub text: String,
    /// Its tokens.
    pub encoded: Encoded,
    /// Words as spans of characters of `text`.
    pub words: Vec<Span>,
    /// The word of each token; `None` for special tokens.
    pub word_of_token: Vec<Option<usize>>,
    /// How many words were cut off.
    pub truncated_words: usize,
    /// The mask token.
    pub mask: i64,
    /// The padding token.
    pub pad: i64,
    /// Which of the two are none of the model's own.
    pub stand_ins: Vec<StandIn>,
}

/// What scores are given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A word at its place: what stands between whitespace.
    Word,
    /// All words that are written alike, in the order of their first occurrence: what `lime` explains.
    DistinctWord,
    /// Tokens, but not the special ones.
    Token,
    /// Tokens, special ones included.
    AnyToken,
}

const BETWEEN: &str = "\n\n";

/// The tokens that stand in for those which the model lacks.
fn stand_ins(encoder: &TextEncoder) -> Vec<StandIn> {
    let both = [(Purpose::Mask, encoder.mask()), (Purpose::Padding, encoder.pad())];
    let lacking = both.into_iter().filter(|(_, token)| !token.is_own);
    lacking.map(|(purpose, token)| StandIn { purpose, token: encoder.token(token.id) }).collect()
}

impl Subject {
    /// Encodes a text, or a pair of texts.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub fn new(encoder: &TextEncoder, text: &str, pair: Option<&str>) -> Result<Self> {
        let encoded = encoder.encode(&[(text, pair)])?.pop();
        let encoded = encoded.ok_or_else(|| Error::Refused("tokenizer.json gives no encoding".to_owned()))?;
        Ok(Self::from_encoded(encoder, text, pair, encoded))
    }

    /// Example `index` of `examples`, which `encoder` has encoded.
    ///
    /// # Errors
    /// When the tokenizer refuses, as it did not before.
    pub fn of_example(encoder: &TextEncoder, examples: &Examples, index: usize) -> Result<Self> {
        Self::new(encoder, examples.text(index), examples.pair(index))
    }

    /// A text, or a pair of texts, that `encoder` has encoded before.
    fn from_encoded(encoder: &TextEncoder, text: &str, pair: Option<&str>, encoded: Encoded) -> Self {
        let (shown, shift) = match pair {
            Some(pair) => (format!("{text}{BETWEEN}{pair}"), text.chars().count() + BETWEEN.len()),
            None => (text.to_owned(), 0),
        };
        let shifted = encoded.spans.iter().zip(&encoded.second);
        let spans: Vec<_> = shifted
            .map(|(&(start, end), &second)| if second { (start + shift, end + shift) } else { (start, end) })
            .collect();
        let found = words::group(&shown, &spans, &encoded.special);
        Self {
            text: shown,
            words: found.spans,
            word_of_token: found.of_token,
            truncated_words: found.uncovered,
            mask: encoder.mask().id,
            pad: encoder.pad().id,
            stand_ins: stand_ins(encoder),
            encoded,
        }
    }

    /// Word number `word` as written.
    #[must_use]
    pub fn word(&self, word: usize) -> String {
        let span = self.words[word];
        self.text.chars().skip(span.start).take(span.end - span.start).collect()
    }

    /// The same text with other units instead of its words.
    #[must_use]
    pub fn by(&self, unit: Unit) -> Self {
        match unit {
            Unit::Word => self.clone(),
            Unit::DistinctWord => self.by_distinct_word(),
            Unit::Token => self.by_token(|special| !special),
            Unit::AnyToken => self.by_token(|_| true),
        }
    }

    /// The words that are written otherwise than those before them, by number.
    #[must_use]
    pub fn distinct_words(&self) -> Vec<usize> {
        let first = self.by_distinct_word().words;
        (0..self.words.len()).filter(|&word| first.contains(&self.words[word])).collect()
    }

    fn by_distinct_word(&self) -> Self {
        let written: Vec<char> = self.text.chars().collect();
        let (mut spans, mut known) = (Vec::new(), HashMap::new());
        let number = |span: &Span| {
            *known.entry(&written[span.start..span.end]).or_insert_with(|| {
                spans.push(*span);
                spans.len() - 1
            })
        };
        let numbers: Vec<usize> = self.words.iter().map(number).collect();
        let word_of_token = self.word_of_token.iter().map(|word| word.map(|word| numbers[word])).collect();
        Self { words: spans, word_of_token, ..self.clone() }
    }

    fn by_token(&self, is_unit: impl Fn(bool) -> bool) -> Self {
        let mut spans = Vec::new();
        let tokens = self.encoded.spans.iter().zip(&self.encoded.special);
        let number = |(&(start, end), &special): (&(usize, usize), &bool)| {
            is_unit(special).then(|| {
                spans.push(Span { start, end });
                spans.len() - 1
            })
        };
        let word_of_token = tokens.map(number).collect();
        Self { words: spans, word_of_token, ..self.clone() }
    }

    /// For each token the value of its unit; 0 for tokens outside all units.
    #[must_use]
    pub fn by_tokens(&self, of_units: &[f64]) -> Vec<f64> {
        self.word_of_token.iter().map(|unit| unit.map_or(0.0, |unit| of_units[unit])).collect()
    }

    /// A text, or a pair of texts, with some words edited, and where its words are then. Masked words stay in the text; their
    /// tokens are masks.
    ///
    /// # Errors
    /// When the text has no such word, or the tokenizer refuses.
    pub fn edited(encoder: &TextEncoder, text: &str, pair: Option<&str>, edits: &[WordEdit]) -> Result<(Self, Edited)> {
        let whole = Self::new(encoder, text, pair)?;
        if let Some(edit) = edits.iter().find(|edit| edit.word >= whole.words.len()) {
            let message = format!("there is no word {}; the model sees {}", edit.word, whole.words.len());
            return Err(Error::Setting { key: "word", message });
        }
        let made = edit(&whole.text, &whole.words, edits);
        let first = text.chars().count();
        let part = |from: usize, to: usize| made.text.chars().skip(from).take(to - from).collect::<String>();
        let end = made.text.chars().count();
        let mut subject = match pair {
            Some(_) => {
                let (left, right) = (made.position(first), made.position(first + BETWEEN.len()));
                Self::new(encoder, &part(0, left), Some(&part(right, end)))?
            }
            None => Self::new(encoder, &made.text, None)?,
        };
        let is_masked = |edit: &&WordEdit| edit.change == Change::Mask;
        let places: Vec<Span> = edits.iter().filter(is_masked).filter_map(|edit| made.places[edit.word]).collect();
        subject.mask(&places);
        Ok((subject, made))
    }

    /// Masks the tokens of the words in `places`. A text without any token becomes one mask.
    fn mask(&mut self, places: &[Span]) {
        let is_kept = |word: &Span| !places.iter().any(|place| place.overlaps(*word));
        let kept: Vec<bool> = self.words.iter().map(is_kept).collect();
        self.encoded.ids = self.masked(&kept);
        if self.encoded.ids.is_empty() {
            self.encoded = self.shortened(&kept);
            self.word_of_token = vec![None];
        }
    }

    /// The token ids, with all tokens of absent words masked.
    #[must_use]
    pub fn masked(&self, presence: &[bool]) -> Vec<i64> {
        let hidden = |word: &Option<usize>| word.is_some_and(|word| !presence[word]);
        let tokens = self.encoded.ids.iter().zip(&self.word_of_token);
        tokens.map(|(&id, word)| if hidden(word) { self.mask } else { id }).collect()
    }

    /// The tokens without those of absent words; one mask if none would be left.
    #[must_use]
    pub fn shortened(&self, presence: &[bool]) -> Encoded {
        let is_kept = |word: &Option<usize>| word.is_none_or(|word| presence[word]);
        let kept: Vec<usize> =
            (0..self.encoded.ids.len()).filter(|&token| is_kept(&self.word_of_token[token])).collect();
        let whole = &self.encoded;
        if kept.is_empty() {
            let (types, second, spans) = (vec![0], vec![false], vec![(0, 0)]);
            let special = vec![false];
            return Encoded { ids: vec![self.mask], types, second, spans, special, cut: whole.cut, windows: None };
        }
        Encoded {
            ids: kept.iter().map(|&token| whole.ids[token]).collect(),
            types: kept.iter().map(|&token| whole.types[token]).collect(),
            second: kept.iter().map(|&token| whole.second[token]).collect(),
            spans: kept.iter().map(|&token| whole.spans[token]).collect(),
            special: kept.iter().map(|&token| whole.special[token]).collect(),
            cut: whole.cut,
            windows: whole.windows.as_ref().and_then(|windows| windows.of_kept(&kept)),
        }
    }

    /// The token ids with every token of a word replaced by `token`; special tokens stay.
    #[must_use]
    pub fn replaced(&self, token: i64) -> Vec<i64> {
        let tokens = self.encoded.ids.iter().zip(&self.word_of_token);
        tokens.map(|(&id, word)| if word.is_some() { token } else { id }).collect()
    }

    /// 1 for tokens of words and 0 for the others, `[1, tokens, 1]`.
    pub fn is_word(&self, device: Device) -> Tensor {
        let flags: Vec<f32> = self.word_of_token.iter().map(|word| f32::from(u8::from(word.is_some()))).collect();
        Tensor::from_slice(&flags).to_device(device).view([1, -1, 1])
    }

    /// Indices of the tokens of words, `[words' tokens]`.
    pub fn word_tokens(&self, device: Device) -> Tensor {
        let tokens = self.word_of_token.iter().enumerate();
        let tokens: Vec<i64> = tokens.filter(|(_, word)| word.is_some()).map(|(token, _)| token as i64).collect();
        Tensor::from_slice(&tokens).to_device(device)
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
