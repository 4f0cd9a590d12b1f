//! When explanations stopped moving.

/// Evaluations that must stay under the limit before a map counts as settled.
pub const SETTLED_FOR: usize = 3;

/// The step of the earliest evaluation from which on every drift, of `(step, drift)` in the order of steps, is at most
/// `limit`; `None` while there are not [`SETTLED_FOR`] of them.
///
/// Source: the Reasoning Stabilization Point, arXiv 2601.11625: the earliest epoch after which the drift of a probe
/// set's attributions stays low. Distance, limit and the least number of evaluations are this project's choice. A
/// learning rate that falls to zero settles everything: what the step tells is which comes first.
#[must_use]
pub fn settled(drifts: &[(u64, f64)], limit: f64) -> Option<u64> {
    let calm = drifts.iter().rev().take_while(|(_, drift)| *drift <= limit).count();
    (calm >= SETTLED_FOR).then(|| drifts[drifts.len() - calm].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_calm_end() {
        let drifts = [(10, 0.9), (20, 0.05), (30, 0.3), (40, 0.1), (50, 0.02)];
        assert_eq!(settled(&drifts, 0.1), None, "two are not enough");
        let more: Vec<_> = drifts.into_iter().chain([(60, 0.1)]).collect();
        assert_eq!(settled(&more, 0.1), Some(40));
        assert_eq!(settled(&[(1, f64::NAN), (2, 0.0), (3, 0.0), (4, 0.0)], 0.1), Some(2));
        assert_eq!(settled(&[], 0.1), None);
    }
}
