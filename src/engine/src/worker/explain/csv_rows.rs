//! Explanations as a table with one row a word.

use pellucid_protocol::Method;
use pellucid_protocol::scrub::table_cell;

use super::explained::Explained;
use crate::error::{Error, Result};

/// Columns before those of the methods.
const COLUMNS: [&str; 10] =
    ["text", "line", "label", "predicted", "class", "probability", "word", "start", "end", "written"];

/// The names of the columns. Each method has its scores in a column and, beside it, whether they are trusted.
///
/// # Errors
/// When libcsv refuses.
pub fn header(methods: &[Method]) -> Result<String> {
    let of_methods = methods.iter().flat_map(|method| [method.key().to_owned(), format!("{}_trusted", method.key())]);
    csv([COLUMNS.map(str::to_owned).to_vec().into_iter().chain(of_methods).collect()])
}

/// The rows of text number `number`. A text without words has none.
///
/// # Errors
/// As [`header`].
pub fn rows(explained: &Explained, number: usize) -> Result<String> {
    let words = explained.words();
    csv((0..words.len()).map(|word| row(explained, number, (word, &words[word]))))
}

fn row(explained: &Explained, number: usize, (word, written): (usize, &str)) -> Vec<String> {
    let span = explained.explanation.words[word];
    let label = explained.row.label.as_deref().unwrap_or_default();
    let told = |text: &str| table_cell(text).into_owned();
    let mut row = vec![number.to_string(), explained.row.line.to_string(), told(label), told(explained.predicted())];
    row.extend([told(explained.class()), explained.probability().to_string(), word.to_string()]);
    row.extend([span.start.to_string(), span.end.to_string(), told(written)]);
    for made in &explained.explanation.attributions {
        row.extend([made.scores[word].to_string(), made.is_trusted().to_string()]);
    }
    row
}

fn csv(rows: impl IntoIterator<Item = Vec<String>>) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| Error::Refused(format!("table: {error}"));
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}
