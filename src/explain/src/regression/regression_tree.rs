//! A regression tree on words that are present or absent.

use pellucid_protocol::surrogate::{Condition, Rule};

use super::Weighted;
use crate::oracle::masking::NOISE;

/// Most splits from the root to a leaf: that makes at most 8 leaves, as many as a person can read.
pub const DEPTH: usize = 3;
/// Smallest share of the weight in a leaf.
pub const LEAF_SHARE: f64 = 0.05;

/// A weighted regression tree on features that are 0 or 1.
#[derive(Debug, Clone, PartialEq)]
pub struct RegressionTree {
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
    /// How far it lowers the weighted squared error.
    gain: f64,
    absent: Node,
    present: Node,
}

/// The samples of a node, as indices.
type Members = Vec<usize>;

impl RegressionTree {
    /// Grows a tree with at most [`DEPTH`] splits from the root to a leaf. Each split reduces the weighted variance as
    /// far as possible and leaves at least [`LEAF_SHARE`] of the weight on either side.
    #[must_use]
    pub fn fit(data: &Weighted, features: usize) -> Self {
        let weight: f64 = data.weights.iter().sum();
        let members = (0..data.rows.len()).collect();
        let builder = TreeBuilder { data, features, least: LEAF_SHARE * weight, noise: NOISE * NOISE * weight };
        Self { root: builder.grow(members, DEPTH), weight }
    }

    /// The mean of the leaf that a row belongs to.
    #[must_use]
    pub fn predict(&self, row: &[f64]) -> f64 {
        let mut node = &self.root;
        while let Some(split) = &node.split {
            node = if row[split.word] > 0.5 { &split.present } else { &split.absent };
        }
        node.mean
    }

    /// [`Weighted::r2`] of this tree.
    #[must_use]
    pub fn r2(&self, data: &Weighted) -> Option<f64> {
        data.r2(&|row| self.predict(row))
    }

    /// The leaves, each with the conditions that lead to it.
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

    /// How much each word reduces the variance; zeros for a tree without a split.
    #[must_use]
    pub fn importance(&self, words: usize) -> Importance {
        let (mut gains, mut signed) = (vec![0.0; words], vec![0.0; words]);
        let mut open = vec![&self.root];
        while let Some(split) = open.pop().and_then(|node| node.split.as_ref()) {
            gains[split.word] += split.gain;
            signed[split.word] += split.gain * (split.present.mean - split.absent.mean).signum();
            open.extend([&split.absent, &split.present].into_iter().filter(|node| node.split.is_some()));
        }
        let total: f64 = gains.iter().sum();
        let share = |gain: &f64| if total > 0.0 { gain / total } else { 0.0 };
        Importance { shares: gains.iter().map(share).collect(), signed: signed.iter().map(share).collect() }
    }
}

/// How much each word of a tree reduces the variance.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// Each word's share of the whole reduction.
    pub shares: Vec<f64>,
    /// The same, negative where the presence of the word lowers the prediction.
    pub signed: Vec<f64>,
}

struct TreeBuilder<'a> {
    data: &'a Weighted<'a>,
    features: usize,
    least: f64,
    /// A gain up to this size is rounding.
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

impl TreeBuilder<'_> {
    fn grow(&self, members: Members, depth: usize) -> Node {
        let whole = self.moments(members.iter());
        let split = if depth > 0 { self.best(&members, whole) } else { None };
        let split = split.map(|(word, gain)| {
            let (present, absent) = members.into_iter().partition(|index| self.is_present(*index, word));
            Box::new(Split { word, gain, absent: self.grow(absent, depth - 1), present: self.grow(present, depth - 1) })
        });
        Node { mean: whole.mean() + self.anchor(), weight: whole.weight, split }
    }

    /// The word to split by, and the gain; the first word of several that are equally good.
    fn best(&self, members: &Members, whole: Moments) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for word in 0..self.features {
            let present = self.moments(members.iter().filter(|index| self.is_present(**index, word)));
            let absent = self.moments(members.iter().filter(|index| !self.is_present(**index, word)));
            let gain = whole.error() - present.error() - absent.error();
            // Gains that differ by rounding are equal.
            let beats = best.is_none_or(|(_, best)| gain > best * (1.0 + 1e-9));
            if present.weight >= self.least && absent.weight >= self.least && gain > self.noise && beats {
                best = Some((word, gain));
            }
        }
        best
    }

    /// Subtracted from all targets, so that the squares of small differences keep their digits.
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
