//! LIME: a linear surrogate of the model in the neighbourhood of a text.

pub mod grouped;

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Check, Method, Surrogate};

use grouped::{GROUP_SHARE, GroupedFit, grouped};

use super::neighbourhood::{Neighbourhood, Perturbations};
use super::{PENALTY, cost, fidelity};
use crate::context::{Context, Least, Samples};
use crate::explainer::{Explainer, Removes, Text, Work, sampling};
use crate::oracle::masking::Masking;
use crate::oracle::{Answer, Slopes};
use crate::regression::Weighted;
use crate::regression::pair_model::{PairModel, SizeWeights};
use crate::regression::ridge::Ridge;

/// Rows a word from which on the errors mean something: fewer than for an unpenalised fit.
const ROWS_A_WORD: usize = 2;

/// [`Method::Lime`].
pub(crate) const EXPLAINER: Explainer =
    Explainer::new(Method::Lime, Scalar::Probability, Removes::AsChosen, Work { score, cost });

fn score(Text { explainer, oracle, context, watch }: Text) -> Answer<Attribution> {
    let (samples, seed) = (context.samples, context.seed);
    let blank = Attribution { seed: Some(seed), ..explainer.blank(context) };
    let groups = context.groups(oracle.words());
    samples.check(Least::of(groups.as_ref(), oracle.words(), ROWS_A_WORD, GROUP_SHARE))?;
    if let Some(groups) = groups {
        let of = |found: &GroupedFit, checks| Attribution {
            groups: found.groups.clone(),
            ..attribution(&blank, &found.fit, checks)
        };
        let mut show = |found: &GroupedFit| watch(&of(found, vec![found.fit.sampling()]));
        let found = grouped(&mut explainer.masking(oracle, context), &groups, (samples, seed), &mut show)?;
        return Ok(of(&found, vec![found.fit.check(), found.fit.sampling()]));
    }
    let mut show = |fit: &LimeFit| watch(&attribution(&blank, fit, vec![fit.sampling()]));
    let fit = lime(&mut explainer.masking(oracle, context), samples, seed, &mut show)?;
    Ok(attribution(&blank, &fit, vec![fit.check(), fit.sampling()]))
}

/// Held-out weighted R2 of the surrogate; `None` where it is not defined.
pub(crate) fn held_out(oracle: &mut dyn Slopes, context: &mut Context) -> Answer<Option<f64>> {
    let (samples, seed) = (context.samples, context.seed);
    Ok(lime(&mut EXPLAINER.masking(oracle, context), samples, seed, &mut |_| {})?.held_out)
}

fn attribution(blank: &Attribution, fit: &LimeFit, checks: Vec<Check>) -> Attribution {
    let (scores, errors) = (fit.surrogate.coefficients.clone(), fit.errors.clone());
    let (start, surrogate) = (Some(fit.surrogate.intercept), Some(fit.surrogate.clone()));
    Attribution { scores, errors, checks, start, surrogate, evaluations: fit.rows, ..blank.clone() }
}

/// A linear surrogate and how well it fits.
#[derive(Debug, Clone, PartialEq)]
pub struct LimeFit {
    /// The surrogate; its coefficients are the scores, in probability.
    pub surrogate: Surrogate,
    /// Standard error of each coefficient: how far it may be from that of a fit to all maskings.
    pub errors: Vec<f64>,
    /// Weighted R2 on the maskings it is fitted to, as `lime`'s `score`; `None` where the probability does not vary on
    /// them.
    pub in_sample: Option<f64>,
    /// Weighted R2 on maskings that the fit has not seen, each left out in turn; after a fit to all maskings, on all
    /// but the text. `None` as above, and for a fit that is not the last.
    pub held_out: Option<f64>,
    /// Number of different maskings it is fitted to.
    pub rows: usize,
    /// Number of different maskings that the last fit will be fitted to.
    pub planned: usize,
}

impl LimeFit {
    /// [`Check::Fidelity`], or [`Check::Undefined`] where the probability does not vary.
    #[must_use]
    pub fn check(&self) -> Check {
        fidelity(self.in_sample, self.held_out)
    }

    /// [`Check::Sampling`].
    #[must_use]
    pub fn sampling(&self) -> Check {
        sampling(&self.errors, self.rows, self.planned)
    }
}

/// Fits the surrogate p ~ intercept + sum of the coefficients of the words present.
///
/// Features are word positions, not distinct words, and all of them keep their coefficient. The first sample is the
/// text itself; the others come from a [`Neighbourhood`], which draws as `lime` does but leaves less to chance: the
/// solution is the same on average and scatters less. If the samples hold all maskings, the fit is that to infinitely
/// many samples, and the seed makes no difference. If they do not, a [`PairModel`] takes off what pairs of words
/// contribute by chance. The fit is [`Ridge`] with [`PENALTY`].
///
/// `watch` gets the earlier fits, one for each of [`Neighbourhood::rounds`], with their standard errors.
///
/// A text with one word has only two maskings, and the line through them is given without penalty; a text without
/// words has its probability as intercept. R2 is not defined for either.
///
/// The surrogate is judged on rows that it has not seen, without asking for more: the linear fit to all other rows
/// predicts each of them ([`Ridge::left_out`]; without the pairs, which only bring it nearer to the fit to all
/// maskings).
///
/// Cost: at most `samples.fit` rows, and each subset only once, hence at most 2^words.
///
/// Source: Ribeiro et al. 2016, arXiv 1602.04938; `lime` 0.2.0.1 with `bow=False`,
/// `feature_selection='none'`.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn lime(masking: &mut Masking, samples: Samples, seed: u64, watch: &mut dyn FnMut(&LimeFit)) -> Answer<LimeFit> {
    let words = masking.words();
    if words < 2 {
        return few_words(masking);
    }
    lime_of(masking, &Neighbourhood::new(words, masking.removal(), samples, seed), watch)
}

/// The surrogate of a text of at least two words in this neighbourhood; see [`lime`].
///
/// # Errors
/// As [`lime`].
pub fn lime_of(
    masking: &mut Masking,
    neighbourhood: &Neighbourhood,
    watch: &mut dyn FnMut(&LimeFit),
) -> Answer<LimeFit> {
    let rounds = neighbourhood.rounds();
    for rows in &rounds[..rounds.len() - 1] {
        let seen = neighbourhood.ask(masking, *rows)?;
        watch(&fit(&seen, neighbourhood).1);
    }
    let seen = neighbourhood.ask(masking, neighbourhood.planned())?;
    let (ridge, mut found) = fit(&seen, neighbourhood);
    found.held_out = match neighbourhood.is_complete() {
        true => ridge.r2(&neighbourhood.ask_held_out(masking)?.data()),
        false => seen.left_out_r2(&Ridge::fit(&seen.data(), PENALTY), PENALTY),
    };
    Ok(found)
}

fn fit(seen: &Perturbations, neighbourhood: &Neighbourhood) -> (Ridge, LimeFit) {
    let data = seen.data();
    let linear = Ridge::fit(&data, PENALTY);
    let pairs = if neighbourhood.is_complete() { None } else { PairModel::fit(&data, &linear) };
    let (ridge, influences) = match pairs {
        Some(pairs) => fit_without(&data, &pairs, &neighbourhood.size_weights()),
        None => {
            let influences = linear.influences(&data, PENALTY);
            (linear, influences)
        }
    };
    let found = LimeFit {
        errors: seen.errors(&influences),
        in_sample: ridge.r2(&data),
        held_out: None,
        rows: seen.rows(),
        planned: neighbourhood.planned(),
        surrogate: surrogate(&ridge),
    };
    (ridge, found)
}

/// The fit to what the pairs of words leave over, plus the linear fit of the pairs to all maskings; with its
/// influences.
fn fit_without(data: &Weighted, pairs: &PairModel, sizes: &SizeWeights) -> (Ridge, Vec<Vec<f64>>) {
    let targets: Vec<f64> = data.rows.iter().zip(data.targets).map(|(row, target)| target - pairs.value(row)).collect();
    let rest = Weighted { targets: &targets, ..*data };
    let ridge = Ridge::fit(&rest, PENALTY);
    let mut influences = ridge.influences(&rest, PENALTY);
    // Residuals are smaller than errors, because the fit follows its rows: MacKinnon and White 1985, HC3, with the mean
    // leverage for each row.
    let (rows, fitted) = (data.rows.len() as f64, pairs.coefficients() as f64);
    let wider = rows / (rows - fitted);
    influences.iter_mut().flatten().for_each(|number| *number *= wider);
    let of_pairs = pairs.linear_coefficients(sizes, PENALTY);
    let coefficients = ridge.coefficients.iter().zip(of_pairs).map(|(rest, pairs)| rest + pairs).collect();
    (Ridge::through_mean(data, coefficients), influences)
}

/// The surrogate of a text with at most one word.
pub(crate) fn few_words(masking: &mut Masking) -> Answer<LimeFit> {
    let words = masking.words();
    let local_prediction = masking.full()?;
    let coefficients = masking.single_drops()?;
    let intercept = local_prediction - coefficients.iter().sum::<f64>();
    let surrogate = Surrogate { intercept, coefficients, local_prediction };
    let rows = words + 1;
    Ok(LimeFit { surrogate, errors: vec![0.0; words], in_sample: None, held_out: None, rows, planned: rows })
}

fn surrogate(ridge: &Ridge) -> Surrogate {
    let local_prediction = ridge.predict(&vec![1.0; ridge.coefficients.len()]);
    Surrogate { intercept: ridge.intercept, coefficients: ridge.coefficients.clone(), local_prediction }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Game, logistic, present_sum};
    use crate::oracle::OracleError;
    use crate::oracle::masking::{OutcomeCache, ROWS_PER_CALL};
    use crate::oracle::word_set::WordSet;
    use crate::sampling::{Purpose, generator, perturbations};
    use crate::surrogate::kernel::{distance, weight};

    fn explain(game: &mut Game, seed: u64) -> LimeFit {
        with_samples(game, Samples::default(), seed)
    }

    fn with_samples(game: &mut Game, samples: Samples, seed: u64) -> LimeFit {
        lime(&mut Masking::new(game, &mut OutcomeCache::default()), samples, seed, &mut |_| {}).unwrap()
    }

    /// `lime` as it draws: every row by itself.
    fn plain(game: &mut Game, rows: usize, seed: u64) -> Vec<f64> {
        let words = Masking::new(game, &mut OutcomeCache::default()).words();
        let mut sets = vec![WordSet::empty(words)];
        sets.extend(perturbations(words, rows - 1, &mut generator(seed, Purpose::Fit)));
        let targets = Masking::new(game, &mut OutcomeCache::default()).values(&sets).unwrap();
        let rows: Vec<Vec<f64>> = sets.iter().map(|set| set.row(words)).collect();
        let weights: Vec<_> = sets.iter().map(|set| weight(distance(set.len(), words))).collect();
        Ridge::fit(&Weighted { rows: &rows, targets: &targets, weights: &weights }, PENALTY).coefficients
    }

    fn far(found: &[f64], expected: &[f64]) -> f64 {
        found.iter().zip(expected).map(|(a, b)| (a - b).powi(2)).sum::<f64>()
    }

    #[test]
    fn the_same_solution_with_less_scatter_than_lime() {
        for (words, rows, times) in [(12, 300, 2.0), (20, 500, 1.5), (20, 1000, 2.0), (40, 1000, 1.5)] {
            let samples = Samples { fit: rows, held_out: 0, scale: rows };
            // So that the penalty is that of `rows` samples.
            let runs = 20;
            let mut solution = vec![0.0; words];
            for seed in 0..40 {
                let one = plain(&mut Game::interacting(words), rows, 1000 + seed);
                solution.iter_mut().zip(one).for_each(|(mean, one)| *mean += one / 40.0);
            }
            let (mut ours, mut theirs, mut mean) = (0.0, 0.0, vec![0.0; words]);
            let mut claimed = 0.0;
            for seed in 0..runs {
                let found = with_samples(&mut Game::interacting(words), samples, seed);
                ours += far(&found.surrogate.coefficients, &solution);
                theirs += far(&plain(&mut Game::interacting(words), rows, seed), &solution);
                claimed += found.errors.iter().map(|error| error * error).sum::<f64>();
                mean.iter_mut().zip(&found.surrogate.coefficients).for_each(|(mean, one)| *mean += one / runs as f64);
            }
            println!(
                "{words} words, {rows} rows: squared error {:.2}x smaller, claimed {:.2}x ours, bias {:.1e}, theirs {:.1e}",
                theirs / ours,
                claimed / ours,
                far(&mean, &solution).sqrt(),
                (theirs / runs as f64).sqrt()
            );
            assert!(ours < theirs / times, "{words} words, {rows} rows: {ours} against {theirs}");
            assert!(claimed < 2.0 * ours && claimed > ours / 2.5, "{claimed} for {ours}");
        }
    }

    #[test]
    fn all_maskings_leave_nothing_to_chance() {
        for words in 2..=10 {
            let found = explain(&mut Game::interacting(words), 1);
            assert_eq!(found, explain(&mut Game::interacting(words), 2));
            assert!(found.errors.iter().all(|error| *error == 0.0) && found.rows == 1 << words);
        }
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
        assert!(game.rows() <= 32 && game.rows() == found.rows && game.calls.iter().all(|rows| *rows <= ROWS_PER_CALL));
    }

    #[test]
    fn longer_texts_ask_each_perturbation_once() {
        let weights: Vec<_> = (0..30).map(|word| f64::from(word % 5 - 2) / 10.0).collect();
        let mut game = Game::new(30, move |words| logistic(present_sum(words, &weights)));
        let found = explain(&mut game, 3);
        assert!(
            game.rows() > 1000 && game.rows() <= 1024 && game.rows() == found.rows && found.held_out.unwrap() > 0.7
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
        for samples in [Samples { fit: 0, ..Samples::default() }, Samples { fit: 1, held_out: 0, scale: 0 }] {
            let mut game = Game::additive(0.1, &[0.2, 0.3, 0.0, 0.1]);
            let found = with_samples(&mut game, samples, 1);
            assert_eq!(found.check(), Check::Undefined);
            assert!(found.surrogate.coefficients.iter().all(|coefficient| coefficient.is_finite()));
        }
    }

    #[test]
    fn a_seed_repeats_and_cancelling_ends_it() {
        let game = || Game::new(12, |words| logistic(words.iter().filter(|present| **present).count() as f64 - 6.0));
        assert_eq!(explain(&mut game(), 5), explain(&mut game(), 5));
        assert_ne!(explain(&mut game(), 5), explain(&mut game(), 6));
        let answer =
            lime(&mut Masking::new(&mut Cancelled, &mut OutcomeCache::default()), Samples::default(), 1, &mut |_| {});
        assert_eq!(answer, Err(OracleError::Cancelled));
    }
}
