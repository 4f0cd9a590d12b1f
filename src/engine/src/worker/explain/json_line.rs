//! An explanation as one JSON object.
//!
//! The fields of the Python programs that this one is compared with: `text`, `label`, `tokens`, `probs`, `target`, and
//! for each method `scores` and `ms` in that program's unit, which `unit` names: for gradients, integrated gradients,
//! occlusion and Kernel SHAP one score a token, special ones included; for LIME one a distinct word (`units` has
//! them); for the others one a word. Beside them stands what is shown to people: `words`, and for each method
//! `word_scores` with `word_ms`, `errors`, `checks` and the rest, all by word.

use pellucid_protocol::Attribution;
use serde_json::{Map, Value, json};

use super::explained::Explained;
use super::units::{self, UnitScores};
use crate::explain::subject::Unit;

/// The object.
#[must_use]
pub fn json_line(explained: &Explained) -> Value {
    let made = explained.explanation.attributions.iter().zip(&explained.by_unit);
    let methods: Map<String, Value> =
        made.map(|(made, by_unit)| (made.method.key().to_owned(), method(explained, made, by_unit))).collect();
    let explanation = &explained.explanation;
    json!({"text": explanation.text, "label": explained.row.label, "tokens": explained.tokens,
        "words": explained.words(), "spans": explanation.words, "truncated_words": explanation.truncated_words,
        "probs": explanation.probabilities, "labels": explained.labels.names(), "target": explanation.target,
        "class": explained.class(), "methods": methods})
}

fn method(explained: &Explained, made: &Attribution, by_unit: &UnitScores) -> Value {
    let mut value = json!({"scores": by_unit.scores, "unit": units::name(by_unit.unit), "ms": by_unit.ms,
        "evaluations": by_unit.evaluations, "word_scores": made.scores, "word_ms": made.ms,
        "word_evaluations": made.evaluations, "errors": made.errors, "scalar": made.scalar, "removal": made.removal,
        "checks": made.checks, "surrogate": made.surrogate, "tree": made.tree, "exhaustive": made.exhaustive,
        "baseline": made.baseline, "seed": made.seed, "trusted": made.is_trusted()});
    if by_unit.unit == Unit::DistinctWord {
        value["units"] = json!(distinct(&explained.words()));
    }
    value
}

/// Each word once, in the order in which they first come.
fn distinct(words: &[String]) -> Vec<&String> {
    words.iter().enumerate().filter(|(index, word)| !words[..*index].contains(word)).map(|(_, word)| word).collect()
}
