//! Occlusion: what is lost when one word is masked or deleted.

use crate::oracle::Answer;
use crate::table::Masking;
use crate::word_set::WordSet;

/// s_w = f(text) - f(text without word w) of the explained scalar f, as a rule the probability; positive if the
/// word speaks for the class. All pieces of a word are taken out together: masked, and the text keeps its length,
/// or deleted, and what follows moves up; that is the masking's.
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

#[cfg(test)]
mod tests {
    use pellucid_protocol::Removal;
    use pellucid_protocol::explanation::Scalar;

    use super::*;
    use crate::fakes::{Cancelled, Game};
    use crate::oracle::OracleError;
    use crate::table::{MaskTable, ROWS_PER_CALL};

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
    fn calls_stay_small_and_duplicates_hide_each_other() {
        let mut long = Game::additive(0.4, &[0.001; 200]);
        assert_eq!(scores(&mut long).len(), 200);
        assert!(long.calls.iter().all(|rows| *rows <= ROWS_PER_CALL) && long.rows() == 201);
        let mut either = Game::new(2, |words| if words[0] || words[1] { 0.9 } else { 0.1 });
        assert_eq!(scores(&mut either), [0.0, 0.0]);
    }

    #[test]
    fn deleting_is_not_masking() {
        let mut game = Game::additive(0.4, &[0.3, -0.2, 0.0]);
        game.gap = 0.05;
        let mut table = MaskTable::default().by(Removal::Delete);
        let found = occlusion(&mut Masking::new(&mut game, &mut table)).unwrap();
        assert!(found.iter().zip([0.35, -0.15, 0.05]).all(|(score, loss)| (score - loss).abs() < 1e-12));
        let mut table = MaskTable::default().by(Removal::Delete);
        let logits = occlusion(&mut Masking::new(&mut game, &mut table).of(Scalar::Logit)).unwrap();
        assert!(logits.iter().zip(&found).all(|(logit, drop)| (logit - 3.0 * drop).abs() < 1e-12));
    }

    #[test]
    fn no_words_one_word_and_cancelled() {
        assert_eq!(scores(&mut Game::additive(0.4, &[])), Vec::<f64>::new());
        assert_eq!(scores(&mut Game::additive(0.25, &[0.5])), [0.5]);
        let answer = occlusion(&mut Masking::new(&mut Cancelled, &mut MaskTable::default()));
        assert_eq!(answer, Err(OracleError::Cancelled));
    }
}
