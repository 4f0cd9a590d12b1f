//! What is shown of a run from left to right, the same for all charts of a screen.

use super::axis::share;
use crate::history::marks::Marks;
use crate::history::timeline::{Timeline, XAxis};

/// A stretch of the horizontal axis.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Domain<'a> {
    /// What it counts.
    pub axis: XAxis,
    /// Its ends, in units of the axis.
    pub ends: (f64, f64),
    /// The timeline of the run; without one the axis counts steps.
    pub timeline: Option<&'a Timeline>,
    /// What happened besides the steps.
    pub marks: Option<&'a Marks>,
}

impl Domain<'_> {
    /// From one step to another.
    #[must_use]
    pub(crate) fn steps((first, last): (u64, u64)) -> Self {
        Self { axis: XAxis::Step, ends: (first as f64, last as f64), timeline: None, marks: None }
    }

    /// Where `step` lies, from 0 to 1; `None` outside.
    #[must_use]
    pub(crate) fn place(&self, step: f64) -> Option<f64> {
        let x = self.x(step);
        (x >= self.ends.0 && x <= self.ends.1).then(|| share(x, self.ends.0, self.ends.1))
    }

    /// Where `step` lies on the axis.
    #[must_use]
    pub(crate) fn x(&self, step: f64) -> f64 {
        self.timeline.map_or(step, |timeline| timeline.x(self.axis, step))
    }

    /// The first step at or after a place on the axis.
    #[must_use]
    pub(crate) fn step(&self, x: f64) -> f64 {
        self.timeline.map_or(x, |timeline| timeline.step(self.axis, x))
    }

    /// The first and the last step shown.
    #[must_use]
    pub(crate) fn span(&self) -> (f64, f64) {
        (self.step(self.ends.0), self.step(self.ends.1))
    }

    /// The steps at the edges of `count` columns of equal width; the last column has its end in it.
    #[must_use]
    pub(crate) fn edges(&self, count: usize) -> Vec<f64> {
        let (from, to) = self.ends;
        // Steps are whole: the column of the last one ends before the next one.
        let to = if self.axis == XAxis::Step { to + 1.0 } else { to };
        let x = |column: usize| from + (to - from) * column as f64 / count.max(1) as f64;
        let mut edges: Vec<_> = (0..=count).map(|column| self.step(x(column))).collect();
        if let Some(last) = edges.last_mut().filter(|_| self.axis != XAxis::Step) {
            *last += 0.5;
        }
        edges
    }
}
