//! Some of the rows of a data set, as if it had no others.

use super::strings::Strings;
use super::{Label, NO_LABEL, Rows};
use crate::error::Error;

impl Rows {
    /// These rows alone, in this order.
    #[must_use]
    pub fn subset(&self, wanted: &[usize]) -> Self {
        let taken = |strings: &Strings| {
            if strings.is_empty() { Strings::default() } else { wanted.iter().map(|row| strings.get(*row)).collect() }
        };
        let (texts, pairs) = (taken(&self.texts), taken(&self.pairs));
        let (ids, groups) = (taken(&self.ids), taken(&self.groups));
        Self { texts, pairs, ids, groups, ..self.without_texts(wanted) }
    }

    /// What rows are beside their texts, ids and groups.
    fn without_texts(&self, wanted: &[usize]) -> Self {
        debug_assert!(wanted.is_sorted(), "rows stay in the order of their files");
        let mut subset = Self {
            lines: wanted.iter().map(|row| self.lines[*row]).collect(),
            labels: wanted.iter().map(|row| self.labels[*row]).collect(),
            files: self.files.clone(),
            starts: self.starts.iter().map(|start| wanted.partition_point(|row| row < start)).collect(),
            path: self.path.clone(),
            columns: self.columns.clone(),
            header: self.header,
            private: self.private,
            ..Self::default()
        };
        for (place, row) in wanted.iter().enumerate() {
            if self.single.binary_search(row).is_ok() {
                subset.single.push(place);
            }
            if let Some(rationale) = self.rationales.get(row) {
                subset.rationales.insert(place, rationale.clone());
            }
        }
        subset.name_labels(&self.names);
        subset
    }

    /// As [`Rows::subset`], in the memory of these rows.
    #[must_use]
    pub fn into_subset(mut self, wanted: &[usize]) -> Self {
        // Without its columns of texts, a subset is small.
        let [mut texts, mut pairs, mut ids, mut groups] =
            [&mut self.texts, &mut self.pairs, &mut self.ids, &mut self.groups].map(std::mem::take);
        for strings in [&mut texts, &mut pairs, &mut ids, &mut groups].into_iter().filter(|all| !all.is_empty()) {
            strings.keep(wanted);
        }
        let mut subset = self.without_texts(wanted);
        (subset.texts, subset.pairs, subset.ids, subset.groups) = (texts, pairs, ids, groups);
        subset
    }

    /// The first `count` rows. Their labels are those of all rows, so that they mean the same; one that none of them has
    /// counts 0.
    #[must_use]
    pub fn head(&self, count: usize) -> Self {
        let mut head = self.subset(&(0..count.min(self.len())).collect::<Vec<_>>());
        head.labels = self.labels[..head.len()].to_vec();
        head.names = self.names.iter().map(|label| Label { count: 0, first: 0, ..label.clone() }).collect();
        for (row, label) in head.labels.iter().enumerate().filter(|(_, label)| **label != NO_LABEL) {
            let label = &mut head.names[*label as usize];
            (label.first, label.count) = (if label.count == 0 { row } else { label.first }, label.count + 1);
        }
        head
    }

    /// Names the labels that the rows have; their numbers are places in `names`.
    fn name_labels(&mut self, names: &[Label]) {
        let mut places = vec![NO_LABEL; names.len()];
        for (row, label) in self.labels.iter_mut().enumerate().filter(|(_, label)| **label != NO_LABEL) {
            let place = &mut places[*label as usize];
            if *place == NO_LABEL {
                *place = self.names.len() as u32;
                self.names.push(Label { name: names[*label as usize].name.clone(), count: 0, first: row });
            }
            *label = *place;
            self.names[*place as usize].count += 1;
        }
    }

    /// The rows with a label have none.
    pub(super) fn forget_label(&mut self, name: &str) {
        if let Some(place) = self.names.iter().position(|label| label.name == name) {
            self.labels.iter_mut().filter(|label| **label == place as u32).for_each(|label| *label = NO_LABEL);
            let names = std::mem::take(&mut self.names);
            self.name_labels(&names);
        }
    }

    /// Leaves out the rows with a label.
    pub(super) fn leave_out(&mut self, name: &str, why: &str) {
        let place = self.names.iter().position(|label| label.name == name);
        let (out, kept): (Vec<usize>, Vec<usize>) = (0..self.len()).partition(|row| self.label(*row) == place);
        let skipped = out.iter().map(|row| {
            let (file, line) = self.place(*row);
            Error::row(file, line, why)
        });
        let skipped: Vec<Error> = skipped.collect();
        skipped.into_iter().for_each(|error| self.skipped.add(error));
        let starts = self.starts.iter().map(|start| start - out.partition_point(|row| row < start)).collect();
        let subset = self.subset(&kept);
        *self = Self {
            files: std::mem::take(&mut self.files),
            starts,
            unused: std::mem::take(&mut self.unused),
            notes: std::mem::take(&mut self.notes),
            skipped: std::mem::take(&mut self.skipped),
            ..subset
        };
    }
}
