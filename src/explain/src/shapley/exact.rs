//! Exact Shapley values of a text whose maskings are all known.

use super::Shapley;
use crate::oracle::subsets::Subsets;
use crate::sampling::subset_draw::binomial;

/// phi_i = mean over orders of the drop when i is masked after the words before it
/// = sum over S without i of (p(S with i) - p(S)) / (n C(n - 1, |S|)).
///
/// Source: Shapley 1953; the masked text as the value of a coalition: Lundberg and Lee 2017, arXiv 1705.07874.
#[must_use]
pub fn exact(subsets: &Subsets) -> Shapley {
    let words = subsets.words();
    let weights: Vec<_> = (0..words).map(|size| 1.0 / (words as f64 * binomial(words - 1, size))).collect();
    let value = |word: usize| {
        let bit = 1 << word;
        let without = (0..subsets.rows()).filter(|set| set & bit == 0);
        without.map(|set| weights[set.count_ones() as usize] * (subsets.drop(set | bit) - subsets.drop(set))).sum()
    };
    let (scores, rows) = ((0..words).map(value).collect(), subsets.rows());
    Shapley { scores, errors: vec![0.0; words], all_masked: subsets.all_masked(), rows, planned: rows }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fakes::Game;
    use crate::oracle::masking::{Masking, OutcomeCache};

    fn of(game: &mut Game) -> Vec<f64> {
        exact(&Subsets::ask(&mut Masking::new(game, &mut OutcomeCache::default())).unwrap()).scores
    }

    fn close(found: &[f64], expected: &[f64]) -> bool {
        found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn known_games() {
        assert!(close(&of(&mut Game::additive(0.2, &[0.3, -0.1, 0.0])), &[0.3, -0.1, 0.0]));
        // Either word is enough: they share it.
        assert!(close(&of(&mut Game::new(2, |words| if words[0] || words[1] { 0.9 } else { 0.1 })), &[0.4, 0.4]));
        // The glove game: one left and two right gloves.
        let gloves = |words: &[bool]| f64::from(u8::from(words[0] && (words[1] || words[2])));
        assert!(close(&of(&mut Game::new(3, gloves)), &[2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0]));
        assert!(close(&of(&mut Game::new(2, |words| if words[0] ^ words[1] { 0.9 } else { 0.1 })), &[0.0, 0.0]));
    }

    #[test]
    fn none_and_a_constant() {
        assert_eq!(of(&mut Game::new(0, |_| 0.3)), Vec::<f64>::new());
        assert!(close(&of(&mut Game::additive(0.25, &[0.5])), &[0.5]));
        assert_eq!(of(&mut Game::new(6, |_| 0.7)), [0.0; 6]);
    }

    fn games() -> impl Strategy<Value = (usize, Vec<f64>, Vec<f64>)> {
        let values = |size: usize| prop::collection::vec(0.0..1.0_f64, size);
        (1..=6_usize).prop_flat_map(move |words| (Just(words), values(1 << words), values(1 << words)))
    }

    proptest! {
        #[test]
        fn the_axioms_hold((words, first, second) in games(), share in 0.0..1.0_f64) {
            let value = |values: &[f64]| of(&mut Game::table(words, values.to_vec()));
            let (a, b) = (value(&first), value(&second));
            let total = first[first.len() - 1] - first[0];
            prop_assert!((a.iter().sum::<f64>() - total).abs() < 1e-12);
            // Linear in the game.
            let mixed: Vec<_> = first.iter().zip(&second).map(|(x, y)| share * x + (1.0 - share) * y).collect();
            let expected: Vec<_> = a.iter().zip(&b).map(|(x, y)| share * x + (1.0 - share) * y).collect();
            prop_assert!(close(&value(&mixed), &expected));
            // A word that changes nothing has nothing.
            let idle: Vec<_> = (0..first.len()).map(|set| first[set & !1]).collect();
            prop_assert!(value(&idle)[0].abs() < 1e-12);
        }
    }
}
