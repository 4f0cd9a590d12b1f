//! Arrow: files with random access (Feather of version 2 as well) and streams, as datasets saves them.

mod bodies;
mod messages;

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::Buffer;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{DictionaryBatch, MetadataVersion, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use flatbuffers::root;
use pellucid_files::bounded;
use pellucid_protocol::settings::reading::Reading;

use self::bodies::Unpacked;
use self::messages::{Messages, Received, message, told};
use super::data_file::DataFile;
use super::features::{self, Classes};
use super::saved;
use super::table::{LabelNeed, Opened, Table, Visit};
use super::typed::{self, Batch, TypedColumn};
use super::unpacked::{Budget, invalid};
use crate::error::{Error, Result};
use crate::panic_guard::caught;

/// An Arrow file.
struct Arrow {
    file: DataFile,
    /// Its bytes.
    size: u64,
    schema: SchemaRef,
    names: Vec<String>,
    columns: Vec<TypedColumn>,
}

/// Opens an Arrow file.
///
/// # Errors
/// What is wrong with what it says of its columns.
pub(super) fn open(file: DataFile, _reading: &Reading, _need: LabelNeed) -> Result<Opened> {
    let mut messages = messages(&file)?;
    let schema = guarded(&file, || messages.schema())?;
    let mut classes = classes(&file, &schema)?;
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let columns = schema.fields().iter().map(|field| TypedColumn::new(field, classes.remove(field.name()))).collect();
    let size = messages.size();
    let table = Arrow { file, size, schema: Arc::new(schema), names, columns };
    Ok(Opened { table: Box::new(table), order: None, advice: "", notes: Vec::new() })
}

fn messages(file: &DataFile) -> Result<Messages> {
    let bytes = file.open_plain()?;
    guarded(file, || Messages::open(bytes))
}

/// What `work` gives; what the library panics about becomes an error of one line.
fn guarded<T>(file: &DataFile, work: impl FnOnce() -> io::Result<T>) -> Result<T> {
    let done = caught(work).unwrap_or_else(|why| Err(invalid(typed::damaged(&why))));
    done.map_err(|error| Error::file(file.path(), error))
}

/// The names of classes: in the file itself, or in what datasets saves beside it.
fn classes(file: &DataFile, schema: &Schema) -> Result<Classes> {
    let here = |why: String| Error::file(file.path(), why);
    if let Some(said) = schema.metadata().get(features::KEY) {
        return features::of_metadata(said).map_err(here);
    }
    let folder = file.path().parent().unwrap_or(Path::new(""));
    let beside = folder.join(saved::INFO);
    match bounded::read_text_in(folder, saved::INFO, bounded::SETTINGS) {
        Ok(said) => features::of_info(&said).map_err(|why| Error::file(&beside, why)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Classes::new()),
        Err(error) => Err(Error::file(&beside, error)),
    }
}

impl Table for Arrow {
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
        let classes: Vec<_> = wanted.iter().map(|at| self.columns[*at].classes.as_deref()).collect();
        let mut messages = messages(&self.file)?;
        let (dictionaries, budget) = (HashMap::new(), Budget::of(self.size));
        let mut reading = BatchReading { schema: &self.schema, roots: &roots, dictionaries, budget };
        let (mut given, mut before) = (Budget::of(self.size), 0);
        while let Some(received) = guarded(&self.file, || messages.next())? {
            let Some((batch, rows)) = guarded(&self.file, || reading.batch(received))? else { continue };
            let place = |at: &usize| roots.iter().position(|root| root == at).and_then(|at| batch.get(at));
            let arrays: Vec<Option<&ArrayRef>> = wanted.iter().map(place).collect();
            let mut all = Batch { arrays: &arrays, classes: &classes, rows, before, given: &mut given };
            all.each(&|line, why| Error::row(self.file.path(), line, why), visit)?;
            before += rows as u64;
        }
        Ok(())
    }
}

/// Decodes the columns at `roots` of one batch after the other.
struct BatchReading<'a> {
    schema: &'a SchemaRef,
    roots: &'a [usize],
    dictionaries: HashMap<i64, ArrayRef>,
    budget: Budget,
}

impl BatchReading<'_> {
    /// The columns and the number of rows of a message; `None` where it has none.
    fn batch(&mut self, received: Received) -> io::Result<Option<(Vec<ArrayRef>, usize)>> {
        let Received { header, body } = received;
        // A footer may name a message more than once.
        self.budget.take(body.len() as u64)?;
        let message = message(&header)?;
        let version = message.version();
        if let Some(dictionary) = message.header_as_dictionary_batch() {
            self.dictionary(&dictionary, &body, version)?;
            return Ok(None);
        }
        let Some(batch) = message.header_as_record_batch() else { return Ok(None) };
        let rows = u64::try_from(batch.length()).map_err(|_| invalid("is damaged: it has fewer rows than none"))?;
        self.budget.take(rows)?;
        let rows = usize::try_from(rows).map_err(invalid)?;
        if self.roots.is_empty() {
            return Ok(Some((Vec::new(), rows)));
        }
        let unpacked = Unpacked::of(&batch, &body, &mut self.budget)?;
        let columns = match unpacked {
            None => self.columns(batch, body.into(), version)?,
            Some(unpacked) => {
                let said = unpacked.batch(&batch);
                self.columns(root::<RecordBatch<'_>>(&said).map_err(invalid)?, unpacked.body.into(), version)?
            }
        };
        Ok(Some((columns, rows)))
    }

    fn columns(&self, batch: RecordBatch<'_>, body: Buffer, version: MetadataVersion) -> io::Result<Vec<ArrayRef>> {
        let schema = Arc::clone(self.schema);
        let read = read_record_batch(&body, batch, schema, &self.dictionaries, Some(self.roots), &version);
        read.map(|batch| batch.columns().to_vec()).map_err(told)
    }

    fn dictionary(
        &mut self,
        dictionary: &DictionaryBatch<'_>,
        body: &[u8],
        version: MetadataVersion,
    ) -> io::Result<()> {
        let batch = dictionary.data().ok_or_else(|| invalid("is damaged: a dictionary has no values"))?;
        let unpacked = Unpacked::of(&batch, body, &mut self.budget)?;
        let said = unpacked.as_ref().map(|unpacked| unpacked.dictionary(dictionary, &batch));
        let body = unpacked.map_or_else(|| body.to_vec(), |unpacked| unpacked.body);
        let dictionary = match &said {
            Some(said) => root::<DictionaryBatch<'_>>(said).map_err(invalid)?,
            None => *dictionary,
        };
        let done = read_dictionary(&body.into(), dictionary, self.schema, &mut self.dictionaries, &version);
        done.map_err(told)?;
        // Each addition to a dictionary copies it.
        let size = self.dictionaries.get(&dictionary.id()).map_or(0, |values| values.get_array_memory_size());
        if dictionary.isDelta() { self.budget.take(size as u64) } else { Ok(()) }
    }
}
