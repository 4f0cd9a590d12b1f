//! Rankings of words by their scores, and how much two rankings agree.

/// Spearman's rank correlation in [-1, 1]: Pearson's correlation of the ranks, with average ranks for
/// ties.
///
/// 0 where it is not defined: one of the maps is constant (a zero map is), there are fewer than two
/// words, or the lengths differ.
///
/// Source: Spearman 1904; `scipy.stats.spearmanr`, which gives NaN where this gives 0.
#[must_use]
pub fn spearman(left: &[f64], right: &[f64]) -> f64 {
    if left.len() != right.len() || !is_ranking(left) || !is_ranking(right) {
        return 0.0;
    }
    pearson(&ranks(left), &ranks(right)).clamp(-1.0, 1.0)
}

/// Whether the scores rank anything: whether any two differ.
#[must_use]
pub fn is_ranking(scores: &[f64]) -> bool {
    scores.iter().any(|score| *score != scores[0])
}

/// Ranks from 1; ties have the mean of their ranks.
#[must_use]
pub fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<_> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut below = 0;
    for tied in order.chunk_by(|a, b| numbers[*a] == numbers[*b]) {
        let mean = below as f64 + (tied.len() + 1) as f64 / 2.0;
        tied.iter().for_each(|index| ranks[*index] = mean);
        below += tied.len();
    }
    ranks
}

/// Pearson's correlation of numbers that are not all equal.
fn pearson(left: &[f64], right: &[f64]) -> f64 {
    let (left, right) = (centred(left), centred(right));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&left, &right) / (product(&left, &left) * product(&right, &right)).sqrt()
}

fn centred(numbers: &[f64]) -> Vec<f64> {
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    numbers.iter().map(|number| number - mean).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn same_opposite_and_textbook() {
        let scores = [0.3, -0.1, 0.0, 2.0];
        assert_eq!(spearman(&scores, &scores), 1.0);
        assert_eq!(spearman(&scores, &scores.map(|score| -score)), -1.0);
        // 1 - 6 sum d^2 / n (n^2 - 1) with d = 0, 1, 1, 0.
        assert!((spearman(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]) - 0.8).abs() < 1e-15);
    }

    #[test]
    fn ties_share_their_ranks() {
        assert_eq!(ranks(&[5.0, 1.0, 5.0, 0.0, -0.0]), [4.5, 3.0, 4.5, 1.5, 1.5]);
        assert_eq!(ranks(&[]), Vec::<f64>::new());
    }

    #[test]
    fn what_does_not_rank_correlates_with_nothing() {
        let map = [0.1, 0.2];
        for flat in [[0.0, 0.0], [3.0, 3.0]] {
            assert_eq!((spearman(&map, &flat), spearman(&flat, &map), spearman(&flat, &flat)), (0.0, 0.0, 0.0));
        }
        assert_eq!((spearman(&[], &[]), spearman(&[1.0], &[2.0])), (0.0, 0.0));
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &map), 0.0);
    }

    fn maps() -> impl Strategy<Value = Vec<(f64, f64)>> {
        // Few distinct values, so that ties are common.
        prop::collection::vec((-3..4_i32, -3..4_i32), 2..12)
            .prop_map(|pairs| pairs.into_iter().map(|(a, b)| (f64::from(a), f64::from(b))).collect())
    }

    proptest! {
        #[test]
        fn spearman_sees_ranks_only(pairs in maps()) {
            let (left, right): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let found = spearman(&left, &right);
            prop_assert!((-1.0..=1.0).contains(&found));
            prop_assert_eq!(found, spearman(&right, &left));
            let stretched: Vec<_> = left.iter().map(|score| score.exp() * 7.0 - 2.0).collect();
            prop_assert_eq!(found, spearman(&stretched, &right));
            let turned: Vec<_> = left.iter().map(|score| -score).collect();
            prop_assert!((found + spearman(&turned, &right)).abs() < 1e-12);
            prop_assert!((found - spearman(&rotated(&left), &rotated(&right))).abs() < 1e-12);
        }
    }

    fn rotated(numbers: &[f64]) -> Vec<f64> {
        let mut numbers = numbers.to_vec();
        numbers.rotate_left(1);
        numbers
    }
}
