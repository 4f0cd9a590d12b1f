//! ERASER's comprehensiveness and sufficiency, and the areas under deletion and insertion curves.

use crate::faithfulness::steps;
use crate::oracle::Answer;
use crate::table::Masking;
use crate::word_set::WordSet;

/// Shares of the words that are taken, highest score first.
///
/// Source: DeYoung et al. 2020, arXiv 1911.03429, section 4.2; the default of `rationale_benchmark/metrics.py`.
pub const SHARES: [f64; 5] = [0.01, 0.05, 0.1, 0.2, 0.5];

/// Two means of differences of probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eraser {
    /// Mean over the [`SHARES`] of p(text) - p(text without the highest words).
    pub comprehensiveness: f64,
    /// Mean over the [`SHARES`] of p(text) - p(the highest words alone).
    pub sufficiency: f64,
}

/// Measures `order`, the words from the highest score down. Of a share the number of words is rounded up, so
/// that it is one at least; as in the code of ERASER, and unlike its paper, the mean is over the shares alone.
/// Both are 0 for a text without words.
///
/// Cost: at most 10 rows, and one for the text.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn eraser(masking: &mut Masking, order: &[usize]) -> Answer<Eraser> {
    let words = masking.words();
    let taken: Vec<WordSet> = SHARES.iter().map(|share| top(words, order, count(words, *share))).collect();
    let rest: Vec<WordSet> = taken.iter().map(|set| set.complement(words)).collect();
    // Both at once first: one call.
    masking.values(&[taken.clone(), rest.clone()].concat())?;
    let mut mean = |sets: &[WordSet]| Ok(masking.drops(sets)?.iter().sum::<f64>() / SHARES.len() as f64);
    Ok(Eraser { comprehensiveness: mean(&taken)?, sufficiency: if words > 0 { mean(&rest)? } else { 0.0 } })
}

/// Words in a share of a text, rounded up (but 0.1 of 30 is 3, whatever f64 makes of it).
fn count(words: usize, share: f64) -> usize {
    (share * words as f64 - 1e-9).ceil() as usize
}

fn top(words: usize, order: &[usize], count: usize) -> WordSet {
    let mut set = WordSet::empty(words);
    order.iter().take(count).for_each(|word| set.insert(*word));
    set
}

/// Two means of probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curves {
    /// While words are masked, the highest first.
    pub deletion: f64,
    /// While words are put into the masked text, the highest first.
    pub insertion: f64,
}

/// Areas under the probability over the share of words masked (put in), from none to all, by trapezoids over
/// all steps. For a text without words both are its probability.
///
/// Cost: at most 2 rows a word.
///
/// Source: Petsiuk et al. 2018, arXiv 1806.07421, with masks for pixels.
///
/// # Errors
/// As [`eraser`].
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
    use crate::table::MaskTable;

    fn measured(game: &mut Game, order: &[usize]) -> (Eraser, Curves) {
        let mut table = MaskTable::default();
        let mut masking = Masking::new(game, &mut table);
        (eraser(&mut masking, order).unwrap(), curves(&mut masking, order).unwrap())
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
        let (eraser, curves) = measured(&mut Game::additive(0.1, &[0.1, 0.4, 0.0, 0.2]), &[1, 3, 0, 2]);
        assert!((eraser.comprehensiveness - (4.0 * 0.4 + 0.6) / 5.0).abs() < 1e-12);
        assert!((eraser.sufficiency - (4.0 * 0.3 + 0.1) / 5.0).abs() < 1e-12);
        // 0.8, 0.4, 0.2, 0.1, 0.1 and 0.1, 0.5, 0.7, 0.8, 0.8.
        assert!((curves.deletion - (0.45 + 0.4 + 0.2 + 0.1) / 4.0).abs() < 1e-12, "{curves:?}");
        assert!((curves.insertion - (0.45 + 0.5 + 0.7 + 0.8) / 4.0).abs() < 1e-12, "{curves:?}");
    }

    #[test]
    fn a_constant_one_word_and_none() {
        let (eraser, curves) = measured(&mut Game::new(5, |_| 0.7), &[0, 1, 2, 3, 4]);
        assert_eq!(eraser, Eraser { comprehensiveness: 0.0, sufficiency: 0.0 });
        assert!((curves.deletion - 0.7).abs() < 1e-12 && (curves.insertion - 0.7).abs() < 1e-12);
        let (eraser, curves) = measured(&mut Game::additive(0.25, &[0.5]), &[0]);
        assert_eq!(eraser, Eraser { comprehensiveness: 0.5, sufficiency: 0.0 });
        assert_eq!(curves, Curves { deletion: 0.5, insertion: 0.5 });
        let (eraser, curves) = measured(&mut Game::new(0, |_| 0.7), &[]);
        assert_eq!(eraser, Eraser { comprehensiveness: 0.0, sufficiency: 0.0 });
        assert_eq!(curves, Curves { deletion: 0.7, insertion: 0.7 });
        let answer = super::curves(&mut Masking::new(&mut Cancelled, &mut MaskTable::default()), &[0, 1, 2]);
        assert_eq!(answer, Err(OracleError::Cancelled));
    }
}
