//! Explanations as a CSV table with one row a word.

use std::io;

use pellucid_formats::table::Table;
use pellucid_protocol::check::Grade;
use pellucid_protocol::{Attribution, Method};

use super::explained_text::ExplainedText;

/// Columns before those of the methods.
const COLUMNS: [&str; 11] =
    ["text", "line", "id", "label", "predicted", "class", "probability", "word", "start", "end", "written"];

/// The names of the columns. Each method has a column of scores and, beside it, one that says whether they are trusted, and
/// one with the grade of their test against chance. All are empty for a method that is left out.
///
/// # Errors
/// When the row cannot be written.
pub fn header(methods: &[Method]) -> io::Result<String> {
    let mut table = Table::new(Vec::new());
    COLUMNS.iter().try_for_each(|column| table.text(column))?;
    for method in methods {
        table.text(method.key())?;
        table.text(&format!("{}_trusted", method.key()))?;
        table.text(&format!("{}_grade", method.key()))?;
    }
    table.end_row()?;
    written(table)
}

/// The rows of text number `number`, counted from 1, with the columns of `methods`. A text without words has one, without a word.
///
/// # Errors
/// As [`header`].
pub fn rows(explained: &ExplainedText, methods: &[Method], number: usize) -> io::Result<String> {
    let mut table = Table::new(Vec::new());
    let words = explained.words();
    for index in 0..words.len().max(1) {
        let span = explained.explanation.words.get(index);
        table.number(number)?;
        table.number(explained.row.line)?;
        table.text(explained.row.id.as_deref().unwrap_or_default())?;
        table.text(explained.row.label.as_deref().unwrap_or_default())?;
        table.text(explained.predicted())?;
        table.text(explained.class())?;
        table.number(explained.probability())?;
        table.number_or_empty(span.map(|_| index))?;
        table.number_or_empty(span.map(|span| span.start))?;
        table.number_or_empty(span.map(|span| span.end))?;
        table.text(words.get(index).map_or("", String::as_str))?;
        for method in methods {
            let made = explained.explanation.by(*method);
            table.number_or_empty(made.and_then(|made| made.scores.get(index)))?;
            table.number_or_empty(made.map(Attribution::is_trusted))?;
            table.text(made.and_then(Attribution::grade).map_or("", Grade::key))?;
        }
        table.end_row()?;
    }
    written(table)
}

fn written(table: Table<Vec<u8>>) -> io::Result<String> {
    String::from_utf8(table.finish()?).map_err(io::Error::other)
}
