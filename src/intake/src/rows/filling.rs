//! Fills rows from the tables of a data set, one file after the other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use pellucid_protocol::settings::reading::{Header, Reading, Role};

use super::cells::Filled;
use super::columns::{self, Columns, NLI_LABEL, folded, is_known};
use super::set::LARGEST;
use super::table::{Cell, LabelNeed, Opened, Record, Table};
use super::unlabelled::{NO_CLASS, looks_missing, no_class, read_as_none, what_to_do};
use super::{Label, NO_LABEL, Rows};
use crate::error::{Error, Result};

/// A column that is read: what it is for, and its name.
#[derive(Debug, Clone)]
struct Wanted {
    role: Role,
    name: String,
    /// The names of its classes in the first file.
    classes: Option<Vec<String>>,
}

/// Fills rows from tables.
pub(super) struct Filling<'a> {
    rows: &'a mut Rows,
    need: LabelNeed,
    reading: &'a Reading,
    /// The file that is read.
    path: PathBuf,
    wanted: Vec<Wanted>,
    /// The columns of the first file.
    columns: Vec<String>,
    /// Bytes of all texts so far.
    bytes: u64,
    /// The places of labels by their names.
    seen: HashMap<String, u32>,
    /// What labels stand for, by how they are read, and whether a row has them.
    mapped: BTreeMap<String, (String, Seen)>,
    /// Labels that are read as none, and how many rows have them.
    missing: BTreeMap<String, usize>,
    /// Labels that are not read as they are written, and what they are read as.
    rewritten: BTreeSet<(String, String)>,
}

/// Whether a row has a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Yes,
    No,
}

/// Labels that are told, where they are not read as they are written.
const TOLD: usize = 5;

impl<'a> Filling<'a> {
    /// Of a data set whose first file is `first`.
    pub(super) fn of(
        rows: &'a mut Rows,
        first: &Opened,
        columns: &Columns,
        need: LabelNeed,
        reading: &'a Reading,
    ) -> Self {
        let first = &*first.table;
        let names = first.columns();
        let wanted = Role::ALL.into_iter().filter_map(|role| {
            let place = columns.of(role)?;
            Some(Wanted { role, name: names[place].clone(), classes: first.classes(place).map(<[String]>::to_vec) })
        });
        let (wanted, columns) = (wanted.collect(), names.to_vec());
        let mapped = reading.labels.iter().map(|(label, class)| (label.to_owned(), (class.to_owned(), Seen::No)));
        let (path, seen, rewritten, mapped) = (PathBuf::new(), HashMap::new(), BTreeSet::new(), mapped.collect());
        Self { rows, need, reading, path, wanted, columns, bytes: 0, seen, mapped, missing: BTreeMap::new(), rewritten }
    }

    /// Says how many rows of pairs are single texts.
    pub(super) fn note_single(&mut self) {
        let (path, single, all) = (self.rows.path.display(), self.rows.single.len(), self.rows.len());
        if single > 0 {
            self.rows.notes.push(format!("{path}: {single} of {all} rows have no second text"));
        }
    }

    /// Says which labels are not read as they are written, and which that the user has mapped no row has.
    pub(super) fn note_labels(&mut self) {
        self.note_missing();
        let unseen = self.mapped.iter().filter(|(_, (_, seen))| *seen == Seen::No).map(|(label, _)| label.as_str());
        let unseen: Vec<&str> = unseen.collect();
        if !unseen.is_empty() {
            let path = self.rows.path.display();
            self.rows.notes.push(format!("{path}: --label-map names labels that no row has: {}", unseen.join(", ")));
        }
        if self.rewritten.is_empty() {
            return;
        }
        if self.reading.private.is_on() {
            let path = self.rows.path.display();
            self.rows.notes.push(format!("{path}: labels that differ only in how they are written, and are one class"));
            return;
        }
        let told: Vec<String> =
            self.rewritten.iter().map(|(written, read)| format!("`{written}` as `{read}`")).collect();
        let path = self.rows.path.display();
        let note =
            format!("{path}: labels that differ only in how they are written, and are one class: {}", told.join(", "));
        self.rows.notes.push(note);
    }

    /// Takes the rows of the first file, whose columns are at the places that were chosen.
    ///
    /// # Errors
    /// A row that is not complete, and what ends the reading.
    pub(super) fn first(&mut self, path: &Path, opened: &Opened, columns: &Columns) -> Result<()> {
        let places: Vec<usize> = self.wanted.iter().filter_map(|wanted| columns.of(wanted.role)).collect();
        self.take(path, &*opened.table, &places)
    }

    /// Takes the rows of another file, whose columns must have the same names.
    ///
    /// # Errors
    /// As [`Filling::first`], and a column that is not there or means something else.
    pub(super) fn next(&mut self, path: &Path, opened: &Opened) -> Result<()> {
        let names = opened.table.columns();
        let first = self.rows.files.first().map_or_else(String::new, |file| file.display().to_string());
        let refused = |why: String| Error::file(path, why);
        if self.rows.header == Header::None && names.len() != self.columns.len() {
            return Err(refused(format!("has {} columns, and {first} has {}", names.len(), self.columns.len())));
        }
        let mut places = Vec::new();
        for wanted in &self.wanted {
            let mut found = (0..names.len()).filter(|place| names[*place] == wanted.name);
            let missing = || refused(format!("has no column `{}`, which {first} has", wanted.name));
            let place = found.next().ok_or_else(missing)?;
            if found.next().is_some() {
                return Err(refused(format!("has two columns `{}`; rename one", wanted.name)));
            }
            if opened.table.classes(place) != wanted.classes.as_deref() {
                let why = format!("has other classes of `{}` than {first}; convert them to texts", wanted.name);
                return Err(refused(why));
            }
            places.push(place);
        }
        self.rows.notes.extend(opened.notes.iter().cloned());
        self.others(path, names, &first)?;
        self.take(path, &*opened.table, &places)
    }

    /// The columns of another file that the first one has not: those that would have a role there are missed here.
    fn others(&mut self, path: &Path, names: &[String], first: &str) -> Result<()> {
        if self.rows.header == Header::None {
            return Ok(());
        }
        let other = columns::not_in(names, &self.columns);
        if let Some((role, name)) = Columns::overlooked(&other, &self.rows.columns, self.reading) {
            return Err(Error::file(path, columns::other(role, name, first)));
        }
        if !other.is_empty() {
            let listed = columns::listed(&other);
            self.rows.notes.push(format!("{}: columns not used, which {first} has not: {listed}", path.display()));
        }
        Ok(())
    }

    fn take(&mut self, path: &Path, table: &dyn Table, places: &[usize]) -> Result<()> {
        table.check(places)?;
        path.clone_into(&mut self.path);
        self.rows.files.push(path.to_owned());
        self.rows.starts.push(self.rows.len());
        let roles: Vec<Role> = self.wanted.iter().map(|wanted| wanted.role).collect();
        table.each(places, &mut |record| {
            let filled = record.and_then(|record| {
                let filled = self.refuse_header(&record).and_then(|()| self.filled(&roles, &record));
                filled.map(|filled| (record.line, filled)).map_err(|why| Error::row(&self.path, record.line, why))
            });
            match filled {
                Ok((line, filled)) => {
                    self.pay(&filled)?;
                    self.push(line, filled);
                }
                Err(error) if (self.rows.skipped.len() as u64) < self.reading.skip_bad => {
                    self.rows.skipped.add(error);
                }
                Err(error) => return Err(self.past_the_limit(error)),
            }
            Ok(())
        })
    }

    /// The error of a row, with the number of those that were left out before.
    fn past_the_limit(&self, error: Error) -> Error {
        let (skipped, limit) = (self.rows.skipped.len() + 1, self.reading.skip_bad);
        match error {
            Error::Row { path, line, message } if limit > 0 => {
                let message = format!("{message}; that makes {skipped} bad rows, more than --skip-bad {limit}");
                Error::Row { path, line, message }
            }
            error => error,
        }
    }

    /// Refuses a row that names the columns: files that were put together, or a file that has a header among others that
    /// have none.
    fn refuse_header(&self, record: &Record<'_>) -> std::result::Result<(), String> {
        let is_name = |(wanted, cell): (&Wanted, &Cell<'_>)| match (self.rows.header, cell) {
            (Header::Auto, Cell::Text(text)) => folded(text) == folded(&wanted.name),
            (Header::None, Cell::Text(text)) => record.line == 1 && is_known(text, self.reading),
            _ => false,
        };
        let mut cells = self.wanted.iter().zip(record.cells);
        match (self.rows.header, self.rows.files.len()) {
            (Header::Auto, _) if record.cells.len() < 2 => Ok(()),
            (Header::None, 1) => Ok(()),
            (Header::Auto, _) if cells.all(is_name) => Err("is the header again; remove the row".to_owned()),
            (Header::None, _) if cells.all(is_name) => {
                let first = self.rows.files.first().map_or_else(String::new, |file| file.display().to_string());
                Err(format!("is a header, and {first} has none; give both files one, or remove it"))
            }
            _ => Ok(()),
        }
    }

    /// The row; where those who were asked did not agree, or nothing is written, it has no label.
    fn filled<'r>(&mut self, roles: &[Role], record: &Record<'r>) -> std::result::Result<Filled<'r>, String> {
        let mut filled = Filled::of(roles, record.cells, self.need)?;
        let is_nli =
            || self.wanted.iter().any(|wanted| wanted.role == Role::Label && folded(&wanted.name) == NLI_LABEL);
        if filled.label.as_deref() == Some("-") && is_nli() {
            if self.need == LabelNeed::Required {
                return Err(
                    "the label is `-`: no label that most agree on; --skip-bad N leaves such rows out".to_owned()
                );
            }
            filled.label = None;
        }
        if let Some(label) = filled.label.take_if(|label| looks_missing(label) && !self.mapped.contains_key(&**label)) {
            if self.need == LabelNeed::Required {
                return Err(what_to_do(&label));
            }
            *self.missing.entry(label.into_owned()).or_default() += 1;
        }
        Ok(filled)
    }

    /// Rows whose label is -1 where all others count up from 0 have none.
    ///
    /// # Errors
    /// When they need one, and more are bad than may be.
    pub(super) fn without_class(&mut self) -> Result<()> {
        let meant = self.mapped.iter().any(|(label, (class, _))| label == NO_CLASS || class == NO_CLASS);
        let Some(none) = no_class(&self.rows.names).filter(|_| !meant) else { return Ok(()) };
        let (count, first) = (none.count, none.first);
        if self.need == LabelNeed::Optional {
            self.missing.insert(NO_CLASS.to_owned(), count);
            self.rows.forget_label(NO_CLASS);
            return Ok(());
        }
        if (self.rows.skipped.len() + count) as u64 > self.reading.skip_bad {
            let (file, line) = self.rows.place(first);
            return Err(Error::row(file, line, what_to_do(NO_CLASS)));
        }
        self.rows.leave_out(NO_CLASS, &what_to_do(NO_CLASS));
        Ok(())
    }

    /// Says which labels are read as none.
    fn note_missing(&mut self) {
        let path = self.rows.path.display();
        for (label, count) in &self.missing {
            self.rows.notes.push(format!("{path}: {}", read_as_none(label, *count)));
        }
    }

    /// Many files that are small may come to texts that are not.
    fn pay(&mut self, filled: &Filled<'_>) -> Result<()> {
        let parts = [Some(&filled.text), filled.pair.as_ref(), filled.id.as_ref(), filled.group.as_ref()];
        self.bytes += parts.into_iter().flatten().map(|part| part.len() as u64).sum::<u64>();
        if self.bytes > LARGEST {
            let why =
                format!("has more than {} GiB of texts, the most that is read; name some of its files", LARGEST >> 30);
            return Err(Error::file(&self.rows.path, why));
        }
        Ok(())
    }

    fn push(&mut self, line: u64, filled: Filled<'_>) {
        let rows = &mut *self.rows;
        let row = rows.texts.len();
        rows.texts.push(&filled.text);
        if rows.columns.pair.is_some() {
            rows.pairs.push(filled.pair.as_deref().unwrap_or_default());
            if filled.pair.is_none() {
                rows.single.push(row);
            }
        }
        if rows.columns.id.is_some() {
            rows.ids.push(filled.id.as_deref().unwrap_or_default());
        }
        if rows.columns.group.is_some() {
            rows.groups.push(filled.group.as_deref().unwrap_or_default());
        }
        if !filled.rationale.is_empty() {
            rows.rationales.insert(row, filled.rationale);
        }
        rows.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        if let (Some(written), Some(label)) = (filled.label_written, &filled.label)
            && self.rewritten.len() < TOLD
        {
            self.rewritten.insert((written.into_owned(), label.to_string()));
        }
        let label = filled.label.map_or(NO_LABEL, |label| self.label(&label, row));
        self.rows.labels.push(label);
    }

    /// The place of a label, which is new if no row had it before.
    fn label(&mut self, written: &str, row: usize) -> u32 {
        let name = self.mapped.get_mut(written).map_or(written, |(class, seen)| {
            *seen = Seen::Yes;
            class
        });
        let names = &mut self.rows.names;
        let place = match self.seen.get(name) {
            Some(place) => *place,
            None => {
                let place = names.len() as u32;
                names.push(Label { name: name.to_owned(), count: 0, first: row });
                self.seen.insert(name.to_owned(), place);
                place
            }
        };
        names[place as usize].count += 1;
        place
    }
}
