//! What a method finds besides its scores: a linear surrogate, a tree, and what all maskings tell.

use serde::{Deserialize, Serialize};

/// A local linear surrogate: probability ~ intercept + sum of the coefficients of the words present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surrogate {
    /// Value with all words masked.
    pub intercept: f64,
    /// One coefficient for each word.
    pub coefficients: Vec<f64>,
    /// What the surrogate gives for the whole text.
    pub local_prediction: f64,
}

/// A local regression tree as rules, exactly one of which holds for any masking of the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// The leaves from left (word masked) to right (word present).
    pub rules: Vec<Rule>,
    /// Total reduction of the variance by each word, as shares of 1; all 0 for a tree without a split.
    pub importance: Vec<f64>,
    /// Weighted R2 of a linear surrogate on the perturbations on which the tree was judged, where it is
    /// defined: the simpler of two that are equally good is the better explanation.
    pub linear_held_out: Option<f64>,
}

/// A leaf of a tree and the way to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// What must hold, from the root down; nothing for a tree without a split.
    pub conditions: Vec<Condition>,
    /// Mean probability where it holds.
    pub probability: f64,
    /// Share of the neighbourhood's weight where it holds, in (0, 1].
    pub coverage: f64,
}

/// A word that is there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Index of the word.
    pub word: usize,
    /// Whether it must be present.
    pub present: bool,
}

/// What the probabilities of all 2^n maskings of a text tell beyond its words' scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exhaustive {
    /// Probability with all words masked.
    pub nothing: f64,
    /// Shapley interaction index of every pair of words, the strongest first.
    pub interactions: Vec<Interaction>,
    /// The smallest sets of words that alone keep the probability, the best first. The empty set if none are
    /// needed.
    pub sufficient: Vec<Vec<usize>>,
    /// LIME's surrogate as infinitely many samples would make it.
    pub surrogate: Surrogate,
    /// Its weighted R2 over all maskings but the text, where it is defined.
    pub surrogate_fidelity: Option<f64>,
    /// The tree grown from all maskings; the R2 of a line beside it is `surrogate_fidelity`.
    pub tree: Tree,
    /// Its weighted R2 over all maskings but the text, where it is defined.
    pub tree_fidelity: Option<f64>,
    /// The order of masking that drops the probability fastest.
    pub best_order: Vec<usize>,
    /// The order of masking that keeps it longest.
    pub worst_order: Vec<usize>,
}

/// What two words do together beyond what each does alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// The two words, ascending.
    pub words: (usize, usize),
    /// Positive if together they say more for the class than apart; a difference of probabilities.
    pub value: f64,
}
