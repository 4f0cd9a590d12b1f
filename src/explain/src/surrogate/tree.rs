//! A regression tree as surrogate: where words matter together, its rules say how.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::surrogate::Tree;
use pellucid_protocol::{Attribution, Check, Method};

use super::neighbourhood::Neighbourhood;
use super::{PENALTY, cost, fidelity};
use crate::context::Samples;
use crate::explainer::{Explainer, Removes, Text, Work};
use crate::oracle::Answer;
use crate::oracle::masking::Masking;
use crate::regression::regression_tree::RegressionTree;
use crate::regression::ridge::Ridge;

/// [`Method::Tree`].
pub(crate) const EXPLAINER: Explainer =
    Explainer::new(Method::Tree, Scalar::Probability, Removes::AsChosen, Work { score, cost });

fn score(Text { explainer, oracle, context, .. }: Text) -> Answer<Attribution> {
    let (samples, seed) = (context.samples, context.seed);
    let blank = Attribution { seed: Some(seed), ..explainer.blank(context) };
    let TreeFit { tree, scores, check, evaluations } = tree(&mut explainer.masking(oracle, context), samples, seed)?;
    Ok(Attribution { scores, checks: vec![check], tree: Some(tree), evaluations, ..blank })
}

/// A tree and how well it fits.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeFit {
    /// The tree.
    pub tree: Tree,
    /// One score for each word: its share of the whole reduction of the variance, negative where the probability is
    /// higher without the word.
    pub scores: Vec<f64>,
    /// [`Check::Fidelity`], or [`Check::Undefined`] for texts with fewer than two words and where the
    /// probability does not vary.
    pub check: Check,
    /// Number of different maskings it rests on.
    pub evaluations: usize,
}

/// Fits a regression tree to the maskings that [`lime`](super::lime::lime) fits its line to, and judges both on the
/// same held-out maskings.
///
/// Cost: the rows of [`lime`](super::lime::lime) and the held-out ones, each only if it was not asked for before.
///
/// Source: CART, Breiman et al. 1984, as scikit-learn's `DecisionTreeRegressor` grows it with
/// `max_depth=3, min_weight_fraction_leaf=0.05`, except that of two equally good splits the first word's is taken.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn tree(masking: &mut Masking, samples: Samples, seed: u64) -> Answer<TreeFit> {
    let neighbourhood = Neighbourhood::new(masking.words(), masking.removal(), samples, seed);
    tree_of(masking, &neighbourhood)
}

/// The tree in this neighbourhood of the text; see [`tree`].
///
/// # Errors
/// As [`tree`].
pub fn tree_of(masking: &mut Masking, neighbourhood: &Neighbourhood) -> Answer<TreeFit> {
    let words = masking.words();
    let seen = neighbourhood.ask(masking, neighbourhood.planned())?;
    let judged = neighbourhood.ask_held_out(masking)?;
    let grown = RegressionTree::fit(&seen.data(), words);
    let linear = Ridge::fit(&seen.data(), PENALTY);
    let check = match words {
        0 | 1 => Check::Undefined,
        _ => fidelity(grown.r2(&seen.data()), grown.r2(&judged.data())),
    };
    let importance = grown.importance(words);
    let linear_held_out = if words < 2 { None } else { linear.r2(&judged.data()) };
    let tree = Tree { rules: grown.rules(), importance: importance.shares, linear_held_out };
    Ok(TreeFit { tree, scores: importance.signed, check, evaluations: neighbourhood.evaluations() })
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::surrogate::{Condition, Rule};

    use super::*;
    use crate::fakes::{Cancelled, Game, logistic, present_sum};
    use crate::oracle::OracleError;
    use crate::oracle::masking::OutcomeCache;
    use crate::regression::regression_tree::{DEPTH, LEAF_SHARE};

    fn explain(game: &mut Game) -> TreeFit {
        tree(&mut Masking::new(game, &mut OutcomeCache::default()), Samples::default(), 3).unwrap()
    }

    fn held_out(found: &TreeFit) -> f64 {
        match found.check {
            Check::Fidelity { held_out, .. } => held_out,
            other => panic!("no fidelity but {other:?}"),
        }
    }

    #[test]
    fn negation_becomes_rules() {
        // "not good": good speaks for the class only if it stands alone. Four more words do nothing.
        let mut game = Game::new(6, |words| match (words[0], words[1]) {
            (false, true) => 0.9,
            (true, true) => 0.1,
            _ => 0.5,
        });
        let found = explain(&mut game);
        assert!(held_out(&found) > 1.0 - 1e-9, "{found:?}");
        assert!(found.tree.linear_held_out.unwrap() < 0.8);
        let reached = |not: bool, good: bool| {
            let holds = |condition: &Condition| condition.present == if condition.word == 0 { not } else { good };
            let rules: Vec<_> = found.tree.rules.iter().filter(|rule| rule.conditions.iter().all(holds)).collect();
            assert_eq!(rules.len(), 1);
            rules[0].probability
        };
        assert!((reached(false, true) - 0.9).abs() < 1e-9 && (reached(true, true) - 0.1).abs() < 1e-9);
        assert!((reached(false, false) - 0.5).abs() < 1e-9);
        assert!(found.scores[0] < 0.0 && found.scores[2..].iter().all(|score| *score == 0.0));
    }

    #[test]
    fn exclusive_or_is_seen_by_the_tree_and_not_by_the_line() {
        let mut game = Game::new(4, |words| if words[1] ^ words[2] { 0.9 } else { 0.1 });
        let found = explain(&mut game);
        assert!(held_out(&found) > 0.9 && found.tree.linear_held_out.unwrap() < 0.5, "{found:?}");
        assert!(found.check.passes());
    }

    #[test]
    fn an_additive_text_is_better_left_to_the_line() {
        let weights: Vec<_> = (0..12).map(|word| f64::from(word % 4) / 4.0).collect();
        let found = explain(&mut Game::new(12, move |words| logistic(present_sum(words, &weights) - 2.0)));
        assert!(held_out(&found) < found.tree.linear_held_out.unwrap());
    }

    #[test]
    fn rules_cover_everything_once_and_are_few() {
        let weights: Vec<_> = (0..15).map(|word| f64::from(word % 5) / 2.0 - 0.7).collect();
        let found = explain(&mut Game::new(15, move |words| logistic(present_sum(words, &weights))));
        let rules = &found.tree.rules;
        assert!(rules.len() <= 8 && rules.iter().all(|rule| rule.conditions.len() <= DEPTH));
        assert!(rules.iter().all(|rule| rule.coverage >= LEAF_SHARE - 1e-12));
        assert!((rules.iter().map(|rule| rule.coverage).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((found.tree.importance.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let magnitude = |(score, share): (&f64, &f64)| score.abs() <= share + 1e-12;
        assert!(found.scores.iter().zip(&found.tree.importance).all(magnitude));
    }

    #[test]
    fn ties_go_to_the_first_word() {
        // Both words do the same; either could be the root.
        let found = explain(&mut Game::additive(0.1, &[0.0, 0.0, 0.3, 0.3, 0.0, 0.0, 0.0]));
        assert_eq!(found.tree.rules[0].conditions[0].word, 2);
    }

    #[test]
    fn a_constant_has_one_rule_and_no_importance() {
        let found = explain(&mut Game::new(5, |_| 0.7));
        let everywhere = Rule { conditions: vec![], probability: 0.7, coverage: 1.0 };
        assert_eq!((found.tree.rules, found.tree.importance), (vec![everywhere], vec![0.0; 5]));
        assert_eq!((found.scores, found.check), (vec![0.0; 5], Check::Undefined));
    }

    #[test]
    fn none_and_one_word() {
        let none = explain(&mut Game::new(0, |_| 0.25));
        assert_eq!((none.scores, none.check, none.tree.rules.len()), (vec![], Check::Undefined, 1));
        assert_eq!(none.tree.linear_held_out, None);
        let one = explain(&mut Game::additive(0.25, &[-0.1]));
        assert_eq!((one.scores, one.check, one.tree.rules.len()), (vec![-1.0], Check::Undefined, 2));
    }

    #[test]
    fn few_samples_and_cancelling_are_defined() {
        let samples = Samples { fit: 0, held_out: 0, scale: 0 };
        let mut game = Game::additive(0.1, &[0.2, 0.3]);
        let found = tree(&mut Masking::new(&mut game, &mut OutcomeCache::default()), samples, 1).unwrap();
        assert_eq!((found.scores, found.check), (vec![0.0, 0.0], Check::Undefined));
        let answer = tree(&mut Masking::new(&mut Cancelled, &mut OutcomeCache::default()), samples, 1);
        assert_eq!(answer, Err(OracleError::Cancelled));
    }
}
