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
