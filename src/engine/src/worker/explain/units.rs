//! Scores in the units in which other programs give them: tokens, or distinct words.

use std::time::Instant;

use pellucid_explain::{Answer, Context, score};
use pellucid_protocol::Method;

use crate::explain::oracle::ModelOracle;
use crate::explain::subject::{Subject, Unit};
use crate::model::classifier::Classifier;

/// Scores of one method by unit.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitScores {
    /// What each score is given to.
    pub unit: Unit,
    /// One for each token, special ones included, or for each distinct word.
    pub scores: Vec<f64>,
    /// Wall time in milliseconds.
    pub ms: f64,
    /// Evaluations of the model.
    pub evaluations: usize,
}

/// The unit in which Captum (tokens) and `lime` (distinct words) give the scores of a method. Integrated
/// gradients and Kernel SHAP leave special tokens as they are, which gives them 0.
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

/// The scores of `method` by its [`unit`] for class `target` of a text, without checks.
///
/// # Errors
/// When the model could not be evaluated.
pub fn scores_by_unit(
    model: &Classifier,
    subject: &Subject,
    target: usize,
    (method, mut context): (Method, Context),
) -> Answer<UnitScores> {
    let start = Instant::now();
    let unit = unit(method);
    let subject = subject.by(unit);
    let mut oracle = ModelOracle { model, subject: &subject, target };
    let made = score(&mut oracle, method, &mut context, &mut |_| {})?;
    let scores = match unit {
        Unit::Token | Unit::AnyToken => subject.by_tokens(&made.scores),
        Unit::Word | Unit::DistinctWord => made.scores,
    };
    let ms = start.elapsed().as_secs_f64() * 1e3;
    Ok(UnitScores { unit, scores, ms, evaluations: made.evaluations })
}
