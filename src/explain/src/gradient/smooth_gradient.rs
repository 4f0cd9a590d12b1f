//! SmoothGrad: gradients averaged over noisy copies of the input.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Check, Method};

use super::check;
use crate::explainer::{Explainer, Removes, Text, Work, sampling};
use crate::oracle::{Answer, GRADIENT_COST, Noise, OracleError, Slopes, WordGradient};
use crate::sampling::Means;

/// Standard deviation of the noise, relative to the range of the text's word embeddings. A few numbers of an embedding
/// are far larger than the rest, so the 0.1 to 0.2 that suit images would drown the others.
pub const SIGMA: f64 = 0.01;
/// Number of noisy copies.
pub const DRAWS: usize = 16;
/// Most copies in one call of the oracle: each costs a backward pass.
pub const COPIES_PER_CALL: usize = 8;

/// [`Method::SmoothGrad`].
pub(crate) const EXPLAINER: Explainer = Explainer::new(
    Method::SmoothGrad,
    Scalar::Logit,
    Removes::Nothing,
    Work { score, cost: |_, _| DRAWS as f64 * GRADIENT_COST },
);

fn score(Text { explainer, oracle, context, .. }: Text) -> Answer<Attribution> {
    let blank = explainer.blank(context);
    let Means { means: scores, errors } = smooth_gradient(oracle, blank.scalar, context.seed)?;
    let draws = if scores.is_empty() { 0 } else { DRAWS };
    let checks = vec![Check::Smoothing { sigma: SIGMA, draws }, sampling(&errors, draws, draws)];
    Ok(Attribution { scores, errors, checks, evaluations: draws, seed: Some(context.seed), ..blank })
}

/// s_w = sum over the word's pieces and the hidden axis of e times the mean of d f / d e over [`DRAWS`] noisy copies
/// of e, with its sign. For a text without words it is empty, and the oracle is not asked.
///
/// Source: Smilkov et al. 2017, arXiv 1706.03825, with noise relative to the range as in their section 3.2. For words,
/// with [`SIGMA`] and the input without noise as the other factor: AllenNLP's `SmoothGradient`, which takes the
/// magnitude at the end.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn smooth_gradient(oracle: &mut dyn Slopes, scalar: Scalar, seed: u64) -> Answer<Means> {
    if oracle.words() == 0 {
        return Ok(Means { means: Vec::new(), errors: Vec::new() });
    }
    let drawn = noisy(oracle, Noise { sigma: SIGMA, seed, scalar }, DRAWS)?;
    Ok(Means::of(&drawn.into_iter().map(|gradient| gradient.times_input).collect::<Vec<_>>()))
}

/// Gradients at the first `count` noisy inputs.
pub(crate) fn noisy(oracle: &mut dyn Slopes, noise: Noise, count: usize) -> Answer<Vec<WordGradient>> {
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let wanted = COPIES_PER_CALL.min(count - found.len());
        let part = oracle.noisy_gradients(noise, found.len() as u64, wanted)?;
        if part.len() != wanted {
            return Err(OracleError::Failed(format!("the model gave {} gradients, not {wanted}", part.len())));
        }
        part.iter().try_for_each(|gradient| check(gradient, oracle.words()))?;
        found.extend(part);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::fakes::{Cancelled, Smooth};

    #[test]
    fn noise_does_not_move_a_linear_logit() {
        let found = smooth_gradient(&mut Smooth::linear(0.5, &[2.0, -1.0, 0.0]), Scalar::Logit, 1).unwrap();
        assert_eq!((found.means, found.errors), (vec![2.0, -1.0, 0.0], vec![0.0; 3]));
        let mut linear = Smooth::linear(0.5, &[2.0, -1.0, 0.0]);
        let made = crate::attribute::attribute(&mut linear, Method::SmoothGrad, &mut Context::new(1)).unwrap();
        assert_eq!(made.evaluations, DRAWS);
    }

    #[test]
    fn ripples_are_averaged_away() {
        // x + 0.02 sin(400 x): its slope at 1 is 1 + 8 cos(400), but on average over the noise 1 + 8 cos(400) e^-8.
        let mut ripples =
            Smooth::new(1, |x| x[0] + 0.02 * (400.0 * x[0]).sin(), |x| vec![1.0 + 8.0 * (400.0 * x[0]).cos()]);
        let plain = crate::gradient::gradient(&mut ripples, Scalar::Logit).unwrap().times_input[0];
        let mean =
            (0..50).map(|seed| smooth_gradient(&mut ripples, Scalar::Logit, seed).unwrap().means[0]).sum::<f64>()
                / 50.0;
        assert!((plain - 1.0).abs() > 3.0 && (mean - 1.0).abs() < 0.8, "{plain} and {mean}");
        let one = smooth_gradient(&mut ripples, Scalar::Logit, 1).unwrap();
        assert!(one.errors[0] > 0.5 && one.errors[0] < 3.0);
        assert_eq!(one, smooth_gradient(&mut ripples, Scalar::Logit, 1).unwrap());
        assert_ne!(one, smooth_gradient(&mut ripples, Scalar::Logit, 2).unwrap());
    }

    #[test]
    fn no_words_and_bad_answers() {
        assert_eq!(smooth_gradient(&mut Smooth::linear(0.5, &[]), Scalar::Logit, 1).unwrap().means, Vec::<f64>::new());
        assert_eq!(smooth_gradient(&mut Cancelled, Scalar::Logit, 1), Err(OracleError::Cancelled));
        let mut diverged = Smooth::new(1, |_| 0.0, |_| vec![f64::NAN]);
        assert!(matches!(smooth_gradient(&mut diverged, Scalar::Logit, 1), Err(OracleError::Failed(_))));
    }
}
