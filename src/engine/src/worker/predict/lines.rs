//! Predictions as text: for people, as JSON, as a table.

use std::io;

use pellucid_formats::table::Table;
use pellucid_intake::labels::Labels;
use pellucid_intake::rows::Rows;
use pellucid_protocol::scrub::{escape_json, scrub};
use pellucid_protocol::settings::Switch;
use serde_json::{Map, Value, json};

use super::answered::{Answered, Gold, gold, id, pair, text};
use crate::error::{Error, Result};
use crate::worker::writer::Writer;

/// How predictions are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineFormat {
    /// For people.
    Text,
    /// One JSON array.
    Json,
    /// A JSON object a line.
    Jsonl,
    /// A table for spreadsheets.
    Csv,
}

/// What of a row is written, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) format: LineFormat,
    /// Whether rows are written without their texts.
    pub(super) private: Switch,
}

/// Predictions on their way to stdout or a file.
pub(super) struct Lines {
    style: Style,
    writer: Writer,
    /// Rows written so far.
    written: usize,
}

impl Lines {
    /// Writes what stands before the rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn new(style: Style, labels: &Labels, rows: &Rows, writer: Writer) -> Result<Self> {
        let mut lines = Self { style, writer, written: 0 };
        match style.format {
            LineFormat::Csv => lines.writer.write(&csv_header(labels, rows, style.private)?)?,
            LineFormat::Json => lines.writer.write("[\n")?,
            LineFormat::Text | LineFormat::Jsonl => {}
        }
        Ok(lines)
    }

    /// Writes an answer.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn row(&mut self, answered: &Answered, rows: &Rows, labels: &Labels) -> Result<()> {
        match self.style.format {
            LineFormat::Text => {
                let (share, name) = (answered.probabilities[answered.class] * 100.0, &labels.names()[answered.class]);
                let text = text(rows, answered.row, self.style.private);
                let text = text.map_or_else(|| rows.name(answered.row), str::to_owned);
                self.writer.write(&format!("{share:>6.1} %  {:<16} {}\n", scrub(name), scrub(&text)))
            }
            LineFormat::Json | LineFormat::Jsonl => self.object(&object(answered, rows, labels, self.style.private)),
            LineFormat::Csv => self.writer.write(&csv_row(answered, rows, labels, self.style.private)?),
        }
    }

    /// Writes that a row has no answer. In a table it has no row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn failure(&mut self, row: usize, rows: &Rows, why: &str) -> Result<()> {
        match self.style.format {
            LineFormat::Json | LineFormat::Jsonl => {
                let private = self.style.private;
                let mut object = json!({"text": text(rows, row, private), "error": why});
                if let Some(id) = id(rows, row, private).filter(|_| private.is_on()) {
                    object["id"] = json!(id);
                }
                self.object(&object)
            }
            LineFormat::Text | LineFormat::Csv => Ok(()),
        }
    }

    /// Lets the rows so far appear on stdout.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.writer.flush()
    }

    fn object(&mut self, object: &Value) -> Result<()> {
        let line = escape_json(&object.to_string()).into_owned();
        let (before, after) = match self.style.format {
            LineFormat::Json if self.written > 0 => (",\n", ""),
            LineFormat::Json => ("", ""),
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
        if self.style.format == LineFormat::Json {
            self.writer.write("\n]\n")?;
        }
        self.writer.finish()
    }
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
    let id = id(rows, row, private);
    let stands_for = match answered.gold {
        Some(Gold::Class(class)) => Some(labels.names()[class].as_str()),
        Some(Gold::Unknown(_)) | None => None,
    };
    let more = [
        ("pair", pair(rows, row, private)),
        ("id", id.as_deref()),
        ("gold", gold(rows, row)),
        ("gold_class", stands_for),
    ];
    for (key, value) in more.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        object[key] = json!(value);
    }
    object
}

fn no_table(error: io::Error) -> Error {
    Error::Refused(format!("table: {error}"))
}

fn csv_header(labels: &Labels, rows: &Rows, private: Switch) -> Result<String> {
    let id = id(rows, 0, private).map(|_| "id");
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
        if let Some(id) = id(rows, row, private) {
            table.text(&id)?;
        }
        table.number(row + 1)?;
        table.text(text(rows, row, private).unwrap_or_default())?;
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
