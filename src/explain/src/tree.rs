//! A regression tree as surrogate: where words matter together, its rules say how.

use pellucid_protocol::Check;
use pellucid_protocol::surrogate::{Condition, Rule, Tree};

use crate::lime::{PENALTY, fidelity};
use crate::neighbourhood::{Neighbourhood, Samples};
use crate::oracle::Answer;
use crate::ridge::{Ridge, Weighted};
use crate::table::{Masking, NOISE};

/// Splits from the root to a leaf at most: so at most 8 leaves, as many as a person can read.
pub const DEPTH: usize = 3;
/// Smallest share of the weight in a leaf.
pub const LEAF_SHARE: f64 = 0.05;

/// A tree and how well it does.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeSurrogate {
    /// The tree.
    pub tree: Tree,
    /// One score for each word: the reduction of the variance by it, negative where the probability is
    /// higher without the word, as a share of the reduction by all.
    pub scores: Vec<f64>,
    /// [`Check::Fidelity`], or [`Check::Undefined`] for texts with fewer than two words and where the
    /// probability does not vary.
    pub check: Check,
    /// Different maskings that it rests on.
    pub evaluations: usize,
}

/// Fits a regression tree to the maskings to which [`lime`](crate::lime::lime) fits its line, and judges both
/// on the same held-out ones.
///
/// Cost: as [`lime`](crate::lime::lime), of which it asks nothing new.
///
/// Source: CART, Breiman et al. 1984, as scikit-learn's `DecisionTreeRegressor` grows it with
/// `max_depth=3, min_weight_fraction_leaf=0.05`, except that of two equal splits the first word's is taken.
///
/// # Errors
/// When the oracle gives no answer, or one that is not finite.
pub fn tree(masking: &mut Masking, samples: Samples, seed: u64) -> Answer<TreeSurrogate> {
    let neighbourhood = Neighbourhood::new(masking.words(), masking.removal(), samples, seed);
    tree_of(masking, &neighbourhood)
}

/// The tree in a neighbourhood of the text; see [`tree`].
///
/// # Errors
/// As [`tree`].
pub fn tree_of(masking: &mut Masking, neighbourhood: &Neighbourhood) -> Answer<TreeSurrogate> {
    let words = masking.words();
    let seen = neighbourhood.ask(masking, neighbourhood.planned())?;
    let judged = neighbourhood.ask_held_out(masking)?;
    let grown = Grown::fit(&seen.data(), words);
    let linear = Ridge::fit(&seen.data(), PENALTY);
    let check = match words {
        0 | 1 => Check::Undefined,
        _ => fidelity(grown.r2(&seen.data()), grown.r2(&judged.data())),
    };
    let (importance, scores) = grown.importance(words);
    let linear_held_out = if words < 2 { None } else { linear.r2(&judged.data()) };
    let tree = Tree { rules: grown.rules(), importance, linear_held_out };
    Ok(TreeSurrogate { tree, scores, check, evaluations: neighbourhood.evaluations() })
}

/// A weighted regression tree on features that are 0 or 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Grown {
    root: Node,
    weight: f64,
}

#[derive(Debug, Clone, PartialEq)]
struct Node {
    mean: f64,
    weight: f64,
    split: Option<Box<Split>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Split {
    word: usize,
    /// How much less the weighted squared error is by it.
    gain: f64,
    absent: Node,
    present: Node,
}

/// Samples of a node, as indices.
type Members = Vec<usize>;

impl Grown {
    /// Grows a tree with at most [`DEPTH`] splits on a way, each with the largest reduction of the weighted
    /// variance that leaves at least [`LEAF_SHARE`] of the weight on either side.
    #[must_use]
    pub fn fit(data: &Weighted, features: usize) -> Self {
        let weight: f64 = data.weights.iter().sum();
        let members = (0..data.rows.len()).collect();
        let grower = Grower { data, features, least: LEAF_SHARE * weight, noise: NOISE * NOISE * weight };
        Self { root: grower.grow(members, DEPTH), weight }
    }

    /// Mean of the leaf to which a row belongs.
    #[must_use]
    pub fn predict(&self, row: &[f64]) -> f64 {
        let mut node = &self.root;
        while let Some(split) = &node.split {
            node = if row[split.word] > 0.5 { &split.present } else { &split.absent };
        }
        node.mean
    }

    /// Weighted R2, as [`Ridge::r2`].
    #[must_use]
    pub fn r2(&self, data: &Weighted) -> Option<f64> {
        data.r2(&|row| self.predict(row))
    }

    /// The leaves with the ways to them.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        self.collect(&self.root, &mut Vec::new(), &mut rules);
        rules
    }

    fn collect(&self, node: &Node, way: &mut Vec<Condition>, rules: &mut Vec<Rule>) {
        let Some(split) = &node.split else {
            let coverage = if self.weight > 0.0 { node.weight / self.weight } else { 1.0 };
            return rules.push(Rule { conditions: way.clone(), probability: node.mean, coverage });
        };
        for (present, child) in [(false, &split.absent), (true, &split.present)] {
            way.push(Condition { word: split.word, present });
            self.collect(child, way, rules);
            way.pop();
        }
    }

    /// For each word its share of the whole reduction of the variance, and the same with the sign of what its
    /// presence does; zeros for a tree without a split.
    #[must_use]
    pub fn importance(&self, words: usize) -> (Vec<f64>, Vec<f64>) {
        let (mut gains, mut signed) = (vec![0.0; words], vec![0.0; words]);
        let mut open = vec![&self.root];
        while let Some(split) = open.pop().and_then(|node| node.split.as_ref()) {
            gains[split.word] += split.gain;
            signed[split.word] += split.gain * (split.present.mean - split.absent.mean).signum();
            open.extend([&split.absent, &split.present].into_iter().filter(|node| node.split.is_some()));
        }
        let total: f64 = gains.iter().sum();
        let share = |gain: &f64| if total > 0.0 { gain / total } else { 0.0 };
        (gains.iter().map(share).collect(), signed.iter().map(share).collect())
    }
}

struct Grower<'a> {
    data: &'a Weighted<'a>,
    features: usize,
    least: f64,
    /// Up to here a gain is rounding.
    noise: f64,
}

/// Weight, weighted sum and weighted sum of squares of some samples' targets.
#[derive(Clone, Copy, Default)]
struct Moments {
    weight: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn mean(&self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }

    /// Weighted squared error of the mean.
    fn error(&self) -> f64 {
        (self.squares - self.sum * self.mean()).max(0.0)
    }
}

impl Grower<'_> {
    fn grow(&self, members: Members, depth: usize) -> Node {
        let whole = self.moments(members.iter());
        let split = if depth > 0 { self.best(&members, whole) } else { None };
        let split = split.map(|(word, gain)| {
            let (present, absent) = members.into_iter().partition(|index| self.is_present(*index, word));
            Box::new(Split { word, gain, absent: self.grow(absent, depth - 1), present: self.grow(present, depth - 1) })
        });
        Node { mean: whole.mean() + self.anchor(), weight: whole.weight, split }
    }

    /// The word to split by, and the gain; the first of several that are equally good.
    fn best(&self, members: &Members, whole: Moments) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for word in 0..self.features {
            let present = self.moments(members.iter().filter(|index| self.is_present(**index, word)));
            let absent = self.moments(members.iter().filter(|index| !self.is_present(**index, word)));
            let gain = whole.error() - present.error() - absent.error();
            // Equal up to rounding is equal.
            let beats = best.is_none_or(|(_, best)| gain > best * (1.0 + 1e-9));
            if present.weight >= self.least && absent.weight >= self.least && gain > self.noise && beats {
                best = Some((word, gain));
            }
        }
        best
    }

    /// Targets are taken from the first, so that squares of small differences keep their digits.
    fn anchor(&self) -> f64 {
        self.data.targets.first().copied().unwrap_or(0.0)
    }

    fn moments<'b>(&self, members: impl Iterator<Item = &'b usize>) -> Moments {
        members.fold(Moments::default(), |before, &index| {
            let (weight, target) = (self.data.weights[index], self.data.targets[index] - self.anchor());
            Moments {
                weight: before.weight + weight,
                sum: before.sum + weight * target,
                squares: before.squares + weight * target * target,
            }
        })
    }

    fn is_present(&self, index: usize, word: usize) -> bool {
        self.data.rows[index][word] > 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{Cancelled, Game, logistic, present_sum};
    use crate::oracle::OracleError;
    use crate::table::MaskTable;

    fn explain(game: &mut Game) -> TreeSurrogate {
        tree(&mut Masking::new(game, &mut MaskTable::default()), Samples::default(), 3).unwrap()
    }

    fn held_out(found: &TreeSurrogate) -> f64 {
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
        let found = tree(&mut Masking::new(&mut game, &mut MaskTable::default()), samples, 1).unwrap();
        assert_eq!((found.scores, found.check), (vec![0.0, 0.0], Check::Undefined));
        let answer = tree(&mut Masking::new(&mut Cancelled, &mut MaskTable::default()), samples, 1);
        assert_eq!(answer, Err(OracleError::Cancelled));
    }
}
