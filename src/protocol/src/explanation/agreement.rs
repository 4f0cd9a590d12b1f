//! How much methods agree about the words of one text.

use crate::explanation::rank::{is_ranking, spearman};
use crate::explanation::{Attribution, Explanation};

/// Spearman's rank correlation of two methods' scores, in [-1, 1]; of their absolute values if one method has no signs.
///
/// `None` if one of them ranks nothing (one word, a constant map) or they have different numbers of words.
#[must_use]
pub fn agreement(left: &Attribution, right: &Attribution) -> Option<f64> {
    let signed = left.method.is_signed() && right.method.is_signed();
    let side =
        |scores: &[f64]| -> Vec<f64> { scores.iter().map(|score| if signed { *score } else { score.abs() }).collect() };
    let (left, right) = (side(&left.scores), side(&right.scores));
    let defined = left.len() == right.len() && is_ranking(&left) && is_ranking(&right);
    defined.then(|| spearman(&left, &right))
}

/// 1 - the mean of [`agreement`] over all pairs of methods whose scores have signs, in [0, 2]: 0 if all rank the words
/// the same way. `None` with fewer than two such methods, or if no pair has an agreement.
#[must_use]
pub fn disagreement(explanation: &Explanation) -> Option<f64> {
    let signed: Vec<&Attribution> = explanation.attributions.iter().filter(|made| made.method.is_signed()).collect();
    let pairs =
        signed.iter().enumerate().flat_map(|(at, left)| signed[at + 1..].iter().map(move |right| (left, right)));
    let found: Vec<f64> = pairs.filter_map(|(left, right)| agreement(left, right)).collect();
    (!found.is_empty()).then(|| 1.0 - found.iter().sum::<f64>() / found.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explanation::method::Method;

    fn made(method: Method, scores: &[f64]) -> Attribution {
        let text = format!(
            r#"{{"method":"{method}","scalar":"logit","scores":{scores:?},"checks":[],"surrogate":null,
            "evaluations":1,"seed":null,"ms":1.0}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn explained(attributions: Vec<Attribution>) -> Explanation {
        let text = r#"{"request":1,"step":9,"sample":null,"text":"a b c","words":[[0,1],[2,3],[4,5]],
            "probabilities":[1.0],"teacher_probabilities":null,"target":0,"label":null,"rationale":[],
            "truncated_words":0,"attributions":[],"partial":false}"#;
        Explanation { attributions, ..serde_json::from_str(text).unwrap() }
    }

    #[test]
    fn without_signs_sizes_are_compared() {
        let (lime, norm) = (made(Method::Lime, &[0.1, -0.9, 0.3]), made(Method::Gradient, &[1.0, 9.0, 3.0]));
        assert_eq!(agreement(&lime, &norm), Some(1.0));
        assert_eq!(agreement(&lime, &made(Method::Occlusion, &[0.1, -0.9, 0.3])), Some(1.0));
        assert_eq!(agreement(&lime, &made(Method::Occlusion, &[-0.1, 0.9, -0.3])), Some(-1.0));
    }

    #[test]
    fn what_ranks_nothing_agrees_with_nothing() {
        let lime = made(Method::Lime, &[0.1, -0.9, 0.3]);
        for other in [&[0.0, 0.0, 0.0][..], &[0.5], &[]] {
            assert_eq!(agreement(&lime, &made(Method::Occlusion, other)), None);
        }
        assert_eq!(disagreement(&explained(vec![])), None);
        assert_eq!(disagreement(&explained(vec![lime.clone()])), None);
        assert_eq!(disagreement(&explained(vec![lime, made(Method::Occlusion, &[0.0; 3])])), None);
    }

    #[test]
    fn disagreement_is_a_mean_over_pairs_with_signs() {
        let lime = made(Method::Lime, &[1.0, 2.0, 3.0]);
        let (same, turned) = (made(Method::Occlusion, &[0.1, 0.2, 0.3]), made(Method::Shapley, &[3.0, 2.0, 1.0]));
        let norm = made(Method::Gradient, &[5.0, 1.0, 2.0]);
        let mixed = explained(vec![lime.clone(), same.clone(), norm.clone(), turned]);
        // Pairs: 1, -1, -1.
        assert!((disagreement(&mixed).unwrap() - 4.0 / 3.0).abs() < 1e-12);
        assert_eq!(disagreement(&explained(vec![lime, same, norm])), Some(0.0));
    }
}
