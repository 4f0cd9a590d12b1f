//! The entry: the scores of one method for a text, with the checks that say how far to trust them.

use pellucid_protocol::rank::is_ranking;
use pellucid_protocol::{Attribution, Check, Method, Verdict};

use crate::chance_test::Patience;
use crate::checks::{Case, checks};
use crate::context::{Context, Depth};
use crate::explainer::{Explainer, Text};
use crate::gradient::{self, integrated_gradients, smooth_gradient};
use crate::oracle::{Answer, Slopes};
use crate::shapley::{kernel_shap, shapley_values};
use crate::surrogate::{lime, tree};
use crate::{occlusion, rollout};

/// The explainer of each method. A new method is a file and a line here.
fn explainer(method: Method) -> &'static Explainer {
    match method {
        Method::Gradient => &gradient::NORM,
        Method::GradientInput => &gradient::TIMES_INPUT,
        Method::IntegratedGradients => &integrated_gradients::EXPLAINER,
        Method::SmoothGrad => &smooth_gradient::EXPLAINER,
        Method::Occlusion => &occlusion::MASK,
        Method::OcclusionDelete => &occlusion::DELETE,
        Method::Lime => &lime::EXPLAINER,
        Method::Tree => &tree::EXPLAINER,
        Method::KernelShap => &kernel_shap::EXPLAINER,
        Method::Shapley => &shapley_values::EXPLAINER,
        Method::Rollout => &rollout::EXPLAINER,
    }
}

/// Scores of one method for every word, with its checks: first the method's own (completeness of integrated gradients,
/// fidelity of a surrogate), then the test against chance, then the measures that have no limit. A gate that has no
/// meaning is [`Check::Undefined`], e.g. the test of scores that are all the same.
///
/// `evaluations` counts the different rows and points that the scores rest on, even if another method asked for them
/// before; those of the checks are not counted. `ms` is 0: the caller measures it.
///
/// A text without words gets no scores and undefined checks.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn attribute(oracle: &mut dyn Slopes, method: Method, context: &mut Context) -> Answer<Attribution> {
    let made = score(oracle, method, context, &mut |_| {})?;
    let graded = grade(oracle, made, context, Patience::Decide)?;
    figures(oracle, graded, context)
}

/// How many rows, each a forward pass of the whole text, the scores of a method cost in a text of `words` words: to say how
/// long they will take. Integrated gradients may need fewer or more.
#[must_use]
pub fn cost(method: Method, words: usize, context: &Context) -> f64 {
    (explainer(method).cost)(words, context)
}

/// The first part of [`attribute`]: scores with the method's own checks only. A method that draws passes its scores to
/// `watch` while they get more exact: with their standard errors and [`Check::Sampling`], and no gate passed yet.
///
/// # Errors
/// As [`attribute`].
pub fn score(
    oracle: &mut dyn Slopes,
    method: Method,
    context: &mut Context,
    watch: &mut dyn FnMut(&Attribution),
) -> Answer<Attribution> {
    let explainer = explainer(method);
    (explainer.score)(Text { explainer, oracle, context, watch })
}

/// The second part of [`attribute`]: adds the test against chance to scores from [`score`], or goes on with it. Where the
/// time ends, it stays undecided.
///
/// # Errors
/// As [`attribute`].
pub fn grade(
    oracle: &mut dyn Slopes,
    mut made: Attribution,
    context: &mut Context,
    patience: Patience,
) -> Answer<Attribution> {
    if context.depth == Depth::None {
        return Ok(made);
    }
    made.checks.retain(|check| !matches!(check, Check::Chance { .. }));
    let without_limit = made.checks.extract_if(.., |check| check.verdict() == Verdict::Informative).collect::<Vec<_>>();
    made.checks.push(match is_ranking(&made.scores) {
        true => context.chance(oracle, &made, patience)?,
        false => Check::Undefined,
    });
    made.checks.extend(without_limit);
    Ok(made)
}

/// The third part of [`attribute`]: adds the figures that the depth of the context asks for. Where the time ends, those
/// that were made by then.
///
/// # Errors
/// As [`attribute`].
pub fn figures(oracle: &mut dyn Slopes, mut made: Attribution, context: &mut Context) -> Answer<Attribution> {
    let found = checks(&mut Case { oracle, context, explainer: explainer(made.method), made: &made })?;
    made.checks.extend(found);
    Ok(made)
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::explanation::Scalar;

    use super::*;
    use crate::context::Samples;
    use crate::faithfulness::ranking;
    use crate::fakes::{Cancelled, Smooth};
    use crate::oracle::OracleError;

    fn all(oracle: &mut Smooth) -> Vec<Attribution> {
        let mut context = Context::new(1).with_depth(Depth::Figures);
        let mut found: Vec<_> =
            Method::ALL.iter().copied().map(|method| attribute(oracle, method, &mut context).unwrap()).collect();
        context.update(&mut found);
        found
    }

    fn watched(oracle: &mut Smooth, method: Method, watch: &mut dyn FnMut(&Attribution)) -> Attribution {
        let mut context = Context::new(1);
        let made = score(oracle, method, &mut context, watch).unwrap();
        grade(oracle, made, &mut context, Patience::Decide).unwrap()
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
            assert_eq!(found.scalar, explainer(found.method).scalar);
            assert!(found.evaluations > 0, "{found:?}");
            if found.method.is_signed() {
                assert_eq!(ranking(&found.scores, found.method), [0, 3, 2, 1], "{found:?}");
                // A tree of four words is too coarse to be told from chance.
                assert!(found.is_trusted() || found.method == Method::Tree, "{found:?}");
            }
        }
    }

    #[test]
    fn every_method_has_its_own_explainer() {
        assert!(Method::ALL.iter().all(|method| explainer(*method).method == *method));
    }

    #[test]
    fn each_method_brings_its_own_check_first() {
        for found in all(&mut Smooth::linear(-0.3, &[1.2, -0.7, 0.0, 0.4])) {
            let own = usize::from(matches!(found.method, Method::IntegratedGradients | Method::Lime | Method::Tree));
            assert!(matches!(found.checks[own], Check::Chance { rows: 14, .. }));
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
    fn methods_that_draw_are_watched_while_they_converge() {
        let weights: Vec<_> = (0..16).map(|word| f64::from(word % 5) / 3.0 - 0.4).collect();
        let mut model = Smooth::linear(0.0, &weights);
        for &method in Method::ALL {
            let mut seen: Vec<Attribution> = Vec::new();
            let mut watch = |so_far: &Attribution| seen.push(so_far.clone());
            let last = watched(&mut model, method, &mut watch);
            let converges = matches!(method, Method::Lime | Method::KernelShap | Method::Shapley);
            assert_eq!(seen.len() > 2, converges, "{method}");
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
        let (mut model, mut context) = (Smooth::linear(0.0, &weights), Context::new(1).with_depth(Depth::Figures));
        let mut found = vec![attribute(&mut model, Method::Occlusion, &mut context).unwrap()];
        assert!(matches!(faithfulness(&found[0]), Check::Faithfulness { exact: false, .. }));
        found.push(attribute(&mut model, Method::Shapley, &mut context).unwrap());
        context.update(&mut found);
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
                _ => assert!(matches!(faithfulness(&found), Check::Faithfulness { .. }), "{found:?}"),
            }
        }
    }

    #[test]
    fn updated_methods_have_the_same_bounds() {
        // Of the last two words either is enough, so that masking one alone shows nothing and the beam does
        // not begin with them; integrated gradients do.
        let one = |word: usize| (0..14).map(|other| i32::from(other == word)).collect::<Vec<_>>();
        let mut terms: Vec<_> = (0..12).map(|word| (0.01, one(word))).collect();
        terms.extend([(3.0, one(12)), (3.0, one(13)), (-3.0, (0..14).map(|word| i32::from(word > 11)).collect())]);
        let (mut oracle, mut context) = (Smooth::polynomial(14, terms), Context::new(1).with_depth(Depth::Figures));
        let mut explain = |method| attribute(&mut oracle, method, &mut context).unwrap();
        let mut found = [explain(Method::Occlusion), explain(Method::IntegratedGradients)];
        let stale = numbers(&found[0]);
        context.update(&mut found);
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
