//! Parquet: of each row group, the columns that are wanted, a batch of rows at a time.

mod footer;
mod pages;

use std::fs::File;
use std::sync::{Arc, Mutex};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Fields};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowGroups};
use parquet::arrow::{FieldLevels, ProjectionMask, parquet_to_arrow_field_levels, parquet_to_arrow_schema};
use parquet::column::page::PageIterator;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use pellucid_protocol::settings::reading::Reading;

use self::pages::{Once, Pages, Pool, Shared, locked};
use super::data_file::DataFile;
use super::features::{self, Classes};
use super::joined;
use super::table::{LabelNeed, Opened, Table, Visit};
use super::typed::{self, Batch, TypedColumn};
use super::unpacked::Budget;
use crate::error::{Error, Result};
use crate::panic_guard::caught;

/// Rows that are decoded at once.
const BATCH: usize = 1024;

/// Where one file ends and another begins.
const SEAM: &[u8] = b"PAR1PAR1";

/// A Parquet file.
struct Parquet {
    file: DataFile,
    /// Its bytes.
    size: u64,
    metadata: Arc<ParquetMetaData>,
    /// All columns as they are read: texts stay in their pages.
    fields: Fields,
    names: Vec<String>,
    columns: Vec<TypedColumn>,
}

/// Opens a Parquet file.
///
/// # Errors
/// What is wrong with what it says of itself.
pub(super) fn open(file: DataFile, _reading: &Reading, _need: LabelNeed) -> Result<Opened> {
    let mut bytes = file.open_plain()?;
    let told = |error: std::io::Error| Error::file(file.path(), error);
    let size = bytes.metadata().map_err(told)?.len();
    let footer = footer::read(&mut bytes, size).map_err(told)?;
    let (metadata, fields) = guarded(&file, || described(&footer))?;
    let end = within(&metadata, size).map_err(|why| Error::file(file.path(), why))?;
    joined::refuse(&mut bytes, end..size - footer.len() as u64, SEAM).map_err(told)?;
    let mut classes = classes(&metadata).map_err(|why| Error::file(file.path(), why))?;
    let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
    let written = written(&metadata);
    let column = |(place, field): (usize, &FieldRef)| {
        // Spans of time are numbers without a meaning to the format itself.
        let meant = written.as_ref().and_then(|written| written.get(place));
        let meant = meant.filter(|meant| meant.name() == field.name() && meant.data_type().is_temporal());
        TypedColumn::new(meant.unwrap_or(field), classes.remove(field.name()))
    };
    let columns = fields.iter().enumerate().map(column).collect();
    let table = Parquet { file, size, metadata: Arc::new(metadata), fields, names, columns };
    Ok(Opened { table: Box::new(table), order: None, advice: "", notes: Vec::new() })
}

/// What `work` gives; what the library says or panics about becomes an error of one line.
fn guarded<T>(file: &DataFile, work: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T> {
    let done = caught(work).unwrap_or_else(|why| Err(ParquetError::General(why)));
    done.map_err(|error| {
        let why = match error {
            ParquetError::General(why) | ParquetError::EOF(why) | ParquetError::NYI(why) => why,
            ParquetError::External(why) => why.to_string(),
            other => other.to_string(),
        };
        Error::file(file.path(), typed::damaged(&why))
    })
}

/// What the footer says, and the columns as they are read.
fn described(footer: &[u8]) -> parquet::errors::Result<(ParquetMetaData, Fields)> {
    let metadata = ParquetMetaDataReader::decode_metadata(footer)?;
    let schema = parquet_to_arrow_schema(metadata.file_metadata().schema_descr(), None)?;
    let fields: Fields = schema.fields().iter().map(viewed).collect();
    Ok((metadata, fields))
}

/// The columns as the program meant them that has written the file, if it says so.
fn written(metadata: &ParquetMetaData) -> Option<Fields> {
    let file = metadata.file_metadata();
    let read = caught(|| parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata()));
    read.ok()?.ok().map(|schema| schema.fields().clone())
}

/// The field with texts that stay where they are: a text that comes again a million times is there once.
fn viewed(field: &FieldRef) -> FieldRef {
    let again = |inner: &FieldRef| viewed(inner);
    let data = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::List(inner) => DataType::List(again(inner)),
        DataType::LargeList(inner) => DataType::LargeList(again(inner)),
        DataType::FixedSizeList(inner, size) => DataType::FixedSizeList(again(inner), *size),
        _ => return Arc::clone(field),
    };
    Arc::new(Field::clone(field).with_data_type(data))
}

/// Where the values end. Refuses columns that do not lie within the file, and more rows than are counted.
fn within(metadata: &ParquetMetaData, size: u64) -> std::result::Result<u64, String> {
    let (mut rows, mut last): (u64, u64) = (0, 0);
    for group in metadata.row_groups() {
        let of_group = u64::try_from(group.num_rows()).map_err(|_| "is damaged: it has fewer rows than none")?;
        rows = rows.saturating_add(of_group);
        for chunk in group.columns() {
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let (start, length) = (u64::try_from(start).ok(), u64::try_from(chunk.compressed_size()).ok());
            let end = start.zip(length).and_then(|(start, length)| start.checked_add(length));
            let end = end.filter(|end| *end <= size && chunk.file_path().is_none());
            last = last.max(end.ok_or("is damaged or cut off: a column does not lie within the file")?);
        }
    }
    if rows > u64::from(u32::MAX) {
        return Err(format!("has {rows} rows; cut it into several files"));
    }
    Ok(last)
}

fn classes(metadata: &ParquetMetaData) -> std::result::Result<Classes, String> {
    let pairs = metadata.file_metadata().key_value_metadata().into_iter().flatten();
    let said = pairs.filter(|pair| pair.key == features::KEY).find_map(|pair| pair.value.as_deref());
    said.map_or_else(|| Ok(Classes::new()), features::of_metadata)
}

impl Table for Parquet {
    fn columns(&self) -> &[String] {
        &self.names
    }

    fn classes(&self, column: usize) -> Option<&[String]> {
        self.columns[column].classes.as_deref()
    }

    fn check(&self, wanted: &[usize]) -> Result<()> {
        typed::refuse(&self.names, &self.columns, wanted).map_err(|why| Error::file(self.file.path(), why))
    }

    fn each(&self, wanted: &[usize], visit: &mut Visit<'_>) -> Result<()> {
        let mut roots: Vec<usize> = wanted.iter().copied().filter(|at| self.columns[*at].readable).collect();
        roots.sort_unstable();
        roots.dedup();
        let mut given = Budget::of(self.size);
        let mut show = |batch: &[ArrayRef], rows: usize, before: u64| {
            let place = |at: &usize| roots.iter().position(|root| root == at).and_then(|at| batch.get(at));
            let arrays: Vec<Option<&ArrayRef>> = wanted.iter().map(place).collect();
            let classes: Vec<_> = wanted.iter().map(|at| self.columns[*at].classes.as_deref()).collect();
            let mut rows = Batch { arrays: &arrays, classes: &classes, rows, before, given: &mut given };
            rows.each(&|line, why| Error::row(self.file.path(), line, why), visit)
        };
        let mut reading = GroupReading::of(self)?;
        if roots.is_empty() {
            let rows = self.metadata.row_groups().iter().map(|group| group.num_rows() as usize).sum();
            reading.pay(rows)?;
            return show(&[], rows, 0);
        }
        let levels = self.levels(&roots)?;
        let mut each = |batch: &RecordBatch, before| show(batch.columns(), batch.num_rows(), before);
        (0..self.metadata.num_row_groups()).try_for_each(|group| reading.group(group, &levels, &mut each))
    }
}

impl Parquet {
    /// How the columns at `roots` are read.
    fn levels(&self, roots: &[usize]) -> Result<FieldLevels> {
        let schema = self.metadata.file_metadata().schema_descr();
        let mask = ProjectionMask::roots(schema, roots.iter().copied());
        guarded(&self.file, || parquet_to_arrow_field_levels(schema, mask, Some(&self.fields)))
    }
}

/// What is done with a batch, before which there are so many rows.
type EachBatch<'a> = dyn FnMut(&RecordBatch, u64) -> Result<()> + 'a;

/// Reads row groups one after the other.
struct GroupReading<'a> {
    table: &'a Parquet,
    file: Arc<File>,
    pool: Shared,
    before: u64,
}

impl<'a> GroupReading<'a> {
    fn of(table: &'a Parquet) -> Result<Self> {
        let file = table.file.open_plain()?;
        let pool = Pool { budget: Budget::of(table.size), refused: None };
        Ok(Self { table, file: Arc::new(file), pool: Arc::new(Mutex::new(pool)), before: 0 })
    }

    /// Pays for rows that stand in no page.
    fn pay(&self, rows: usize) -> Result<()> {
        let paid = locked(&self.pool).budget.take(rows as u64);
        paid.map_err(|error| Error::file(self.table.file.path(), error))
    }

    /// The next batch; why a page was refused here says more than what the library makes of it.
    fn next(&self, reader: &mut ParquetRecordBatchReader) -> Result<Option<RecordBatch>> {
        let read = guarded(&self.table.file, || Ok(reader.next().transpose()?));
        read.map_err(|error| match locked(&self.pool).refused.take() {
            Some(why) => Error::file(self.table.file.path(), why),
            None => error,
        })
    }

    fn group(&mut self, group: usize, levels: &FieldLevels, each: &mut EachBatch<'_>) -> Result<()> {
        let metadata = self.table.metadata.row_group(group);
        let said = metadata.num_rows() as u64;
        let (file, pool) = (Arc::clone(&self.file), Arc::clone(&self.pool));
        let group = OneGroup { all: &self.table.metadata, group: metadata, file, pool };
        let reader = || ParquetRecordBatchReader::try_new_with_row_groups(levels, &group, BATCH, None);
        let mut reader = guarded(&self.table.file, reader)?;
        let end = self.before + said;
        while let Some(batch) = self.next(&mut reader)? {
            each(&batch, self.before)?;
            self.before += batch.num_rows() as u64;
        }
        if self.before != end {
            let why = format!("is damaged: it names {end} rows to here and has {}", self.before);
            return Err(Error::file(self.table.file.path(), why));
        }
        Ok(())
    }
}

/// A row group, as the library asks for it.
struct OneGroup<'a> {
    all: &'a ParquetMetaData,
    group: &'a RowGroupMetaData,
    file: Arc<File>,
    pool: Shared,
}

impl RowGroups for OneGroup<'_> {
    fn num_rows(&self) -> usize {
        self.group.num_rows() as usize
    }

    fn column_chunks(&self, column: usize) -> parquet::errors::Result<Box<dyn PageIterator>> {
        let chunk = self.group.column(column);
        let pages = Pages::open(Arc::clone(&self.file), chunk, self.num_rows(), Arc::clone(&self.pool))?;
        Ok(Box::new(Once(Some(pages))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.group))
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.all
    }
}
