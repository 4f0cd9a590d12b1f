//! The settings of a run: as written by a person ([`RawSettings`]) and as checked ([`Settings`]).
//!
//! The keys of a TOML file are the flags of `pellucid train` with `_` for `-`; a flag wins over the file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

mod avoid;
mod check;
mod class_weights;
mod error;
mod freeze;
mod live;
mod params;
mod raw;

pub use crate::device::{Device, Precision};
pub use crate::work::Grouping;
pub use avoid::Avoid;
pub use class_weights::ClassWeights;
pub use error::SettingsError;
pub use freeze::{Frozen, FrozenList, Place};
pub use live::LiveSetting;
pub use params::{ParamGroup, ParamGroups};
pub use raw::RawSettings;

/// Settings that are known to make sense. Paths are absolute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Folder of the model to fine-tune.
    pub model: PathBuf,
    /// Training file.
    pub train: PathBuf,
    /// Validation file.
    pub valid: PathBuf,
    /// Folder of the teacher, for distillation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teacher: Option<PathBuf>,
    /// How long to train.
    #[serde(flatten)]
    pub length: Length,
    /// Evaluations without a better one after which training ends; 0 for none.
    #[serde(default)]
    pub patience: u64,
    /// Examples of a batch.
    pub batch_size: u64,
    /// Batches whose gradients are averaged for one step.
    #[serde(default = "one_batch")]
    pub accumulate: u64,
    /// Longest text in tokens; the rest is cut and counted.
    pub max_tokens: u64,
    /// How batches are put together.
    pub grouping: Grouping,
    /// Weights of the classes in the loss.
    #[serde(default)]
    pub class_weights: ClassWeights,
    /// Share of each target that is spread over all classes (Szegedy et al. 2016, section 7).
    #[serde(default)]
    pub label_smoothing: f64,
    /// Highest learning rate.
    pub lr: f64,
    /// How the learning rate goes on after its rise.
    #[serde(default)]
    pub schedule: ScheduleKind,
    /// Share of the steps over which the learning rate rises from 0.
    pub warmup: f64,
    /// Learning rate of a layer as a share of that of the layer above it; the embeddings count as one below the first
    /// (Howard and Ruder 2018, section 3.2).
    #[serde(default = "no_decay")]
    pub layer_decay: f64,
    /// Parts of the model that stay as they are.
    #[serde(default)]
    pub freeze: FrozenList,
    /// The optimiser.
    pub optimizer: OptimizerKind,
    /// Momentum of SGD; AdamW's betas are 0.9 and 0.999.
    pub momentum: f64,
    /// Norm to which the gradient is clipped; 0 for no clipping.
    pub clip_norm: f64,
    /// Seed of the order of examples, dropout, a fresh head and the explanations.
    pub seed: u64,
    /// Lambda of the L1 penalty.
    pub l1: f64,
    /// How L1 is applied.
    pub l1_form: L1Form,
    /// What L1 does not act on.
    #[serde(default)]
    pub l1_exempt: ParamGroups,
    /// Lambda of the group lasso on attention heads and feed-forward neurons.
    #[serde(default)]
    pub group_l1: f64,
    /// Lambda of the L2 penalty.
    pub l2: f64,
    /// How L2 is applied.
    pub l2_form: L2Form,
    /// What L2 draws the weights to.
    #[serde(default)]
    pub l2_anchor: Anchor,
    /// What L2 does not act on.
    #[serde(default)]
    pub l2_exempt: ParamGroups,
    /// Weight of the distillation term; cross entropy has `1 - kd_alpha`. Without a teacher it is unused.
    pub kd_alpha: f64,
    /// Temperature of distillation.
    pub kd_temperature: f64,
    /// Weight of the penalty on what must not be a reason: the words of `avoid`, or where there are none, all words
    /// outside the rationales (right for the right reasons, Ross et al. 2017).
    #[serde(default)]
    pub rrr: f64,
    /// Words that must not be a reason.
    #[serde(default)]
    pub avoid: Vec<String>,
    /// Weight of the distance between the model's gradient x input and that of `consistency_to`.
    #[serde(default)]
    pub consistency: f64,
    /// Whose gradient x input the model's is drawn to.
    #[serde(default)]
    pub consistency_to: Reference,
    /// The terms on reasons are part of every so many-th step.
    #[serde(default = "one_batch")]
    pub attribution_every: u64,
    /// Examples of a batch on which the terms on reasons are computed, at most.
    #[serde(default = "eight_rows")]
    pub attribution_rows: u64,
    /// Share of the texts of each batch that are there a second time with words masked (masked fine-tuning, after
    /// arXiv 2310.07819).
    #[serde(default)]
    pub masking: f64,
    /// Steps between evaluations; 0: half an epoch, see [`Settings::eval_interval`].
    pub eval_every: u64,
    /// Steps between checkpoints; 0: one with each evaluation.
    #[serde(default)]
    pub checkpoint_every: u64,
    /// Checkpoints that are kept, beside the best one and those asked for.
    #[serde(default = "two_checkpoints")]
    pub keep: u64,
    /// Validation samples that are explained again as training goes on; 0 for none.
    pub probe: u64,
    /// File whose texts are explained in the place of validation samples, the first `probe` of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_data: Option<PathBuf>,
    /// Share of the training's computing that this may cost; 0 for no limit, which is at every evaluation.
    #[serde(default)]
    pub probe_share: f64,
    /// Threads of libtorch on the CPU; 0 for one a core.
    pub threads: u64,
    /// Where to compute.
    pub device: Device,
    /// Numbers in which products of matrices are computed.
    #[serde(default)]
    pub precision: Precision,
    /// The run's own folder.
    pub run_dir: PathBuf,
}

fn one_batch() -> u64 {
    1
}

fn eight_rows() -> u64 {
    8
}

fn no_decay() -> f64 {
    1.0
}

fn two_checkpoints() -> u64 {
    2
}

/// How long to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// Passes over the training data.
    Epochs(u64),
    /// Optimiser steps.
    MaxSteps(u64),
}

/// The optimiser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// Adam with bias correction; L2 decoupled by default (Loshchilov and Hutter 2019).
    #[default]
    Adamw,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

/// How the learning rate goes on after its rise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// Falls to 0 in a straight line.
    #[default]
    Linear,
    /// Falls to 0 along half a wave of the cosine.
    Cosine,
    /// Stays.
    Constant,
}

/// How L1 is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum L1Form {
    /// Soft threshold after each step, in the metric of the optimiser: gives exact zeros.
    #[default]
    Proximal,
    /// lambda * sign(w) added to the gradient, as in the article: gives small weights, no zeros.
    Subgradient,
}

/// How L2 is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum L2Form {
    /// w *= 1 - lr * lambda, beside the gradient step.
    #[default]
    Decoupled,
    /// 2 * lambda * w added to the gradient, as in the article's loss.
    Coupled,
}

/// What L2 draws the weights to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// Zero.
    #[default]
    Zero,
    /// Where they started (L2-SP, Li et al. 2018).
    Start,
}

/// Whose explanations a model's are drawn to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// The teacher's.
    #[default]
    Teacher,
    /// Those of the model itself before its first step.
    Start,
}

impl Settings {
    /// Steps between evaluations, for a training set of `steps_per_epoch` steps: as set, or half an
    /// epoch but at least 20 steps.
    #[must_use]
    pub fn eval_interval(&self, steps_per_epoch: u64) -> u64 {
        if self.eval_every > 0 { self.eval_every } else { (steps_per_epoch / 2).max(20) }
    }

    /// Steps between checkpoints, for a training set of `steps_per_epoch` steps.
    #[must_use]
    pub fn checkpoint_interval(&self, steps_per_epoch: u64) -> u64 {
        if self.checkpoint_every > 0 { self.checkpoint_every } else { self.eval_interval(steps_per_epoch) }
    }

    /// Optimiser steps in all, for a training set of `steps_per_epoch` steps.
    #[must_use]
    pub fn total_steps(&self, steps_per_epoch: u64) -> u64 {
        match self.length {
            Length::Epochs(epochs) => epochs.saturating_mul(steps_per_epoch),
            Length::MaxSteps(steps) => steps,
        }
    }
}
