//! Steps of a log as columns of numbers, so that a log of a million steps takes little time and memory to read.

use pellucid_protocol::event::{Event, Record, Step};
use pellucid_protocol::metric::Metrics;

/// Consecutive steps of a log, with one column of values for each metric.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepBlock {
    rows: Vec<Row>,
    columns: Vec<Column>,
}

/// A step without its metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Seconds since 1970, UTC.
    pub time: f64,
    /// Steps done, this one included.
    pub step: u64,
    /// Passes over the training data done, as a fraction.
    pub epoch: f64,
}

/// The values of one metric in the steps of a block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Column {
    name: String,
    /// The row of each value, in ascending order; `None` if value `i` belongs to row `i`.
    at: Option<Vec<u32>>,
    values: Vec<f64>,
}

impl Column {
    /// A column of these values in a block of `rows` rows; `None` if `at` does not name a row for each value.
    pub(crate) fn of(name: String, at: Option<Vec<u32>>, values: Vec<f64>, rows: usize) -> Option<Self> {
        let fits = match &at {
            Some(at) => {
                at.len() == values.len()
                    && at.is_sorted_by(|a, b| a < b)
                    && at.last().is_none_or(|&last| (last as usize) < rows)
            }
            None => values.len() <= rows,
        };
        fits.then_some(Self { name, at, values })
    }

    /// The metric.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values, in the order of the log.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Whether value `i` belongs to row `i`, with no row left out in between.
    #[must_use]
    pub fn is_gapless(&self) -> bool {
        self.at.is_none()
    }

    /// The row of each value; `None` if value `i` belongs to row `i`.
    pub(crate) fn at(&self) -> Option<&[u32]> {
        self.at.as_deref()
    }

    /// The row of the value of this index.
    fn row(&self, index: usize) -> usize {
        self.at.as_ref().map_or(index, |at| at[index] as usize)
    }

    fn get(&self, row: usize) -> Option<f64> {
        let index = match &self.at {
            Some(at) => at.binary_search(&u32::try_from(row).ok()?).ok()?,
            None => row,
        };
        self.values.get(index).copied()
    }

    fn push(&mut self, row: usize, value: f64) {
        if self.at.is_none() && self.values.len() < row {
            self.at = Some((0..self.values.len() as u32).collect());
        }
        if let Some(at) = &mut self.at {
            at.push(row as u32);
        }
        self.values.push(value);
    }

    /// The values of the rows `from..to`, as a column of a block that begins at row `from`; `None` if there are none.
    fn part(&self, from: usize, to: usize) -> Option<Self> {
        let index = |row: usize| match &self.at {
            Some(at) => at.partition_point(|&known| (known as usize) < row),
            None => row.min(self.values.len()),
        };
        let range = index(from)..index(to);
        let values = self.values.get(range.clone()).filter(|values| !values.is_empty())?.to_vec();
        let at = self.at.as_ref().map(|at| at[range].iter().map(|&row| row - from as u32).collect());
        Some(Self { name: self.name.clone(), at, values })
    }
}

impl StepBlock {
    /// A block of `rows`; each of `columns` must have been made for that number of rows.
    pub(crate) fn of(rows: Vec<Row>, columns: Vec<Column>) -> Self {
        Self { rows, columns }
    }

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

    /// The columns: one for each metric that any of the steps has.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Step number and value of each value in `column`, which must be one of this block's.
    pub fn points<'a>(&'a self, column: &'a Column) -> impl Iterator<Item = (u64, f64)> + 'a {
        column.values.iter().enumerate().map(|(index, &value)| (self.rows[column.row(index)].step, value))
    }

    /// The distance between neighbouring steps, if there are at least two steps and it is always the same.
    #[must_use]
    pub fn stride(&self) -> Option<u64> {
        let [first, second, ..] = self.rows.as_slice() else { return None };
        let stride = second.step.checked_sub(first.step).filter(|&stride| stride > 0)?;
        let even = self.rows.windows(2).all(|pair| pair[1].step.checked_sub(pair[0].step) == Some(stride));
        even.then_some(stride)
    }

    /// The step of this index as a record.
    #[must_use]
    pub fn record(&self, index: usize) -> Option<Record> {
        let row = self.rows.get(index)?;
        let measured = self.columns.iter().filter_map(|column| Some((column.name.clone(), column.get(index)?)));
        let metrics = Metrics(measured.collect());
        Some(Record { time: row.time, event: Event::Step(Step { step: row.step, epoch: row.epoch, metrics }) })
    }

    /// All steps as records.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        (0..self.len()).filter_map(|index| self.record(index))
    }

    /// Removes the first `count` steps.
    pub fn skip(&mut self, count: usize) {
        if count > 0 {
            *self = self.part(count, self.len());
        }
    }

    /// The steps `from..to` as a block of their own; indices beyond the end are ignored.
    #[must_use]
    pub fn part(&self, from: usize, to: usize) -> Self {
        let to = to.min(self.len());
        let from = from.min(to);
        let columns = self.columns.iter().filter_map(|column| column.part(from, to)).collect();
        Self { rows: self.rows[from..to].to_vec(), columns }
    }

    /// The index of the column `name`, which is added if there is none.
    pub(crate) fn column(&mut self, name: &str) -> usize {
        let known = self.columns.iter().position(|column| column.name == name);
        known.unwrap_or_else(|| {
            self.columns.push(Column { name: name.to_owned(), ..Column::default() });
            self.columns.len() - 1
        })
    }

    /// Adds a step with `values`, one for each of `columns`.
    pub(crate) fn push(&mut self, row: Row, columns: &[usize], values: &[f64]) {
        let index = self.rows.len();
        columns.iter().zip(values).for_each(|(&column, &value)| self.columns[column].push(index, value));
        self.rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of which each third one has measured one thing more, and none of the first two the last.
    fn mixed() -> StepBlock {
        let mut block = StepBlock::default();
        let columns = ["a", "b", "c"].map(|name| block.column(name));
        for step in 0..9u32 {
            let row = Row { time: f64::from(step), step: u64::from(step), epoch: 0.0 };
            let wide = if step % 3 == 0 { 2 } else { 1 };
            let values: Vec<_> = (0..wide).map(|column| f64::from(10 * step + column)).collect();
            block.push(row, &columns[..wide as usize], &values);
        }
        block
    }

    #[test]
    fn a_part_is_of_the_same_steps() {
        let mut block = mixed();
        block.skip(1);
        let all: Vec<_> = block.records().collect();
        assert_eq!(all.len(), 8);
        for from in 0..10 {
            for to in 0..11 {
                let expected = all.iter().take(to).skip(from).cloned().collect::<Vec<_>>();
                assert_eq!(block.part(from, to).records().collect::<Vec<_>>(), expected, "{from}..{to}");
            }
        }
    }

    #[test]
    fn a_column_has_the_steps_that_measured_it() {
        let block = mixed();
        let points = |index: usize| block.points(&block.columns()[index]).collect::<Vec<_>>();
        assert_eq!(points(1), [(0, 1.0), (3, 31.0), (6, 61.0)]);
        assert_eq!(points(0).len(), 9);
        assert!(block.columns()[0].is_gapless() && !block.columns()[1].is_gapless());
        assert_eq!((block.stride(), block.part(0, 1).stride()), (Some(1), None));
    }

    #[test]
    fn a_column_must_fit_its_rows() {
        let fits = |at: Option<Vec<u32>>, values: usize| Column::of("a".into(), at, vec![0.5; values], 3).is_some();
        assert!(fits(None, 3) && fits(Some(vec![0, 2]), 2));
        assert!(!fits(None, 4) && !fits(Some(vec![0, 3]), 2) && !fits(Some(vec![1, 1]), 2) && !fits(Some(vec![1]), 2));
    }
}
