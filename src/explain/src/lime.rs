//! LIME: a linear surrogate of the model in the neighbourhood of a text.

use std::collections::HashSet;

use pellucid_protocol::{Check, Surrogate};

use crate::oracle::Answer;
use crate::ridge::{Ridge, Weighted};
use crate::sampling::{Purpose, distance, generator, perturbations, weight};
use crate::table::Masking;
use crate::word_set::WordSet;

/// Penalty on the squared coefficients, `lime`'s `Ridge(alpha=1)`.
pub const PENALTY: f64 = 1.0;

/// How many perturbations are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples {
    /// To fit the surrogate to, the text itself being the first; at least one.
    pub fit: usize,
    /// To judge it on.
    pub held_out: usize,
}

impl Default for Samples {
    /// 1000 and 250. Coefficients of 8 to 20 words then scatter by about 0.01 between seeds, as those of
    /// `lime` do.
    fn default() -> Self {
        Self { fit: 1000, held_out: 250 }
    }
}

/// A surrogate and how well it does.
#[derive(Debug, Clone, PartialEq)]
pub struct Lime {
    /// The surrogate; its coefficients are the scores, in probability.
    pub surrogate: Surrogate,
    /// Weighted R2 on the perturbations it was fitted to, as `lime`'s `score`; `None` where the
    /// probability does not vary on them.
    pub in_sample: Option<f64>,
    /// Weighted R2 on the held-out perturbations; `None` as above.
    pub held_out: Option<f64>,
    /// Different maskings that it rests on.
    pub evaluations: usize,
}

impl Lime {
    /// [`Check::Fidelity`], or [`Check::Undefined`] where the probability does not vary: a surrogate of
    /// a constant is right everywhere and explains nothing, so it does not pass.
    #[must_use]
    pub fn check(&self) -> Check {
        match (self.in_sample, self.held_out) {
            (Some(in_sample), Some(held_out)) => Check::Fidelity { in_sample, held_out },
            _ => Check::Undefined,
        }
    }
}

/// Fits the surrogate p ~ intercept + sum of the coefficients of the words present.
///
/// Features are word positions, not distinct words, and all of them keep their coefficient. The first
/// sample is the text itself; the others, their distances and weights are those of
/// [`sampling`](crate::sampling). The fit is [`Ridge`] with [`PENALTY`].
///
/// The held-out perturbations are drawn after the same law from a stream of their own, without the text
/// itself. Of a short text most subsets are then known from the fit as well; what held-out R2 leaves out
/// is the weight of the text itself, which alone can lift the in-sample one.
///
/// A text with one word has two maskings only, and the line through them is given without penalty; a
/// text without words has its probability as intercept. For both, R2 is not defined.
///
/// Cost: at most `samples.fit + samples.held_out` rows, and each subset only once, hence at most 2^words.
///
/// Source: Ribeiro et al. 2016, arXiv 1602.04938; `lime` 0.2.0.1 with `bow=False`,
/// `feature_selection='none'`.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn lime(masking: &mut Masking, samples: Samples, seed: u64) -> Answer<Lime> {
    let words = masking.words();
    if words < 2 {
        return line(masking);
    }
    let mut fitted_to = vec![WordSet::empty(words)];
    fitted_to.extend(perturbations(words, samples.fit.saturating_sub(1), &mut generator(seed, Purpose::Fit)));
    let fit = Neighbourhood::ask(masking, &fitted_to)?;
    let others = perturbations(words, samples.held_out, &mut generator(seed, Purpose::HeldOut));
    let held_out = Neighbourhood::ask(masking, &others)?;
    let evaluations = fitted_to.iter().chain(&others).collect::<HashSet<_>>().len();
    let ridge = Ridge::fit(&fit.data(), PENALTY);
    let (in_sample, held_out) = (ridge.r2(&fit.data()), ridge.r2(&held_out.data()));
    Ok(Lime { surrogate: surrogate(ridge), in_sample, held_out, evaluations })
}

/// The surrogate of a text with at most one word.
fn line(masking: &mut Masking) -> Answer<Lime> {
    let words = masking.words();
    let local_prediction = masking.full()?;
    let alone: Vec<_> = (0..words).map(|word| WordSet::empty(words).with(word)).collect();
    let coefficients = masking.drops(&alone)?;
    let intercept = local_prediction - coefficients.iter().sum::<f64>();
    let surrogate = Surrogate { intercept, coefficients, local_prediction };
    Ok(Lime { surrogate, in_sample: None, held_out: None, evaluations: words + 1 })
}

fn surrogate(ridge: Ridge) -> Surrogate {
    let local_prediction = ridge.predict(&vec![1.0; ridge.coefficients.len()]);
    Surrogate { intercept: ridge.intercept, coefficients: ridge.coefficients, local_prediction }
}

/// Perturbations as a regression sees them.
struct Neighbourhood {
    rows: Vec<Vec<f64>>,
    probabilities: Vec<f64>,
    weights: Vec<f64>,
}

impl Neighbourhood {
    fn ask(masking: &mut Masking, masked: &[WordSet]) -> Answer<Self> {
        let words = masking.words();
        let presence = |set: &WordSet| set.presence(words).into_iter().map(|present| f64::from(u8::from(present)));
        Ok(Self {
            rows: masked.iter().map(|set| presence(set).collect()).collect(),
            probabilities: masking.probabilities(masked)?,
            weights: masked.iter().map(|set| weight(distance(set.len(), words))).collect(),
        })
    }

    fn data(&self) -> Weighted<'_> {
        Weighted { rows: &self.rows, targets: &self.probabilities, weights: &self.weights }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Game, logistic, present_sum};
    use crate::oracle::OracleError;
    use crate::table::{MaskTable, ROWS_PER_CALL};

    fn explain(game: &mut Game, seed: u64) -> Lime {
        lime(&mut Masking::new(game, &mut MaskTable::default()), Samples::default(), seed).unwrap()
    }

    #[test]
    fn an_additive_model_is_its_own_surrogate() {
        let weights = [0.3, -0.2, 0.0, 0.1, 0.05];
        let mut game = Game::additive(0.4, &weights);
        let found = explain(&mut game, 3);
        for (coefficient, weight) in found.surrogate.coefficients.iter().zip(weights) {
            assert!((coefficient - weight).abs() < 0.02, "{coefficient} for {weight}");
        }
        assert!((found.surrogate.local_prediction - 0.65).abs() < 0.01);
        assert!(found.in_sample.unwrap() > 0.99 && found.held_out.unwrap() > 0.99);
        assert!(found.check().passes());
        assert!(
            game.rows() <= 32
                && game.rows() == found.evaluations
                && game.calls.iter().all(|rows| *rows <= ROWS_PER_CALL)
        );
    }

    #[test]
    fn longer_texts_ask_each_perturbation_once() {
        let weights: Vec<_> = (0..30).map(|word| f64::from(word % 5 - 2) / 10.0).collect();
        let mut game = Game::new(30, move |words| logistic(present_sum(words, &weights)));
        let found = explain(&mut game, 3);
        assert!(
            game.rows() > 1000
                && game.rows() <= 1250
                && game.rows() == found.evaluations
                && found.held_out.unwrap() > 0.7
        );
    }

    #[test]
    fn exclusive_or_has_no_linear_surrogate() {
        let mut game = Game::new(2, |words| if words[0] ^ words[1] { 0.9 } else { 0.1 });
        let found = explain(&mut game, 1);
        assert!(!found.check().passes(), "{found:?}");
    }

    #[test]
    fn negation_is_seen_as_negative() {
        // "not good": good speaks for the class only if it stands alone.
        let mut game = Game::new(2, |words| match (words[0], words[1]) {
            (false, true) => 0.9,
            (true, true) => 0.1,
            _ => 0.5,
        });
        assert!(explain(&mut game, 1).surrogate.coefficients[0] < 0.0);
    }

    #[test]
    fn a_constant_is_not_trusted() {
        let found = explain(&mut Game::new(6, |_| 0.7), 1);
        assert_eq!(found.surrogate.coefficients, [0.0; 6]);
        assert_eq!((found.surrogate.intercept, found.surrogate.local_prediction), (0.7, 0.7));
        assert_eq!(found.check(), Check::Undefined);
    }

    #[test]
    fn no_words_and_one_word() {
        let none = explain(&mut Game::new(0, |_| 0.25), 1);
        assert_eq!(none.surrogate, Surrogate { intercept: 0.25, coefficients: vec![], local_prediction: 0.25 });
        let mut game = Game::additive(0.25, &[0.5]);
        let one = explain(&mut game, 1);
        assert_eq!(one.surrogate, Surrogate { intercept: 0.25, coefficients: vec![0.5], local_prediction: 0.75 });
        assert_eq!((one.check(), game.rows()), (Check::Undefined, 2));
    }

    #[test]
    fn few_or_no_samples_are_undefined_not_wrong() {
        for samples in
            [Samples { fit: 0, held_out: 0 }, Samples { fit: 1, held_out: 5 }, Samples { fit: 9, held_out: 0 }]
        {
            let mut game = Game::additive(0.1, &[0.2, 0.3]);
            let found = lime(&mut Masking::new(&mut game, &mut MaskTable::default()), samples, 1).unwrap();
            assert_eq!(found.check(), Check::Undefined);
            assert!(found.surrogate.coefficients.iter().all(|coefficient| coefficient.is_finite()));
        }
    }

    #[test]
    fn a_seed_repeats_and_cancelling_ends_it() {
        let game = || Game::new(12, |words| logistic(words.iter().filter(|present| **present).count() as f64 - 6.0));
        assert_eq!(explain(&mut game(), 5), explain(&mut game(), 5));
        assert_ne!(explain(&mut game(), 5), explain(&mut game(), 6));
        let answer = lime(&mut Masking::new(&mut Cancelled, &mut MaskTable::default()), Samples::default(), 1);
        assert_eq!(answer, Err(OracleError::Cancelled));
    }
}
