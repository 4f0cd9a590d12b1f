//! Rows from tables: cell by cell, checked, with their labels counted.

use std::collections::{BTreeSet, HashMap};

use pellucid_protocol::settings::reading::{Reading, Role};

use super::cells::Filled;
use super::columns::Columns;
use super::table::{LabelNeed, Table};
use super::{Label, NO_LABEL, Rows};
use crate::error::{Error, Result};

/// Fills rows from a table.
pub(super) struct Filling<'a> {
    rows: &'a mut Rows,
    need: LabelNeed,
    reading: &'a Reading,
    /// The places of labels by their names.
    seen: HashMap<String, u32>,
    /// Labels that are not read as they are written, and what they are read as.
    rewritten: BTreeSet<(String, String)>,
}

/// Labels that are told, where they are not read as they are written.
const TOLD: usize = 5;

impl<'a> Filling<'a> {
    pub(super) fn of(rows: &'a mut Rows, need: LabelNeed, reading: &'a Reading) -> Self {
        Self { rows, need, reading, seen: HashMap::new(), rewritten: BTreeSet::new() }
    }

    pub(super) fn note_rewritten(&mut self) {
        if self.rewritten.is_empty() {
            return;
        }
        let told: Vec<String> =
            self.rewritten.iter().map(|(written, read)| format!("`{written}` as `{read}`")).collect();
        let path = self.rows.path.display();
        let note = format!("{path}: labels that differ only in blanks or .0 are one class: {}", told.join(", "));
        self.rows.notes.push(note);
    }

    pub(super) fn fill(&mut self, table: &dyn Table, columns: &Columns) -> Result<()> {
        let wanted: Vec<(Role, usize)> =
            Role::ALL.into_iter().filter_map(|role| Some((role, columns.of(role)?))).collect();
        let (roles, places): (Vec<Role>, Vec<usize>) = wanted.into_iter().unzip();
        let path = self.rows.path.clone();
        table.each(&places, &mut |record| {
            let filled = record.and_then(|record| {
                let filled = Filled::of(&roles, record.cells, self.need);
                filled.map(|filled| (record.line, filled)).map_err(|why| Error::row(&path, record.line, why))
            });
            match filled {
                Ok((line, filled)) => self.push(line, filled),
                Err(error) if (self.rows.skipped.len() as u64) < self.reading.skip_bad => {
                    self.rows.skipped.push(error.to_string());
                }
                Err(error) => return Err(error),
            }
            Ok(())
        })
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
        let name = self.reading.labels.0.get(written).map_or(written, String::as_str);
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
