//! Settings that are one of a few names.

use serde::{Deserialize, Serialize};
use strum::{EnumString, VariantNames};

/// How examples are put together into batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Grouping {
    /// In random order.
    #[default]
    Random,
    /// Examples of similar length together, within 50 batches of the random order.
    Length,
}

/// What is done with texts that are longer than the model reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LongTexts {
    /// The rest is cut off.
    #[default]
    Truncate,
    /// They are read in windows that overlap.
    Windows,
}

/// The optimiser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OptimizerKind {
    /// Adam with bias correction; L2 decoupled by default (Loshchilov and Hutter 2019).
    #[default]
    Adamw,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

/// How the learning rate changes after the warm-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ScheduleKind {
    /// Falls to 0 in a straight line.
    #[default]
    Linear,
    /// Falls to 0 along half a wave of the cosine.
    Cosine,
    /// Does not change.
    Constant,
}

/// How L1 is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum L1Form {
    /// Soft threshold after each step, in the metric of the optimiser: gives exact zeros.
    #[default]
    Proximal,
    /// lambda * sign(w) added to the gradient, as in the article: gives small weights, no zeros.
    Subgradient,
}

/// How L2 is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum L2Form {
    /// w *= 1 - lr * lambda, beside the gradient step.
    #[default]
    Decoupled,
    /// 2 * lambda * w added to the gradient, as in the article's loss.
    Coupled,
}

/// What L2 pulls the weights towards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Anchor {
    /// Zero.
    #[default]
    Zero,
    /// The weights before the first step (L2-SP, Li et al. 2018).
    Start,
}

/// Whose explanations the model's are pulled towards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Reference {
    /// The teacher's.
    #[default]
    Teacher,
    /// The model's own before the first step.
    Start,
}
