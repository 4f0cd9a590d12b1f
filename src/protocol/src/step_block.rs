//! Steps of a log as rows of numbers: what a long log is read into, so that a million lines stay cheap.

use std::collections::BTreeSet;

use crate::event::{Event, Record, Step};
use crate::metric::Metrics;

/// Steps that follow each other in a log. Their metrics lie in one row of numbers each; the names are kept once
/// for all steps that measured the same ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepBlock {
    shapes: Vec<Vec<String>>,
    rows: Vec<Row>,
    values: Vec<f64>,
}

/// Where and when a row was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Seconds since 1970, UTC.
    pub time: f64,
    /// Steps done, this one included.
    pub step: u64,
    /// Passes over the training data done, as a fraction.
    pub epoch: f64,
    /// Index of the shape that names its values.
    shape: usize,
    /// Index of its first value.
    start: usize,
}

impl StepBlock {
    /// Number of steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The steps in the order of the log, without their metrics.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The names of all metrics that any of the steps has.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        self.shapes.iter().flatten().map(String::as_str).collect()
    }

    /// The steps that measured `name`, and what they measured, in the order of the log.
    pub fn column(&self, name: &str) -> impl Iterator<Item = (u64, f64)> {
        let places: Vec<_> = self.shapes.iter().map(|names| names.iter().position(|known| known == name)).collect();
        self.rows.iter().filter_map(move |row| Some((row.step, *self.values.get(row.start + places[row.shape]?)?)))
    }

    /// The step of this index as the event it was.
    #[must_use]
    pub fn record(&self, index: usize) -> Option<Record> {
        let row = self.rows.get(index)?;
        let names = self.shapes.get(row.shape)?;
        let values = self.values.get(row.start..)?;
        let metrics = Metrics(names.iter().cloned().zip(values.iter().copied()).collect());
        Some(Record { time: row.time, event: Event::Step(Step { step: row.step, epoch: row.epoch, metrics }) })
    }

    /// All steps as the events they were.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        (0..self.len()).filter_map(|index| self.record(index))
    }

    /// Leaves out the first `count` steps.
    pub fn skip(&mut self, count: usize) {
        self.rows.drain(..count.min(self.rows.len()));
    }

    /// The steps of the indices `from..to`, as far as there are such, as a block of their own.
    #[must_use]
    pub fn part(&self, from: usize, to: usize) -> Self {
        let mut rows: Vec<Row> = self.rows.iter().take(to).skip(from).copied().collect();
        let Some(first) = rows.first().map(|first| first.start) else { return Self::default() };
        let end = self.rows.get(to).map_or(self.values.len(), |next| next.start);
        rows.iter_mut().for_each(|row| row.start -= first);
        Self { shapes: self.shapes.clone(), rows, values: self.values[first..end].to_vec() }
    }

    /// Takes in names in their order, of steps that follow; gives their shape.
    pub(crate) fn add_shape(&mut self, names: Vec<String>) -> usize {
        self.shapes.push(names);
        self.shapes.len() - 1
    }

    /// Takes in one value of a row that is not complete.
    pub(crate) fn put(&mut self, value: f64) {
        self.values.push(value);
    }

    /// Values that were taken in.
    pub(crate) fn filled(&self) -> usize {
        self.values.len()
    }

    /// Forgets the values beyond `filled`: those of a row that was none.
    pub(crate) fn undo(&mut self, filled: usize) {
        self.values.truncate(filled);
    }

    /// Completes a row whose values begin at `start`.
    pub(crate) fn close(&mut self, (time, step, epoch): (f64, u64, f64), shape: usize, start: usize) {
        self.rows.push(Row { time, step, epoch, shape, start });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_of_the_same_steps() {
        let mut block = StepBlock::default();
        let shapes = [vec!["a".to_owned()], vec!["a".to_owned(), "b".to_owned()]].map(|names| block.add_shape(names));
        for step in 0..9u32 {
            let (start, wide) = (block.filled(), step % 3 == 0);
            (0..1 + u32::from(wide)).for_each(|column| block.put(f64::from(10 * step + column)));
            block.close((f64::from(step), u64::from(step), 0.0), shapes[usize::from(wide)], start);
        }
        block.skip(1);
        let all: Vec<_> = block.records().collect();
        for from in 0..10 {
            for to in 0..11 {
                let expected = all.iter().take(to).skip(from).cloned().collect::<Vec<_>>();
                assert_eq!(block.part(from, to).records().collect::<Vec<_>>(), expected, "{from}..{to}");
            }
        }
    }
}
