//! Explainers and faithfulness as pure functions over an oracle and a seed: f64, no torch, no I/O.
//!
//! ```text
//! oracle        what may be asked of a model; the engine answers it
//!   table       asks for each masked text once, in small calls        word_set  masked words as bits
//! explain       the door: one method's scores with their checks       context   what methods share on a text
//! probe         the small form, for training
//!
//! gradient, smooth_gradient    gradient norm, gradient x input; averaged over noise
//! integrated                   from a baseline to the input           quadrature  Gauss-Legendre nodes
//! occlusion                    probability lost with each word, masked or deleted
//! lime, tree                   local surrogates, a line and rules     neighbourhood  what they are fitted to
//! kernel_shap, shapley         Shapley values, sampled or exact
//! exhaustive                   what all maskings of a short text tell
//! rollout                      attention, as the weak baseline that it is
//!   sampling, subset_draw, strata  draws       ridge, cholesky, control_variate  fits
//!
//! faithfulness  how well an order of words hits what the model uses   bounds  the best and worst order
//! figures       what else is measured: eraser, kendall, infidelity, plausibility
//! drift, settled               how far a map has moved between two states of a model, and since when it has not
//! shortcut      words that only the training data bears out
//! complexity    how many words a map spreads over
//! words         which token belongs to which word of a text
//! ```
//!
//! One oracle stands for one text, one class and one state of a model. Every function is
//! deterministic in the oracle and the seed, and every number that leaves this crate is finite: what
//! is not defined is said to be undefined ([`Check::Undefined`](pellucid_protocol::Check::Undefined)
//! or `None`), and an oracle that answers with a number that is not finite is an error.
//!
//! Deliberately absent: tensors, tokenizers, clocks, threads, files.

pub mod bounds;
pub mod cholesky;
pub mod complexity;
pub mod context;
pub mod control_variate;
pub mod drift;
pub mod eraser;
pub mod exhaustive;
pub mod explain;
pub mod faithfulness;
pub mod figures;
pub mod gradient;
pub mod infidelity;
pub mod integrated;
pub mod kendall;
pub mod kernel_shap;
pub mod lime;
pub mod neighbourhood;
pub mod occlusion;
pub mod oracle;
pub mod plausibility;
pub mod probe;
pub mod quadrature;
pub mod ridge;
pub mod rollout;
pub mod sampling;
pub mod settled;
pub mod shapley;
pub mod shortcut;
pub mod smooth_gradient;
pub mod strata;
pub mod subset_draw;
pub mod table;
pub mod tree;
pub mod word_set;
pub mod words;

#[cfg(test)]
mod fakes;
#[cfg(test)]
mod golden;

pub use context::{Context, Depth};
pub use explain::{attribute, attribute_watched, check, score};
pub use integrated::Steps;
pub use neighbourhood::Samples;
pub use oracle::{Answer, Attention, Noise, OracleError, Outcome, PathPoint, Predict, Slopes, WordGradient};
pub use probe::{Probe, probe};
