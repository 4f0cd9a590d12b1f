//! The fields of a row, whatever the format: their names, and what a row must have.

use pellucid_protocol::explanation::Span;
use serde_json::Value;

use super::Row;

/// Names of the text, the preferred one first.
pub(super) const TEXT: &[&str] = &["text", "sentence", "sentence1", "premise", "question1", "question"];
/// Names of the second text of a pair.
pub(super) const PAIR: &[&str] = &["text_pair", "text2", "sentence2", "hypothesis", "question2", "pair"];
/// Names of the label.
pub(super) const LABEL: &[&str] = &["label", "labels", "class", "category"];
/// The name of the rationale.
pub(super) const RATIONALE: &str = "rationale";

/// Bytes that a text or a label has at most.
pub const LONGEST_TEXT: usize = 1 << 20;

/// The parts of `text` that a rationale marks, written as `[[start, end], ..]` in characters.
///
/// # Errors
/// When it is something else, or not within the text.
pub(super) fn rationale(value: Option<&Value>, text: &str) -> Result<Vec<Span>, String> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let spans: Vec<Span> = serde_json::from_value(value.clone())
        .map_err(|_| "`rationale` is not a list of [start, end] pairs of characters".to_owned())?;
    let length = text.chars().count();
    match spans.iter().find(|span| span.start >= span.end || span.end > length) {
        Some(span) => {
            Err(format!("rationale [{}, {}] is not within the {length} characters of the text", span.start, span.end))
        }
        None => Ok(spans),
    }
}

/// The row, if it is complete.
///
/// # Errors
/// When a text or label is too long, or the text is empty.
pub(super) fn complete(row: Row) -> Result<Row, String> {
    let parts = [Some(&row.text), row.pair.as_ref(), row.label.as_ref()];
    if let Some(long) = parts.into_iter().flatten().find(|part| part.len() > LONGEST_TEXT) {
        return Err(format!("has a text of {} bytes; {LONGEST_TEXT} at most: cut it into rows", long.len()));
    }
    if row.text.trim().is_empty() {
        return Err("the text is empty; remove the row".to_owned());
    }
    Ok(row)
}
