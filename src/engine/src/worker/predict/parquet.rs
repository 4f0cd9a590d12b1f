//! Predictions as a Parquet file: columns with types, which other programs read without guessing.

use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use pellucid_files::output::OutputFile;
use pellucid_files::whole::Draft;
use pellucid_intake::labels::Labels;
use pellucid_intake::rows::Rows;
use pellucid_protocol::settings::Switch;

use super::answered::{Answered, gold, id, pair, text};
use crate::error::{Error, Result};

/// Rows that are handed to the writer at once.
const BATCH: usize = 1024;
/// Bytes of a row group at most: the writer keeps as many in memory.
const GROUP: usize = 64 << 20;

/// A table that is being written.
pub(super) struct ParquetTable {
    output: OutputFile,
    writer: ArrowWriter<BufWriter<Draft>>,
    schema: SchemaRef,
    columns: Columns,
    /// Whether rows are written without their texts.
    private: Switch,
}

/// The rows that are not handed to the writer yet, by column.
#[derive(Default)]
struct Columns {
    count: usize,
    id: StringBuilder,
    row: Int64Builder,
    text: StringBuilder,
    pair: StringBuilder,
    gold: StringBuilder,
    prediction: StringBuilder,
    cut_words: Int64Builder,
    /// One for each class.
    probabilities: Vec<Float64Builder>,
}

impl ParquetTable {
    /// An empty table, at the temporary name of `output`.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub(super) fn new(private: Switch, labels: &Labels, rows: &Rows, output: OutputFile) -> Result<Self> {
        let schema = Arc::new(schema(private, labels, rows));
        let draft = output.draft().map_err(|error| Error::file(output.path(), error))?;
        let created_by = format!("pellucid {}", env!("CARGO_PKG_VERSION"));
        let properties =
            WriterProperties::builder().set_created_by(created_by).set_max_row_group_bytes(Some(GROUP)).build();
        let writer = ArrowWriter::try_new(BufWriter::new(draft), Arc::clone(&schema), Some(properties));
        let writer = writer.map_err(told(&output))?;
        let probabilities = labels.names().iter().map(|_| Float64Builder::new()).collect();
        Ok(Self { output, writer, schema, columns: Columns { probabilities, ..Columns::default() }, private })
    }

    /// Adds an answer.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn row(&mut self, answered: &Answered, rows: &Rows, labels: &Labels) -> Result<()> {
        self.columns.push(answered, rows, labels, self.private);
        if self.columns.count < BATCH { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<()> {
        let arrays = self.columns.take(&self.schema);
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(ParquetError::from);
        batch.and_then(|batch| self.writer.write(&batch)).map_err(told(&self.output))
    }

    /// Writes what is left, and gives the file its name.
    ///
    /// # Errors
    /// When it cannot be written or renamed.
    pub(super) fn finish(mut self) -> Result<()> {
        self.flush()?;
        let Self { output, writer, .. } = self;
        let draft = writer.into_inner().map_err(told(&output))?.into_inner().map_err(io::IntoInnerError::into_error);
        draft.and_then(|draft| output.finish(draft)).map_err(|error| Error::file(output.path(), error))
    }
}

impl Columns {
    fn push(&mut self, answered: &Answered, rows: &Rows, labels: &Labels, private: Switch) {
        let row = answered.row;
        self.count += 1;
        self.id.append_option(id(rows, row, private));
        self.row.append_value(row as i64 + 1);
        self.text.append_option(text(rows, row, private));
        self.pair.append_option(pair(rows, row, private));
        self.gold.append_option(gold(rows, row));
        self.prediction.append_value(&labels.names()[answered.class]);
        self.cut_words.append_value(answered.cut_words as i64);
        for (column, share) in self.probabilities.iter_mut().zip(&answered.probabilities) {
            column.append_value(*share);
        }
    }

    /// The columns that `schema` has, which are empty afterwards.
    fn take(&mut self, schema: &Schema) -> Vec<ArrayRef> {
        self.count = 0;
        let named: [(&str, ArrayRef); 7] = [
            ("id", Arc::new(self.id.finish())),
            ("row", Arc::new(self.row.finish())),
            ("text", Arc::new(self.text.finish())),
            ("pair", Arc::new(self.pair.finish())),
            ("gold", Arc::new(self.gold.finish())),
            ("prediction", Arc::new(self.prediction.finish())),
            ("cut_words", Arc::new(self.cut_words.finish())),
        ];
        let fixed = named.into_iter().filter(|(name, _)| schema.index_of(name).is_ok()).map(|(_, array)| array);
        fixed.chain(self.probabilities.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef)).collect()
    }
}

/// The columns: an id and a second text where the data have them, and the probability of each class as `p(NAME)`.
fn schema(private: Switch, labels: &Labels, rows: &Rows) -> Schema {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let count = |name: &str| Field::new(name, DataType::Int64, false);
    let id = id(rows, 0, private).map(|_| text("id"));
    let pair = rows.columns().pair.as_ref().filter(|_| !private.is_on()).map(|_| text("pair"));
    let fixed = id.into_iter().chain([count("row"), text("text")]).chain(pair).chain([
        text("gold"),
        text("prediction"),
        count("cut_words"),
    ]);
    let of_class = |name: &String| Field::new(format!("p({name})"), DataType::Float64, false);
    Schema::new(fixed.chain(labels.names().iter().map(of_class)).collect::<Vec<_>>())
}

/// What the library says, with the file.
fn told(output: &OutputFile) -> impl Fn(ParquetError) -> Error {
    let path: PathBuf = output.path().to_owned();
    move |error| match error {
        ParquetError::External(why) => Error::file(&path, why),
        other => Error::file(&path, other),
    }
}
