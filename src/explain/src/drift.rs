//! How far a map of word scores has moved between two states of a model.

pub use pellucid_protocol::rank::{is_ranking, ranks, spearman};

/// Explanation drift in [0, 2]: 1 - [`spearman`] of the same text's scores before and after. 0 is the
/// same ranking of the words, 1 an unrelated one (also: one of the maps ranks nothing), 2 the opposite.
///
/// `None` where neither map ranks its words (one-word texts, constant maps): no ranking could change,
/// so such a text must not count in a mean over texts.
///
/// Source: following the attributions of a probe set through training is the idea of the Reasoning
/// Stabilization Point, arXiv 2601.11625; the distance is this project's choice.
#[must_use]
pub fn drift(before: &[f64], after: &[f64]) -> Option<f64> {
    (is_ranking(before) || is_ranking(after)).then(|| 1.0 - spearman(before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_the_distance_of_two_rankings() {
        let map = [0.1, 0.2];
        assert_eq!((drift(&map, &map), drift(&map, &[0.2, 0.1])), (Some(0.0), Some(2.0)));
        for flat in [[0.0, 0.0], [3.0, 3.0]] {
            assert_eq!((drift(&flat, &map), drift(&flat, &flat)), (Some(1.0), None));
        }
        assert_eq!((drift(&[], &[]), drift(&[1.0], &[2.0])), (None, None));
    }
}
