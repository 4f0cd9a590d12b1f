//! What an explainer is: some facts about a method, and the function that computes its scores.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Check, Method, Removal};

use crate::context::Context;
use crate::oracle::masking::Masking;
use crate::oracle::{Answer, Slopes, WordGradient};

/// A way to give each word of a text a score.
pub(crate) struct Explainer {
    /// Its name.
    pub(crate) method: Method,
    /// The number that it explains unless the user asks for another.
    pub(crate) scalar: Scalar,
    /// How it removes words.
    pub(crate) removes: Removes,
    /// For scores that are read from a single gradient: how they are read.
    pub(crate) of_gradient: Option<OfGradient>,
    /// Computes the scores with the explainer's own checks.
    pub(crate) score: fn(Text) -> Answer<Attribution>,
    /// How many rows, each a forward pass of the whole text, the scores of a text with so many words cost.
    pub(crate) cost: fn(usize, &Context) -> f64,
}

/// What an explainer computes, and what that costs: see the fields of [`Explainer`].
pub(crate) struct Work {
    pub(crate) score: fn(Text) -> Answer<Attribution>,
    pub(crate) cost: fn(usize, &Context) -> f64,
}

/// How an explainer removes words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removes {
    /// It removes none.
    Nothing,
    /// Always in this way.
    Words(Removal),
    /// As the user chooses.
    AsChosen,
}

/// Reads scores from a gradient.
pub(crate) type OfGradient = fn(WordGradient) -> Vec<f64>;

/// A text to be explained.
pub(crate) struct Text<'a> {
    /// Who explains it.
    pub(crate) explainer: &'a Explainer,
    /// The model.
    pub(crate) oracle: &'a mut dyn Slopes,
    /// What the methods share on the text.
    pub(crate) context: &'a mut Context,
    /// Gets the scores of methods that draw while they become more exact: with standard errors and
    /// [`Check::Sampling`], and without a gate.
    pub(crate) watch: &'a mut dyn FnMut(&Attribution),
}

impl Explainer {
    /// An explainer that does not read its scores from a single gradient.
    pub(crate) const fn new(method: Method, scalar: Scalar, removes: Removes, work: Work) -> Self {
        let Work { score, cost } = work;
        Self { method, scalar, removes, of_gradient: None, score, cost }
    }

    /// An attribution without scores.
    pub(crate) fn blank(&self, context: &Context) -> Attribution {
        Attribution {
            method: self.method,
            scalar: context.scalar_or(self.scalar),
            scores: Vec::new(),
            errors: Vec::new(),
            checks: Vec::new(),
            surrogate: None,
            tree: None,
            exhaustive: None,
            groups: Vec::new(),
            baseline: None,
            removal: self.removal(context),
            start: None,
            evaluations: 0,
            seed: None,
            ms: 0.0,
        }
    }

    /// The explained number of the text with words removed as this explainer removes them.
    pub(crate) fn masking<'a>(&self, oracle: &'a mut dyn Slopes, context: &'a mut Context) -> Masking<'a> {
        let (scalar, removal) = (context.scalar_or(self.scalar), self.removal(context));
        context.masking(oracle, removal.unwrap_or(Removal::Mask)).with_scalar(scalar)
    }

    fn removal(&self, context: &Context) -> Option<Removal> {
        match self.removes {
            Removes::Nothing => None,
            Removes::Words(removal) => Some(removal),
            Removes::AsChosen => Some(context.removal),
        }
    }
}

/// [`Check::Sampling`] of scores with these standard errors.
pub(crate) fn sampling(errors: &[f64], rows: usize, planned: usize) -> Check {
    Check::Sampling { rows, planned, error: errors.iter().copied().fold(0.0, f64::max) }
}
