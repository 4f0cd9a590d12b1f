//! Word scores from gradients: from a single one here, from several in the files below.

pub mod integrated_gradients;
pub mod quadrature;
pub mod smooth_gradient;

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Method};

use crate::explainer::{Explainer, OfGradient, Removes, Text, Work};
use crate::oracle::{Answer, GRADIENT_COST, Slopes, WordGradient, check_numbers};

/// Gradient norm, in units of the scalar f per unit of embedding: s_w = L2 norm of d f / d e over the word's
/// pieces and the hidden axis. It has no sign: it says how much a word matters, not in which direction.
///
/// Source: Simonyan et al. 2013, arXiv 1312.6034, section 3; L2 norm over the hidden axis as LIT's
/// `GradientNorm`, without its division by the sum.
pub(crate) const NORM: Explainer = one_gradient(Method::Gradient, |gradient| gradient.norm);

/// Gradient x input, in units of the scalar f: s_w = sum over the word's pieces and the hidden axis of
/// (d f / d e) e, with its sign. e is the output of the word-embedding lookup.
///
/// Source: Shrikumar et al. 2016, arXiv 1605.01713; the sum over pieces is the aggregation that keeps
/// the first-order change of f.
pub(crate) const TIMES_INPUT: Explainer = one_gradient(Method::GradientInput, |gradient| gradient.times_input);

const fn one_gradient(method: Method, of_gradient: OfGradient) -> Explainer {
    let work = Work { score, cost: |_, _| GRADIENT_COST };
    Explainer { of_gradient: Some(of_gradient), ..Explainer::new(method, Scalar::Logit, Removes::Nothing, work) }
}

fn score(Text { explainer, oracle, context, .. }: Text) -> Answer<Attribution> {
    let blank = explainer.blank(context);
    let gradient = gradient(oracle, blank.scalar)?;
    let scores = explainer.of_gradient.map(|of_gradient| of_gradient(gradient)).unwrap_or_default();
    Ok(Attribution { evaluations: usize::from(!scores.is_empty()), scores, ..blank })
}

/// The gradient of the scalar at the text. For a text without words it is empty, and the oracle is not asked.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn gradient(oracle: &mut dyn Slopes, scalar: Scalar) -> Answer<WordGradient> {
    let words = oracle.words();
    if words == 0 {
        return Ok(WordGradient { times_input: Vec::new(), norm: Vec::new() });
    }
    let gradient = oracle.gradient(scalar)?;
    check(&gradient, words)?;
    Ok(gradient)
}

/// Refuses a gradient that does not have one finite number for each of `words`.
fn check(gradient: &WordGradient, words: usize) -> Answer<()> {
    check_numbers(&gradient.times_input, words, "gradients")?;
    check_numbers(&gradient.norm, words, "gradient norms")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Smooth};
    use crate::oracle::OracleError;

    fn gradient_input(model: &mut dyn Slopes, scalar: Scalar) -> Answer<Vec<f64>> {
        Ok(gradient(model, scalar)?.times_input)
    }

    fn gradient_norm(model: &mut dyn Slopes, scalar: Scalar) -> Answer<Vec<f64>> {
        Ok(gradient(model, scalar)?.norm)
    }

    #[test]
    fn a_linear_logit_gives_its_weights() {
        let mut model = Smooth::linear(0.5, &[2.0, -1.0, 0.0]);
        assert_eq!(gradient_input(&mut model, Scalar::Logit).unwrap(), [2.0, -1.0, 0.0]);
        assert_eq!(gradient_norm(&mut model, Scalar::Logit).unwrap(), [2.0, 1.0, 0.0]);
        assert_eq!(gradient_input(&mut model, Scalar::Margin).unwrap(), [4.0, -2.0, 0.0]);
    }

    #[test]
    fn no_words_no_scores() {
        let mut model = Smooth::new(0, |_| f64::NAN, |_| vec![f64::NAN]);
        assert_eq!(gradient_input(&mut model, Scalar::Logit).unwrap(), Vec::<f64>::new());
        assert_eq!(gradient_norm(&mut model, Scalar::Logit).unwrap(), Vec::<f64>::new());
    }

    #[test]
    fn a_diverged_model_is_an_error() {
        let mut model = Smooth::new(1, |_| 0.0, |_| vec![f64::INFINITY]);
        assert!(matches!(gradient_input(&mut model, Scalar::Logit), Err(OracleError::Failed(_))));
        assert_eq!(gradient_norm(&mut Cancelled, Scalar::Logit), Err(OracleError::Cancelled));
    }
}
