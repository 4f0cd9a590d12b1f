//! ERASER's comprehensiveness and sufficiency.

use pellucid_protocol::Check;

use super::Case;
use crate::oracle::Answer;
use crate::oracle::masking::Masking;
use crate::oracle::word_set::WordSet;

/// Shares of the words that are taken, the highest scores first.
///
/// Source: DeYoung et al. 2020, arXiv 1911.03429, section 4.2; the default of `rationale_benchmark/metrics.py`.
pub const SHARES: [f64; 5] = [0.01, 0.05, 0.1, 0.2, 0.5];

/// [`Check::Eraser`] of scores that rank the words.
pub(super) fn check(case: &mut Case) -> Answer<Option<Check>> {
    let Some(order) = case.ranking() else { return Ok(None) };
    let Eraser { comprehensiveness, sufficiency } = eraser(&mut case.masking(), &order)?;
    Ok(Some(Check::Eraser { comprehensiveness, sufficiency }))
}

/// Two means of differences of probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eraser {
    /// Mean over the [`SHARES`] of p(text) - p(text without the highest words).
    pub comprehensiveness: f64,
    /// Mean over the [`SHARES`] of p(text) - p(the highest words alone).
    pub sufficiency: f64,
}

/// Measures `order`, the words from the highest score down. The number of words in a share is rounded up, so it is at
/// least one. As in the code of ERASER, and unlike its paper, the mean is over the shares alone. Both numbers are 0 for
/// a text without words.
///
/// Cost: at most 10 rows, and one for the text.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn eraser(masking: &mut Masking, order: &[usize]) -> Answer<Eraser> {
    let words = masking.words();
    let taken: Vec<WordSet> = SHARES.iter().map(|share| top(words, order, count(words, *share))).collect();
    let rest: Vec<WordSet> = taken.iter().map(|set| set.complement(words)).collect();
    // First asked for together: one call.
    masking.values(&[taken.clone(), rest.clone()].concat())?;
    let mut mean = |sets: &[WordSet]| Ok(masking.drops(sets)?.iter().sum::<f64>() / SHARES.len() as f64);
    Ok(Eraser { comprehensiveness: mean(&taken)?, sufficiency: if words > 0 { mean(&rest)? } else { 0.0 } })
}

/// Number of words in a share of a text, rounded up; the rounding of f64 must not count, e.g. in 0.1 of 30.
fn count(words: usize, share: f64) -> usize {
    (share * words as f64 - 1e-9).ceil() as usize
}

fn top(words: usize, order: &[usize], count: usize) -> WordSet {
    let mut set = WordSet::empty(words);
    order.iter().take(count).for_each(|word| set.insert(*word));
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Game};
    use crate::oracle::OracleError;
    use crate::oracle::masking::OutcomeCache;

    fn measured(game: &mut Game, order: &[usize]) -> Eraser {
        eraser(&mut Masking::new(game, &mut OutcomeCache::default()), order).unwrap()
    }

    #[test]
    fn shares_are_rounded_up() {
        assert_eq!(
            [1, 4, 10, 30, 100].map(|words| SHARES.map(|share| count(words, share))),
            [[1, 1, 1, 1, 1], [1, 1, 1, 1, 2], [1, 1, 1, 2, 5], [1, 2, 3, 6, 15], [1, 5, 10, 20, 50]]
        );
    }

    #[test]
    fn additive_by_hand() {
        // Four words: the first alone four times, then the first two.
        let eraser = measured(&mut Game::additive(0.1, &[0.1, 0.4, 0.0, 0.2]), &[1, 3, 0, 2]);
        assert!((eraser.comprehensiveness - (4.0 * 0.4 + 0.6) / 5.0).abs() < 1e-12);
        assert!((eraser.sufficiency - (4.0 * 0.3 + 0.1) / 5.0).abs() < 1e-12);
    }

    #[test]
    fn a_constant_one_word_and_none() {
        let eraser = measured(&mut Game::new(5, |_| 0.7), &[0, 1, 2, 3, 4]);
        assert_eq!(eraser, Eraser { comprehensiveness: 0.0, sufficiency: 0.0 });
        let eraser = measured(&mut Game::additive(0.25, &[0.5]), &[0]);
        assert_eq!(eraser, Eraser { comprehensiveness: 0.5, sufficiency: 0.0 });
        let eraser = measured(&mut Game::new(0, |_| 0.7), &[]);
        assert_eq!(eraser, Eraser { comprehensiveness: 0.0, sufficiency: 0.0 });
        let answer = super::eraser(&mut Masking::new(&mut Cancelled, &mut OutcomeCache::default()), &[0, 1, 2]);
        assert_eq!(answer, Err(OracleError::Cancelled));
    }
}
