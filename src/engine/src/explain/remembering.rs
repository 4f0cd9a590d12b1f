//! An oracle that remembers what it was asked about a text, whatever the text is divided into: words, or tokens.

use std::cell::RefCell;
use std::collections::HashMap;

use pellucid_explain::{Answer, Attention, Noise, Outcome, PathPoint, Predict, Slopes, WordGradient};
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Baseline, Removal};

use super::oracle::{ModelOracle, PathQuery, TokenPoint};

/// What was answered about one text and one class.
#[derive(Debug, Default)]
pub struct Memory {
    /// By the token ids of a text with masks.
    masked: RefCell<HashMap<Vec<i64>, Outcome>>,
    /// By what moves on the path, where it begins, what is explained, and how far the point is.
    points: RefCell<HashMap<Place, TokenPoint>>,
}

type Place = (Vec<bool>, Baseline, &'static str, u64);

/// An oracle with a memory that oracles of the same text and class share.
pub struct Remembering<'a> {
    /// The oracle.
    pub oracle: ModelOracle<'a>,
    /// What was answered before.
    pub memory: &'a Memory,
}

impl Predict for Remembering<'_> {
    fn words(&self) -> usize {
        self.oracle.words()
    }

    fn outcomes(&mut self, presence: &[Vec<bool>], removal: Removal) -> Answer<Vec<Outcome>> {
        if removal == Removal::Delete {
            return self.oracle.outcomes(presence, removal);
        }
        let texts: Vec<Vec<i64>> = presence.iter().map(|row| self.oracle.subject.masked(row)).collect();
        let mut known = self.memory.masked.borrow_mut();
        let (mut asked, mut rows) = (Vec::new(), Vec::new());
        for (text, row) in texts.iter().zip(presence) {
            if !known.contains_key(text) && !asked.contains(text) {
                asked.push(text.clone());
                rows.push(row.clone());
            }
        }
        let found = self.oracle.outcomes(&rows, removal)?;
        known.extend(asked.into_iter().zip(found));
        Ok(texts.iter().map(|text| known[text]).collect())
    }
}

impl Slopes for Remembering<'_> {
    fn gradient(&mut self, scalar: Scalar) -> Answer<WordGradient> {
        self.oracle.gradient(scalar)
    }

    fn path(&mut self, baseline: Baseline, alphas: &[f64], scalar: Scalar) -> Answer<Vec<PathPoint>> {
        let moves: Vec<bool> = self.oracle.subject.word_of_token.iter().map(Option::is_some).collect();
        let place = |alpha: &f64| (moves.clone(), baseline, scalar.key(), alpha.to_bits());
        let mut known = self.memory.points.borrow_mut();
        let new: Vec<f64> = alphas.iter().copied().filter(|alpha| !known.contains_key(&place(alpha))).collect();
        if !new.is_empty() {
            let found = self.oracle.token_points(&PathQuery { baseline, alphas: new.clone(), scalar })?;
            known.extend(new.iter().map(place).zip(found));
        }
        Ok(alphas.iter().map(|alpha| known[&place(alpha)].by_word(self.oracle.subject)).collect())
    }

    fn noisy_gradients(&mut self, noise: Noise, first: u64, count: usize) -> Answer<Vec<WordGradient>> {
        self.oracle.noisy_gradients(noise, first, count)
    }

    fn attention(&mut self) -> Answer<Attention> {
        self.oracle.attention()
    }
}
