//! An explanation as one JSON object.
//!
//! The object has the fields of the Python programs that this one is compared with: `text`, `label`, `tokens`, `probs`,
//! `target`, and for each method `scores` and `ms`. They are by the unit of that program, which `unit` names: gradients,
//! integrated gradients, occlusion and Kernel SHAP score each token, special ones included; LIME scores each distinct
//! word (`units` lists them); the other methods score each word. They are null where `--budget` left no time for them.
//! Beside them stands what is shown to people: `words`, and for each method `word_scores` with `word_ms`, `errors`,
//! `checks` and the rest, all by word.

use pellucid_protocol::Attribution;
use pellucid_protocol::explanation::StandIn;
use serde_json::{Map, Value, json};

use super::explained_text::ExplainedText;
use super::unit_scores::{self, UnitScores};
use crate::explain::subject::Unit;

/// The explanation as a JSON object.
#[must_use]
pub fn json_line(explained: &ExplainedText) -> Value {
    let made = explained.explanation.attributions.iter().zip(&explained.by_unit);
    let methods: Map<String, Value> =
        made.map(|(made, by_unit)| (made.method.key().to_owned(), method(explained, made, by_unit.as_ref()))).collect();
    let explanation = &explained.explanation;
    json!({"text": explanation.text, "id": explained.row.id, "line": explained.row.line,
        "label": explained.row.label, "predicted": explained.predicted(), "tokens": explained.tokens,
        "words": explained.words(), "spans": explanation.words, "truncated_words": explanation.truncated_words,
        "seen": explanation.seen(), "left_out": explanation.left_out,
        "probs": explanation.probabilities, "labels": explained.labels.names(), "target": explanation.target,
        "class": explained.class(), "row": explanation.privacy.row(), "methods": methods})
}

fn method(explained: &ExplainedText, made: &Attribution, by_unit: Option<&UnitScores>) -> Value {
    let unit = unit_scores::unit(made.method);
    let mut value = json!({"scores": by_unit.map(|found| &found.scores), "unit": unit_scores::name(unit),
        "ms": by_unit.map(|found| found.ms), "evaluations": by_unit.map(|found| found.evaluations),
        "word_scores": made.scores, "word_ms": made.ms,
        "word_evaluations": made.evaluations, "errors": made.errors, "scalar": made.scalar, "removal": made.removal,
        "checks": made.checks, "surrogate": made.surrogate, "tree": made.tree, "exhaustive": made.exhaustive,
        "groups": made.groups, "baseline": made.baseline,
        "stand_in": StandIn::told(&explained.explanation.stand_ins, made), "seed": made.seed,
        "trusted": made.is_trusted(), "grade": made.grade()});
    if unit == Unit::DistinctWord {
        let words = explained.words();
        value["units"] = explained.distinct.iter().map(|&place| json!(words[place])).collect();
    }
    value
}
