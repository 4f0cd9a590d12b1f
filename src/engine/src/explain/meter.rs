//! An oracle that counts what it is asked, says when it was asked, and stops answering when the time has ended.

use std::time::Instant;

use pellucid_explain::{
    Answer, Attention, GRADIENT_COST, Noise, OracleError, Outcome, PathPoint, Predict, Slopes, WordGradient,
};
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Baseline, Removal};

use super::parts::parts;

/// The most words in one call where the time is kept, unless one text is longer.
const WORDS: usize = 2048;

/// An oracle with a meter.
pub struct Meter<'a> {
    oracle: &'a mut dyn Slopes,
    /// When answers end.
    deadline: Option<Instant>,
    /// Gets what each call cost, in forward passes of the whole text.
    counted: &'a dyn Fn(f64),
}

impl<'a> Meter<'a> {
    /// An oracle without a deadline; `counted` gets what each call cost, in forward passes of the whole text.
    pub fn new(oracle: &'a mut dyn Slopes, counted: &'a dyn Fn(f64)) -> Self {
        Self { oracle, deadline: None, counted }
    }

    /// From this time on there are no answers.
    pub fn keep(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    fn check(&self) -> Answer<()> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(OracleError::OutOfTime),
            _ => Ok(()),
        }
    }

    /// How many rows of `words` words go into one call.
    fn rows(&self, words: usize) -> usize {
        if self.deadline.is_some() { (WORDS / words.max(1)).max(1) } else { usize::MAX }
    }
}

fn present(row: &[bool]) -> usize {
    row.iter().filter(|present| **present).count()
}

impl Predict for Meter<'_> {
    fn words(&self) -> usize {
        self.oracle.words()
    }

    fn outcomes(&mut self, presence: &[Vec<bool>], removal: Removal) -> Answer<Vec<Outcome>> {
        let (words, mut all) = (self.words().max(1), Vec::with_capacity(presence.len()));
        let length = |row: &Vec<bool>| match removal {
            Removal::Mask => words,
            Removal::Delete => present(row) + 1,
        };
        let most = if self.deadline.is_some() { WORDS } else { usize::MAX };
        for rows in parts(presence, most, length) {
            self.check()?;
            all.extend(self.oracle.outcomes(rows, removal)?);
            (self.counted)(rows.iter().map(|row| length(row) as f64).sum::<f64>() / words as f64);
        }
        Ok(all)
    }
}

impl Slopes for Meter<'_> {
    fn gradient(&mut self, scalar: Scalar) -> Answer<WordGradient> {
        self.check()?;
        let found = self.oracle.gradient(scalar)?;
        (self.counted)(GRADIENT_COST);
        Ok(found)
    }

    fn path(&mut self, baseline: Baseline, alphas: &[f64], scalar: Scalar) -> Answer<Vec<PathPoint>> {
        let mut all = Vec::with_capacity(alphas.len());
        for some in alphas.chunks(self.rows(GRADIENT_COST as usize * self.words()).min(alphas.len().max(1))) {
            self.check()?;
            all.extend(self.oracle.path(baseline, some, scalar)?);
            (self.counted)(GRADIENT_COST * some.len() as f64);
        }
        Ok(all)
    }

    fn noisy_gradients(&mut self, noise: Noise, first: u64, count: usize) -> Answer<Vec<WordGradient>> {
        self.check()?;
        let found = self.oracle.noisy_gradients(noise, first, count)?;
        (self.counted)(GRADIENT_COST * count as f64);
        Ok(found)
    }

    fn attention(&mut self) -> Answer<Attention> {
        self.check()?;
        let found = self.oracle.attention()?;
        (self.counted)(1.0);
        Ok(found)
    }
}
