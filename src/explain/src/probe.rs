//! What is measured again and again while a model trains: a small explanation of a text, and how it changes.

pub mod complexity;
pub mod convergence;
pub mod drift;

use pellucid_protocol::{Check, Method, Removal};

use crate::attribute::attribute;
use crate::context::{Context, Depth, Samples};
use crate::oracle::{Answer, Slopes};
use crate::surrogate::lime::held_out;

/// Maskings of the probe's surrogate: enough to see whether it fits at all.
pub const SAMPLES: Samples = Samples { fit: 128, held_out: 64, scale: 5000 };

/// One text of the probe set at one state of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Gradient x input, one score a word, in logits; for [`Movement`](drift::Movement).
    pub scores: Vec<f64>,
    /// Normalised AOPC of these scores, 0 for the worst order and 1 for the best; `None` where it is not defined: for
    /// one word, for constant scores, and for a probability that never moves.
    pub faithfulness: Option<f64>,
    /// Held-out weighted R2 of LIME's surrogate, at most 1; `None` where it is not defined.
    pub fidelity: Option<f64>,
    /// Rows and points asked of the oracle.
    pub evaluations: usize,
}

/// Explains a text at little cost.
///
/// Cost: 1 gradient. Up to 10 words at most 2^words rows for everything; for longer texts 128 rows for the surrogate
/// and those of [`Faithfulness::prepare`](crate::faithfulness::Faithfulness::prepare).
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn probe(oracle: &mut dyn Slopes, seed: u64) -> Answer<Probe> {
    // The surrogate masks words too, so that it shares its rows with faithfulness.
    let mut context = Context::new(seed).with_samples(SAMPLES).with_depth(Depth::Gates).with_removal(Removal::Mask);
    let gradient = attribute(oracle, Method::GradientInput, &mut context)?;
    let fidelity = held_out(oracle, &mut context)?;
    Ok(Probe {
        faithfulness: gradient.checks.iter().find_map(normalised),
        fidelity,
        evaluations: gradient.evaluations + context.rows(),
        scores: gradient.scores,
    })
}

fn normalised(check: &Check) -> Option<f64> {
    match check {
        Check::Faithfulness { normalised, .. } => Some(*normalised),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Smooth};
    use crate::oracle::OracleError;

    #[test]
    fn a_model_linear_in_its_logit() {
        let found = probe(&mut Smooth::linear(-0.2, &[0.8, -0.4, 0.1, 0.0]), 1).unwrap();
        assert_eq!(found.scores, [0.8, -0.4, 0.1, 0.0]);
        assert!(found.faithfulness.unwrap() > 1.0 - 1e-9 && found.fidelity.unwrap() > 0.9);
        assert_eq!(found.evaluations, 1 + 16);
    }

    #[test]
    fn costs_what_its_documentation_says() {
        let weights: Vec<_> = (0..20).map(|word| f64::from(word % 7) / 9.0 - 0.3).collect();
        let found = probe(&mut Smooth::linear(0.0, &weights), 1).unwrap();
        let most = 1 + 192 + (1 + 20 + 2 * 20 * 40) + 8 * 20 + 20;
        assert!(found.evaluations <= most && found.faithfulness.is_some(), "{}", found.evaluations);
    }

    #[test]
    fn without_words_or_movement_it_says_so() {
        for weights in [vec![], vec![0.7], vec![0.0, 0.0]] {
            let found = probe(&mut Smooth::linear(0.5, &weights), 1).unwrap();
            assert_eq!((found.scores, found.faithfulness, found.fidelity), (weights, None, None));
        }
        assert_eq!(probe(&mut Cancelled, 1), Err(OracleError::Cancelled));
    }

    #[test]
    fn a_seed_repeats() {
        let model = || Smooth::tanh(&[0.9, -0.3, 0.2, 0.7, 0.1, -0.8, 0.4, 0.05, 0.6, 0.3, -0.2, 0.15]);
        assert_eq!(probe(&mut model(), 9), probe(&mut model(), 9));
        assert_ne!(probe(&mut model(), 9).unwrap().fidelity, probe(&mut model(), 10).unwrap().fidelity);
    }
}
