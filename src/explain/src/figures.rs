//! The checks that have no limit: figures to be read beside a map.

use pellucid_protocol::{Attribution, Check, Method};

use crate::context::Context;
use crate::drift::{is_ranking, spearman};
use crate::eraser::{curves, eraser};
use crate::explain::score;
use crate::faithfulness::order;
use crate::infidelity::{COPIES, MASKINGS, infidelity, sensitivity};
use crate::kendall::kendall;
use crate::occlusion::occlusion;
use crate::oracle::{Answer, Slopes};
use crate::plausibility::plausibility;
use crate::table::{Masking, NOISE};

/// Seeds over which stability is measured.
pub const RUNS: u64 = 3;

/// ERASER, deletion and insertion, leave-one-out, infidelity, plausibility: those that have a meaning for the
/// map. None has one for scores that rank nothing (zero maps, one-word texts), because the order of the text
/// must not be measured for them.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub(crate) fn figures(oracle: &mut dyn Slopes, made: &Attribution, context: &mut Context) -> Answer<Vec<Check>> {
    if !is_ranking(&made.scores) {
        return Ok(Vec::new());
    }
    let (seed, order) = (context.seed, order(&made.scores, made.method));
    let mut masking = Masking::new(oracle, &mut context.table);
    let measured = eraser(&mut masking, &order)?;
    let areas = curves(&mut masking, &order)?;
    let tau = leave_one_out(&mut masking, made)?;
    let relative = if made.method.is_signed() { infidelity(&mut masking, &made.scores, seed)? } else { None };
    let agreement = plausibility(&made.scores, made.method, &context.marked);
    let always = [
        Check::Eraser { comprehensiveness: measured.comprehensiveness, sufficiency: measured.sufficiency },
        Check::Curves { deletion: areas.deletion, insertion: areas.insertion },
    ];
    let sometimes = [
        tau.map(|tau| Check::LeaveOneOut { tau }),
        relative.map(|relative| Check::Infidelity { relative, draws: MASKINGS }),
        agreement.map(|found| Check::Plausibility { f1: found.f1, iou: found.iou, auprc: found.auprc }),
    ];
    Ok(always.into_iter().chain(sometimes.into_iter().flatten()).collect())
}

/// Kendall's tau-b between the scores and what masking each word alone loses (by magnitude, for scores
/// without a sign). Nothing for occlusion, which is just that, and where no word loses anything.
///
/// Source: ferret's `tau-LOO`; Jain and Wallace 2019, arXiv 1902.10186.
fn leave_one_out(masking: &mut Masking, made: &Attribution) -> Answer<Option<f64>> {
    if made.method == Method::Occlusion {
        return Ok(None);
    }
    let mut losses = occlusion(masking)?;
    if losses.iter().all(|loss| loss.abs() <= NOISE) {
        return Ok(None);
    }
    if !made.method.is_signed() {
        losses.iter_mut().for_each(|loss| *loss = loss.abs());
    }
    Ok(kendall(&made.scores, &losses))
}

/// Stability of a map that was drawn, sensitivity of one that is a gradient.
///
/// # Errors
/// As [`figures`].
pub(crate) fn stability(oracle: &mut dyn Slopes, made: &Attribution, context: &mut Context) -> Answer<Vec<Check>> {
    let mut found = Vec::new();
    if let Some(seed) = made.seed.filter(|_| is_ranking(&made.scores)) {
        let mut maps = vec![made.scores.clone()];
        for step in 1..RUNS {
            context.seed = seed.wrapping_add(step);
            let again = score(oracle, made.method, context, &mut |_| {});
            context.seed = seed;
            maps.push(again?.scores);
        }
        found.push(Check::Stability { runs: maps.len(), spearman: agreement(&maps) });
    }
    let max = sensitivity(oracle, (made.method, made.scalar), context.seed)?;
    found.extend(max.map(|max| Check::Sensitivity { max, draws: COPIES }));
    Ok(found)
}

/// Mean Spearman correlation over all pairs of maps; 1 for fewer than two.
#[must_use]
pub fn agreement(maps: &[Vec<f64>]) -> f64 {
    let pairs =
        maps.iter().enumerate().flat_map(|(index, map)| maps[index + 1..].iter().map(move |other| (map, other)));
    let found: Vec<f64> = pairs.map(|(map, other)| spearman(map, other)).collect();
    if found.is_empty() { 1.0 } else { found.iter().sum::<f64>() / found.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Depth;
    use crate::explain::attribute;
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
        let counts = |method| [Depth::Gates, Depth::Figures, Depth::Full].map(|depth| count(method, depth));
        assert_eq!(counts(Method::Occlusion), [1, 4, 4]);
        assert_eq!(counts(Method::Gradient), [1, 4, 5]);
        assert_eq!(counts(Method::GradientInput), [1, 5, 6]);
        assert_eq!(counts(Method::Lime), [3, 7, 8]);
        assert_eq!(counts(Method::Shapley), [2, 6, 6]);
    }

    #[test]
    fn marked_words_bring_plausibility() {
        let found = |marked: Vec<bool>| {
            let mut context = Context::new(1).with_marked_words(marked);
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
            let found = checks(&mut Smooth::linear(-0.3, &WEIGHTS), method, &mut Context::new(1));
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
    fn zero_maps_constants_and_one_word_have_no_figures() {
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

    #[test]
    fn agreement_is_the_mean_over_pairs() {
        let maps = [vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0], vec![3.0, 2.0, 1.0]];
        assert!((agreement(&maps) + 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((agreement(&maps[..1]), agreement(&[])), (1.0, 1.0));
        assert_eq!(agreement(&[vec![0.0, 0.0], vec![1.0, 2.0]]), 0.0);
    }
}
