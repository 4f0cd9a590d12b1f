//! Occlusion: what is lost when one word is masked or deleted.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Method, Removal};

use crate::context::Context;
use crate::explainer::{Explainer, Removes, Text, Work};
use crate::oracle::Answer;

/// s_w = f(text) - f(text with word w masked) of the explained scalar f, usually the probability; positive if the word
/// speaks for the class. All pieces of a word are masked together.
///
/// Cost: one row for each word, and one for the text.
///
/// Source: Zeiler and Fergus 2014, arXiv 1311.2901, section 4; Li et al. 2016, arXiv 1612.08220, for
/// words ("erasure").
pub(crate) const MASK: Explainer = occlusion(Method::Occlusion, Removal::Mask);

/// As [`MASK`], with the word deleted: what follows it moves up.
pub(crate) const DELETE: Explainer = occlusion(Method::OcclusionDelete, Removal::Delete);

const fn occlusion(method: Method, removal: Removal) -> Explainer {
    let cost = |words, _: &Context| words as f64 + 1.0;
    Explainer::new(method, Scalar::Probability, Removes::Words(removal), Work { score, cost })
}

fn score(Text { explainer, oracle, context, .. }: Text) -> Answer<Attribution> {
    let blank = explainer.blank(context);
    let scores = explainer.masking(oracle, context).single_drops()?;
    Ok(Attribution { evaluations: scores.len() + 1, scores, ..blank })
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::Removal;
    use pellucid_protocol::explanation::Scalar;

    use crate::fakes::{Cancelled, Game};
    use crate::oracle::OracleError;
    use crate::oracle::masking::{Masking, OutcomeCache, ROWS_PER_CALL};

    fn scores(game: &mut Game) -> Vec<f64> {
        Masking::new(game, &mut OutcomeCache::default()).single_drops().unwrap()
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
        let mut cache = OutcomeCache::default().with_removal(Removal::Delete);
        let found = Masking::new(&mut game, &mut cache).single_drops().unwrap();
        assert!(found.iter().zip([0.35, -0.15, 0.05]).all(|(score, loss)| (score - loss).abs() < 1e-12));
        let mut cache = OutcomeCache::default().with_removal(Removal::Delete);
        let logits = Masking::new(&mut game, &mut cache).with_scalar(Scalar::Logit).single_drops().unwrap();
        assert!(logits.iter().zip(&found).all(|(logit, drop)| (logit - 3.0 * drop).abs() < 1e-12));
    }

    #[test]
    fn no_words_one_word_and_cancelled() {
        assert_eq!(scores(&mut Game::additive(0.4, &[])), Vec::<f64>::new());
        assert_eq!(scores(&mut Game::additive(0.25, &[0.5])), [0.5]);
        let answer = Masking::new(&mut Cancelled, &mut OutcomeCache::default()).single_drops();
        assert_eq!(answer, Err(OracleError::Cancelled));
    }
}
