//! What is measured again and again while a model trains: a small explanation of a text, and how it changes.

pub mod complexity;
pub mod convergence;
pub mod drift;

use pellucid_protocol::{Method, Removal};

use crate::attribute::score;
use crate::chance_test::{Map, correlation};
use crate::context::{Context, Depth, Samples};
use crate::oracle::{Answer, Slopes};
use crate::surrogate::lime::held_out;

/// Groups of hidden words by which the probe's map is judged: enough for a mean over texts.
pub const GROUPS: usize = 64;

/// Maskings of the probe's surrogate: enough to see whether it fits at all.
pub const SAMPLES: Samples = Samples { fit: 128, held_out: 64, scale: 5000 };

/// What is measured on a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measures {
    /// Whether the map says what hiding words does.
    Faithfulness,
    /// Also whether a linear surrogate fits.
    All,
}

/// One text of the probe set at one state of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Gradient x input, one score a word, in logits; for [`Movement`](drift::Movement).
    pub scores: Vec<f64>,
    /// The [`correlation`] of these scores with what hiding words does; `None` where it is not defined: for one word, for
    /// constant scores, and for a probability that hardly moves.
    pub faithfulness: Option<f64>,
    /// Held-out weighted R2 of LIME's surrogate, at most 1; `None` where it is not defined.
    pub fidelity: Option<f64>,
    /// Rows and points asked of the oracle.
    pub evaluations: usize,
}

/// Explains a text at little cost.
///
/// Cost: 1 gradient and the [`rows`] of `measures`, however long the text is.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn probe(oracle: &mut dyn Slopes, measures: Measures, seed: u64) -> Answer<Probe> {
    // The surrogate masks words too, so that it shares its rows with faithfulness.
    let mut context = Context::new(seed).with_samples(SAMPLES).with_depth(Depth::Gates).with_removal(Removal::Mask);
    let gradient = score(oracle, Method::GradientInput, &mut context, &mut |_| {})?;
    let map = Map { method: Method::GradientInput, scores: &gradient.scores };
    let faithfulness = correlation(&mut context.masking(oracle, Removal::Mask), map, GROUPS, seed)?;
    let fidelity = match measures {
        Measures::Faithfulness => None,
        Measures::All => held_out(oracle, &mut context)?,
    };
    Ok(Probe { faithfulness, fidelity, evaluations: gradient.evaluations + context.rows(), scores: gradient.scores })
}

/// The most rows that the probe of a text of `words` words asks for.
#[must_use]
pub fn rows(words: usize, measures: Measures) -> usize {
    let all = 1_usize.checked_shl(words.min(usize::BITS as usize - 1) as u32).unwrap_or(usize::MAX);
    let surrogate = match measures {
        Measures::Faithfulness => 0,
        Measures::All => SAMPLES.fit + SAMPLES.held_out,
    };
    all.min(GROUPS + 2 + surrogate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Smooth};
    use crate::oracle::OracleError;

    #[test]
    fn a_model_linear_in_its_logit() {
        let found = probe(&mut Smooth::linear(-0.2, &[0.8, -0.4, 0.1, 0.0]), Measures::All, 1).unwrap();
        assert_eq!(found.scores, [0.8, -0.4, 0.1, 0.0]);
        assert!(found.faithfulness.unwrap() > 0.99 && found.fidelity.unwrap() > 0.9);
        assert_eq!(found.evaluations, 1 + 16);
    }

    #[test]
    fn costs_what_its_documentation_says() {
        let weights: Vec<_> = (0..20).map(|word| f64::from(word % 7) / 9.0 - 0.3).collect();
        let found = probe(&mut Smooth::linear(0.0, &weights), Measures::All, 1).unwrap();
        assert!(
            found.evaluations <= 1 + rows(20, Measures::All) && found.faithfulness.is_some(),
            "{}",
            found.evaluations
        );
    }

    #[test]
    fn without_words_or_movement_it_says_so() {
        for weights in [vec![], vec![0.7], vec![0.0, 0.0]] {
            let found = probe(&mut Smooth::linear(0.5, &weights), Measures::All, 1).unwrap();
            assert_eq!((found.scores, found.faithfulness, found.fidelity), (weights, None, None));
        }
        assert_eq!(probe(&mut Cancelled, Measures::All, 1), Err(OracleError::Cancelled));
    }

    #[test]
    fn a_seed_repeats() {
        let model = || Smooth::tanh(&[0.9, -0.3, 0.2, 0.7, 0.1, -0.8, 0.4, 0.05, 0.6, 0.3, -0.2, 0.15]);
        assert_eq!(probe(&mut model(), Measures::All, 9), probe(&mut model(), Measures::All, 9));
        assert_ne!(
            probe(&mut model(), Measures::All, 9).unwrap().fidelity,
            probe(&mut model(), Measures::All, 10).unwrap().fidelity
        );
    }
}
