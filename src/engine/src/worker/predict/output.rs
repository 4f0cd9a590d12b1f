//! The formats in which predictions are written.

use std::borrow::Cow;
use std::io;

use pellucid_formats::table::Table;
use pellucid_intake::labels::Labels;
use pellucid_intake::rows::Rows;
use pellucid_protocol::scrub::{escape_json, scrub};
use pellucid_protocol::settings::Switch;
use pellucid_protocol::work::{PredictFormat, PredictWork};
use serde_json::{Map, Value, json};

use super::answered::Answered;
use crate::error::{Error, Result};
use crate::worker::writer::Writer;

/// Where predictions go, in their format.
pub(super) struct Output {
    format: PredictFormat,
    /// Whether rows are written without their texts.
    private: Switch,
    writer: Writer,
    /// Rows written so far.
    written: usize,
}

impl Output {
    /// Writes what stands before the rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn new(work: &PredictWork, labels: &Labels, rows: &Rows, writer: Writer) -> Result<Self> {
        let mut output = Self { format: work.format, private: work.private, writer, written: 0 };
        match work.format {
            PredictFormat::Csv => output.writer.write(&csv_header(labels, rows, output.private)?)?,
            PredictFormat::Json => output.writer.write("[\n")?,
            PredictFormat::Text | PredictFormat::Jsonl => {}
        }
        Ok(output)
    }

    /// Writes an answer.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn row(&mut self, answered: &Answered, rows: &Rows, labels: &Labels) -> Result<()> {
        match self.format {
            PredictFormat::Text => {
                let (share, name) = (answered.probabilities[answered.class] * 100.0, &labels.names()[answered.class]);
                let text = text(rows, answered.row, self.private);
                self.writer.write(&format!("{share:>6.1} %  {:<16} {}\n", scrub(name), scrub(&text)))
            }
            PredictFormat::Json | PredictFormat::Jsonl => self.object(&object(answered, rows, labels, self.private)),
            PredictFormat::Csv => self.writer.write(&csv_row(answered, rows, labels, self.private)?),
        }
    }

    /// Writes that a row has no answer. In a table it has no row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn failure(&mut self, row: usize, rows: &Rows, why: &str) -> Result<()> {
        match self.format {
            PredictFormat::Json | PredictFormat::Jsonl => {
                self.object(&json!({"text": text(rows, row, self.private), "error": why}))
            }
            PredictFormat::Text | PredictFormat::Csv => Ok(()),
        }
    }

    fn object(&mut self, object: &Value) -> Result<()> {
        let line = escape_json(&object.to_string()).into_owned();
        let (before, after) = match self.format {
            PredictFormat::Json if self.written > 0 => (",\n", ""),
            PredictFormat::Json => ("", ""),
            _ => ("", "\n"),
        };
        self.written += 1;
        self.writer.write(&format!("{before}{line}{after}"))
    }

    /// Writes what stands behind the rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(mut self) -> Result<()> {
        if self.format == PredictFormat::Json {
            self.writer.write("\n]\n")?;
        }
        self.writer.finish()
    }
}

/// What is written as the text of a row.
fn text(rows: &Rows, row: usize, private: Switch) -> Cow<'_, str> {
    if private.is_on() { Cow::Owned(rows.name(row)) } else { Cow::Borrowed(rows.text(row)) }
}

/// What is written as its second text.
fn pair(rows: &Rows, row: usize, private: Switch) -> Option<&str> {
    rows.pair(row).filter(|_| !private.is_on())
}

/// An answer as a JSON object.
fn object(answered: &Answered, rows: &Rows, labels: &Labels, private: Switch) -> Value {
    let row = answered.row;
    let named = labels.names().iter().zip(&answered.probabilities);
    let probabilities: Map<String, Value> = named.map(|(name, share)| (name.clone(), json!(share))).collect();
    let mut object = json!({
        "row": row + 1,
        "text": text(rows, row, private),
        "label": labels.names()[answered.class],
        "probabilities": probabilities,
        "probs": answered.probabilities,
        "logits": answered.logits,
        "cut_words": answered.cut_words,
        "windows": answered.windows,
    });
    let more = [("pair", pair(rows, row, private)), ("id", rows.id(row)), ("gold", gold(rows, row))];
    for (key, value) in more.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        object[key] = json!(value);
    }
    object
}

/// The label of a row as the data has it.
fn gold(rows: &Rows, row: usize) -> Option<&str> {
    rows.label(row).map(|label| rows.labels()[label].name.as_str())
}

fn no_table(error: io::Error) -> Error {
    Error::Refused(format!("table: {error}"))
}

fn csv_header(labels: &Labels, rows: &Rows, private: Switch) -> Result<String> {
    let id = rows.id(0).map(|_| "id");
    let fixed = id
        .into_iter()
        .chain(["row", "text"])
        .chain(pair(rows, 0, private).map(|_| "pair"))
        .chain(["gold", "prediction", "cut_words"])
        .map(str::to_owned);
    let of_classes = labels.names().iter().map(|name| format!("p({name})"));
    csv_line(&mut |table| fixed.clone().chain(of_classes.clone()).try_for_each(|name| table.text(&name)))
}

fn csv_row(answered: &Answered, rows: &Rows, labels: &Labels, private: Switch) -> Result<String> {
    let row = answered.row;
    csv_line(&mut |table| {
        if let Some(id) = rows.id(row) {
            table.text(id)?;
        }
        table.number(row + 1)?;
        table.text(&text(rows, row, private))?;
        pair(rows, row, private).map_or(Ok(()), |pair| table.text(pair))?;
        table.text(gold(rows, row).unwrap_or_default())?;
        table.text(&labels.names()[answered.class])?;
        table.number(answered.cut_words)?;
        answered.probabilities.iter().try_for_each(|share| table.number(share))
    })
}

fn csv_line(fill: &mut dyn FnMut(&mut Table<Vec<u8>>) -> io::Result<()>) -> Result<String> {
    let mut table = Table::new(Vec::new());
    let written = fill(&mut table).and_then(|()| table.end_row()).and_then(|()| table.finish()).map_err(no_table)?;
    String::from_utf8(written).map_err(|error| Error::Refused(error.to_string()))
}
