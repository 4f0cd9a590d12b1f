//! All that is to be said about the answers of a classifier, each figure with its interval.

use rayon::prelude::*;
use serde::Serialize;

use super::agreement::{balanced_accuracy, kappa, majority_accuracy, matthews_correlation};
use super::bootstrap::{self, Draws, Weights};
use super::calibration::{Bin, bins, brier_of, log_loss_of};
use super::class_scores::{ClassScores, MeanScores};
use super::confusion::Confusion;
use super::probabilities::Answered;
use super::proportion::{Interval, Proportion};
use super::ranked::Ranked;

/// Bins of the reliability diagram.
const BINS: usize = 10;

/// A figure and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure; `None` where it is not defined, such as the precision of a class that was never predicted.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
}

/// What a classifier is worth on a set of examples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Number of examples.
    pub examples: usize,
    /// The confusion matrix, `[true class][predicted class]`.
    pub confusion: Vec<Vec<usize>>,
    /// Each class.
    pub classes: Vec<ClassEvaluation>,
    /// Figures of the whole.
    pub overall: Overall,
    /// Answers by their confidence.
    pub reliability: Vec<Bin>,
    /// How often was drawn for the intervals, and by which seed. Those of shares (precision, recall, accuracy) are Wilson's.
    pub draws: Draws,
}

/// One class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassEvaluation {
    /// Examples of the class.
    pub support: usize,
    /// Examples that were taken for it.
    pub predicted: usize,
    /// Of the examples taken for it, the share that is of the class.
    pub precision: Estimate,
    /// Of its examples, the share that was found.
    pub recall: Estimate,
    /// The harmonic mean of both.
    pub f1: Estimate,
    /// The area under the ROC curve.
    pub roc_area: Estimate,
    /// The area under the precision-recall curve, as average precision.
    pub average_precision: Estimate,
}

/// Figures of the whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overall {
    /// Share of right answers.
    pub accuracy: Estimate,
    /// The accuracy of always answering with the most frequent class: what every accuracy is to be compared with.
    pub majority_accuracy: Option<f64>,
    /// Mean recall of the classes.
    pub balanced_accuracy: Estimate,
    /// Mean F1 of the classes, each alike.
    pub macro_f1: Estimate,
    /// Mean F1 of the classes, by support.
    pub weighted_f1: Estimate,
    /// Matthews correlation.
    pub matthews_correlation: Estimate,
    /// Cohen's kappa.
    pub kappa: Estimate,
    /// Expected calibration error over bins of equally many answers.
    pub calibration_error: Estimate,
    /// Brier score, in [0, 2].
    pub brier: Estimate,
    /// Mean log loss, in nats.
    pub log_loss: Estimate,
}

impl Evaluation {
    /// Evaluates `answers`. Examples are drawn by class.
    ///
    /// Cost: for each draw one pass over the examples for each class.
    #[must_use]
    pub fn new(answers: &Answered, draws: Draws) -> Self {
        let confusion = answers.confusion();
        let rows = RowFigures::new(answers);
        let counted = estimates(&of_counts(&confusion), bootstrap::of_confusion(&confusion, draws, of_counts));
        let ranked = estimates(&rows.all(|_| 1), drawn(answers, &rows, draws));
        let classes = (0..answers.classes()).map(|class| {
            let scores = ClassScores::of(&confusion, class);
            ClassEvaluation {
                support: scores.recall.of,
                predicted: scores.precision.of,
                precision: of_share(scores.precision),
                recall: of_share(scores.recall),
                f1: counted[WHOLE_COUNTS + class],
                roc_area: ranked[WHOLE_ROWS + 2 * class],
                average_precision: ranked[WHOLE_ROWS + 2 * class + 1],
            }
        });
        let overall = Overall {
            accuracy: of_share(confusion.right()),
            majority_accuracy: majority_accuracy(&confusion),
            balanced_accuracy: counted[0],
            macro_f1: counted[1],
            weighted_f1: counted[2],
            matthews_correlation: counted[3],
            kappa: counted[4],
            calibration_error: ranked[0],
            brier: ranked[1],
            log_loss: ranked[2],
        };
        Self {
            examples: answers.len(),
            confusion: (0..answers.classes()).map(|class| confusion.row(class).to_vec()).collect(),
            classes: classes.collect(),
            overall,
            reliability: rows.bins,
            draws,
        }
    }
}

/// A share with its interval by Wilson.
fn of_share(share: Proportion) -> Estimate {
    Estimate { value: share.share(), interval: share.interval() }
}

fn estimates(values: &[Option<f64>], intervals: Vec<Option<Interval>>) -> Vec<Estimate> {
    values.iter().zip(intervals).map(|(value, interval)| Estimate { value: *value, interval }).collect()
}

/// Figures of counts before those of each class.
const WHOLE_COUNTS: usize = 5;

fn of_counts(confusion: &Confusion) -> Vec<Option<f64>> {
    let whole = [
        balanced_accuracy(confusion),
        Some(MeanScores::unweighted(confusion).f1),
        Some(MeanScores::by_support(confusion).f1),
        Some(matthews_correlation(confusion)),
        kappa(confusion),
    ];
    let f1 = (0..confusion.classes()).map(|class| ClassScores::of(confusion, class).f1);
    whole.into_iter().chain(f1).collect()
}

/// The intervals of the figures of rows.
fn drawn(answers: &Answered, rows: &RowFigures, draws: Draws) -> Vec<Option<Interval>> {
    // Each draw has its own stream, so that they are the same however many threads there are.
    let strata = Weights::new(answers.truth(), draws.seed);
    let of_draw = |draw: usize| {
        let weights = strata.draw(draw as u64);
        rows.all(|example| weights[example])
    };
    let of_draws: Vec<Vec<Option<f64>>> = (0..draws.count).into_par_iter().map(of_draw).collect();
    bootstrap::intervals(&of_draws)
}

/// Figures before those of each class.
const WHOLE_ROWS: usize = 3;

/// What figures of weighted examples are computed from.
struct RowFigures {
    bins: Vec<Bin>,
    /// For each example its bin, confidence, and whether it is right.
    answers: Vec<(u8, f64, bool)>,
    brier: Vec<f64>,
    log_loss: Vec<f64>,
    classes: Vec<Ranked>,
}

impl RowFigures {
    fn new(answers: &Answered) -> Self {
        let bins = bins(answers, BINS);
        let of = |example: usize| {
            let predicted = answers.predicted(example);
            let confidence = answers.of(example)[predicted];
            let bin = bins.partition_point(|bin| bin.to < confidence) as u8;
            (bin, confidence, predicted == answers.truth()[example])
        };
        Self {
            answers: (0..answers.len()).map(of).collect(),
            brier: (0..answers.len()).map(|example| brier_of(answers, example)).collect(),
            log_loss: (0..answers.len()).map(|example| log_loss_of(answers, example)).collect(),
            classes: (0..answers.classes()).into_par_iter().map(|class| Ranked::new(answers, class)).collect(),
            bins,
        }
    }

    /// Calibration error, Brier score, log loss, and the areas of each class, if example `e` counts `weight(e)` times.
    fn all(&self, weight: impl Fn(usize) -> u32) -> Vec<Option<f64>> {
        let (mut excess, mut brier, mut log_loss, mut all) = (vec![0.0; self.bins.len()], 0.0, 0.0, 0.0);
        for (example, &(bin, confidence, right)) in self.answers.iter().enumerate() {
            let weight = f64::from(weight(example));
            excess[usize::from(bin)] += weight * (confidence - f64::from(u8::from(right)));
            brier += weight * self.brier[example];
            log_loss += weight * self.log_loss[example];
            all += weight;
        }
        let mean = |sum: f64| (all > 0.0).then(|| sum / all);
        let calibration = excess.iter().map(|sum: &f64| sum.abs()).sum();
        let areas = self.classes.iter().map(|class| class.areas(&weight));
        let of_classes = areas.flat_map(|areas| [areas.roc, areas.average_precision]);
        [mean(calibration), mean(brier), mean(log_loss)].into_iter().chain(of_classes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::accuracy;
    use crate::calibration::{brier, expected_error, log_loss};

    fn answers() -> Answered {
        let mut answers = Answered::new(3);
        for row in 0..90_usize {
            let (truth, sure) = (row % 3, 0.34 + 0.6 * ((row * 7) % 90) as f64 / 90.0);
            let said = if row % 4 == 0 { (truth + 1) % 3 } else { truth };
            let p = |class| if class == said { sure } else { (1.0 - sure) / 2.0 };
            answers.push((0..3).map(p), truth).unwrap();
        }
        answers
    }

    #[test]
    fn every_figure_is_that_of_its_own_function_and_lies_in_its_interval() {
        let answers = answers();
        let found = Evaluation::new(&answers, Draws { count: 200, seed: 1 });
        let confusion = answers.confusion();
        assert_eq!(found.overall.accuracy.value, accuracy(&confusion));
        assert_eq!(found.overall.kappa.value, kappa(&confusion));
        let near = |estimate: Estimate, value: f64| {
            let (found, interval) = (estimate.value.unwrap(), estimate.interval.unwrap());
            assert!((found - value).abs() < 1e-12, "{found} {value}");
            assert!(interval.low <= found && found <= interval.high && interval.low < interval.high, "{estimate:?}");
        };
        near(found.overall.brier, brier(&answers));
        near(found.overall.log_loss, log_loss(&answers));
        assert!((found.overall.calibration_error.value.unwrap() - expected_error(&found.reliability)).abs() < 1e-12);
        near(found.classes[1].roc_area, Ranked::new(&answers, 1).areas(|_| 1).roc.unwrap());
        near(found.classes[2].f1, confusion.f1(2));
        assert_eq!(found, Evaluation::new(&answers, Draws { count: 200, seed: 1 }), "the seed decides");
    }

    #[test]
    fn nothing_answered_has_no_figures() {
        let found = Evaluation::new(&Answered::new(2), Draws { count: 20, seed: 1 });
        assert_eq!((found.examples, found.overall.accuracy.value, found.overall.brier.value), (0, None, None));
        assert_eq!((found.reliability.len(), found.classes[0].recall.interval), (0, None));
    }
}
