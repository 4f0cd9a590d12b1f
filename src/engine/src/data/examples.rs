//! Labelled texts with their token ids.

use std::sync::Arc;

use pellucid_intake::labels::{Labels, Naming};
use pellucid_intake::rows::Rows;
use pellucid_intake::samples;
use pellucid_protocol::Sample;
use pellucid_protocol::explanation::Span;
use sha2::{Digest, Sha256};

use super::tokenise::TextEncoder;
use super::tokens::{TokenSource, Tokens};
use crate::error::Result;

/// Texts that are encoded at once.
const AT_ONCE: usize = 4096;
/// Texts of a hundred that are not cut where the limit is found.
const MOST: usize = 99;
/// The limit is a multiple of this: matrices of such sizes are computed faster.
const STEP: usize = 8;

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
        let mut tokens = Tokens::default();
        for start in (0..self.len()).step_by(AT_ONCE) {
            let texts = start..(start + AT_ONCE).min(self.len());
            let texts: Vec<_> = texts.map(|row| (self.text(row), self.pair(row))).collect();
            let encoded = encoder.encode_from(&texts, start + 1)?;
            encoded.iter().zip(&texts).for_each(|(encoded, text)| tokens.push(encoded, *text));
        }
        tokens.shrink();
        Ok(tokens)
    }

    /// Encodes the texts, each cut where 99 of 100 of them end; `encoder` cuts there from then on.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub fn encode_most(&mut self, encoder: &mut TextEncoder) -> Result<()> {
        let whole = self.encoded(encoder)?;
        let mut lengths: Vec<u32> = (0..self.len()).map(|example| whole.length(example) as u32).collect();
        lengths.sort_unstable();
        let at = (MOST * lengths.len()).div_ceil(100).saturating_sub(1);
        let most = lengths.get(at).map_or(STEP, |length| (*length as usize).next_multiple_of(STEP));
        let limit = most.min(encoder.max_tokens());
        encoder.set_max_tokens(limit);
        if lengths.last().is_some_and(|longest| *longest as usize > limit) {
            self.tokens = Arc::new(self.shortened(&whole, encoder)?);
        } else {
            self.tokens = Arc::new(whole);
        }
        Ok(())
    }

    /// `whole` with the texts cut that are too long for `encoder` by now.
    fn shortened(&self, whole: &Tokens, encoder: &TextEncoder) -> Result<Tokens> {
        let mut tokens = Tokens::default();
        for example in 0..self.len() {
            if whole.length(example) > encoder.max_tokens() || whole.is_cut(example) {
                let text = (self.text(example), self.pair(example));
                encoder.encode_from(&[text], example + 1)?.iter().for_each(|encoded| tokens.push(encoded, text));
            } else {
                tokens.push_whole(&whole.row(example));
            }
        }
        tokens.shrink();
        Ok(tokens)
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
