//! The door: one method's scores for a text, with the checks that say how far to trust them.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Check, Method, Surrogate};

use crate::drift::is_ranking;
use crate::faithfulness::{Faithfulness, order};
use crate::gradient::{gradient_input, gradient_norm};
use crate::integrated::integrated_gradients;
use crate::lime::{Lime, Samples, lime};
use crate::occlusion::occlusion;
use crate::oracle::{Answer, Slopes};
use crate::table::{MaskTable, Masking};

/// What the methods share on one text, one class and one state of a model: a new oracle needs a new
/// context.
#[derive(Debug, Clone, Default)]
pub struct Context {
    seed: u64,
    samples: Samples,
    table: MaskTable,
    faithfulness: Option<Faithfulness>,
}

impl Context {
    /// With the default number of samples and rows a call.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// With so many perturbations for LIME.
    #[must_use]
    pub fn with_samples(self, samples: Samples) -> Self {
        Self { samples, ..self }
    }

    /// With at most `rows` in one call of [`Predict::probabilities`](crate::oracle::Predict::probabilities),
    /// for long texts; at least one. To be called before anything is evaluated.
    #[must_use]
    pub fn with_rows_per_call(self, rows: usize) -> Self {
        Self { table: MaskTable::new(rows), ..self }
    }

    /// Rows of masked texts asked of the oracle so far, for scores and checks together.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.table.spent()
    }

    /// Brings the faithfulness of all methods of this text to the same bounds. On long texts the bounds are
    /// not exact, and a method may have found a better or a worse order than those known when an earlier one
    /// was measured. Asks nothing of the oracle.
    pub fn settle(&self, attributions: &mut [Attribution]) {
        let Some(faithfulness) = &self.faithfulness else { return };
        for attribution in attributions {
            let measured = attribution.checks.iter_mut().filter(|check| matches!(check, Check::Faithfulness { .. }));
            measured.for_each(|check| *check = faithfulness.check(attribution.method));
        }
    }
}

/// Scores of one method for every word, with its checks: the method's own first (completeness of
/// integrated gradients, fidelity of LIME), then faithfulness. Each is [`Check::Undefined`] where it has
/// no meaning, e.g. faithfulness of scores that are all the same.
///
/// Gradients explain the logit, occlusion and LIME the probability. `evaluations` counts the different
/// rows and points that the scores rest on, whether or not another method had already asked for them; those
/// for faithfulness are not among them. `ms` is 0: it is the caller's to measure.
///
/// A text without words gets no scores and undefined checks.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn attribute(oracle: &mut dyn Slopes, method: Method, context: &mut Context) -> Answer<Attribution> {
    let Scored { scores, own_check, surrogate, evaluations } = score(oracle, method, context)?;
    let faithfulness = faithfulness(oracle, method, &scores, context)?;
    Ok(Attribution {
        method,
        scalar: scalar(method),
        checks: own_check.into_iter().chain([faithfulness]).collect(),
        scores,
        surrogate,
        evaluations,
        seed: (method == Method::Lime).then_some(context.seed),
        ms: 0.0,
    })
}

/// The number that a method explains.
#[must_use]
pub fn scalar(method: Method) -> Scalar {
    match method {
        Method::Gradient | Method::GradientInput | Method::IntegratedGradients => Scalar::Logit,
        Method::Occlusion | Method::Lime => Scalar::Probability,
    }
}

/// What a method gives by itself.
struct Scored {
    scores: Vec<f64>,
    own_check: Option<Check>,
    surrogate: Option<Surrogate>,
    evaluations: usize,
}

impl Scored {
    fn plain(scores: Vec<f64>, evaluations: usize) -> Self {
        Self { scores, own_check: None, surrogate: None, evaluations }
    }
}

fn score(oracle: &mut dyn Slopes, method: Method, context: &mut Context) -> Answer<Scored> {
    let gradients = usize::from(oracle.words() > 0);
    match method {
        Method::Gradient => Ok(Scored::plain(gradient_norm(oracle)?, gradients)),
        Method::GradientInput => Ok(Scored::plain(gradient_input(oracle)?, gradients)),
        Method::IntegratedGradients => {
            let found = integrated_gradients(oracle)?;
            Ok(Scored { own_check: Some(found.check), ..Scored::plain(found.scores, found.evaluations) })
        }
        Method::Occlusion => {
            let scores = occlusion(&mut Masking::new(oracle, &mut context.table))?;
            let rows = scores.len() + 1;
            Ok(Scored::plain(scores, rows))
        }
        Method::Lime => score_lime(oracle, context),
    }
}

/// Held-out weighted R2 of LIME's surrogate; `None` where it is not defined.
pub(crate) fn fidelity(oracle: &mut dyn Slopes, context: &mut Context) -> Answer<Option<f64>> {
    Ok(fit_lime(oracle, context)?.held_out)
}

fn fit_lime(oracle: &mut dyn Slopes, context: &mut Context) -> Answer<Lime> {
    lime(&mut Masking::new(oracle, &mut context.table), context.samples, context.seed)
}

fn score_lime(oracle: &mut dyn Slopes, context: &mut Context) -> Answer<Scored> {
    let found = fit_lime(oracle, context)?;
    let scores = found.surrogate.coefficients.clone();
    let own_check = Some(found.check());
    Ok(Scored { own_check, surrogate: Some(found.surrogate), ..Scored::plain(scores, found.evaluations) })
}

/// Scores that rank nothing have no order of their own: that of the text must not be measured for them.
fn faithfulness(oracle: &mut dyn Slopes, method: Method, scores: &[f64], context: &mut Context) -> Answer<Check> {
    if !is_ranking(scores) {
        return Ok(Check::Undefined);
    }
    let mut masking = Masking::new(oracle, &mut context.table);
    let mut measure = match context.faithfulness.take() {
        Some(known) => known,
        None => Faithfulness::prepare(&mut masking, context.seed)?,
    };
    let check = measure.score(&mut masking, method, &order(scores, method));
    context.faithfulness = Some(measure);
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Smooth};
    use crate::oracle::OracleError;

    fn all(oracle: &mut Smooth) -> Vec<Attribution> {
        let mut context = Context::new(1);
        let mut found: Vec<_> =
            Method::ALL.into_iter().map(|method| attribute(oracle, method, &mut context).unwrap()).collect();
        context.settle(&mut found);
        found
    }

    fn is_finite(attribution: &Attribution) -> bool {
        let checks = attribution.checks.iter().all(|check| match *check {
            Check::Completeness { gap, .. } => gap.is_finite(),
            Check::Fidelity { in_sample, held_out } => in_sample.is_finite() && held_out.is_finite(),
            Check::Faithfulness { normalised, random, .. } => normalised.is_finite() && random.is_finite(),
            Check::Undefined => true,
        });
        checks && attribution.scores.iter().all(|score| score.is_finite())
    }

    #[test]
    fn every_method_finds_the_words_of_a_linear_logit() {
        let weights = [1.2, -0.7, 0.0, 0.4];
        for found in all(&mut Smooth::linear(-0.3, &weights)) {
            assert_eq!(found.scalar, scalar(found.method));
            assert!(found.evaluations > 0, "{found:?}");
            if found.method.is_signed() {
                assert_eq!(order(&found.scores, found.method), [0, 3, 2, 1], "{found:?}");
                assert!(found.is_trusted(), "{found:?}");
            }
        }
    }

    #[test]
    fn each_method_brings_its_own_check_first() {
        for found in all(&mut Smooth::linear(-0.3, &[1.2, -0.7, 0.0, 0.4])) {
            assert!(matches!(found.checks.last(), Some(Check::Faithfulness { exact: true, .. })));
            match found.method {
                Method::IntegratedGradients => assert!(matches!(found.checks[0], Check::Completeness { .. })),
                Method::Lime => assert!(matches!(found.checks[0], Check::Fidelity { .. })),
                _ => assert_eq!(found.checks.len(), 1),
            }
            assert_eq!(found.seed.is_some(), found.method == Method::Lime);
            assert_eq!(found.surrogate.is_some(), found.method == Method::Lime);
        }
    }

    #[test]
    fn methods_share_what_was_asked() {
        let mut oracle = Smooth::linear(-0.3, &[1.2, -0.7, 0.0, 0.4]);
        let mut context = Context::new(1);
        let evaluations = |method, oracle: &mut Smooth, context: &mut Context| {
            attribute(oracle, method, context).unwrap().evaluations
        };
        assert_eq!(evaluations(Method::Occlusion, &mut oracle, &mut context), 5);
        assert_eq!(context.rows(), 16);
        assert_eq!(evaluations(Method::Lime, &mut oracle, &mut context), 16);
        assert_eq!(evaluations(Method::GradientInput, &mut oracle, &mut context), 1);
        assert_eq!(context.rows(), 16);
    }

    #[test]
    fn nothing_to_explain_is_never_trusted_and_never_nan() {
        let interacting = vec![(1.0, vec![1, 1]), (-1.0, vec![1, 0])];
        let models = [
            Smooth::linear(0.4, &[]),
            Smooth::linear(0.4, &[0.9]),
            Smooth::linear(0.4, &[0.0; 4]),
            Smooth::linear(0.0, &[0.0; 13]),
        ];
        for mut model in models {
            for found in all(&mut model) {
                assert!(is_finite(&found) && !found.is_trusted() && !found.checks.is_empty(), "{found:?}");
            }
        }
        assert!(all(&mut Smooth::polynomial(2, interacting)).iter().all(is_finite));
    }

    #[test]
    fn scores_that_rank_nothing_have_no_faithfulness() {
        // Flat at the input, though the words matter, and not equally.
        let logit = |x: &[f64]| -(x[0] - 1.0).powi(2) - 3.0 * (x[1] - 1.0).powi(2);
        let mut model = Smooth::new(2, logit, |x| vec![2.0 * (1.0 - x[0]), 6.0 * (1.0 - x[1])]);
        for found in all(&mut model) {
            match found.method {
                Method::Gradient | Method::GradientInput => assert_eq!(found.checks, [Check::Undefined]),
                _ => assert!(found.checks.last().unwrap().passes(), "{found:?}"),
            }
        }
    }

    #[test]
    fn settled_methods_have_the_same_bounds() {
        // Of the last two words either is enough, so that masking one alone shows nothing and the beam does
        // not begin with them; integrated gradients do.
        let one = |word: usize| (0..14).map(|other| i32::from(other == word)).collect::<Vec<_>>();
        let mut terms: Vec<_> = (0..12).map(|word| (0.01, one(word))).collect();
        terms.extend([(3.0, one(12)), (3.0, one(13)), (-3.0, (0..14).map(|word| i32::from(word > 11)).collect())]);
        let (mut oracle, mut context) = (Smooth::polynomial(14, terms), Context::new(1));
        let mut explain = |method| attribute(&mut oracle, method, &mut context).unwrap();
        let mut found = [explain(Method::Occlusion), explain(Method::IntegratedGradients)];
        let stale = numbers(&found[0]);
        context.settle(&mut found);
        let (occlusion, integrated) = (numbers(&found[0]), numbers(&found[1]));
        assert_eq!(integrated.0, 1.0);
        assert!(occlusion.0 < stale.0 && occlusion.1 < stale.1 - 0.02 && occlusion.1 == integrated.1);
    }

    /// Normalised AOPC and that of random orders.
    fn numbers(attribution: &Attribution) -> (f64, f64) {
        match attribution.checks.last() {
            Some(Check::Faithfulness { normalised, random, .. }) => (*normalised, *random),
            other => panic!("no faithfulness but {other:?}"),
        }
    }

    #[test]
    fn cancelling_ends_every_method() {
        for method in Method::ALL {
            assert_eq!(attribute(&mut Cancelled, method, &mut Context::new(1)), Err(OracleError::Cancelled));
        }
    }

    #[test]
    fn small_calls_change_nothing() {
        let weights: Vec<_> = (0..12).map(|word| f64::from(word % 5) / 3.0 - 0.4).collect();
        let explain = |context: Context| attribute(&mut Smooth::linear(0.0, &weights), Method::Lime, &mut { context });
        let samples = Samples { fit: 50, held_out: 20 };
        let wide = explain(Context::new(4).with_samples(samples));
        assert_eq!(wide, explain(Context::new(4).with_samples(samples).with_rows_per_call(0)));
    }
}
