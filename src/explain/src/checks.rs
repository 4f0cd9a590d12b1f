//! The checks beyond the gates: measures to be read beside a map, with no limit that a map must reach.

pub mod curves;
pub mod eraser;
pub mod infidelity;
pub mod kendall;
pub mod leave_one_out;
pub mod plausibility;
pub mod sensitivity;
pub mod stability;

use pellucid_protocol::check::Depth;
use pellucid_protocol::rank::is_ranking;
use pellucid_protocol::{Attribution, Check, Removal};

use crate::context::Context;
use crate::explainer::Explainer;
use crate::faithfulness::ranking;
use crate::oracle::masking::Masking;
use crate::oracle::{Answer, OracleError, Slopes};

/// Makes one check; `None` where it has no meaning for the map.
type Measure = fn(&mut Case) -> Answer<Option<Check>>;

/// All checks in the order in which they are shown, each with the depth from which on it is made. A new check is a file
/// and a line here.
const MEASURES: &[(Depth, Measure)] = &[
    (Depth::Figures, faithful),
    (Depth::Figures, eraser::check),
    (Depth::Figures, curves::check),
    (Depth::Figures, leave_one_out::check),
    (Depth::Figures, infidelity::check),
    (Depth::Figures, plausibility::check),
    (Depth::Full, stability::check),
    (Depth::Full, sensitivity::check),
];

/// A map to be checked, and the model that it explains.
pub(crate) struct Case<'a> {
    /// The model.
    pub(crate) oracle: &'a mut dyn Slopes,
    /// What the methods share on the text.
    pub(crate) context: &'a mut Context,
    /// Who made the map.
    pub(crate) explainer: &'a Explainer,
    /// The map.
    pub(crate) made: &'a Attribution,
}

impl Case<'_> {
    /// The words from the highest score down. `None` for scores that do not rank them (zero maps, texts of one word):
    /// a check would measure the order of the text.
    fn ranking(&self) -> Option<Vec<usize>> {
        is_ranking(&self.made.scores).then(|| ranking(&self.made.scores, self.made.method))
    }

    /// The probability of the text with words masked.
    fn masking(&mut self) -> Masking<'_> {
        self.context.masking(self.oracle, Removal::Mask)
    }
}

/// All checks of a map that the depth of its context asks for; where the time ends, those made by then.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub(crate) fn checks(case: &mut Case) -> Answer<Vec<Check>> {
    let depth = case.context.depth;
    let mut found = Vec::new();
    for (_, measure) in MEASURES.iter().filter(|(from, _)| depth >= *from) {
        match measure(case) {
            Ok(check) => found.extend(check),
            Err(OracleError::OutOfTime) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// [`Check::Faithfulness`] of scores that rank the words, where orders differ.
fn faithful(case: &mut Case) -> Answer<Option<Check>> {
    if case.ranking().is_none() {
        return Ok(None);
    }
    let check = case.context.faithfulness(case.oracle, case.made)?;
    Ok(Some(check).filter(|check| *check != Check::Undefined))
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::Method;

    use super::*;
    use crate::attribute::attribute;
    use crate::fakes::Smooth;

    const WEIGHTS: [f64; 4] = [1.2, -0.7, 0.0, 0.4];

    fn checks(model: &mut Smooth, method: Method, context: &mut Context) -> Vec<Check> {
        attribute(model, method, context).unwrap().checks
    }

    #[test]
    fn each_depth_adds_its_checks() {
        let count = |method, depth| {
            let mut context = Context::new(1).with_depth(depth);
            checks(&mut Smooth::linear(-0.3, &WEIGHTS), method, &mut context).len()
        };
        // Occlusion is its own leave-one-out; a norm has no sign, so nothing to add up.
        let counts =
            |method| [Depth::None, Depth::Gates, Depth::Figures, Depth::Full].map(|depth| count(method, depth));
        assert_eq!(counts(Method::Occlusion), [0, 1, 5, 5]);
        assert_eq!(counts(Method::Gradient), [0, 1, 5, 6]);
        assert_eq!(counts(Method::GradientInput), [0, 1, 6, 7]);
        assert_eq!(counts(Method::Lime), [2, 3, 8, 9]);
        assert_eq!(counts(Method::Shapley), [1, 2, 7, 7]);
    }

    #[test]
    fn marked_words_bring_plausibility() {
        let found = |marked: Vec<bool>| {
            let mut context = Context::new(1).with_depth(Depth::Figures).with_marked_words(marked);
            checks(&mut Smooth::linear(-0.3, &WEIGHTS), Method::Occlusion, &mut context)
        };
        let right = Check::Plausibility { f1: 1.0, iou: 1.0, auprc: 1.0 };
        assert!(found(vec![true, false, false, true]).contains(&right));
        assert!(!found(vec![]).iter().any(|check| matches!(check, Check::Plausibility { .. })));
        assert!(!found(vec![false; 4]).iter().any(|check| matches!(check, Check::Plausibility { .. })));
    }

    #[test]
    fn a_map_of_a_linear_logit_agrees_with_leaving_one_out() {
        for method in [Method::GradientInput, Method::Lime, Method::KernelShap, Method::Gradient] {
            let mut context = Context::new(1).with_depth(Depth::Figures);
            let found = checks(&mut Smooth::linear(-0.3, &WEIGHTS), method, &mut context);
            let tau = found.iter().find_map(|check| match check {
                Check::LeaveOneOut { tau } => Some(*tau),
                _ => None,
            });
            assert_eq!(tau, Some(1.0), "{method}");
        }
    }

    #[test]
    fn what_is_drawn_whole_is_stable() {
        let weights: Vec<_> = (0..14).map(|word| f64::from(word % 5) / 3.0 - 0.4).collect();
        let stable = |words: usize| {
            let mut context = Context::new(1).with_depth(Depth::Full);
            let found = checks(&mut Smooth::linear(-0.3, &weights[..words]), Method::KernelShap, &mut context);
            found.iter().find_map(|check| match check {
                Check::Stability { runs: 3, spearman } => Some(*spearman),
                _ => None,
            })
        };
        assert_eq!(stable(4), Some(1.0));
        assert!(stable(14).unwrap() > 0.5);
    }

    #[test]
    fn zero_maps_constants_and_one_word_have_no_measures() {
        for weights in [vec![], vec![0.7], vec![0.0; 5]] {
            // Attention ranks the words of a constant as well.
            for method in Method::ALL.iter().copied().filter(|method| *method != Method::Rollout) {
                let mut context = Context::new(1).with_depth(Depth::Full).with_marked_words(vec![true; weights.len()]);
                let found = checks(&mut Smooth::linear(0.4, &weights), method, &mut context);
                let allowed = |check: &Check| {
                    matches!(check, Check::Sensitivity { .. } | Check::Sampling { .. } | Check::Smoothing { .. })
                };
                let odd: Vec<_> = found
                    .iter()
                    .filter(|check| check.verdict() == pellucid_protocol::Verdict::Informative)
                    .filter(|check| !allowed(check))
                    .collect();
                assert!(odd.is_empty(), "{method}: {odd:?}");
            }
        }
    }
}
