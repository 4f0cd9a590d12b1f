//! How far a map of word scores has moved between two states of a model: in ranks, top words, signs and shares.

use pellucid_protocol::rank::{is_ranking, spearman};

use super::complexity::shares;

/// How far two maps of the same words agree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Movement {
    /// Spearman's rank correlation of the scores, in [-1, 1].
    pub spearman: f64,
    /// Intersection over union of the k words with the largest magnitudes of each map, in [0, 1].
    pub jaccard: f64,
    /// Share of k that is among these words in both maps and has the same sign in both, in [0, 1].
    pub sign: f64,
    /// Jensen-Shannon divergence of the [`shares`] in bits, in [0, 1].
    pub jsd: f64,
}

impl Movement {
    /// Compares two maps of the same words. k is a fifth of the words, rounded up; of equal magnitudes the first count.
    ///
    /// `None` where neither map ranks its words (see [`is_ranking`]), or the lengths differ. If only one map ranks its
    /// words, the two do not agree at all: correlation, overlap and signs are 0 and the divergence is 1.
    ///
    /// Source: names and definitions of feature and sign agreement as in `OpenXAI` (Agarwal et al. 2022,
    /// arXiv 2206.11104); following the maps of a probe set through training is the idea of the Reasoning
    /// Stabilization Point, arXiv 2601.11625.
    #[must_use]
    pub fn between(before: &[f64], after: &[f64]) -> Option<Self> {
        if before.len() != after.len() {
            return None;
        }
        match (is_ranking(before), is_ranking(after)) {
            (false, false) => None,
            (true, true) => Some(Self::of_rankings(before, after)),
            _ => Some(Self { spearman: 0.0, jaccard: 0.0, sign: 0.0, jsd: 1.0 }),
        }
    }

    fn of_rankings(before: &[f64], after: &[f64]) -> Self {
        let k = before.len().div_ceil(5);
        let (left, right) = (top(before, k), top(after, k));
        let both: Vec<usize> = left.iter().copied().filter(|word| right.contains(word)).collect();
        let same = both.iter().filter(|&&word| before[word].signum() == after[word].signum()).count();
        Self {
            spearman: spearman(before, after),
            jaccard: both.len() as f64 / (2 * k - both.len()) as f64,
            sign: same as f64 / k as f64,
            jsd: divergence(before, after),
        }
    }

    /// Explanation drift in [0, 2]: 1 - the rank correlation. It is 0 for the same ranking of the words, 1 for an
    /// unrelated one and 2 for the opposite one.
    #[must_use]
    pub fn drift(&self) -> f64 {
        1.0 - self.spearman
    }
}

/// The `k` words with the largest scores by magnitude.
fn top(scores: &[f64], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].abs().total_cmp(&scores[*a].abs()));
    order.truncate(k);
    order
}

fn divergence(before: &[f64], after: &[f64]) -> f64 {
    let (Some(left), Some(right)) = (shares(before), shares(after)) else { return 1.0 };
    let part = |share: f64, mean: f64| if share > 0.0 { share * (share / mean).log2() } else { 0.0 };
    let sum: f64 = left
        .iter()
        .zip(&right)
        .map(|(a, b)| {
            let mean = (a + b) / 2.0;
            (part(*a, mean) + part(*b, mean)) / 2.0
        })
        .sum();
    sum.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_same_map_agrees_in_everything_and_its_negative_in_words_alone() {
        let map = [0.5, -0.25, 0.125, 0.0, 0.0625, 0.03];
        let same = Movement::between(&map, &map.map(|score| 3.0 * score)).unwrap();
        assert_eq!((same.jaccard, same.sign, same.drift()), (1.0, 1.0, 0.0));
        assert!(same.jsd < 1e-12);
        let turned = Movement::between(&map, &map.map(|score| -score)).unwrap();
        assert_eq!((turned.spearman, turned.jaccard, turned.sign, turned.jsd), (-1.0, 1.0, 0.0, 0.0));
    }

    #[test]
    fn by_hand() {
        // k = 2: words 0 and 1 against 1 and 2; word 1 has another sign.
        let found = Movement::between(&[4.0, 3.0, 0.5, 0.1, 0.1, 0.0], &[0.0, -3.0, 4.0, 0.1, 0.1, 0.0]).unwrap();
        assert_eq!((found.jaccard, found.sign), (1.0 / 3.0, 0.0));
        // Shares (1, 0) and (1/2, 1/2): 1/2 log2(4/3) + 1/2 (1/2 log2(2/3) + 1/2 log2(2)).
        let found = Movement::between(&[1.0, 0.0], &[1.0, -1.0]).unwrap();
        let expected = 0.5 * (4.0_f64 / 3.0).log2() + 0.25 * (2.0_f64 / 3.0).log2() + 0.25;
        assert!((found.jsd - expected).abs() < 1e-12);
        assert_eq!(Movement::between(&[1.0, 0.0], &[0.0, 1.0]).unwrap().jsd, 1.0);
    }

    #[test]
    fn maps_that_say_nothing() {
        let nothing = Movement { spearman: 0.0, jaccard: 0.0, sign: 0.0, jsd: 1.0 };
        assert_eq!(Movement::between(&[0.0, 0.0], &[1.0, 0.0]), Some(nothing));
        for (a, b) in [(&[0.0, 0.0][..], &[0.0, 0.0][..]), (&[], &[]), (&[1.0], &[2.0]), (&[1.0, 2.0], &[1.0])] {
            assert_eq!(Movement::between(a, b), None);
        }
    }

    proptest! {
        #[test]
        fn all_within_their_ranges_and_symmetric(pairs in prop::collection::vec((-3..4_i32, -3..4_i32), 2..12)) {
            let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().map(|(a, b)| (f64::from(a), f64::from(b))).unzip();
            if let (Some(one), Some(other)) = (Movement::between(&a, &b), Movement::between(&b, &a)) {
                prop_assert_eq!(one.jaccard, other.jaccard);
                prop_assert!((one.jsd - other.jsd).abs() < 1e-12 && one.sign <= 1.0 && one.jaccard <= 1.0);
                prop_assert!((0.0..=1.0).contains(&one.jsd) && (0.0..=2.0).contains(&one.drift()));
            }
        }
    }
}
