//! Kendall's rank correlation.

/// tau-b in [-1, 1]: (P - Q) / sqrt((P + Q + T) (P + Q + U)) with P pairs in the same order on both sides, Q in
/// opposite order, T tied only on the left and U tied only on the right. In O(n^2).
///
/// `None` where a side is constant, there are fewer than two numbers, or the lengths differ.
///
/// Source: Kendall 1945; `scipy.stats.kendalltau`, which gives NaN where this gives `None`.
#[must_use]
pub fn kendall(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() {
        return None;
    }
    let (mut alike, mut opposed, mut tied_left, mut tied_right) = (0_u64, 0_u64, 0_u64, 0_u64);
    for (index, (a, b)) in left.iter().zip(right).enumerate() {
        for (c, d) in left.iter().zip(right).skip(index + 1) {
            match (a == c, b == d) {
                (true, true) => {}
                (true, false) => tied_left += 1,
                (false, true) => tied_right += 1,
                (false, false) if (a > c) == (b > d) => alike += 1,
                (false, false) => opposed += 1,
            }
        }
    }
    let ranked = alike + opposed;
    let scale = (((ranked + tied_left) as f64) * ((ranked + tied_right) as f64)).sqrt();
    (scale > 0.0).then(|| (alike as f64 - opposed as f64) / scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn same_opposite_and_textbook() {
        let scores = [0.3, -0.1, 0.0, 2.0];
        assert_eq!(kendall(&scores, &scores), Some(1.0));
        assert_eq!(kendall(&scores, &scores.map(|score| -score)), Some(-1.0));
        // One of six pairs the other way round.
        assert!((kendall(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).unwrap() - 4.0 / 6.0).abs() < 1e-15);
    }

    #[test]
    fn what_does_not_rank_has_no_correlation() {
        assert_eq!(kendall(&[], &[]), None);
        assert_eq!(kendall(&[1.0], &[2.0]), None);
        assert_eq!(kendall(&[1.0, 1.0], &[2.0, 3.0]), None);
        assert_eq!(kendall(&[1.0, 2.0], &[0.0, -0.0]), None);
        assert_eq!(kendall(&[1.0, 2.0], &[1.0, 2.0, 3.0]), None);
    }

    proptest! {
        #[test]
        fn symmetric_and_turned_by_a_sign(pairs in prop::collection::vec((-3..4_i32, -3..4_i32), 2..15)) {
            let (left, right): (Vec<_>, Vec<_>) = pairs.into_iter().map(|(a, b)| (f64::from(a), f64::from(b))).unzip();
            let found = kendall(&left, &right);
            prop_assert_eq!(found, kendall(&right, &left));
            prop_assert!(found.is_none_or(|tau| (-1.0..=1.0).contains(&tau)));
            let turned: Vec<_> = left.iter().map(|score| -score).collect();
            prop_assert_eq!(kendall(&turned, &right), found.map(|tau| -tau));
        }
    }
}
