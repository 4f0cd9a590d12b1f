//! Plausibility: whether the highest scores are on the words that a person marked as the reason.

use std::collections::HashSet;

use pellucid_protocol::rank::is_ranking;
use pellucid_protocol::{Check, Method};

use super::Case;
use crate::faithfulness::ranking;
use crate::oracle::Answer;

/// [`Check::Plausibility`] where a person marked words.
pub(super) fn check(case: &mut Case) -> Answer<Option<Check>> {
    let found = plausibility(&case.made.scores, case.made.method, &case.context.marked);
    Ok(found.map(|Plausibility { f1, iou, auprc }| Check::Plausibility { f1, iou, auprc }))
}

/// How well a map agrees with a rationale; all in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plausibility {
    /// F1 of the words with the highest scores, as many as are marked (so precision and recall are the same).
    pub f1: f64,
    /// Intersection over union of the same words and the marked ones.
    pub iou: f64,
    /// Area under the precision-recall curve, by trapezoids.
    pub auprc: f64,
}

/// Compares the scores with the `marked` words. Words that speak against the class are no reason for it: for the area
/// their scores count as 0.
///
/// `None` where there is nothing to compare: no word is marked, the scores do not rank the words (zero maps, texts of
/// one word), or the lengths differ.
///
/// Source: DeYoung et al. 2020, arXiv 1911.03429, section 4.1: token F1 and IoU of hard rationales, AUPRC of
/// soft ones as `auc(recall, precision)` of scikit-learn's `precision_recall_curve`.
#[must_use]
pub fn plausibility(scores: &[f64], method: Method, marked: &[bool]) -> Option<Plausibility> {
    let count = marked.iter().filter(|marked| **marked).count();
    if count == 0 || scores.len() != marked.len() || !is_ranking(scores) {
        return None;
    }
    let chosen: HashSet<usize> = ranking(scores, method).into_iter().take(count).collect();
    let both = chosen.iter().filter(|word| marked[**word]).count() as f64;
    let heights: Vec<f64> = scores.iter().map(|score| height(*score, method)).collect();
    Some(Plausibility {
        f1: both / count as f64,
        iou: both / (2.0 * count as f64 - both),
        auprc: auprc(&heights, marked, count),
    })
}

fn height(score: f64, method: Method) -> f64 {
    if method.is_signed() { score.max(0.0) } else { score.abs() }
}

/// Words with equal scores are taken together; the curve begins at recall 0 with precision 1.
fn auprc(heights: &[f64], marked: &[bool], count: usize) -> f64 {
    let mut order: Vec<_> = (0..heights.len()).collect();
    order.sort_by(|a, b| heights[*b].total_cmp(&heights[*a]));
    let (mut hits, mut taken, mut area) = (0.0, 0.0, 0.0);
    let (mut recall, mut precision) = (0.0, 1.0);
    for tied in order.chunk_by(|a, b| heights[*a] == heights[*b]) {
        hits += tied.iter().filter(|word| marked[**word]).count() as f64;
        taken += tied.len() as f64;
        let (next_recall, next_precision) = (hits / count as f64, hits / taken);
        area += (next_recall - recall) * (next_precision + precision) / 2.0;
        (recall, precision) = (next_recall, next_precision);
    }
    area
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn measured(scores: &[f64], marked: &[bool]) -> Option<Plausibility> {
        plausibility(scores, Method::Lime, marked)
    }

    #[test]
    fn right_wrong_and_half() {
        let marked = [true, true, false, false];
        assert_eq!(measured(&[0.9, 0.5, 0.1, -0.3], &marked), Some(Plausibility { f1: 1.0, iou: 1.0, auprc: 1.0 }));
        let wrong = measured(&[0.1, 0.2, 0.8, 0.9], &marked).unwrap();
        // (0, 1), (0, 0), (0, 0), (1/2, 1/3), (1, 1/2)
        let area = 0.5 * (1.0 / 3.0) / 2.0 + 0.5 * (1.0 / 3.0 + 0.5) / 2.0;
        assert!(wrong.f1 == 0.0 && wrong.iou == 0.0 && (wrong.auprc - area).abs() < 1e-12);
        let half = measured(&[0.9, 0.1, 0.8, 0.2], &marked).unwrap();
        assert!(half.f1 == 0.5 && (half.iou - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn words_against_the_class_are_no_reason_but_magnitudes_are() {
        let (scores, marked) = ([-0.9, 0.1, 0.2], [true, false, false]);
        assert_eq!(measured(&scores, &marked).unwrap().f1, 0.0);
        assert_eq!(plausibility(&scores, Method::Gradient, &marked).unwrap().f1, 1.0);
    }

    #[test]
    fn where_nothing_can_agree() {
        assert_eq!(measured(&[0.1, 0.2], &[false, false]), None);
        assert_eq!(measured(&[0.0, 0.0], &[true, false]), None);
        assert_eq!((measured(&[0.5], &[true]), measured(&[], &[])), (None, None));
        assert_eq!(measured(&[0.5, 0.1], &[true]), None);
        assert_eq!(measured(&[0.5, 0.1], &[true, true]).unwrap().auprc, 1.0);
    }

    proptest! {
        #[test]
        fn all_within_zero_and_one(words in prop::collection::vec((-2..3_i32, any::<bool>()), 1..12)) {
            let (scores, marked): (Vec<_>, Vec<_>) = words.into_iter().map(|(s, m)| (f64::from(s), m)).unzip();
            if let Some(found) = measured(&scores, &marked) {
                let within = |number: f64| (0.0..=1.0 + 1e-12).contains(&number);
                prop_assert!(within(found.f1) && within(found.iou) && within(found.auprc));
                prop_assert!(found.iou <= found.f1);
            }
        }
    }
}
