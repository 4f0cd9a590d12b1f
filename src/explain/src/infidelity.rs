//! Infidelity and max-sensitivity: how badly a map adds up, and how easily noise moves it.

use pellucid_protocol::Method;
use pellucid_protocol::explanation::Scalar;

use crate::gradient::{gradient_input, gradient_norm};
use crate::oracle::{Answer, Noise, Slopes, WordGradient};
use crate::sampling::{Purpose, generator, perturbations};
use crate::smooth_gradient::{SIGMA, noisy};
use crate::table::{Masking, NOISE};

/// Maskings on which infidelity is measured.
pub const MASKINGS: usize = 64;
/// Noisy copies over which the largest change is taken, as Captum's `sensitivity_max` takes 10.
pub const COPIES: usize = 10;

/// E[(b a(S) - d(S))^2] / E[d(S)^2], a(S) being the sum of the scores of the masked words and d(S) the drop of
/// the probability, over [`MASKINGS`] random S: sizes uniform, sets of a size alike. The common scale b >= 0
/// is the best one, so that maps in logits can be compared with maps in probabilities.
///
/// 0 is a map that adds up, 1 one that says nothing (a zero map does not, nor one whose sign is the wrong way
/// round). `None` where the probability never moves.
///
/// Source: Yeh et al. 2019, arXiv 1901.09392, definition 2.1, and for the scale their section 2.3; Captum's
/// `infidelity(normalize=True)`, which does not divide by E[d^2] and lets b be negative.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn infidelity(masking: &mut Masking, scores: &[f64], seed: u64) -> Answer<Option<f64>> {
    let words = masking.words();
    let sets = perturbations(words, MASKINGS, &mut generator(seed, Purpose::Tests));
    let drops = masking.drops(&sets)?;
    let said = |set: &crate::word_set::WordSet| -> f64 {
        (0..words).filter(|word| set.contains(*word)).map(|word| scores[word]).sum()
    };
    let said: Vec<f64> = sets.iter().map(said).collect();
    Ok(relative_error(&said, &drops))
}

pub(crate) fn relative_error(said: &[f64], drops: &[f64]) -> Option<f64> {
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (square, cross, total) = (product(said, said), product(said, drops), product(drops, drops));
    let scale = if square > 0.0 { (cross / square).max(0.0) } else { 0.0 };
    let left: f64 = said.iter().zip(drops).map(|(said, drop)| (scale * said - drop).powi(2)).sum();
    (total > NOISE * NOISE * drops.len() as f64).then(|| left / total)
}

/// max |s(noisy) - s| / |s| over [`COPIES`] noisy inputs (|s| = 1 for a zero map), for the methods that are
/// one gradient; `None` for the others, and for a text without words.
///
/// Source: Yeh et al. 2019, arXiv 1901.09392, definition 3.1; Captum's `sensitivity_max`, here with Gaussian
/// noise of the relative [`SIGMA`] on the embeddings.
///
/// # Errors
/// As [`infidelity`].
pub fn sensitivity(oracle: &mut dyn Slopes, (method, scalar): (Method, Scalar), seed: u64) -> Answer<Option<f64>> {
    let of: fn(&WordGradient) -> &Vec<f64> = match method {
        Method::Gradient => |gradient| &gradient.norm,
        Method::GradientInput => |gradient| &gradient.times_input,
        _ => return Ok(None),
    };
    if oracle.words() == 0 {
        return Ok(None);
    }
    let still =
        if method == Method::Gradient { gradient_norm(oracle, scalar)? } else { gradient_input(oracle, scalar)? };
    let length = norm(still.iter().copied());
    let scale = if length > 0.0 { length } else { 1.0 };
    let moved = noisy(oracle, Noise { sigma: SIGMA, seed, scalar }, COPIES)?;
    let change = |gradient: &WordGradient| norm(of(gradient).iter().zip(&still).map(|(a, b)| a - b)) / scale;
    Ok(Some(moved.iter().map(change).fold(0.0, f64::max)))
}

fn norm(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|number| number * number).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Game, Smooth};
    use crate::oracle::OracleError;
    use crate::table::MaskTable;

    fn measured(game: &mut Game, scores: &[f64]) -> Option<f64> {
        infidelity(&mut Masking::new(game, &mut MaskTable::default()), scores, 3).unwrap()
    }

    #[test]
    fn a_map_that_adds_up_and_one_that_does_not() {
        let weights = [0.3, -0.2, 0.1, 0.05];
        let game = || Game::additive(0.4, &weights);
        assert!(measured(&mut game(), &weights).unwrap() < 1e-20);
        assert!(measured(&mut game(), &weights.map(|weight| 7.0 * weight)).unwrap() < 1e-20);
        assert_eq!(measured(&mut game(), &[0.0; 4]), Some(1.0));
        assert_eq!(measured(&mut game(), &weights.map(|weight| -weight)), Some(1.0));
        let part = measured(&mut game(), &[0.3, 0.0, 0.0, 0.0]).unwrap();
        assert!(part > 0.01 && part < 1.0);
    }

    #[test]
    fn constants_and_no_words_have_none() {
        assert_eq!(measured(&mut Game::new(4, |_| 0.7), &[1.0, 2.0, 3.0, 4.0]), None);
        assert_eq!(measured(&mut Game::new(0, |_| 0.7), &[]), None);
        assert!(measured(&mut Game::additive(0.2, &[0.5]), &[9.0]).unwrap() < 1e-20);
    }

    #[test]
    fn noise_moves_a_curved_logit_and_no_straight_one() {
        let mut straight = Smooth::linear(0.5, &[2.0, -1.0]);
        assert_eq!(sensitivity(&mut straight, (Method::GradientInput, Scalar::Logit), 1), Ok(Some(0.0)));
        let mut curved = Smooth::polynomial(2, vec![(1.0, vec![3, 0]), (1.0, vec![0, 1])]);
        let found = sensitivity(&mut curved, (Method::Gradient, Scalar::Logit), 1).unwrap().unwrap();
        // The slope 3 x^2 moves by 6 sigma a unit of noise, of a norm of sqrt(10).
        assert!(found > 0.5 * 0.06 / 10_f64.sqrt() && found < 4.0 * 0.06 / 10_f64.sqrt(), "{found}");
        assert_eq!(sensitivity(&mut curved, (Method::Lime, Scalar::Logit), 1), Ok(None));
        assert_eq!(sensitivity(&mut Smooth::linear(0.5, &[]), (Method::Gradient, Scalar::Logit), 1), Ok(None));
        assert_eq!(sensitivity(&mut Smooth::linear(0.5, &[0.0]), (Method::Gradient, Scalar::Logit), 1), Ok(Some(0.0)));
        assert_eq!(sensitivity(&mut Cancelled, (Method::Gradient, Scalar::Logit), 1), Err(OracleError::Cancelled));
    }
}
