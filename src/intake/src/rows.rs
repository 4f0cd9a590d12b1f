//! Rows of data files in any of the listed formats; a bad row is named by file and line.
//!
//! ```text
//! set         the files of a data set
//! saved       folders that datasets has saved
//! data_file   its bytes as UTF-8
//! charset     encodings by name
//! quotes      faults that hide rows
//! dialect     what separates the fields of a table
//! table       rows of cells, whatever the format
//! columns     which column is for what
//! profile     what columns hold, where nobody can know that
//! format      the formats: delimited, jsonl (of which json_list is one layout), parquet, arrow
//! typed       columns with types as cells
//! joined      files that are several
//! features    what datasets says of columns
//! unpacked    what comes out of compressed bytes
//! cells       a row as it must be
//! unlabelled  labels that may say that there is none
//! filling     rows from tables
//! private     what may be told of private rows
//! skipped     rows that were left out
//! part        some of the rows
//! strings     many texts in one piece of memory
//! ```

mod arrow;
mod cells;
mod charset;
mod columns;
mod data_file;
mod delimited;
mod dialect;
mod features;
mod filling;
mod format;
mod joined;
mod jsonl;
mod parquet;
mod part;
mod private;
mod profile;
mod quotes;
mod saved;
mod set;
mod skipped;
mod strings;
mod table;
mod typed;
mod unlabelled;
mod unpacked;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pellucid_protocol::explanation::Span;
use pellucid_protocol::settings::Switch;
use pellucid_protocol::settings::reading::{ColumnNames, Header, Reading, Role};

use self::columns::{Columns, Unclear};
use self::data_file::DataFile;
use self::filling::Filling;
use self::set::FileSet;
use self::table::Opened;
use crate::error::{Error, Result};

pub use cells::LONGEST_TEXT;
pub use skipped::{Skipped, SkippedRow};
pub use strings::Strings;
pub use table::LabelNeed;

/// A row as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line where it starts, from 1.
    pub line: u64,
    /// The text.
    pub text: String,
    /// The second text of a pair.
    pub pair: Option<String>,
    /// The label as written; `None` where labels are optional and the row has none.
    pub label: Option<String>,
    /// What the row is called.
    pub id: Option<String>,
    /// The parts of `text`, in characters, that a person marked as the reason for the label.
    pub rationale: Vec<Span>,
}

/// A label of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// As it is written, without the blanks around it; a whole number without a fraction.
    pub name: String,
    /// How many rows have it.
    pub count: usize,
    /// The place of the first row that has it.
    pub first: usize,
}

/// The rows of a data set, by column: a few bytes a row beside its texts.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// The file, the folder or the pattern.
    path: PathBuf,
    /// The files.
    files: Vec<PathBuf>,
    /// The first row of each.
    starts: Vec<usize>,
    texts: Strings,
    /// Second texts; empty if the data have none.
    pairs: Strings,
    /// Rows of a data set of pairs that have no second text.
    single: Vec<usize>,
    lines: Vec<u32>,
    /// Which of `names` each row has, or [`NO_LABEL`].
    labels: Vec<u32>,
    names: Vec<Label>,
    ids: Strings,
    groups: Strings,
    rationales: HashMap<usize, Vec<Span>>,
    /// The columns that were read, as a user would name them.
    columns: ColumnNames,
    header: Header,
    /// Columns of the first file that were not read.
    unused: Vec<String>,
    notes: Vec<String>,
    skipped: Skipped,
    /// Whether no cell of the data is told, but for labels that many rows share.
    private: Switch,
}

const NO_LABEL: u32 = u32::MAX;

/// Reads all rows of the file at `path`, whose ending names the format; or of all files in the folder there, or of those
/// that it is the pattern of.
///
/// # Errors
/// When the file cannot be read, is empty, has no columns that are clear, or has a row that is not complete.
pub fn read_rows(path: &Path, reading: &Reading, need: LabelNeed) -> Result<Rows> {
    let set = FileSet::of(path)?;
    let open = |file: &Path, reading: &Reading| {
        format::open(DataFile::new(file, reading.encoding.as_deref(), set.links.clone())?, reading, need)
    };
    let Some((first, others)) = set.files.split_first() else { return Err(Error::file(path, "has no files")) };
    let opened = open(first, reading)?;
    let columns = chosen(first, &opened, reading, need)?;
    let mut rows = Rows::of(path, &opened, &columns, reading);
    rows.notes.extend(set.notes.iter().cloned());
    let alike = rows.reading(reading);
    let mut filling = Filling::of(&mut rows, &opened, &columns, need, reading);
    filling.first(first, &opened, &columns)?;
    others.iter().try_for_each(|other| filling.next(other, &open(other, &alike)?))?;
    filling.without_class()?;
    filling.note_labels();
    filling.note_single();
    if rows.is_empty() {
        return Err(Error::file(path, "has no rows"));
    }
    rows.texts.shrink();
    rows.pairs.shrink();
    Ok(rows)
}

/// Reads another file for the same model: as [`read_rows`], with the columns of `like`, which were found with `reading`.
///
/// # Errors
/// As [`read_rows`], and when it has a second text and `like` has none.
pub fn read_alike(path: &Path, like: &Rows, reading: &Reading, need: LabelNeed) -> Result<Rows> {
    let rows = read_rows(path, &like.reading(reading), need)?;
    match Columns::overlooked(&columns::not_in(&rows.unused, &like.unused), &rows.columns, reading) {
        Some((role, name)) if rows.header == Header::Auto => {
            Err(Error::file(path, columns::other(role, name, &like.path.display().to_string())))
        }
        _ => Ok(rows),
    }
}

/// The columns of a table.
fn chosen(path: &Path, opened: &Opened, reading: &Reading, need: LabelNeed) -> Result<Columns> {
    let labelled = need == LabelNeed::Required;
    if let Some((text, label)) = opened.order.filter(|_| !reading.columns.are_any()) {
        return match (label, need) {
            (None, LabelNeed::Required) => Err(Error::row(
                path,
                1,
                "has one column, and so no labels; if it has more, name what separates them with --delimiter",
            )),
            _ => Ok(Columns { text, label, ..Columns::default() }),
        };
    }
    let names = opened.table.columns();
    Columns::choose(names, reading, labelled).map_err(|unclear| match unclear {
        Unclear::Wrong(why) => Error::row(path, 1, why),
        Unclear::Missing(why) => match profile::of(&*opened.table, reading) {
            Ok(profiles) => Error::row(path, 1, format!("{why} {}", profile::told(&profiles))),
            Err(error) => error,
        },
        Unclear::Unknown(why) => match profile::of(&*opened.table, reading) {
            Ok(profiles) => {
                let (listed, advice) = (profile::listed(&profiles, labelled), opened.advice);
                Error::row(path, 1, format!("{why} {listed}{advice}"))
            }
            Err(error) => error,
        },
    })
}

impl Rows {
    fn of(path: &Path, opened: &Opened, columns: &Columns, reading: &Reading) -> Self {
        let names = opened.table.columns();
        let name = |role: Role| columns.of(role).map(|place| names[place].clone());
        let unused = columns.unused(names);
        let mut notes = opened.notes.clone();
        if !unused.is_empty() {
            notes.push(format!("{}: {}", path.display(), private::unused(&unused, reading.private)));
        }
        if columns.label == Some(0) && opened.order.is_some() {
            notes.push(format!(
                "{}: the columns are swapped: the label is the first, the text the second",
                path.display()
            ));
        }
        if let Some(pair) = columns.pair.filter(|_| !reading.private.is_on()) {
            let (first, second) = (&names[columns.text], &names[pair]);
            notes.push(format!("{}: pairs of texts: `{first}`, then `{second}`", path.display()));
        }
        let is_named = opened.order.is_none() && reading.header == Header::Auto;
        Self {
            path: path.to_owned(),
            columns: ColumnNames {
                text: name(Role::Text),
                pair: name(Role::Pair),
                label: name(Role::Label),
                id: name(Role::Id),
                group: name(Role::Group),
                rationale: name(Role::Rationale),
            },
            header: if is_named { Header::Auto } else { Header::None },
            unused,
            notes,
            private: reading.private,
            ..Self::default()
        }
    }

    /// One text, of no file.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let (texts, lines, labels) = ([text].into_iter().collect(), vec![1], vec![NO_LABEL]);
        Self { texts, lines, labels, ..Self::default() }
    }

    /// The file that they are from; or the folder, or the pattern, if they are from several.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The text of a row.
    #[must_use]
    pub fn text(&self, row: usize) -> &str {
        self.texts.get(row)
    }

    /// The second text of a row, if it has one.
    #[must_use]
    pub fn pair(&self, row: usize) -> Option<&str> {
        let has_one = !self.pairs.is_empty() && self.single.binary_search(&row).is_err();
        has_one.then(|| self.pairs.get(row))
    }

    /// The label of a row as a place in [`Rows::labels`].
    #[must_use]
    pub fn label(&self, row: usize) -> Option<usize> {
        (self.labels[row] != NO_LABEL).then_some(self.labels[row] as usize)
    }

    /// The different labels, in the order in which they come first.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.names
    }

    /// What a row is called, if the data have a column for that.
    #[must_use]
    pub fn id(&self, row: usize) -> Option<&str> {
        (!self.ids.is_empty()).then(|| self.ids.get(row))
    }

    /// What a row has in common with others that must not be on both sides of a split.
    #[must_use]
    pub fn group(&self, row: usize) -> Option<&str> {
        (!self.groups.is_empty()).then(|| self.groups.get(row))
    }

    /// The different groups, in the order in which they come first.
    #[must_use]
    pub fn groups(&self) -> Vec<Label> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut groups: Vec<Label> = Vec::new();
        for (row, name) in (0..self.len()).filter_map(|row| Some((row, self.group(row)?))) {
            let place = *places.entry(name).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Label { name: name.to_owned(), count: 0, first: row });
            }
            groups[place].count += 1;
        }
        groups
    }

    /// The parts of its text that a person marked.
    #[must_use]
    pub fn rationale(&self, row: usize) -> &[Span] {
        self.rationales.get(&row).map_or(&[], Vec::as_slice)
    }

    /// The files that they are from.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        if self.files.is_empty() { std::slice::from_ref(&self.path) } else { &self.files }
    }

    /// The file that a row is from, and the line where it starts there.
    #[must_use]
    pub fn place(&self, row: usize) -> (&Path, u64) {
        (&self.files()[self.file_of(row)], self.line(row))
    }

    /// The file that a row is from, as a place among the files.
    #[must_use]
    pub fn file_of(&self, row: usize) -> usize {
        self.starts.partition_point(|start| *start <= row).saturating_sub(1)
    }

    /// The line of its file where a row starts, or its number, from 1.
    #[must_use]
    pub fn line(&self, row: usize) -> u64 {
        u64::from(self.lines[row])
    }

    /// All of a row.
    #[must_use]
    pub fn row(&self, row: usize) -> Row {
        Row {
            line: self.line(row),
            text: self.text(row).to_owned(),
            pair: self.pair(row).map(str::to_owned),
            label: self.label(row).map(|label| self.names[label].name.clone()),
            id: self.id(row).map(str::to_owned),
            rationale: self.rationale(row).to_vec(),
        }
    }

    /// How they were read: for another file of the same kind.
    #[must_use]
    pub fn reading(&self, reading: &Reading) -> Reading {
        Reading { columns: self.columns.clone(), header: self.header, ..reading.clone() }
    }

    /// The columns that were read, by their names.
    #[must_use]
    pub fn columns(&self) -> &ColumnNames {
        &self.columns
    }

    /// What to tell the user of the file.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The rows that were left out, and why.
    #[must_use]
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }
}

#[cfg(test)]
mod tests;
