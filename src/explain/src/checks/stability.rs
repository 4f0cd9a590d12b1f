//! Stability: whether another seed ranks the words in the same way.

use pellucid_protocol::Check;
use pellucid_protocol::rank::spearman;

use super::Case;
use crate::explainer::Text;
use crate::oracle::Answer;

/// Number of seeds over which stability is measured.
pub const RUNS: u64 = 3;

/// [`Check::Stability`] of scores that are drawn and rank the words.
pub(super) fn check(case: &mut Case) -> Answer<Option<Check>> {
    let Some(seed) = case.made.seed.filter(|_| case.ranking().is_some()) else { return Ok(None) };
    let mut maps = vec![case.made.scores.clone()];
    for step in 1..RUNS {
        case.context.seed = seed.wrapping_add(step);
        let (oracle, context) = (&mut *case.oracle, &mut *case.context);
        let text = Text { explainer: case.explainer, oracle, context, watch: &mut |_| {} };
        let again = (case.explainer.score)(text);
        case.context.seed = seed;
        maps.push(again?.scores);
    }
    Ok(Some(Check::Stability { runs: maps.len(), spearman: agreement(&maps) }))
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

    #[test]
    fn agreement_is_the_mean_over_pairs() {
        let maps = [vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0], vec![3.0, 2.0, 1.0]];
        assert!((agreement(&maps) + 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((agreement(&maps[..1]), agreement(&[])), (1.0, 1.0));
        assert_eq!(agreement(&[vec![0.0, 0.0], vec![1.0, 2.0]]), 0.0);
    }
}
