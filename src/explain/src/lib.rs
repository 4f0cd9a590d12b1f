//! Explainers and checks as pure functions over an oracle and a seed: f64, no torch, no I/O.
//!
//! The modules stand in one order: each uses only modules above it, and none below.
//!
//! ```text
//! words         which token belongs to which word of a text
//! sentences     where a text can be cut into groups of words
//! oracle        what an explainer may ask of a model; the engine answers
//!                 word_set, word_groups, masking (each question once, in small calls), subsets (all maskings of a
//!                 short text)
//! sampling      seeded draws: strata, subset_draw, coalitions
//! regression    cholesky, ridge, pair_model (a control variate), regression_tree
//! chance_test   whether a map says more than a random one would: effects, chance, plan
//! opening       which groups of words are looked at word by word
//! faithfulness  how well a ranking finds the words that the model uses: bounds (exact), beam (by search)
//! context       the settings for a text, and what the model has answered so far
//! explainer     what an explainer does, and what it says about itself
//! gradient      gradient norm, gradient x input; smooth_gradient, integrated_gradients with its quadrature
//! occlusion     the probability lost with each word
//! rollout       attention rollout, the weak baseline
//! surrogate     lime and tree, fitted to a neighbourhood that is weighted by a kernel
//! shapley       shapley_values: exact with all that an exhaustive table says, or by permutation; kernel_shap; owen for
//!                 groups of words, by group_orders
//! checks        measures beyond the gates: eraser, curves, leave_one_out (kendall), infidelity, plausibility,
//!                 stability, sensitivity
//! attribute     the entry: one method's scores with their checks
//! probe         what is measured while a model trains: drift, convergence, complexity
//! shortcut      words that only the training data makes a reason
//! ```
//!
//! A new explainer is a file with an `Explainer` and a line in `attribute`; a new check is a file and a line in
//! `checks`.
//!
//! One oracle stands for one text, one class and one state of a model. Every function is deterministic in the oracle
//! and the seed, and every number that leaves this crate is finite: a number that is not defined is reported as such
//! ([`Check::Undefined`](pellucid_protocol::Check::Undefined) or `None`), and an oracle that answers with a number that
//! is not finite is an error.
//!
//! Deliberately absent: tensors, tokenizers, clocks, threads, files.

pub mod attribute;
pub mod chance_test;
pub mod checks;
pub mod context;
mod explainer;
pub mod faithfulness;
pub mod gradient;
mod occlusion;
pub mod opening;
pub mod oracle;
pub mod probe;
pub mod regression;
pub mod rollout;
pub mod sampling;
pub mod sentences;
pub mod shapley;
pub mod shortcut;
pub mod surrogate;
pub mod words;

#[cfg(test)]
mod fakes;
#[cfg(test)]
mod golden;

pub use attribute::{attribute, cost, figures, grade, score};
pub use chance_test::Patience;
pub use context::{Context, Depth, Samples, Steps};
pub use oracle::{
    Answer, Attention, GRADIENT_COST, Noise, OracleError, Outcome, PathPoint, Predict, Slopes, WordGradient,
};
pub use probe::{Probe, probe};
