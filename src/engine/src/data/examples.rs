//! Labelled texts with their token ids.

use std::ops::Range;
use std::sync::Arc;

use pellucid_intake::labels::{Labels, Naming};
use pellucid_intake::rows::Rows;
use pellucid_intake::samples;
use pellucid_protocol::Sample;
use pellucid_protocol::explanation::Span;
use sha2::{Digest, Sha256};

use super::tokenise::{Encoded, TextEncoder};
use super::tokens::{TokenSource, Tokens};
use super::word_ids::WordIds;
use crate::error::Result;

/// Texts that are encoded at once.
const AT_ONCE: usize = 4096;
/// Texts of a hundred that are not cut where the limit is found.
const MOST: usize = 99;
/// The limit is a multiple of this: matrices of such sizes are computed faster.
const STEP: usize = 8;

/// The texts of rows, to be encoded.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a>(pub &'a Rows);

impl Texts<'_> {
    /// Their token ids.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub fn encoded(self, encoder: &TextEncoder) -> Result<Tokens> {
        let mut tokens = Tokens::default();
        let mut words = WordIds::of(encoder).filter(|_| self.0.pair(0).is_none());
        for start in (0..self.0.len()).step_by(AT_ONCE) {
            let rows = start..(start + AT_ONCE).min(self.0.len());
            match &mut words {
                Some(words) => self.push_by_words(&mut tokens, encoder, words, rows)?,
                None => self.push_whole(&mut tokens, encoder, rows)?,
            }
        }
        tokens.shrink();
        Ok(tokens)
    }

    fn push_by_words(
        self,
        tokens: &mut Tokens,
        encoder: &TextEncoder,
        words: &mut WordIds<'_>,
        rows: Range<usize>,
    ) -> Result<()> {
        let texts: Vec<&str> = rows.clone().map(|row| self.0.text(row)).collect();
        for (row, found) in rows.clone().zip(words.rows(&texts, rows.start + 1)?) {
            match found {
                Some(found) if self.0.pair(row).is_none() => tokens.push_whole(&found),
                _ => {
                    let text = (self.0.text(row), self.0.pair(row));
                    encoder.encode_from(&[text], row + 1)?.iter().for_each(|encoded| tokens.push(encoded, text));
                }
            }
        }
        Ok(())
    }

    fn push_whole(self, tokens: &mut Tokens, encoder: &TextEncoder, rows: Range<usize>) -> Result<()> {
        let texts: Vec<_> = rows.clone().map(|row| (self.0.text(row), self.0.pair(row))).collect();
        for (row, encoded) in rows.clone().zip(encoder.encode_ids(&texts, rows.start + 1)?) {
            self.push(tokens, encoder, row, &encoded)?;
        }
        Ok(())
    }

    /// Adds a row. What is cut of it is only known with the characters of its tokens.
    fn push(self, tokens: &mut Tokens, encoder: &TextEncoder, row: usize, encoded: &Encoded) -> Result<()> {
        let text = (self.0.text(row), self.0.pair(row));
        match encoded.is_cut() {
            true => encoder.encode_from(&[text], row + 1)?.iter().for_each(|encoded| tokens.push(encoded, text)),
            false => tokens.push(encoded, text),
        }
        Ok(())
    }

    /// The token ids `whole` of these texts, each cut where 99 of 100 of them end; `encoder` cuts there from then on.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub fn cut_most(self, whole: Tokens, encoder: &mut TextEncoder) -> Result<Tokens> {
        let mut lengths: Vec<u32> = (0..whole.count()).map(|text| whole.length(text) as u32).collect();
        lengths.sort_unstable();
        let at = (MOST * lengths.len()).div_ceil(100).saturating_sub(1);
        let most = lengths.get(at).map_or(STEP, |length| (*length as usize).next_multiple_of(STEP));
        let limit = most.min(encoder.max_tokens());
        if lengths.last().is_none_or(|longest| *longest as usize <= limit) {
            encoder.set_max_tokens(limit);
            return Ok(whole);
        }
        encoder.set_max_tokens(limit);
        self.shortened(&whole, encoder)
    }

    /// `whole` with the texts cut that are too long for `encoder` by now.
    fn shortened(self, whole: &Tokens, encoder: &TextEncoder) -> Result<Tokens> {
        let mut tokens = Tokens::default();
        for row in 0..self.0.len() {
            if whole.length(row) > encoder.max_tokens() || whole.is_cut(row) {
                let text = (self.0.text(row), self.0.pair(row));
                encoder.encode_from(&[text], row + 1)?.iter().for_each(|encoded| tokens.push(encoded, text));
            } else {
                tokens.push_whole(&whole.row(row));
            }
        }
        tokens.shrink();
        Ok(tokens)
    }
}

/// Texts with their token ids and classes.
#[derive(Debug, Clone, Default)]
pub struct Examples {
    rows: Rows,
    classes: Vec<u32>,
    /// Their token ids.
    pub tokens: Arc<Tokens>,
}

impl Examples {
    /// `rows` with the classes that `labels` gives them, not encoded yet.
    ///
    /// # Errors
    /// A label that is none of these.
    pub fn of(rows: Rows, labels: &Labels, naming: Naming) -> Result<Self> {
        let classes = samples::classes(&rows, labels, naming)?;
        Ok(Self { rows, classes, tokens: Arc::default() })
    }

    /// Encodes the texts.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub fn encode(&mut self, encoder: &TextEncoder) -> Result<()> {
        self.tokens = Arc::new(self.encoded(encoder)?);
        Ok(())
    }

    /// Their token ids by another tokenizer.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub fn encoded(&self, encoder: &TextEncoder) -> Result<Tokens> {
        Texts(&self.rows).encoded(encoder)
    }

    /// Encodes the texts, each cut where 99 of 100 of them end; `encoder` cuts there from then on.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub fn encode_most(&mut self, encoder: &mut TextEncoder) -> Result<()> {
        let texts = Texts(&self.rows);
        self.tokens = Arc::new(texts.cut_most(texts.encoded(encoder)?, encoder)?);
        Ok(())
    }

    /// The rows that they are.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The text of an example.
    #[must_use]
    pub fn text(&self, example: usize) -> &str {
        self.rows.text(example)
    }

    /// The second text of an example, if it has one.
    #[must_use]
    pub fn pair(&self, example: usize) -> Option<&str> {
        self.rows.pair(example)
    }

    /// The class of an example.
    #[must_use]
    pub fn class(&self, example: usize) -> usize {
        self.classes[example] as usize
    }

    /// The parts of its text that a person marked.
    #[must_use]
    pub fn rationale(&self, example: usize) -> &[Span] {
        self.rows.rationale(example)
    }

    /// What the row of an example is called: its id, or its place in the data.
    #[must_use]
    pub fn name(&self, example: usize) -> String {
        self.rows.name(example)
    }

    /// An example as a sample.
    #[must_use]
    pub fn sample(&self, example: usize) -> Sample {
        samples::sample(&self.rows, example, self.class(example))
    }

    /// All examples as samples.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        (0..self.len()).map(|example| self.sample(example)).collect()
    }

    /// A hash of the token ids and classes in their order.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for example in 0..self.len() {
            let row = self.tokens.row(example);
            hash.update((self.class(example) as u64).to_le_bytes());
            hash.update((row.ids.len() as u64).to_le_bytes());
            row.ids.iter().chain(&row.types).for_each(|id| hash.update(id.to_le_bytes()));
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}
