//! The areas under the deletion and the insertion curve.

use pellucid_protocol::Check;

use super::Case;
use crate::faithfulness::steps;
use crate::oracle::Answer;
use crate::oracle::masking::Masking;
use crate::oracle::word_set::WordSet;

/// [`Check::Curves`] of scores that rank the words.
pub(super) fn check(case: &mut Case) -> Answer<Option<Check>> {
    let Some(order) = case.ranking() else { return Ok(None) };
    let Curves { deletion, insertion } = curves(&mut case.masking(), &order)?;
    Ok(Some(Check::Curves { deletion, insertion }))
}

/// Two means of probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curves {
    /// While words are masked, the highest first.
    pub deletion: f64,
    /// While words are put into the masked text, the highest first.
    pub insertion: f64,
}

/// Areas under the probability as a function of the share of words masked (or put in), from none to all, by trapezoids
/// over all steps. For a text without words both are its probability.
///
/// Cost: at most 2 rows a word.
///
/// Source: Petsiuk et al. 2018, arXiv 1806.07421, with masked words in place of pixels.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn curves(masking: &mut Masking, order: &[usize]) -> Answer<Curves> {
    let words = masking.words();
    let deleted: Vec<_> = std::iter::once(WordSet::empty(words)).chain(steps(words, order)).collect();
    let inserted: Vec<_> = deleted.iter().map(|set| set.complement(words)).collect();
    masking.values(&[deleted.clone(), inserted.clone()].concat())?;
    Ok(Curves { deletion: area(&masking.values(&deleted)?), insertion: area(&masking.values(&inserted)?) })
}

/// Mean height of a curve over equal steps.
fn area(heights: &[f64]) -> f64 {
    match heights {
        [only] => *only,
        _ => {
            let pairs = heights.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
            pairs.sum::<f64>() / heights.len().saturating_sub(1).max(1) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Game};
    use crate::oracle::OracleError;
    use crate::oracle::masking::OutcomeCache;

    fn measured(game: &mut Game, order: &[usize]) -> Curves {
        curves(&mut Masking::new(game, &mut OutcomeCache::default()), order).unwrap()
    }

    #[test]
    fn additive_by_hand() {
        let curves = measured(&mut Game::additive(0.1, &[0.1, 0.4, 0.0, 0.2]), &[1, 3, 0, 2]);
        // 0.8, 0.4, 0.2, 0.1, 0.1 and 0.1, 0.5, 0.7, 0.8, 0.8.
        assert!((curves.deletion - (0.45 + 0.4 + 0.2 + 0.1) / 4.0).abs() < 1e-12, "{curves:?}");
        assert!((curves.insertion - (0.45 + 0.5 + 0.7 + 0.8) / 4.0).abs() < 1e-12, "{curves:?}");
    }

    #[test]
    fn a_constant_one_word_and_none() {
        let curves = measured(&mut Game::new(5, |_| 0.7), &[0, 1, 2, 3, 4]);
        assert!((curves.deletion - 0.7).abs() < 1e-12 && (curves.insertion - 0.7).abs() < 1e-12);
        let curves = measured(&mut Game::additive(0.25, &[0.5]), &[0]);
        assert_eq!(curves, Curves { deletion: 0.5, insertion: 0.5 });
        let curves = measured(&mut Game::new(0, |_| 0.7), &[]);
        assert_eq!(curves, Curves { deletion: 0.7, insertion: 0.7 });
        let answer = super::curves(&mut Masking::new(&mut Cancelled, &mut OutcomeCache::default()), &[0, 1, 2]);
        assert_eq!(answer, Err(OracleError::Cancelled));
    }
}
