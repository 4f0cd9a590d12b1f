//! What a method finds besides its scores: a linear surrogate, a tree, and results from all maskings.

use serde::{Deserialize, Serialize};

/// A local linear surrogate: probability ~ intercept + sum of the coefficients of the words present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surrogate {
    /// Value with all words masked.
    pub intercept: f64,
    /// One coefficient for each word.
    pub coefficients: Vec<f64>,
    /// The surrogate's prediction for the whole text.
    pub local_prediction: f64,
}

/// A local regression tree as rules, exactly one of which holds for any masking of the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// The leaves from left (word masked) to right (word present).
    pub rules: Vec<Rule>,
    /// Total reduction of the variance by each word, as shares of 1; all 0 for a tree without a split.
    pub importance: Vec<f64>,
    /// Weighted R2 of a linear surrogate on the perturbations on which the tree was evaluated, if defined: of two
    /// equally good surrogates the simpler one is the better explanation.
    pub linear_held_out: Option<f64>,
}

/// A leaf of a tree and the path to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The conditions, from the root down; empty for a tree without a split.
    pub conditions: Vec<Condition>,
    /// Mean probability where they hold.
    pub probability: f64,
    /// Share of the neighbourhood's weight where they hold, in (0, 1].
    pub coverage: f64,
}

/// A condition: a word is present or masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Index of the word.
    pub word: usize,
    /// Whether it must be present.
    pub present: bool,
}

/// What the probabilities of all 2^n maskings of a text say beyond the scores of its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exhaustive {
    /// Probability with all words masked.
    pub nothing: f64,
    /// Shapley interaction index of every pair of words, the strongest first.
    pub interactions: Vec<Interaction>,
    /// The smallest sets of words that alone keep the probability, the best first. The empty set if no word is
    /// needed.
    pub sufficient: Vec<Vec<usize>>,
    /// LIME's surrogate in the limit of infinitely many samples.
    pub surrogate: Surrogate,
    /// Its weighted R2 over all maskings but the text, if defined.
    pub surrogate_fidelity: Option<f64>,
    /// The tree grown from all maskings; compare its R2 with `surrogate_fidelity`.
    pub tree: Tree,
    /// Its weighted R2 over all maskings but the text, if defined.
    pub tree_fidelity: Option<f64>,
    /// The order of masking that drops the probability fastest.
    pub best_order: Vec<usize>,
    /// The order of masking that keeps it longest.
    pub worst_order: Vec<usize>,
}

/// What two words contribute together beyond what each contributes alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// The two words, ascending.
    pub words: (usize, usize),
    /// Positive if they support the class more together than apart; a difference of probabilities.
    pub value: f64,
}
