//! Infidelity: how badly the scores of masked words add up to the drop of the probability.

use pellucid_protocol::Check;

use super::Case;
use crate::oracle::Answer;
use crate::oracle::masking::{Masking, NOISE};
use crate::oracle::word_set::WordSet;
use crate::regression::cholesky::dot;
use crate::sampling::{Purpose, generator, perturbations};

/// Number of maskings on which infidelity is measured.
pub const MASKINGS: usize = 64;

/// [`Check::Infidelity`] of signed scores that rank the words.
pub(super) fn check(case: &mut Case) -> Answer<Option<Check>> {
    if case.ranking().is_none() || !case.made.method.is_signed() {
        return Ok(None);
    }
    let (scores, seed) = (&case.made.scores, case.context.seed);
    let relative = infidelity(&mut case.masking(), scores, seed)?;
    Ok(relative.map(|relative| Check::Infidelity { relative, draws: MASKINGS }))
}

/// E[(b a(S) - d(S))^2] / E[d(S)^2] over [`MASKINGS`] random sets S of masked words, drawn by [`perturbations`]; a(S)
/// is the sum of their scores and d(S) the drop of the probability. The common scale b >= 0 is the best one, so that
/// maps in logits can be compared with maps in probabilities.
///
/// It is 0 for a map that adds up, and 1 for a map that says nothing, such as a zero map or one with the wrong sign.
/// `None` where the probability never moves.
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
    let predicted =
        |set: &WordSet| -> f64 { (0..words).filter(|word| set.contains(*word)).map(|word| scores[word]).sum() };
    Ok(relative_error(&sets.iter().map(predicted).collect::<Vec<_>>(), &drops))
}

/// The squared error of the drops `predicted`, after the best common scaling, relative to the squared drops.
pub(crate) fn relative_error(predicted: &[f64], drops: &[f64]) -> Option<f64> {
    let (square, cross, total) = (dot(predicted, predicted), dot(predicted, drops), dot(drops, drops));
    let scale = if square > 0.0 { (cross / square).max(0.0) } else { 0.0 };
    let left: f64 = predicted.iter().zip(drops).map(|(predicted, drop)| (scale * predicted - drop).powi(2)).sum();
    (total > NOISE * NOISE * drops.len() as f64).then(|| left / total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::Game;
    use crate::oracle::masking::OutcomeCache;

    fn measured(game: &mut Game, scores: &[f64]) -> Option<f64> {
        infidelity(&mut Masking::new(game, &mut OutcomeCache::default()), scores, 3).unwrap()
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
}
