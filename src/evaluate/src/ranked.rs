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
    /// Under the ROC curve: how often an example of the class scores higher than one of another class, ties by half. Source:
    /// Hanley and McNeil 1982; scikit-learn's `roc_auc_score`.
    pub roc: Option<f64>,
    /// Precision summed over the gains of recall: scikit-learn's `average_precision_score`.
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

    fn answers(rows: impl Iterator<Item = (u32, usize)>) -> Answered {
        let mut answers = Answered::new(2);
        for (tenths, truth) in rows {
            let p = f64::from(tenths) / 10.0;
            answers.push([1.0 - p, p], truth).unwrap();
        }
        answers
    }

    #[test]
    fn an_example_with_a_weight_counts_as_if_it_were_there_so_often() {
        let rows = [(1, 0), (4, 1), (4, 0), (4, 0), (6, 1), (9, 0), (9, 1)];
        for weights in [[1; 7], [2, 0, 3, 1, 1, 0, 2], [0, 1, 0, 0, 5, 0, 0], [0; 7]] {
            let repeated = rows.iter().zip(weights).flat_map(|(row, weight)| (0..weight).map(|_| *row));
            let expected = Ranked::new(&answers(repeated), 1).areas(|_| 1);
            let found = Ranked::new(&answers(rows.into_iter()), 1).areas(|example| weights[example]);
            for (found, expected) in [(found.roc, expected.roc), (found.average_precision, expected.average_precision)]
            {
                assert_eq!(found.is_some(), expected.is_some(), "{weights:?}");
                assert!((found.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-12, "{weights:?}");
            }
        }
    }
}
