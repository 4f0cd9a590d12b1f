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

/// The rows of text number `number`, counted from 1, with the columns of `methods`. A text without words has none.
///
/// # Errors
/// As [`header`].
pub fn rows(explained: &ExplainedText, methods: &[Method], number: usize) -> io::Result<String> {
    let mut table = Table::new(Vec::new());
    for (index, word) in explained.words().iter().enumerate() {
        let span = explained.explanation.words[index];
        table.number(number)?;
        table.number(explained.row.line)?;
        table.text(explained.row.id.as_deref().unwrap_or_default())?;
        table.text(explained.row.label.as_deref().unwrap_or_default())?;
        table.text(explained.predicted())?;
        table.text(explained.class())?;
        table.number(explained.probability())?;
        table.number(index)?;
        table.number(span.start)?;
        table.number(span.end)?;
        table.text(word)?;
        for method in methods {
            let made = explained.explanation.by(*method);
            table.number_or_empty(made.map(|made| made.scores[index]))?;
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
