//! Scores by the units of the Python programs that this one is compared with: tokens, or distinct words.

use std::time::Instant;

use pellucid_explain::oracle::word_groups::WordGroups;
use pellucid_explain::sentences::sentences;
use pellucid_explain::{Answer, Context, score};
use pellucid_protocol::Method;

use crate::explain::meter::Meter;
use crate::explain::oracle::ModelOracle;
use crate::explain::remembering::{Memory, Remembering};
use crate::explain::subject::{Subject, Unit};
use crate::model::classifier::Classifier;

/// The scores of one method by its unit.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitScores {
    /// A score for each token, special ones included, or for each word, or each distinct word.
    pub scores: Vec<f64>,
    /// Wall time in milliseconds.
    pub ms: f64,
    /// How often the model was evaluated.
    pub evaluations: usize,
}

/// The unit of a method: tokens as in Captum, distinct words as in the package `lime`, words for the methods that neither
/// has. Integrated gradients and Kernel SHAP never change special tokens, so these score 0.
#[must_use]
pub fn unit(method: Method) -> Unit {
    match method {
        Method::Gradient | Method::GradientInput | Method::Occlusion => Unit::AnyToken,
        Method::IntegratedGradients | Method::KernelShap => Unit::Token,
        Method::Lime => Unit::DistinctWord,
        Method::SmoothGrad | Method::OcclusionDelete | Method::Tree | Method::Shapley | Method::Rollout => Unit::Word,
    }
}

/// The name of a unit in JSON.
#[must_use]
pub fn name(unit: Unit) -> &'static str {
    match unit {
        Unit::Word => "word",
        Unit::DistinctWord => "distinct_word",
        Unit::Token | Unit::AnyToken => "token",
    }
}

/// What is to be scored by unit.
#[derive(Debug, Clone, Copy)]
pub struct UnitRequest<'a> {
    /// The model.
    pub model: &'a Classifier,
    /// The text.
    pub subject: &'a Subject,
    /// The class that is explained.
    pub target: usize,
    /// The method.
    pub method: Method,
    /// What was asked about the text before.
    pub memory: &'a Memory,
    /// When the time ends.
    pub deadline: Option<Instant>,
}

impl UnitRequest<'_> {
    /// The scores by the [`unit()`] of the method, without checks.
    ///
    /// # Errors
    /// When the model could not be evaluated, the time has ended, or the method says nothing about such a text.
    pub fn scores(&self, context: Context) -> Answer<UnitScores> {
        let start = Instant::now();
        let unit = unit(self.method);
        let subject = self.subject.by(unit);
        let oracle = ModelOracle { model: self.model, subject: &subject, target: self.target };
        let mut oracle = Remembering { oracle, memory: self.memory };
        let mut oracle = Meter::new(&mut oracle, &|_| {});
        oracle.keep(self.deadline);
        let mut context = match unit {
            Unit::Token => {
                context.with_groups(WordGroups::new(subject.words.len(), sentences(&subject.text, &subject.words)))
            }
            // A distinct word has places in several sentences; the others do not go by groups, or are words.
            Unit::AnyToken | Unit::Word | Unit::DistinctWord => context,
        };
        let attribution = score(&mut oracle, self.method, &mut context, &mut |_| {})?;
        let scores = match unit {
            Unit::Token | Unit::AnyToken => subject.by_tokens(&attribution.scores),
            Unit::Word | Unit::DistinctWord => attribution.scores,
        };
        let ms = start.elapsed().as_secs_f64() * 1e3;
        Ok(UnitScores { scores, ms, evaluations: attribution.evaluations })
    }
}
