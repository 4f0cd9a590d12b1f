//! Areas under the curves of one class, for examples that count as often as they were drawn.

use super::probabilities::Answered;

/// The examples by their probability of one class, the highest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    examples: Vec<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    example: u32,
    is_of_class: bool,
    /// Whether the next example has a lower probability.
    ends_tie: bool,
}

/// The areas of one class; `None` where they are not defined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Areas {
    /// Under the ROC curve: see [`Cuts::roc_area`](super::curves::Cuts::roc_area).
    pub roc: Option<f64>,
    /// See [`Cuts::average_precision`](super::curves::Cuts::average_precision).
    pub average_precision: Option<f64>,
}

impl Ranked {
    /// The examples of `answers` by class `class`.
    #[must_use]
    pub fn new(answers: &Answered, class: usize) -> Self {
        let score = |example: u32| answers.of(example as usize)[class];
        let mut order: Vec<u32> = (0..answers.len() as u32).collect();
        order.sort_unstable_by(|a, b| score(*b).total_cmp(&score(*a)));
        let place = |(rank, &example): (usize, &u32)| Place {
            example,
            is_of_class: answers.truth()[example as usize] == class,
            ends_tie: order.get(rank + 1).is_none_or(|next| score(*next) < score(example)),
        };
        Self { examples: order.iter().enumerate().map(place).collect() }
    }

    /// The areas if example `e` counts `weight(e)` times.
    #[must_use]
    pub fn areas(&self, weight: impl Fn(usize) -> u32) -> Areas {
        let (mut found, mut false_alarms) = (0.0, 0.0);
        let (mut before, mut roc, mut precision) = ((0.0, 0.0), 0.0, 0.0);
        for place in &self.examples {
            *if place.is_of_class { &mut found } else { &mut false_alarms } +=
                f64::from(weight(place.example as usize));
            if place.ends_tie && (found, false_alarms) != before {
                roc += (false_alarms - before.1) * (found + before.0) / 2.0;
                precision += (found - before.0) * found / (found + false_alarms);
                before = (found, false_alarms);
            }
        }
        Areas {
            roc: (found > 0.0 && false_alarms > 0.0).then(|| roc / (found * false_alarms)),
            average_precision: (found > 0.0).then(|| precision / found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curves::{Cuts, sort};

    #[test]
    fn areas_are_those_of_the_curves_with_examples_repeated() {
        let mut answers = Answered::new(2);
        for (tenths, truth) in [(1, 0), (4, 1), (4, 0), (4, 0), (6, 1), (9, 0), (9, 1)] {
            let p = f64::from(tenths) / 10.0;
            answers.push([1.0 - p, p], truth).unwrap();
        }
        for weights in [[1; 7], [2, 0, 3, 1, 1, 0, 2], [0, 1, 0, 0, 5, 0, 0]] {
            let mut examples = answers.scored(1);
            examples.iter_mut().zip(weights).for_each(|(example, weight)| example.weight = f64::from(weight));
            sort(&mut examples);
            let cuts = Cuts::of_sorted(&examples);
            let areas = Ranked::new(&answers, 1).areas(|example| weights[example]);
            let near = |a: Option<f64>, b: Option<f64>| {
                assert!(
                    a.is_some() == b.is_some() && (a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-12,
                    "{a:?} {b:?}"
                );
            };
            near(areas.roc, cuts.roc_area());
            near(areas.average_precision, cuts.average_precision());
        }
    }
}
