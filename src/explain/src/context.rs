//! What the methods share on one text.

pub use pellucid_protocol::check::Depth;
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Baseline, Check, Method, Removal};

use crate::bounds::Subsets;
use crate::explain::usual_scalar;
use crate::faithfulness::{Faithfulness, order};
use crate::integrated::{Path, Steps};
use crate::neighbourhood::Samples;
use crate::oracle::{Answer, Slopes};
use crate::table::{MaskTable, Masking};

/// What the methods share on one text, one class and one state of a model: a new oracle needs a new
/// context.
#[derive(Debug, Clone)]
pub struct Context {
    pub(crate) seed: u64,
    pub(crate) samples: Samples,
    pub(crate) baseline: Baseline,
    pub(crate) steps: Steps,
    /// What is explained; of each method its usual one if not given.
    scalar: Option<Scalar>,
    /// How words are taken out for surrogates.
    removal: Removal,
    pub(crate) depth: Depth,
    /// Which words a person marked; empty if nobody did.
    pub(crate) marked: Vec<bool>,
    pub(crate) table: MaskTable,
    deleted: MaskTable,
    pub(crate) subsets: Option<Subsets>,
    faithfulness: Option<Faithfulness>,
}

impl Context {
    /// With the default number of samples and rows a call.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            samples: Samples::default(),
            baseline: Baseline::default(),
            steps: Steps::default(),
            scalar: None,
            removal: Removal::default(),
            depth: Depth::default(),
            marked: Vec::new(),
            table: MaskTable::default(),
            deleted: MaskTable::default().by(Removal::Delete),
            subsets: None,
            faithfulness: None,
        }
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

    /// With so many nodes for integrated gradients.
    #[must_use]
    pub fn with_steps(self, steps: Steps) -> Self {
        Self { steps, ..self }
    }

    /// With this scalar explained by every method that explains one, instead of each method's usual one. Checks
    /// that mask words are of the probability all the same.
    #[must_use]
    pub fn with_scalar(self, scalar: Option<Scalar>) -> Self {
        Self { scalar, ..self }
    }

    /// With words taken out in this way for LIME and the tree. Shapley values and checks mask them.
    #[must_use]
    pub fn with_removal(self, removal: Removal) -> Self {
        Self { removal, ..self }
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

    /// With at most `rows` in one call of [`Predict::outcomes`](crate::oracle::Predict::outcomes),
    /// for long texts; at least one. To be called before anything is evaluated.
    #[must_use]
    pub fn with_rows_per_call(self, rows: usize) -> Self {
        Self { table: MaskTable::new(rows), deleted: MaskTable::new(rows).by(Removal::Delete), ..self }
    }

    /// Rows of texts with words taken out that were asked of the oracle so far, for scores and checks together.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.table.spent() + self.deleted.spent()
    }

    /// What `method` explains here.
    #[must_use]
    pub fn scalar(&self, method: Method) -> Scalar {
        match usual_scalar(method) {
            Scalar::Attention => Scalar::Attention,
            usual => self.scalar.unwrap_or(usual),
        }
    }

    /// How `method` takes words out, if it does.
    #[must_use]
    pub fn removal(&self, method: Method) -> Option<Removal> {
        match method {
            Method::Lime | Method::Tree => Some(self.removal),
            Method::OcclusionDelete => Some(Removal::Delete),
            Method::Occlusion | Method::KernelShap | Method::Shapley => Some(Removal::Mask),
            Method::Gradient
            | Method::GradientInput
            | Method::IntegratedGradients
            | Method::SmoothGrad
            | Method::Rollout => None,
        }
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

    /// The text with its words to be masked, and its probability.
    pub(crate) fn masking<'a>(&'a mut self, oracle: &'a mut dyn Slopes) -> Masking<'a> {
        Masking::new(oracle, &mut self.table)
    }

    /// The text with its words to be taken out as `method` does, and what that explains.
    pub(crate) fn masking_for<'a>(&'a mut self, oracle: &'a mut dyn Slopes, method: Method) -> Masking<'a> {
        let scalar = self.scalar(method);
        let table = match self.removal(method) {
            Some(Removal::Delete) => &mut self.deleted,
            _ => &mut self.table,
        };
        Masking::new(oracle, table).of(scalar)
    }

    pub(crate) fn path(&self) -> Path {
        let scalar = self.scalar(Method::IntegratedGradients);
        Path { baseline: self.baseline, scalar, steps: self.steps }
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
