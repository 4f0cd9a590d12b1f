//! Explanations of texts, a line each, in the foreground.

use std::io::{self, Write};

use pellucid_explain::{Context, Samples};
use pellucid_protocol::scrub::{escape_json, scrub};
use pellucid_protocol::work::{ExplainWork, Output};
use pellucid_protocol::{Check, Explanation};
use serde_json::{Map, Value, json};

use super::predict::MAX_TOKENS;
use super::texts;
use crate::data::labels::Labels;
use crate::data::read::Row;
use crate::data::tokenise::TextEncoder;
use crate::error::{Error, Result};
use crate::explain::oracle::ModelOracle;
use crate::explain::session;
use crate::explain::subject::Subject;
use crate::model::classifier::Classifier;
use crate::train::evaluate;
use crate::train::prepare::{check_ids, device, load_classifier};

/// Prints a line a text on stdout.
///
/// # Errors
/// When model or data are not what they should be, or stdout is gone.
pub fn explain(work: &ExplainWork) -> Result<()> {
    let rows = texts::rows(&work.texts)?;
    let (model, labels, encoder) = load_classifier(&work.model, MAX_TOKENS)?;
    let model = model.to_device(device(work.device)?);
    let mut out = io::stdout().lock();
    for row in &rows {
        let explanation = explain_row(work, row, &model, &encoder)?;
        let text = match work.output {
            Output::Json => escape_json(&as_json(&explanation, row, &labels).to_string()).into_owned() + "\n",
            Output::Plain => as_text(&explanation, &labels),
        };
        out.write_all(text.as_bytes()).map_err(|error| Error::Refused(error.to_string()))?;
    }
    Ok(())
}

fn explain_row(work: &ExplainWork, row: &Row, model: &Classifier, encoder: &TextEncoder) -> Result<Explanation> {
    let subject = Subject::new(encoder, &row.text, row.pair.as_deref())?;
    check_ids(&work.model, model.config(), [&vec![subject.encoded.clone()]])?;
    let logits = evaluate::logits(model, std::slice::from_ref(&subject.encoded))?;
    let target = evaluate::prediction(&logits[0], 0, None).class();
    let blank = session::blank(&subject, evaluate::softmax(&logits[0]), target);
    let mut oracle = ModelOracle { model, subject: &subject, target };
    let blank = Explanation { rationale: row.rationale.clone(), ..blank };
    let done = session::explain(&mut oracle, blank, &work.methods, context(work), &mut |_| {});
    done.map_err(|error| Error::Torch(error.to_string()))
}

fn context(work: &ExplainWork) -> Context {
    let usual = Samples::default();
    let samples = Samples { fit: work.samples.unwrap_or(usual.fit), ..usual };
    Context::new(work.seed).with_samples(samples).with_baseline(work.baseline).with_depth(work.checks)
}

/// The words of an explanation.
fn words(explanation: &Explanation) -> Vec<String> {
    let characters: Vec<char> = explanation.text.chars().collect();
    explanation.words.iter().map(|span| characters[span.start..span.end].iter().collect()).collect()
}

fn as_json(explanation: &Explanation, row: &Row, labels: &Labels) -> Value {
    let methods: Map<String, Value> = explanation
        .attributions
        .iter()
        .map(|made| {
            let value = json!({"ms": made.ms, "scores": made.scores, "errors": made.errors, "scalar": made.scalar,
                "checks": made.checks, "surrogate": made.surrogate, "tree": made.tree,
                "exhaustive": made.exhaustive, "baseline": made.baseline, "evaluations": made.evaluations,
                "seed": made.seed, "trusted": made.is_trusted()});
            (made.method.key().to_owned(), value)
        })
        .collect();
    json!({"text": explanation.text, "label": row.label, "words": words(explanation), "spans": explanation.words,
        "truncated_words": explanation.truncated_words, "probs": explanation.probabilities,
        "labels": labels.names(), "target": explanation.target, "methods": methods})
}

fn as_text(explanation: &Explanation, labels: &Labels) -> String {
    let target = explanation.target;
    let mut text = format!(
        "{}\n  {} {:.1} %\n",
        scrub(&explanation.text),
        scrub(&labels.names()[target]),
        explanation.probabilities[target] * 100.0
    );
    let words = words(explanation);
    for made in &explanation.attributions {
        let verdict = if made.is_trusted() { "✓" } else { "✗" };
        let checks: Vec<String> = made.checks.iter().map(|check| check_text(*check)).collect();
        text += &format!("  {verdict} {}: {}\n", made.method.title(), checks.join(", "));
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_by(|&a, &b| made.scores[b].abs().total_cmp(&made.scores[a].abs()));
        let strongest = order.iter().take(6).map(|&at| format!("{} {:+.3}", scrub(&words[at]), made.scores[at]));
        text += &format!("      {}\n", strongest.collect::<Vec<_>>().join("  "));
    }
    text + "\n"
}

fn check_text(check: Check) -> String {
    match check {
        Check::Completeness { gap, steps } => format!("completeness gap {:.1} % at {steps} steps", gap * 100.0),
        Check::Fidelity { in_sample, held_out } => format!("R2 {in_sample:.2}, held out {held_out:.2}"),
        Check::Faithfulness { normalised, random, .. } => format!("faithfulness {normalised:.2}, random {random:.2}"),
        Check::Undefined => "no check is defined for this text".to_owned(),
        Check::Sampling { rows, error: 0.0, .. } => format!("exact, by {rows} maskings"),
        Check::Sampling { rows, error, .. } => format!("{rows} samples, error at most {error:.4}"),
        Check::Smoothing { sigma, draws } => format!("noise {sigma} over {draws} copies"),
        Check::Eraser { comprehensiveness, sufficiency } => {
            format!("comprehensiveness {comprehensiveness:.2}, sufficiency {sufficiency:.2}")
        }
        Check::Curves { deletion, insertion } => format!("deletion {deletion:.2}, insertion {insertion:.2}"),
        Check::LeaveOneOut { tau } => format!("leave-one-out tau {tau:.2}"),
        Check::Stability { runs, spearman } => format!("stability {spearman:.2} over {runs} seeds"),
        Check::Infidelity { relative, .. } => format!("infidelity {relative:.2}"),
        Check::Sensitivity { max, .. } => format!("sensitivity {max:.2}"),
        Check::Plausibility { f1, iou, auprc } => format!("plausibility F1 {f1:.2}, IoU {iou:.2}, AUPRC {auprc:.2}"),
    }
}
