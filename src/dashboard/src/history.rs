//! The history of one metric: every point is kept, and any range is summarised in a few steps.
//!
//! ```text
//! level 2   [      4096 points       ]       each bucket: smallest, largest, sum, how many, how many gaps
//! level 1   [ 64 ][ 64 ][ 64 ] ...           built when its 64 children are complete
//! points     ...... ...... ....              less than ten bytes each with all that is above
//! ```
//!
//! Extremes are exact at every zoom: no spike is ever lost to thinning. The smoothed line is computed on
//! every point, so that it does not depend on what is seen.

pub(crate) mod marks;
mod steps;
pub(crate) mod throughput;
pub(crate) mod timeline;

pub(crate) use steps::Steps;

/// Children of a bucket.
const FAN: usize = 64;

/// Points between two kept states of the smoothed line.
const STRIDE: usize = 64;

/// The usual share of the old value in the smoothed line.
pub(crate) const MEMORY: f64 = 0.95;

/// A summary of a range of points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The smallest finite value; infinite if there is none.
    pub min: f64,
    /// The largest finite value; minus infinite if there is none.
    pub max: f64,
    /// The sum of the finite values.
    pub sum: f64,
    /// How many values are finite.
    pub finite: u32,
    /// How many values are not.
    pub gaps: u32,
}

impl Summary {
    /// The summary of no points.
    pub const EMPTY: Summary = Summary { min: f64::INFINITY, max: f64::NEG_INFINITY, sum: 0.0, finite: 0, gaps: 0 };

    fn of(value: f64) -> Self {
        if value.is_finite() {
            Self { min: value, max: value, sum: value, finite: 1, gaps: 0 }
        } else {
            Self { gaps: 1, ..Self::EMPTY }
        }
    }

    fn add(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        self.finite = self.finite.saturating_add(other.finite);
        self.gaps = self.gaps.saturating_add(other.gaps);
    }

    /// The mean of the finite values.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.finite > 0).then(|| self.sum / f64::from(self.finite))
    }
}

/// One column of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// The points in it.
    pub summary: Summary,
    /// The smoothed value at its last point.
    pub smooth: Option<f64>,
}

/// A metric's values by step.
#[derive(Debug, Clone)]
pub struct Series {
    steps: Steps,
    values: Vec<f64>,
    levels: Vec<Vec<Summary>>,
    memory: f64,
    average: Average,
    /// The average before each 64th point.
    averages: Vec<Average>,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            steps: Steps::default(),
            values: Vec::new(),
            levels: Vec::new(),
            memory: MEMORY,
            average: Average::default(),
            averages: Vec::new(),
        }
    }
}

/// An exponential moving average, debiased as Adam's moments are (Kingma and Ba 2015, section 3).
#[derive(Debug, Clone, Copy, Default)]
struct Average {
    sum: f64,
    weight: f64,
}

impl Average {
    fn push(&mut self, value: f64, memory: f64) -> f64 {
        if !value.is_finite() {
            return f64::NAN;
        }
        self.sum = memory * self.sum + (1.0 - memory) * value;
        self.weight = memory * self.weight + (1.0 - memory);
        self.sum / self.weight
    }
}

impl Series {
    /// Appends a value. If its step is not after the last one, all points from that step on are dropped first: a
    /// resumed run trains steps again that its log already has.
    pub fn push(&mut self, step: u64, value: f64) {
        if self.steps.last().is_some_and(|last| step <= last) {
            self.cut(self.steps.below(step as f64));
        }
        self.steps.push(step);
        self.average_in(self.values.len(), value);
        self.values.push(value);
        if self.values.len().is_multiple_of(FAN) {
            self.build();
        }
    }

    /// Appends values by step, as [`Series::push`] does one by one.
    pub fn extend(&mut self, points: impl Iterator<Item = (u64, f64)>) {
        points.for_each(|(step, value)| self.push(step, value));
    }

    /// Appends values at steps that are `stride` apart, from step `first` on.
    pub fn extend_evenly(&mut self, (first, stride): (u64, u64), values: &[f64]) {
        if self.steps.last().is_some_and(|last| first <= last) {
            self.cut(self.steps.below(first as f64));
        }
        self.steps.extend_evenly((first, stride), values.len());
        let known = self.values.len();
        self.values.extend_from_slice(values);
        values.iter().enumerate().for_each(|(index, &value)| self.average_in(known + index, value));
        self.build();
    }

    /// Builds all buckets that are complete and not there yet.
    fn build(&mut self) {
        let mut size = FAN;
        for level in 0.. {
            let count = self.values.len() / size;
            if count == 0 {
                break;
            }
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            for bucket in self.levels[level].len()..count {
                let built = self.children(level, bucket);
                self.levels[level].push(built);
            }
            size *= FAN;
        }
    }

    /// The summary of the children of a bucket, added in their order.
    fn children(&self, level: usize, bucket: usize) -> Summary {
        let mut sum = Summary::EMPTY;
        let range = bucket * FAN..(bucket + 1) * FAN;
        match level.checked_sub(1) {
            None => self.values[range].iter().for_each(|&value| sum.add(&Summary::of(value))),
            Some(below) => self.levels[below][range].iter().for_each(|child| sum.add(child)),
        }
        sum
    }

    /// Adds the value of the next point, which has this index, to the moving average.
    fn average_in(&mut self, index: usize, value: f64) {
        if index.is_multiple_of(STRIDE) {
            self.averages.push(self.average);
        }
        self.average.push(value, self.memory);
    }

    /// Smooths again with another share of the old value, from 0 (no smoothing) to below 1.
    pub fn smooth_by(&mut self, memory: f64) {
        if memory == self.memory {
            return;
        }
        self.memory = memory;
        self.average = Average::default();
        self.averages.clear();
        for index in 0..self.values.len() {
            self.average_in(index, self.values[index]);
        }
    }

    fn cut(&mut self, length: usize) {
        self.steps.truncate(length);
        self.values.truncate(length);
        let mut size = FAN;
        for level in &mut self.levels {
            level.truncate(length / size);
            size *= FAN;
        }
        self.average = self.averages.get(length / STRIDE).copied().unwrap_or(self.average);
        self.averages.truncate(length.div_ceil(STRIDE));
        for &value in &self.values[length / STRIDE * STRIDE..] {
            self.average.push(value, self.memory);
        }
    }

    /// Number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no points.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The step of the point of this index.
    #[must_use]
    pub fn step(&self, index: usize) -> Option<u64> {
        self.steps.get(index)
    }

    /// The last step and value.
    #[must_use]
    pub fn last(&self) -> Option<(u64, f64)> {
        Some((self.steps.last()?, *self.values.last()?))
    }

    /// Whether the smoothed line differs from the points.
    #[must_use]
    pub fn is_smoothed(&self) -> bool {
        self.memory > 0.0
    }

    /// The last smoothed value.
    #[must_use]
    pub fn last_smooth(&self) -> Option<f64> {
        self.smooth(self.len().checked_sub(1)?)
    }

    /// The smoothed value at the point of this index; NaN where the value is no number.
    #[must_use]
    pub fn smooth(&self, index: usize) -> Option<f64> {
        let block = index / STRIDE;
        let mut average = *self.averages.get(block)?;
        let values = self.values.get(block * STRIDE..=index)?;
        values.iter().fold(None, |_, &value| Some(average.push(value, self.memory)))
    }

    /// Index of the point at `step`, or of the last one before it.
    #[must_use]
    pub fn index_at(&self, step: u64) -> Option<usize> {
        self.index(step as f64 + 0.5).checked_sub(1)
    }

    /// The value at `step`, or the last one before it.
    #[must_use]
    pub fn at(&self, step: u64) -> Option<f64> {
        self.values.get(self.index_at(step)?).copied()
    }

    /// The summary of the points `from..to`, by index.
    #[must_use]
    pub fn summary(&self, from: usize, to: usize) -> Summary {
        let mut sum = Summary::EMPTY;
        let mut at = from;
        let to = to.min(self.values.len());
        while at < to {
            let (part, size) = self.block(at, to);
            sum.add(&part);
            at += size;
        }
        sum
    }

    /// The largest complete block that starts at `at` and ends by `to`, and its size.
    fn block(&self, at: usize, to: usize) -> (Summary, usize) {
        let mut best = (Summary::of(self.values[at]), 1);
        let mut size = FAN;
        for level in &self.levels {
            let Some(bucket) = level.get(at / size).filter(|_| at.is_multiple_of(size) && at + size <= to) else {
                break;
            };
            best = (*bucket, size);
            size *= FAN;
        }
        best
    }

    /// The summary of the points at steps `from..to`.
    #[must_use]
    pub fn range(&self, from: f64, to: f64) -> Summary {
        self.summary(self.index(from), self.index(to))
    }

    /// One column between every two neighbouring steps of `edges`, which are in rising order.
    #[must_use]
    pub fn columns(&self, edges: &[f64]) -> Vec<Column> {
        let mut start = edges.first().map_or(0, |&edge| self.index(edge));
        let ends = edges.iter().skip(1);
        ends.map(|&edge| {
            let end = self.index(edge).max(start);
            let part = Column { summary: self.summary(start, end), smooth: self.smooth_in(start, end) };
            start = end;
            part
        })
        .collect()
    }

    fn smooth_in(&self, start: usize, end: usize) -> Option<f64> {
        self.smooth(end.checked_sub(1).filter(|&last| last >= start)?).filter(|value| value.is_finite())
    }

    /// Index of the first point at or after `step`.
    fn index(&self, step: f64) -> usize {
        self.steps.below(step)
    }
}

/// The edges of `count` columns of equal width over the steps `from..to`.
#[must_use]
pub(crate) fn even_edges(from: f64, to: f64, count: usize) -> Vec<f64> {
    (0..=count).map(|column| from + (to - from) * column as f64 / count.max(1) as f64).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn brute(values: &[f64]) -> Summary {
        let mut sum = Summary::EMPTY;
        values.iter().for_each(|&value| sum.add(&Summary::of(value)));
        sum
    }

    fn same(a: &Summary, b: &Summary) -> bool {
        let close = (a.sum - b.sum).abs() <= 1e-9 * (1.0 + a.sum.abs());
        (a.min, a.max, a.finite, a.gaps) == (b.min, b.max, b.finite, b.gaps) && close
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(prop_oneof![9 => -1e3..1e3, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)], 0..1500)
    }

    proptest! {
        #[test]
        fn any_range_is_as_by_hand(values in values(), a in 0usize..1600, b in 0usize..1600) {
            let mut series = Series::default();
            values.iter().enumerate().for_each(|(step, &value)| series.push(step as u64, value));
            let (from, to) = (a.min(b).min(values.len()), a.max(b).min(values.len()));
            prop_assert!(same(&series.summary(from, to), &brute(&values[from..to])));
        }

        #[test]
        fn the_columns_hold_every_point_once(values in values(), count in 1usize..300) {
            let mut series = Series::default();
            values.iter().enumerate().for_each(|(step, &value)| series.push(step as u64 * 3, value));
            let mut sum = Summary::EMPTY;
            series.columns(&even_edges(0.0, 5000.0, count)).iter().for_each(|column| sum.add(&column.summary));
            prop_assert!(same(&sum, &brute(&values)));
        }

        /// In even stretches, with steps done again, as point by point.
        #[test]
        fn blocks_are_as_points(values in values(), back in prop::collection::vec(0u64..40, 1..40), size in 1usize..400) {
            let steps = (0u64..).scan(0u64, |taken, index| {
                if index % 37 == 36 {
                    *taken += back[index as usize % back.len()];
                }
                Some((index * 2).saturating_sub(*taken))
            });
            let points: Vec<_> = steps.zip(values).collect();
            let (mut once, mut blocks) = (Series::default(), Series::default());
            points.iter().for_each(|&(step, value)| once.push(step, value));
            let mut rest = points.as_slice();
            while let [(first, _), ..] = *rest {
                let stride = rest.get(1).and_then(|next| next.0.checked_sub(first)).filter(|&stride| stride > 0).unwrap_or(1);
                let even = (0u64..).zip(rest).take(size).take_while(|(at, point)| point.0 == first + at * stride).count();
                let values: Vec<_> = rest[..even].iter().map(|point| point.1).collect();
                blocks.extend_evenly((first, stride), &values);
                rest = &rest[even..];
            }
            prop_assert_eq!(format!("{once:?}"), format!("{blocks:?}"));
        }

        #[test]
        fn a_resumed_run_is_as_one_that_was_not(values in values(), back in 0usize..1500) {
            let mut once = Series::default();
            let mut twice = Series::default();
            values.iter().enumerate().for_each(|(step, &value)| once.push(step as u64, value));
            let back = back.min(values.len());
            let old = |(step, &value): (usize, &f64)| (step as u64, if step < back { value } else { 7.0 });
            values.iter().enumerate().map(old).for_each(|(step, value)| twice.push(step, value));
            values.iter().enumerate().skip(back).for_each(|(step, &value)| twice.push(step as u64, value));
            prop_assert!(same(&once.summary(back, values.len()), &twice.summary(back, values.len())));
            prop_assert_eq!(once.len(), twice.len());
            prop_assert_eq!(once.last_smooth().map(f64::to_bits), twice.last_smooth().map(f64::to_bits));
        }
    }

    #[test]
    fn a_million_points_are_quick_and_keep_their_spike() {
        let mut series = Series::default();
        for step in 0..1_000_000 {
            series.push(step, if step == 777_777 { 1e6 } else { 0.5 });
        }
        let columns = series.columns(&even_edges(0.0, 1e6, 300));
        assert_eq!(columns.iter().map(|column| column.summary.max).fold(0.0, f64::max), 1e6);
        let bytes = series.levels.iter().map(Vec::len).sum::<usize>() * size_of::<Summary>();
        assert!(bytes < 2_500_000, "{bytes} bytes of pyramid");
    }

    proptest! {
        #[test]
        fn the_smoothed_line_is_as_from_the_start(values in values(), memory in 0.0f64..0.999, at in 0usize..1500) {
            let mut series = Series::default();
            series.smooth_by(memory);
            // Half of the points before the share is chosen, half after it.
            let (before, after) = values.split_at(values.len() / 2);
            before.iter().enumerate().for_each(|(step, &value)| series.push(step as u64, value));
            series.smooth_by(0.3);
            after.iter().zip(before.len()..).for_each(|(&value, step)| series.push(step as u64, value));
            series.smooth_by(memory);
            let mut plain = Average::default();
            let expected = values.iter().take(at + 1).map(|&value| plain.push(value, memory)).last();
            let found = series.smooth(at.min(values.len().saturating_sub(1)));
            prop_assert_eq!(expected.map(f64::to_bits), found.map(f64::to_bits));
        }
    }

    #[test]
    fn smoothing_is_debiased_and_broken_by_gaps() {
        let mut series = Series::default();
        series.push(1, 4.0);
        assert_eq!(series.last_smooth(), Some(4.0));
        series.push(2, f64::NAN);
        assert!(series.last_smooth().is_some_and(f64::is_nan));
        series.push(3, 4.0);
        assert_eq!(series.last_smooth(), Some(4.0));
        assert_eq!(series.at(2).map(f64::is_nan), Some(true));
        assert_eq!((series.at(0), series.at(9)), (None, Some(4.0)));
    }
}
