//! Where to cut: the cut-off on the probability of a class that a purpose asks for.

use super::curves::{CutPoint, Cuts};

/// What a cut-off is chosen by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Purpose {
    /// The least cost, where a missed example costs so many false alarms.
    Cost(f64),
    /// At least this recall, with as few false alarms as possible.
    Recall(f64),
    /// At least this precision, with as many found as possible.
    Precision(f64),
}

impl Purpose {
    /// The cut-off that serves it best: halfway to the next lower score, so that scores that differ by rounding fall on the
    /// same side. `None` where none does.
    #[must_use]
    pub fn cut_off(self, cuts: &Cuts) -> Option<CutPoint> {
        // Nothing is taken for the class.
        let none = CutPoint { at_least: f64::INFINITY, found: 0.0, false_alarms: 0.0 };
        let all = std::iter::once(&none).chain(&cuts.points);
        let cost = |point: &&CutPoint| match self {
            Purpose::Cost(missed) => missed * (cuts.of_class - point.found) + point.false_alarms,
            Purpose::Recall(_) => point.false_alarms,
            Purpose::Precision(_) => -point.found,
        };
        let serves = |point: &&CutPoint| match self {
            Purpose::Cost(_) => true,
            Purpose::Recall(least) => point.found >= least * cuts.of_class && cuts.of_class > 0.0,
            Purpose::Precision(least) => point.found > 0.0 && point.found >= least * (point.found + point.false_alarms),
        };
        let best = all.filter(serves).min_by(|a, b| cost(a).total_cmp(&cost(b)))?;
        Some(CutPoint { at_least: between(best, cuts), ..*best })
    }
}

/// A cut-off below the score of `point` and above the next.
fn between(point: &CutPoint, cuts: &Cuts) -> f64 {
    let lower = cuts.points.iter().map(|other| other.at_least).find(|score| *score < point.at_least);
    match lower {
        Some(lower) if point.at_least.is_finite() => f64::midpoint(lower, point.at_least),
        // Above all of them, or below.
        Some(highest) => f64::midpoint(highest, 1.0).max(highest),
        None => point.at_least,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curves::{Scored, sort};

    /// Scores 0.9 down to 0.1; those of the class are 0.9, 0.8, 0.6, 0.2.
    fn cuts() -> Cuts {
        let of_class = [9, 8, 6, 2];
        let example = |tenth: i32| Scored { score: f64::from(tenth) / 10.0, is_of_class: of_class.contains(&tenth) };
        let mut examples: Vec<Scored> = (1..10).map(example).collect();
        sort(&mut examples);
        Cuts::of_sorted(&examples)
    }

    fn chosen(purpose: Purpose) -> (f64, f64, f64) {
        let point = purpose.cut_off(&cuts()).unwrap();
        ((point.at_least * 100.0).round() / 100.0, point.found, point.false_alarms)
    }

    #[test]
    fn a_dear_miss_lowers_the_cut_off() {
        assert_eq!(chosen(Purpose::Cost(1.0)), (0.75, 2.0, 0.0));
        assert_eq!(chosen(Purpose::Cost(1.5)), (0.55, 3.0, 1.0));
        assert_eq!(chosen(Purpose::Cost(10.0)), (0.15, 4.0, 4.0));
        assert_eq!(chosen(Purpose::Cost(0.0)).1, 0.0, "where a miss costs nothing, nothing is taken");
    }

    #[test]
    fn a_wish_is_kept_at_the_least_price() {
        assert_eq!(chosen(Purpose::Recall(0.75)), (0.55, 3.0, 1.0));
        assert_eq!(chosen(Purpose::Recall(1.0)), (0.15, 4.0, 4.0));
        assert_eq!(chosen(Purpose::Precision(0.7)), (0.55, 3.0, 1.0));
        assert_eq!(chosen(Purpose::Precision(1.0)), (0.75, 2.0, 0.0));
        let none = Cuts { points: Vec::new(), of_class: 0.0, of_others: 0.0 };
        assert_eq!((Purpose::Recall(0.5).cut_off(&none), Purpose::Precision(0.5).cut_off(&none)), (None, None));
        assert_eq!(cuts().at(0.55), CutPoint { at_least: 0.55, found: 3.0, false_alarms: 1.0 });
        assert_eq!(cuts().at(0.95).found, 0.0);
    }
}
