//! What a cut-off on the probability of one class does: the points of the ROC and precision-recall curves.

/// What is found at one cut-off: examples that score at least as high are taken for the class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CutPoint {
    /// The cut-off.
    pub at_least: f64,
    /// Examples of the class that are found.
    pub found: f64,
    /// Examples of other classes that are taken for it.
    pub false_alarms: f64,
}

/// All cut-offs that make a difference, the highest first, with the examples of both kinds.
#[derive(Debug, Clone, PartialEq)]
pub struct Cuts {
    /// A point for each different score.
    pub points: Vec<CutPoint>,
    /// Examples of the class.
    pub of_class: f64,
    /// Examples of other classes.
    pub of_others: f64,
}

/// An example: its score for the class, and whether it is of the class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The score, such as a probability.
    pub score: f64,
    /// Whether it is of the class.
    pub is_of_class: bool,
}

/// Sorts examples by score, the highest first: what [`Cuts::of_sorted`] expects.
pub fn sort(examples: &mut [Scored]) {
    examples.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
}

impl Cuts {
    /// The cut-offs of examples that [`sort`] has sorted. Equal scores are one cut-off.
    #[must_use]
    pub fn of_sorted(examples: &[Scored]) -> Self {
        let (mut points, mut found, mut false_alarms) = (Vec::new(), 0.0, 0.0);
        for equal in examples.chunk_by(|a, b| a.score == b.score) {
            for example in equal {
                *if example.is_of_class { &mut found } else { &mut false_alarms } += 1.0;
            }
            points.push(CutPoint { at_least: equal[0].score, found, false_alarms });
        }
        Self { points, of_class: found, of_others: false_alarms }
    }

    /// What is found at a cut-off.
    #[must_use]
    pub fn at(&self, cut: f64) -> CutPoint {
        let taken = self.points.partition_point(|point| point.at_least >= cut);
        let last = taken.checked_sub(1).map(|last| self.points[last]);
        CutPoint { at_least: cut, ..last.unwrap_or(CutPoint { at_least: cut, found: 0.0, false_alarms: 0.0 }) }
    }
}
