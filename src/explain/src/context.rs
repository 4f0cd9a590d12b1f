//! What the methods share on one text.

pub use pellucid_protocol::check::Depth;
use pellucid_protocol::{Attribution, Baseline, Check};

use crate::bounds::Subsets;
use crate::faithfulness::{Faithfulness, order};
use crate::neighbourhood::Samples;
use crate::oracle::{Answer, Slopes};
use crate::table::{MaskTable, Masking};

/// What the methods share on one text, one class and one state of a model: a new oracle needs a new
/// context.
#[derive(Debug, Clone, Default)]
pub struct Context {
    pub(crate) seed: u64,
    pub(crate) samples: Samples,
    pub(crate) baseline: Baseline,
    pub(crate) depth: Depth,
    /// Which words a person marked; empty if nobody did.
    pub(crate) marked: Vec<bool>,
    pub(crate) table: MaskTable,
    pub(crate) subsets: Option<Subsets>,
    faithfulness: Option<Faithfulness>,
}

impl Context {
    /// With the default number of samples and rows a call.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// With so many perturbations for the surrogates, and as many maskings for Shapley values.
    #[must_use]
    pub fn with_samples(self, samples: Samples) -> Self {
        Self { samples, ..self }
    }

    /// With paths of integrated gradients from this baseline.
    #[must_use]
    pub fn with_baseline(self, baseline: Baseline) -> Self {
        Self { baseline, ..self }
    }

    /// With these checks.
    #[must_use]
    pub fn with_depth(self, depth: Depth) -> Self {
        Self { depth, ..self }
    }

    /// With the words that a person marked as the reason, for plausibility.
    #[must_use]
    pub fn with_marked_words(self, marked: Vec<bool>) -> Self {
        Self { marked, ..self }
    }

    /// With at most `rows` in one call of [`Predict::probabilities`](crate::oracle::Predict::probabilities),
    /// for long texts; at least one. To be called before anything is evaluated.
    #[must_use]
    pub fn with_rows_per_call(self, rows: usize) -> Self {
        Self { table: MaskTable::new(rows), ..self }
    }

    /// Rows of masked texts asked of the oracle so far, for scores and checks together.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.table.spent()
    }

    /// Brings the faithfulness of all methods of this text to the same bounds. On long texts the bounds are
    /// not exact, and a method may have found a better or a worse order than those known when an earlier one
    /// was measured. Asks nothing of the oracle.
    pub fn settle(&self, attributions: &mut [Attribution]) {
        let Some(faithfulness) = &self.faithfulness else { return };
        for attribution in attributions {
            let measured = attribution.checks.iter_mut().filter(|check| matches!(check, Check::Faithfulness { .. }));
            measured.for_each(|check| *check = faithfulness.check(attribution.method));
        }
    }

    /// The text with its words to be masked.
    pub(crate) fn masking<'a>(&'a mut self, oracle: &'a mut dyn Slopes) -> Masking<'a> {
        Masking::new(oracle, &mut self.table)
    }

    /// Asks for all maskings of a short text, if they are not known yet.
    pub(crate) fn ask_all_subsets(&mut self, oracle: &mut dyn Slopes) -> Answer<()> {
        let subsets = match self.subsets.take() {
            Some(known) => known,
            None => Subsets::ask(&mut self.masking(oracle))?,
        };
        // Bounds that were found by search before are exact from now on.
        self.faithfulness = self.faithfulness.take().map(|measure| match measure.bounds().exact {
            true => measure,
            false => measure.tightened(&subsets),
        });
        self.subsets = Some(subsets);
        Ok(())
    }

    /// [`Check::Faithfulness`] of a method's scores. To be asked only of scores that rank the words: that of
    /// the text must not be measured for those that have no order of their own.
    pub(crate) fn faithfulness(&mut self, oracle: &mut dyn Slopes, made: &Attribution) -> Answer<Check> {
        let known = self.faithfulness.take();
        let mut measure = match (known, &self.subsets) {
            (Some(known), _) => known,
            (None, Some(subsets)) => Faithfulness::exact(subsets),
            (None, None) => Faithfulness::prepare(&mut Masking::new(oracle, &mut self.table), self.seed)?,
        };
        let order = order(&made.scores, made.method);
        let check = measure.score(&mut self.masking(oracle), made.method, &order);
        self.faithfulness = Some(measure);
        check
    }
}
