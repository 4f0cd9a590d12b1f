//! Simple models that are fitted to the explained model in the neighbourhood of a text.

pub mod kernel;
pub mod lime;
pub mod neighbourhood;
pub mod tree;

use pellucid_protocol::{Check, Removal};

use crate::context::Context;

/// Penalty on the squared coefficients of a linear surrogate, `lime`'s `Ridge(alpha=1)`.
pub const PENALTY: f64 = 1.0;

/// The rows that a surrogate of a text with so many words is fitted to, in forward passes of the whole text.
fn cost(words: usize, context: &Context) -> f64 {
    let rows = context.samples.fit_of(words);
    match context.removal {
        // Half of the words are in a row, on average.
        Removal::Delete => rows / 2.0,
        Removal::Mask => rows,
    }
}

/// [`Check::Fidelity`], or [`Check::Undefined`] where the probability does not vary: a surrogate of a constant is right
/// everywhere and explains nothing, so it does not pass.
fn fidelity(in_sample: Option<f64>, held_out: Option<f64>) -> Check {
    match (in_sample, held_out) {
        (Some(in_sample), Some(held_out)) => Check::Fidelity { in_sample, held_out },
        _ => Check::Undefined,
    }
}
