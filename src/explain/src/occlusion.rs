//! Occlusion: the probability lost when one word is masked or deleted.

use crate::oracle::{Answer, Predict, check_numbers};
use crate::table::{Masking, ROWS_PER_CALL};
use crate::word_set::WordSet;

/// s_w = p(text) - p(text without word w), as a difference of probabilities; positive if the word
/// speaks for the class. All pieces of a word are masked together, and the text keeps its length.
///
/// Cost: one row for each word, and one for the text.
///
/// Source: Zeiler and Fergus 2014, arXiv 1311.2901, section 4; Li et al. 2016, arXiv 1612.08220, for
/// words ("erasure").
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn occlusion(masking: &mut Masking) -> Answer<Vec<f64>> {
    let words = masking.words();
    let alone: Vec<_> = (0..words).map(|word| WordSet::empty(words).with(word)).collect();
    masking.drops(&alone)
}

/// The same with word w deleted: the text gets shorter, and what follows moves up.
///
/// Cost: one row for each word, and one for the text.
///
/// Source: leave-one-out ("erasure") of Li et al. 2016, arXiv 1612.08220.
///
/// # Errors
/// As [`occlusion`].
pub fn occlusion_delete(oracle: &mut dyn Predict) -> Answer<Vec<f64>> {
    let words = oracle.words();
    if words == 0 {
        return Ok(Vec::new());
    }
    let all = WordSet::empty(words);
    let rows: Vec<_> =
        std::iter::once(all.presence(words)).chain((0..words).map(|word| all.with(word).presence(words))).collect();
    let mut probabilities = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(ROWS_PER_CALL) {
        let found = oracle.shortened(chunk)?;
        check_numbers(&found, chunk.len(), "probabilities")?;
        probabilities.extend(found);
    }
    Ok(probabilities[1..].iter().map(|probability| probabilities[0] - probability).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Game};
    use crate::oracle::OracleError;
    use crate::table::MaskTable;

    fn scores(game: &mut Game) -> Vec<f64> {
        occlusion(&mut Masking::new(game, &mut MaskTable::default())).unwrap()
    }

    #[test]
    fn a_word_that_helps_and_one_that_hurts() {
        let mut game = Game::additive(0.4, &[0.3, -0.2, 0.0]);
        let found = scores(&mut game);
        assert!(found.iter().zip([0.3, -0.2, 0.0]).all(|(score, weight)| (score - weight).abs() < 1e-12));
        assert_eq!(game.rows(), 4);
    }

    #[test]
    fn duplicates_hide_each_other() {
        let mut either = Game::new(2, |words| if words[0] || words[1] { 0.9 } else { 0.1 });
        assert_eq!(scores(&mut either), [0.0, 0.0]);
    }

    #[test]
    fn deleting_is_not_masking() {
        let mut game = Game::additive(0.4, &[0.3, -0.2, 0.0]);
        game.gap = 0.05;
        let found = occlusion_delete(&mut game).unwrap();
        assert!(found.iter().zip([0.35, -0.15, 0.05]).all(|(score, loss)| (score - loss).abs() < 1e-12));
        assert_eq!(occlusion_delete(&mut Game::additive(0.4, &[])).unwrap(), Vec::<f64>::new());
        let mut long = Game::additive(0.4, &[0.001; 200]);
        assert_eq!(occlusion_delete(&mut long).unwrap().len(), 200);
        assert!(long.calls.iter().all(|rows| *rows <= ROWS_PER_CALL) && long.rows() == 201);
        assert!(occlusion_delete(&mut Game::new(1, |_| f64::NAN)).is_err());
        assert_eq!(occlusion_delete(&mut Cancelled), Err(OracleError::Cancelled));
    }

    #[test]
    fn no_words_one_word_and_cancelled() {
        assert_eq!(scores(&mut Game::additive(0.4, &[])), Vec::<f64>::new());
        assert_eq!(scores(&mut Game::additive(0.25, &[0.5])), [0.5]);
        let answer = occlusion(&mut Masking::new(&mut Cancelled, &mut MaskTable::default()));
        assert_eq!(answer, Err(OracleError::Cancelled));
    }
}
