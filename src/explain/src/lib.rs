//! Explainers and faithfulness as pure functions over an oracle and a seed: f64, no torch, no I/O.
//!
//! ```text
//! oracle        what may be asked of a model; the engine answers it
//!   table       asks for each masked text once, in small calls        word_set  masked words as bits
//! explain       the door: one method's scores with their checks       probe     the small form, for training
//!   gradient    gradient norm, gradient x input
//!   integrated  integrated gradients and their completeness           quadrature  Gauss-Legendre nodes
//!   occlusion   probability lost with each word
//!   lime        local surrogate and its fidelity                      sampling, ridge  its two halves
//!   faithfulness  how well an order of words hits what the model uses   bounds  the best and worst order
//! drift         how far a map has moved between two states of a model
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
pub mod drift;
pub mod explain;
pub mod faithfulness;
pub mod gradient;
pub mod integrated;
pub mod lime;
pub mod occlusion;
pub mod oracle;
pub mod probe;
pub mod quadrature;
pub mod ridge;
pub mod sampling;
pub mod table;
pub mod word_set;
pub mod words;

#[cfg(test)]
mod fakes;
#[cfg(test)]
mod golden;

pub use explain::{Context, attribute};
pub use oracle::{Answer, OracleError, PathPoint, Predict, Slopes, WordGradient};
pub use probe::{Probe, probe};
