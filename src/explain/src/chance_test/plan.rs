//! Which groups of words are hidden, and after how many of them the test looks.

use crate::sampling::Purpose;
use crate::sampling::coalitions::plan;
use crate::sampling::strata::{SamplingPlan, StratifiedSample};

/// Groups after which the test looks, with the share of the error that each look spends.
type Looks = &'static [(usize, f64)];

/// Short texts are looked at once: a look at a part of so few groups spends more than it saves.
const SHORT: Looks = &[(256, 1.0)];
const LONG: Looks = &[(64, 0.2), (128, 0.3), (256, 0.5)];
/// The most words of a short text.
const SHORT_WORDS: usize = 12;

/// The groups of a text's words, in the order in which they are measured.
#[derive(Debug, Clone)]
pub struct Plan {
    sets: SamplingPlan,
    looks: Looks,
}

impl Plan {
    /// Draws groups in pairs of complements, of all sizes, in proportion to the Shapley kernel: where all groups are
    /// measured, the effects are Shapley values.
    #[must_use]
    pub fn new(words: usize, seed: u64) -> Self {
        let looks = if words <= SHORT_WORDS { SHORT } else { LONG };
        let most = looks.last().map_or(0, |(rows, _)| *rows);
        Self { sets: plan(words, most, seed, Purpose::Tests), looks }
    }

    /// How many looks there are.
    #[must_use]
    pub fn looks(&self) -> usize {
        self.looks.len()
    }

    /// The share of the error that a look spends.
    #[must_use]
    pub fn share(&self, look: usize) -> f64 {
        self.looks[look].1
    }

    /// Groups measured up to and with a look.
    #[must_use]
    pub fn rows(&self, look: usize) -> usize {
        self.looks[look].0.min(self.sets.rows())
    }

    /// The first `rows` groups, and one more where a complement would be left out.
    #[must_use]
    pub fn first(&self, rows: usize) -> StratifiedSample {
        self.sets.take(rows)
    }

    /// The groups measured up to and with a look: with each group its complement.
    #[must_use]
    pub fn sample(&self, look: usize) -> StratifiedSample {
        self.sets.take(self.looks[look].0)
    }
}
