//! Explanations as a CSV table with one row a word.

use std::io;

use pellucid_formats::table::Table;
use pellucid_protocol::Method;

use super::explained_text::ExplainedText;

/// Columns before those of the methods.
const COLUMNS: [&str; 10] =
    ["text", "line", "label", "predicted", "class", "probability", "word", "start", "end", "written"];

/// The names of the columns. Each method has a column of scores and, beside it, one that says whether they are trusted.
///
/// # Errors
/// When the row cannot be written.
pub fn header(methods: &[Method]) -> io::Result<String> {
    let mut table = Table::new(Vec::new());
    COLUMNS.iter().try_for_each(|column| table.text(column))?;
    for method in methods {
        table.text(method.key())?;
        table.text(&format!("{}_trusted", method.key()))?;
    }
    table.end_row()?;
    written(table)
}

/// The rows of text number `number`, counted from 1. A text without words has none.
///
/// # Errors
/// As [`header`].
pub fn rows(explained: &ExplainedText, number: usize) -> io::Result<String> {
    let mut table = Table::new(Vec::new());
    for (index, word) in explained.words().iter().enumerate() {
        let span = explained.explanation.words[index];
        table.number(number)?;
        table.number(explained.row.line)?;
        table.text(explained.row.label.as_deref().unwrap_or_default())?;
        table.text(explained.predicted())?;
        table.text(explained.class())?;
        table.number(explained.probability())?;
        table.number(index)?;
        table.number(span.start)?;
        table.number(span.end)?;
        table.text(word)?;
        for attribution in &explained.explanation.attributions {
            table.number(attribution.scores[index])?;
            table.number(attribution.is_trusted())?;
        }
        table.end_row()?;
    }
    written(table)
}

fn written(table: Table<Vec<u8>>) -> io::Result<String> {
    String::from_utf8(table.finish()?).map_err(io::Error::other)
}
