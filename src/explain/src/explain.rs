//! The door: one method's scores for a text, with the checks that say how far to trust them.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Check, Method};

use crate::bounds::Subsets;
use crate::context::{Context, Depth};
use crate::drift::is_ranking;
use crate::exhaustive::{TABLE_WORDS, exhaustive};
use crate::figures::{figures, stability};
use crate::gradient::{gradient_input, gradient_norm};
use crate::integrated::integrated_gradients;
use crate::kernel_shap::kernel_shap;
use crate::lime::{Lime, lime};
use crate::occlusion::occlusion;
use crate::oracle::{Answer, Slopes};
use crate::rollout::attention_rollout;
use crate::shapley::{self, Shapley};
use crate::smooth_gradient::{SIGMA, smooth_gradient};
use crate::table::Masking;
use crate::tree::tree;

/// Scores of one method for every word, with its checks: the method's own first (completeness of
/// integrated gradients, fidelity of a surrogate), then faithfulness, then figures to be read. A gate is
/// [`Check::Undefined`] where it has no meaning, e.g. faithfulness of scores that are all the same.
///
/// What is explained is [`Context::scalar`]. `evaluations` counts the different
/// rows and points that the scores rest on, whether or not another method had already asked for them; those
/// for checks are not among them. `ms` is 0: it is the caller's to measure.
///
/// A text without words gets no scores and undefined checks.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn attribute(oracle: &mut dyn Slopes, method: Method, context: &mut Context) -> Answer<Attribution> {
    attribute_watched(oracle, method, context, &mut |_| {})
}

/// As [`attribute`], and `watch` gets the scores of methods that draw while they are refined: with their
/// standard errors and [`Check::Sampling`], and no gate passed yet.
///
/// # Errors
/// As [`attribute`].
pub fn attribute_watched(
    oracle: &mut dyn Slopes,
    method: Method,
    context: &mut Context,
    watch: &mut dyn FnMut(&Attribution),
) -> Answer<Attribution> {
    let made = score(oracle, method, context, watch)?;
    check(oracle, made, context)
}

/// Adds to scores with the method's own checks, as [`score`] gives them, those that all methods share.
///
/// # Errors
/// As [`attribute`].
pub fn check(oracle: &mut dyn Slopes, mut made: Attribution, context: &mut Context) -> Answer<Attribution> {
    let own_figures = made.checks.extract_if(.., |check| !check.passes() && !check.fails()).collect::<Vec<_>>();
    made.checks.push(match is_ranking(&made.scores) {
        true => context.faithfulness(oracle, &made)?,
        false => Check::Undefined,
    });
    made.checks.extend(own_figures);
    if context.depth >= Depth::Figures {
        let found = figures(oracle, &made, context)?;
        made.checks.extend(found);
    }
    if context.depth >= Depth::Full {
        made.checks.extend(stability(oracle, &made, context)?);
    }
    Ok(made)
}

/// The number that a method explains if nothing else is asked for: gradients the logit, rollout nothing but the
/// text, the other methods the probability.
#[must_use]
pub fn usual_scalar(method: Method) -> Scalar {
    match method {
        Method::Gradient | Method::GradientInput | Method::IntegratedGradients | Method::SmoothGrad => Scalar::Logit,
        Method::Occlusion
        | Method::OcclusionDelete
        | Method::Lime
        | Method::Tree
        | Method::KernelShap
        | Method::Shapley => Scalar::Probability,
        Method::Rollout => Scalar::Attention,
    }
}

/// The first half of [`attribute_watched`]: scores with the method's own checks alone.
///
/// # Errors
/// As [`attribute`].
pub fn score(
    oracle: &mut dyn Slopes,
    method: Method,
    context: &mut Context,
    watch: &mut dyn FnMut(&Attribution),
) -> Answer<Attribution> {
    let gradients = usize::from(oracle.words() > 0);
    let scalar = context.scalar(method);
    let made = |scores| plain(context, method, scores, gradients);
    match method {
        Method::Gradient => Ok(made(gradient_norm(oracle, scalar)?)),
        Method::GradientInput => Ok(made(gradient_input(oracle, scalar)?)),
        Method::IntegratedGradients => {
            let found = integrated_gradients(oracle, context.path())?;
            let made = plain(context, method, found.scores, found.evaluations);
            let (checks, baseline) = (vec![found.check], Some(context.baseline));
            Ok(Attribution { checks, baseline, start: found.start, ..made })
        }
        Method::SmoothGrad => score_smooth(oracle, context),
        Method::Occlusion | Method::OcclusionDelete => {
            let scores = occlusion(&mut context.masking_for(oracle, method))?;
            let rows = scores.len() + 1;
            Ok(plain(context, method, scores, rows))
        }
        Method::Lime => score_lime(oracle, context, watch),
        Method::Tree => score_tree(oracle, context),
        Method::KernelShap => score_kernel_shap(oracle, context, watch),
        Method::Shapley => score_shapley(oracle, context, watch),
        Method::Rollout => Ok(made(attention_rollout(oracle)?)),
    }
}

fn plain(context: &Context, method: Method, scores: Vec<f64>, evaluations: usize) -> Attribution {
    Attribution {
        method,
        scalar: context.scalar(method),
        scores,
        errors: Vec::new(),
        checks: Vec::new(),
        surrogate: None,
        tree: None,
        exhaustive: None,
        baseline: None,
        removal: context.removal(method),
        start: None,
        evaluations,
        seed: None,
        ms: 0.0,
    }
}

fn score_smooth(oracle: &mut dyn Slopes, context: &mut Context) -> Answer<Attribution> {
    let found = smooth_gradient(oracle, context.scalar(Method::SmoothGrad), context.seed)?;
    let draws = found.evaluations;
    let checks = vec![Check::Smoothing { sigma: SIGMA, draws }, sampling(&found.errors, (draws, draws))];
    let made = plain(context, Method::SmoothGrad, found.scores, draws);
    Ok(Attribution { errors: found.errors, checks, seed: Some(context.seed), ..made })
}

/// Held-out weighted R2 of LIME's surrogate; `None` where it is not defined.
pub(crate) fn fidelity(oracle: &mut dyn Slopes, context: &mut Context) -> Answer<Option<f64>> {
    let (samples, seed) = (context.samples, context.seed);
    Ok(lime(&mut context.masking_for(oracle, Method::Lime), samples, seed, &mut |_| {})?.held_out)
}

fn score_lime(
    oracle: &mut dyn Slopes,
    context: &mut Context,
    watch: &mut dyn FnMut(&Attribution),
) -> Answer<Attribution> {
    let (samples, seed) = (context.samples, context.seed);
    let blank = plain(context, Method::Lime, Vec::new(), 0);
    let of = |found: &Lime, checks: Vec<Check>| {
        let (scores, evaluations) = (found.surrogate.coefficients.clone(), found.rows);
        let made = Attribution { scores, evaluations, ..blank.clone() };
        let (errors, surrogate) = (found.errors.clone(), Some(found.surrogate.clone()));
        let start = Some(found.surrogate.intercept);
        Attribution { errors, checks, surrogate, start, seed: Some(seed), ..made }
    };
    let mut interim = |found: &Lime| watch(&of(found, vec![found.sampling()]));
    let found = lime(&mut context.masking_for(oracle, Method::Lime), samples, seed, &mut interim)?;
    Ok(of(&found, vec![found.check(), found.sampling()]))
}

fn score_tree(oracle: &mut dyn Slopes, context: &mut Context) -> Answer<Attribution> {
    let (samples, seed) = (context.samples, context.seed);
    let found = tree(&mut context.masking_for(oracle, Method::Tree), samples, seed)?;
    let made = plain(context, Method::Tree, found.scores, found.evaluations);
    Ok(Attribution { checks: vec![found.check], tree: Some(found.tree), seed: Some(seed), ..made })
}

fn score_kernel_shap(
    oracle: &mut dyn Slopes,
    context: &mut Context,
    watch: &mut dyn FnMut(&Attribution),
) -> Answer<Attribution> {
    let (samples, seed) = (context.samples, context.seed);
    let blank = plain(context, Method::KernelShap, Vec::new(), 0);
    let of = |found: &Shapley| Attribution { seed: Some(seed), ..values(&blank, found) };
    let mut masking = context.masking_for(oracle, Method::KernelShap);
    kernel_shap(&mut masking, samples, seed, &mut |found| watch(&of(found))).map(|found| of(&found))
}

fn score_shapley(
    oracle: &mut dyn Slopes,
    context: &mut Context,
    watch: &mut dyn FnMut(&Attribution),
) -> Answer<Attribution> {
    let (samples, seed) = (context.samples, context.seed);
    let blank = plain(context, Method::Shapley, Vec::new(), 0);
    if oracle.words() <= TABLE_WORDS {
        let mut masking = context.masking_for(oracle, Method::Shapley);
        shapley::ask_by_size(&mut masking, &mut |found| watch(&values(&blank, found)))?;
        context.ask_all_subsets(oracle)?;
    }
    if let Some(subsets) = &context.subsets {
        let mut masking = Masking::new(oracle, &mut context.table);
        let found = exhaustive(&mut masking, subsets, samples)?;
        // Of the same rows, the scalar that is asked for.
        let explained = Subsets::ask(&mut masking.of(blank.scalar))?;
        return Ok(Attribution { exhaustive: Some(found), ..values(&blank, &shapley::exact(&explained)) });
    }
    let of = |found: &Shapley| Attribution { seed: Some(seed), ..values(&blank, found) };
    let mut masking = context.masking_for(oracle, Method::Shapley);
    shapley::sampled(&mut masking, samples, seed, &mut |found| watch(&of(found))).map(|found| of(&found))
}

fn values(blank: &Attribution, found: &Shapley) -> Attribution {
    let checks = vec![sampling(&found.errors, (found.rows, found.planned))];
    let (scores, errors) = (found.scores.clone(), found.errors.clone());
    Attribution { scores, errors, checks, start: Some(found.nothing), evaluations: found.rows, ..blank.clone() }
}

fn sampling(errors: &[f64], (rows, planned): (usize, usize)) -> Check {
    Check::Sampling { rows, planned, error: errors.iter().copied().fold(0.0, f64::max) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Samples;
    use crate::faithfulness::order;
    use crate::fakes::{Cancelled, Smooth};
    use crate::oracle::OracleError;

    fn all(oracle: &mut Smooth) -> Vec<Attribution> {
        let mut context = Context::new(1);
        let mut found: Vec<_> =
            Method::ALL.iter().copied().map(|method| attribute(oracle, method, &mut context).unwrap()).collect();
        context.settle(&mut found);
        found
    }

    /// What is not finite is written as null.
    fn is_finite(attribution: &Attribution) -> bool {
        let checks = serde_json::to_string(&attribution.checks).unwrap();
        let numbers = attribution.scores.iter().chain(&attribution.errors);
        !checks.contains("null") && numbers.into_iter().all(|number| number.is_finite())
    }

    fn faithfulness(attribution: &Attribution) -> Check {
        let is_it = |check: &&Check| matches!(check, Check::Faithfulness { .. });
        attribution.checks.iter().find(is_it).copied().unwrap_or(Check::Undefined)
    }

    #[test]
    fn every_method_finds_the_words_of_a_linear_logit() {
        let weights = [1.2, -0.7, 0.0, 0.4];
        for found in all(&mut Smooth::linear(-0.3, &weights)) {
            assert_eq!(found.scalar, usual_scalar(found.method));
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
            let own = usize::from(matches!(found.method, Method::IntegratedGradients | Method::Lime | Method::Tree));
            assert!(matches!(found.checks[own], Check::Faithfulness { exact: true, .. }));
            match found.method {
                Method::IntegratedGradients => assert!(matches!(found.checks[0], Check::Completeness { .. })),
                Method::Lime | Method::Tree => assert!(matches!(found.checks[0], Check::Fidelity { .. })),
                _ => assert_eq!(own, 0),
            }
            assert!(found.checks[own + 1..].iter().all(|check| !check.passes() && !check.fails()));
        }
    }

    #[test]
    fn each_method_brings_what_is_its_own() {
        for found in all(&mut Smooth::linear(-0.3, &[1.2, -0.7, 0.0, 0.4])) {
            let (method, is) = (found.method, |method| found.method == method);
            let draws = matches!(method, Method::Lime | Method::Tree | Method::KernelShap | Method::SmoothGrad);
            assert_eq!(found.seed.is_some(), draws, "{method}");
            let with_errors =
                matches!(method, Method::Lime | Method::KernelShap | Method::SmoothGrad | Method::Shapley);
            assert_eq!(!found.errors.is_empty(), with_errors, "{method}");
            assert_eq!(found.surrogate.is_some(), is(Method::Lime));
            assert_eq!(found.tree.is_some(), is(Method::Tree));
            assert_eq!(found.exhaustive.is_some(), is(Method::Shapley));
            assert_eq!(found.baseline.is_some(), is(Method::IntegratedGradients));
        }
    }

    #[test]
    fn methods_that_draw_are_watched_while_they_settle() {
        let weights: Vec<_> = (0..16).map(|word| f64::from(word % 5) / 3.0 - 0.4).collect();
        let mut model = Smooth::linear(0.0, &weights);
        for &method in Method::ALL {
            let mut seen: Vec<Attribution> = Vec::new();
            let mut watch = |so_far: &Attribution| seen.push(so_far.clone());
            let last = attribute_watched(&mut model, method, &mut Context::new(1), &mut watch).unwrap();
            let settles = matches!(method, Method::Lime | Method::KernelShap | Method::Shapley);
            assert_eq!(seen.len() > 2, settles, "{method}");
            for so_far in &seen {
                assert!(!so_far.is_trusted() && so_far.errors.len() == 16);
                assert!(matches!(so_far.checks[..], [Check::Sampling { rows, planned, error }]
                    if rows < planned && error > 0.0));
            }
            assert!(is_finite(&last));
        }
    }

    #[test]
    fn scores_that_add_up_say_to_what() {
        for found in all(&mut Smooth::linear(-0.3, &[1.2, -0.7, 0.0, 0.4])) {
            let adds = [Method::IntegratedGradients, Method::Lime, Method::KernelShap, Method::Shapley];
            assert_eq!(found.ends().is_some(), adds.contains(&found.method), "{}", found.method);
            let Some((start, end)) = found.ends() else { continue };
            let logit = |shift: f64| 1.0 / (1.0 + (-shift).exp());
            let (nothing, whole) = (-0.3, -0.3 + 1.2 - 0.7 + 0.4);
            match found.method {
                Method::IntegratedGradients => assert!((end - start - (whole - nothing)).abs() < 0.05),
                Method::Lime => assert!((end - found.surrogate.unwrap().local_prediction).abs() < 1e-9),
                _ => assert!((start - logit(nothing)).abs() < 1e-9 && (end - logit(whole)).abs() < 1e-9),
            }
        }
    }

    #[test]
    fn a_known_table_makes_bounds_exact() {
        let weights: Vec<_> = (0..12).map(|word| f64::from(word % 5) / 3.0 - 0.4).collect();
        let (mut model, mut context) = (Smooth::linear(0.0, &weights), Context::new(1));
        let mut found = vec![attribute(&mut model, Method::Occlusion, &mut context).unwrap()];
        assert!(matches!(faithfulness(&found[0]), Check::Faithfulness { exact: false, .. }));
        found.push(attribute(&mut model, Method::Shapley, &mut context).unwrap());
        context.settle(&mut found);
        assert!(found.iter().all(|made| matches!(faithfulness(made), Check::Faithfulness { exact: true, .. })));
        assert_eq!(context.rows(), 4096);
        let exhaustive = found[1].exhaustive.as_ref().unwrap();
        assert_eq!((exhaustive.interactions.len(), exhaustive.best_order.len()), (66, 12));
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
        // Deleted words make other texts than masked ones.
        assert_eq!(context.rows(), 32);
        assert_eq!(evaluations(Method::GradientInput, &mut oracle, &mut context), 1);
        assert_eq!(evaluations(Method::OcclusionDelete, &mut oracle, &mut context), 5);
        assert_eq!(context.rows(), 32);
    }

    #[test]
    fn every_method_explains_the_scalar_that_is_asked_for() {
        let weights = [1.2, -0.7, 0.0, 0.4];
        let made = |method, scalar| {
            let mut context = Context::new(1).with_scalar(Some(scalar));
            attribute(&mut Smooth::linear(-0.3, &weights), method, &mut context).unwrap()
        };
        for method in Method::ALL.iter().copied().filter(|method| !matches!(method, Method::Tree | Method::Rollout)) {
            let (logit, margin) = (made(method, Scalar::Logit), made(method, Scalar::Margin));
            assert_eq!((logit.scalar, margin.scalar), (Scalar::Logit, Scalar::Margin));
            for ((logit, margin), weight) in logit.scores.iter().zip(&margin.scores).zip(weights) {
                let size = if method.is_signed() { weight } else { weight.abs() };
                // The penalty of a ridge is all that is between it and a line's own weights.
                assert!(
                    (logit - size).abs() < 0.01 && (margin - 2.0 * size).abs() < 0.02,
                    "{method}: {logit} {margin}"
                );
            }
        }
        assert_eq!(made(Method::Rollout, Scalar::Logit).scalar, Scalar::Attention);
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
                // What noise makes of the slopes.
                Method::SmoothGrad => {}
                _ => assert!(faithfulness(&found).passes(), "{found:?}"),
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
        match faithfulness(attribution) {
            Check::Faithfulness { normalised, random, .. } => (normalised, random),
            other => panic!("no faithfulness but {other:?}"),
        }
    }

    #[test]
    fn cancelling_ends_every_method() {
        for &method in Method::ALL {
            assert_eq!(attribute(&mut Cancelled, method, &mut Context::new(1)), Err(OracleError::Cancelled));
        }
    }

    #[test]
    fn small_calls_change_nothing() {
        let weights: Vec<_> = (0..12).map(|word| f64::from(word % 5) / 3.0 - 0.4).collect();
        let explain = |context: Context| attribute(&mut Smooth::linear(0.0, &weights), Method::Lime, &mut { context });
        let samples = Samples { fit: 50, held_out: 20, scale: 5000 };
        let wide = explain(Context::new(4).with_samples(samples));
        assert_eq!(wide, explain(Context::new(4).with_samples(samples).with_rows_per_call(0)));
    }
}
