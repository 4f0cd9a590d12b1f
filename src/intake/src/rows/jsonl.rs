//! JSON Lines: an object a line.

use pellucid_files::bounded;
use serde_json::Value;

use super::fields::{self, complete, rationale};
use super::{DataFile, Format, LabelNeed, Row};
use crate::error::{Error, Result};

pub(super) const FORMAT: Format = Format { endings: &["jsonl", "json", "ndjson"], read: rows };

fn rows(file: &DataFile, need: LabelNeed) -> Result<Vec<Row>> {
    let lines = (1u64..).zip(file.text()?.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| row(line, number, need).map_err(|wrong| Error::row(&file.path, number, wrong))).collect()
}

fn row(line: &str, number: u64, need: LabelNeed) -> std::result::Result<Row, String> {
    if line.len() as u64 > bounded::LINE {
        return Err(format!("has {} bytes; {} at most: cut it into rows", line.len(), bounded::LINE));
    }
    let value: Value = serde_json::from_str(line).map_err(|error| format!("not a JSON object: {error}"))?;
    let object = value.as_object().ok_or("not a JSON object")?;
    let find = |names: &[&str]| names.iter().find_map(|name| object.get(*name)).filter(|value| !value.is_null());
    let text = find(fields::TEXT).ok_or("no key `text` (or `sentence`)")?;
    let text = text.as_str().ok_or("`text` is not a string")?;
    let label = match find(fields::LABEL) {
        Some(Value::String(label)) => Some(label.clone()),
        Some(Value::Number(label)) => Some(label.to_string()),
        Some(Value::Bool(label)) => Some(label.to_string()),
        Some(_) => return Err("`label` is neither a string nor a number".to_owned()),
        None if need == LabelNeed::Required => return Err("no key `label`".to_owned()),
        None => None,
    };
    let pair = find(fields::PAIR).and_then(Value::as_str).map(str::to_owned);
    let rationale = rationale(object.get(fields::RATIONALE), text)?;
    complete(Row { line: number, text: text.to_owned(), pair, label, rationale })
}
