//! What a cut-off on the probability of one class does: ROC and precision-recall curves, and their areas.

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

/// An example: its score for the class, whether it is of the class, and how often it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The score, such as a probability.
    pub score: f64,
    /// Whether it is of the class.
    pub is_of_class: bool,
    /// How often it counts: 1, or as often as it was drawn.
    pub weight: f64,
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
                *if example.is_of_class { &mut found } else { &mut false_alarms } += example.weight;
            }
            points.push(CutPoint { at_least: equal[0].score, found, false_alarms });
        }
        Self { points, of_class: found, of_others: false_alarms }
    }

    /// The area under the ROC curve: how often an example of the class scores higher than one of another class, ties by half.
    /// `None` without examples of both kinds.
    ///
    /// Source: Hanley and McNeil 1982; scikit-learn's `roc_auc_score`.
    #[must_use]
    pub fn roc_area(&self) -> Option<f64> {
        if self.of_class == 0.0 || self.of_others == 0.0 {
            return None;
        }
        let (mut area, mut before) = (0.0, (0.0, 0.0));
        for point in &self.points {
            area += (point.false_alarms - before.1) * (point.found + before.0) / 2.0;
            before = (point.found, point.false_alarms);
        }
        Some(area / (self.of_class * self.of_others))
    }

    /// Average precision: precision summed over the gains of recall. `None` without examples of the class.
    ///
    /// Source: scikit-learn's `average_precision_score`.
    #[must_use]
    pub fn average_precision(&self) -> Option<f64> {
        if self.of_class == 0.0 {
            return None;
        }
        let (mut sum, mut before) = (0.0, 0.0);
        for point in &self.points {
            let taken = point.found + point.false_alarms;
            if taken > 0.0 {
                sum += (point.found - before) * point.found / taken;
            }
            before = point.found;
        }
        Some(sum / self.of_class)
    }

    /// What is found at a cut-off.
    #[must_use]
    pub fn at(&self, cut: f64) -> CutPoint {
        let taken = self.points.partition_point(|point| point.at_least >= cut);
        let last = taken.checked_sub(1).map(|last| self.points[last]);
        CutPoint { at_least: cut, ..last.unwrap_or(CutPoint { at_least: cut, found: 0.0, false_alarms: 0.0 }) }
    }
}
