//! Max-sensitivity: how far noise in the embeddings moves a gradient map.

use pellucid_protocol::Check;
use pellucid_protocol::explanation::Scalar;

use super::Case;
use crate::explainer::OfGradient;
use crate::gradient::gradient;
use crate::gradient::smooth_gradient::{SIGMA, noisy};
use crate::oracle::{Answer, Noise, Slopes, WordGradient};

/// Noisy copies over which the largest change is taken, as Captum's `sensitivity_max` takes 10.
pub const COPIES: usize = 10;

/// [`Check::Sensitivity`] of scores that are those of a single gradient.
pub(super) fn check(case: &mut Case) -> Answer<Option<Check>> {
    let Some(of_gradient) = case.explainer.of_gradient else { return Ok(None) };
    let max = sensitivity(case.oracle, of_gradient, case.made.scalar, case.context.seed)?;
    Ok(max.map(|max| Check::Sensitivity { max, draws: COPIES }))
}

/// max |s(noisy) - s| / |s| over [`COPIES`] noisy inputs (|s| = 1 for a zero map), where `of_gradient` reads the scores
/// s from a gradient. `None` for a text without words.
///
/// Source: Yeh et al. 2019, arXiv 1901.09392, definition 3.1; Captum's `sensitivity_max`, here with Gaussian
/// noise of the relative [`SIGMA`] on the embeddings.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
fn sensitivity(oracle: &mut dyn Slopes, of_gradient: OfGradient, scalar: Scalar, seed: u64) -> Answer<Option<f64>> {
    if oracle.words() == 0 {
        return Ok(None);
    }
    let still = of_gradient(gradient(oracle, scalar)?);
    let length = norm(still.iter().copied());
    let scale = if length > 0.0 { length } else { 1.0 };
    let moved = noisy(oracle, Noise { sigma: SIGMA, seed, scalar }, COPIES)?;
    let change = |moved: WordGradient| norm(of_gradient(moved).iter().zip(&still).map(|(a, b)| a - b)) / scale;
    Ok(Some(moved.into_iter().map(change).fold(0.0, f64::max)))
}

fn norm(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|number| number * number).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Smooth};
    use crate::oracle::OracleError;

    fn of(model: &mut dyn Slopes, of_gradient: OfGradient) -> Answer<Option<f64>> {
        sensitivity(model, of_gradient, Scalar::Logit, 1)
    }

    #[test]
    fn noise_moves_a_curved_logit_and_no_straight_one() {
        let (times_input, norm) = (|found: WordGradient| found.times_input, |found: WordGradient| found.norm);
        assert_eq!(of(&mut Smooth::linear(0.5, &[2.0, -1.0]), times_input), Ok(Some(0.0)));
        let mut curved = Smooth::polynomial(2, vec![(1.0, vec![3, 0]), (1.0, vec![0, 1])]);
        let found = of(&mut curved, norm).unwrap().unwrap();
        // The slope 3 x^2 moves by 6 sigma a unit of noise, of a norm of sqrt(10).
        assert!(found > 0.5 * 0.06 / 10_f64.sqrt() && found < 4.0 * 0.06 / 10_f64.sqrt(), "{found}");
        assert_eq!(of(&mut Smooth::linear(0.5, &[]), norm), Ok(None));
        assert_eq!(of(&mut Smooth::linear(0.5, &[0.0]), norm), Ok(Some(0.0)));
        assert_eq!(of(&mut Cancelled, norm), Err(OracleError::Cancelled));
    }
}
