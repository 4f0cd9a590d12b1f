//! When explanations stop changing in a training.

/// Number of evaluations in a row that must stay under the limit before maps count as converged.
pub const EVALUATIONS: usize = 3;

/// The step from which on every drift is at most `limit`, given `(step, drift)` of each evaluation in the order of
/// steps. `None` while there are fewer than [`EVALUATIONS`] such evaluations.
///
/// Source: the Reasoning Stabilization Point, arXiv 2601.11625: the earliest epoch after which the drift of a probe
/// set's attributions stays low. The distance, the limit and the number of evaluations are this project's choice. When
/// the learning rate falls to zero every map converges; the step still says which one does so first.
#[must_use]
pub fn converged_at(drifts: &[(u64, f64)], limit: f64) -> Option<u64> {
    let small = drifts.iter().rev().take_while(|(_, drift)| *drift <= limit).count();
    (small >= EVALUATIONS).then(|| drifts[drifts.len() - small].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_last_small_drifts() {
        let drifts = [(10, 0.9), (20, 0.05), (30, 0.3), (40, 0.1), (50, 0.02)];
        assert_eq!(converged_at(&drifts, 0.1), None, "two are not enough");
        let more: Vec<_> = drifts.into_iter().chain([(60, 0.1)]).collect();
        assert_eq!(converged_at(&more, 0.1), Some(40));
        assert_eq!(converged_at(&[(1, f64::NAN), (2, 0.0), (3, 0.0), (4, 0.0)], 0.1), Some(2));
        assert_eq!(converged_at(&[], 0.1), None);
    }
}
