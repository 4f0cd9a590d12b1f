//! Integrated gradients, with as many nodes as completeness needs.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Baseline, Check, Method};

use super::quadrature::{Node, gauss_legendre};
use crate::context::{Context, Steps};
use crate::explainer::{Explainer, Removes, Text, Work};
use crate::oracle::{Answer, GRADIENT_COST, OracleError, PathPoint, Slopes, check_numbers};

/// Nodes of the first attempt.
pub const FIRST_STEPS: usize = 16;
/// Nodes of the last attempt.
pub const MOST_STEPS: usize = 256;
/// Most points in one call of the oracle: each costs a backward pass, so a call is about as large as a training step.
pub const POINTS_PER_CALL: usize = 32;
/// Smallest |F(input) - F(baseline)| that counts as a change, relative to the largest of 1, |F(input)| and
/// |F(baseline)|: models compute in f32.
pub const CHANGE: f64 = 1e-5;

/// [`Method::IntegratedGradients`].
pub(crate) const EXPLAINER: Explainer =
    Explainer::new(Method::IntegratedGradients, Scalar::Logit, Removes::Nothing, Work { score, cost });

/// Most often two rules suffice.
fn cost(_: usize, context: &Context) -> f64 {
    let points = match context.steps {
        Steps::Enough => 3 * FIRST_STEPS,
        Steps::Fixed(steps) => steps,
    };
    points as f64 * GRADIENT_COST
}

fn score(Text { explainer, oracle, context, watch }: Text) -> Answer<Attribution> {
    let (blank, baseline) = (explainer.blank(context), context.baseline);
    let path = Path { baseline, scalar: blank.scalar, steps: context.steps };
    let of = |found: &Integrated, checks| Attribution {
        scores: found.scores.clone(),
        start: found.start,
        evaluations: found.evaluations,
        baseline: Some(baseline),
        checks,
        ..blank.clone()
    };
    let found = refined(oracle, path, &mut |so_far| watch(&of(so_far, Vec::new())))?;
    Ok(of(&found, vec![found.check]))
}

/// What is integrated, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// Where the path starts.
    pub baseline: Baseline,
    /// The number F that is explained.
    pub scalar: Scalar,
    /// How many nodes the quadrature has.
    pub steps: Steps,
}

/// Integrated gradients of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Integrated {
    /// Per word, in units of the scalar F; they add up to F(input) - F(baseline).
    pub scores: Vec<f64>,
    /// F(baseline), to which the scores add F(input) - F(baseline); `None` without words.
    pub start: Option<f64>,
    /// [`Check::Completeness`], or [`Check::Undefined`] if F(input) - F(baseline) is only rounding.
    pub check: Check,
    /// Points asked of the oracle.
    pub evaluations: usize,
}

/// Integrated gradients along the straight path from the baseline to the input.
///
/// IG_w = sum_k weight_k slopes_w(alpha_k) over a Gauss-Legendre rule. With [`Steps::Enough`] the rule starts with
/// [`FIRST_STEPS`] nodes and doubles until the completeness gap is at most [`Check::COMPLETENESS_LIMIT`] or
/// [`MOST_STEPS`] are used; the scores are those of the last rule.
///
/// The gap is |sum of scores - (F(input) - F(baseline))| / |F(input) - F(baseline)|. Where that difference is only
/// rounding ([`CHANGE`]), a relative gap means nothing. The check is then [`Check::Undefined`], which does not pass,
/// and the gap is taken relative to the rounding.
///
/// Cost: 2 points for the ends and at most 16 + 32 + 64 + 128 + 256 = 496 more.
///
/// Source: Sundararajan et al. 2017, arXiv 1703.01365, sections 3 and 5; quadrature as captum's
/// `gausslegendre`.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn integrated_gradients(oracle: &mut dyn Slopes, path: Path) -> Answer<Integrated> {
    refined(oracle, path, &mut |_| {})
}

/// [`integrated_gradients`]; `watch` gets what a rule gives that is not the last.
fn refined(oracle: &mut dyn Slopes, path: Path, watch: &mut dyn FnMut(&Integrated)) -> Answer<Integrated> {
    if oracle.words() == 0 {
        return Ok(Integrated { scores: Vec::new(), start: None, check: Check::Undefined, evaluations: 0 });
    }
    let (mut steps, most) = match path.steps {
        Steps::Enough => (FIRST_STEPS, MOST_STEPS),
        Steps::Fixed(steps) => (steps.max(1), steps),
    };
    let mut rule = gauss_legendre(steps);
    // The ends go with the first rule, which saves a call.
    let ends = [0.0, 1.0].into_iter();
    let mut found = points(oracle, path, &ends.chain(rule.iter().map(|node| node.at)).collect::<Vec<_>>())?;
    let inner = found.split_off(2);
    let change = Change::between(&found[0], &found[1]);
    let (mut scores, mut evaluations) = (integral(&rule, inner, oracle.words()), 2 + steps);
    loop {
        let gap = change.gap(&scores);
        let found = Integrated { scores, start: Some(change.start), check: change.check(gap, steps), evaluations };
        if gap <= Check::COMPLETENESS_LIMIT || steps >= most {
            return Ok(found);
        }
        watch(&found);
        steps *= 2;
        rule = gauss_legendre(steps);
        let inner = points(oracle, path, &rule.iter().map(|node| node.at).collect::<Vec<_>>())?;
        (scores, evaluations) = (integral(&rule, inner, oracle.words()), evaluations + steps);
    }
}

/// What the scores must add up to.
struct Change {
    /// F(baseline).
    start: f64,
    /// F(input) - F(baseline).
    total: f64,
    /// `total` is rounding up to this size.
    noise: f64,
}

impl Change {
    fn between(start: &PathPoint, input: &PathPoint) -> Self {
        let (start, input) = (start.value, input.value);
        Self { start, total: input - start, noise: CHANGE * start.abs().max(input.abs()).max(1.0) }
    }

    fn gap(&self, scores: &[f64]) -> f64 {
        (scores.iter().sum::<f64>() - self.total).abs() / self.total.abs().max(self.noise)
    }

    fn check(&self, gap: f64, steps: usize) -> Check {
        if self.total.abs() > self.noise { Check::Completeness { gap, steps } } else { Check::Undefined }
    }
}

/// Sum over the nodes of weight x slopes.
fn integral(rule: &[Node], points: Vec<PathPoint>, words: usize) -> Vec<f64> {
    let mut scores = vec![0.0; words];
    for (node, point) in rule.iter().zip(points) {
        scores.iter_mut().zip(point.slopes).for_each(|(score, slope)| *score += node.weight * slope);
    }
    scores
}

fn points(oracle: &mut dyn Slopes, path: Path, alphas: &[f64]) -> Answer<Vec<PathPoint>> {
    let (words, mut all) = (oracle.words(), Vec::with_capacity(alphas.len()));
    for alphas in alphas.chunks(POINTS_PER_CALL) {
        let points = oracle.path(path.baseline, alphas, path.scalar)?;
        if points.len() != alphas.len() {
            return Err(OracleError::Failed(format!("the model gave {} points, not {}", points.len(), alphas.len())));
        }
        for point in &points {
            check_numbers(&[point.value], 1, "values")?;
            check_numbers(&point.slopes, words, "gradients")?;
        }
        all.extend(points);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fakes::{Cancelled, Smooth};

    fn path(baseline: Baseline) -> Path {
        Path { baseline, scalar: Scalar::Logit, steps: Steps::Enough }
    }

    fn explain(model: &mut dyn Slopes) -> Answer<Integrated> {
        integrated_gradients(model, path(Baseline::Pad))
    }

    #[test]
    fn the_path_begins_at_the_baseline() {
        // F = x^2 from 0 and, for masks, from 0.5.
        let of = |baseline| {
            integrated_gradients(&mut Smooth::polynomial(1, vec![(1.0, vec![2])]), path(baseline)).unwrap().scores[0]
        };
        assert!((of(Baseline::Zero) - 1.0).abs() < 1e-12 && (of(Baseline::Mask) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn the_number_of_nodes_and_the_scalar_can_be_chosen() {
        let mut steep = Smooth::tanh(&[150.0, -30.0]);
        let fixed = Path { steps: Steps::Fixed(10), scalar: Scalar::Margin, ..path(Baseline::Pad) };
        let found = integrated_gradients(&mut steep, fixed).unwrap();
        assert_eq!((found.evaluations, gap(found.check).1), (12, 10));
        let mut straight = Smooth::linear(0.5, &[2.0, -1.0]);
        let found = integrated_gradients(&mut straight, fixed).unwrap();
        assert!(found.scores.iter().zip([4.0, -2.0]).all(|(score, twice)| (score - twice).abs() < 1e-12));
    }

    fn gap(check: Check) -> (f64, usize) {
        match check {
            Check::Completeness { gap, steps } => (gap, steps),
            other => panic!("no completeness but {other:?}"),
        }
    }

    #[test]
    fn known_integral() {
        // F = x0^2 x1: the integrals of 2 a^2 and a^2.
        let mut model = Smooth::polynomial(2, vec![(1.0, vec![2, 1])]);
        let answer = explain(&mut model).unwrap();
        assert!((answer.scores[0] - 2.0 / 3.0).abs() < 1e-14);
        assert!((answer.scores[1] - 1.0 / 3.0).abs() < 1e-14);
        let (gap, steps) = gap(answer.check);
        assert!(gap < 1e-14 && steps == 16 && answer.evaluations == 18);
    }

    #[test]
    fn steep_logits_get_more_nodes() {
        let weights = [150.0, -30.0, 60.0];
        let mut model = Smooth::tanh(&weights);
        let answer = explain(&mut model).unwrap();
        let (gap, steps) = gap(answer.check);
        assert!(steps > 16 && gap <= Check::COMPLETENESS_LIMIT, "{gap} with {steps}");
        for (score, weight) in answer.scores.iter().zip(weights) {
            assert!((score - weight / 180.0).abs() <= 0.05 * (weight / 180.0_f64).abs());
        }
        assert!(model.path_calls.iter().all(|points| *points <= POINTS_PER_CALL));
        assert_eq!(model.path_calls.iter().sum::<usize>(), answer.evaluations);
    }

    #[test]
    fn a_jump_that_no_rule_sees_fails_its_check() {
        let answer = explain(&mut Smooth::tanh(&[1e7, 1e7])).unwrap();
        let (gap, steps) = gap(answer.check);
        assert!(steps == MOST_STEPS && gap > 0.9 && gap.is_finite());
        assert_eq!(answer.evaluations, 498);
        assert!(!answer.check.passes());
    }

    #[test]
    fn no_change_is_undefined_not_complete() {
        let constant = explain(&mut Smooth::linear(3.0, &[0.0, 0.0])).unwrap();
        assert_eq!(constant.scores, [0.0, 0.0]);
        assert_eq!((constant.check, constant.evaluations), (Check::Undefined, 18));
        let balanced = explain(&mut Smooth::linear(0.0, &[2.0, -2.0])).unwrap();
        assert!((balanced.scores[0] - 2.0).abs() < 1e-13 && balanced.check == Check::Undefined);
    }

    #[test]
    fn no_words_and_one_word() {
        let none = explain(&mut Smooth::linear(1.0, &[])).unwrap();
        assert_eq!((none.scores.len(), none.check, none.evaluations), (0, Check::Undefined, 0));
        let one = explain(&mut Smooth::linear(1.0, &[0.5])).unwrap();
        assert!((one.scores[0] - 0.5).abs() < 1e-14 && one.check.passes());
    }

    #[test]
    fn bad_answers_are_errors() {
        assert_eq!(explain(&mut Cancelled), Err(OracleError::Cancelled));
        let mut diverged = Smooth::new(1, |_| f64::NAN, |_| vec![0.0]);
        assert!(matches!(explain(&mut diverged), Err(OracleError::Failed(_))));
        let mut short = Smooth::new(2, |x| x[0], |_| vec![1.0]);
        assert!(matches!(explain(&mut short), Err(OracleError::Failed(_))));
    }

    proptest! {
        #[test]
        fn polynomials_are_complete(terms in prop::collection::vec((-3.0..3.0_f64, prop::collection::vec(0..4, 3)), 1..6)) {
            let mut model = Smooth::polynomial(3, terms);
            let total = model.at_input() - model.at_baseline();
            let answer = explain(&mut model).unwrap();
            prop_assert!((answer.scores.iter().sum::<f64>() - total).abs() < 1e-12);
        }
    }
}
