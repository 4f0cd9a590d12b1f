//! Figures beside those of scikit-learn, statsmodels and numpy: `tests/golden/make_evaluation.py`.

use pellucid_evaluate::agreement::{accuracy, balanced_accuracy, kappa, matthews_correlation};
use pellucid_evaluate::calibration::{bins, brier, expected_error, log_loss};
use pellucid_evaluate::class_scores::{ClassScores, MeanScores};
use pellucid_evaluate::comparison::Differing;
use pellucid_evaluate::probabilities::Answered;
use pellucid_evaluate::ranked::Ranked;
use serde::Deserialize;

const GOLDEN: &str = include_str!("../../../tests/golden/evaluation.json");

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
    mcnemar: Vec<(usize, usize, f64)>,
}

#[derive(Deserialize)]
struct Case {
    classes: usize,
    truth: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    support: Vec<usize>,
    #[serde(rename = "macro")]
    unweighted: [f64; 3],
    weighted: [f64; 3],
    accuracy: f64,
    balanced: f64,
    mcc: f64,
    kappa: f64,
    roc: Vec<Option<f64>>,
    average_precision: Vec<Option<f64>>,
    recall_interval: Vec<Option<[f64; 2]>>,
    brier: f64,
    log_loss: f64,
    confidence: f64,
    right: f64,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).expect("the golden file")
}

fn answers(case: &Case) -> Answered {
    let mut answers = Answered::new(case.classes);
    for (row, truth) in case.probabilities.iter().zip(&case.truth) {
        answers.push(row.iter().copied(), *truth).expect("an answer");
    }
    answers
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
}

#[test]
fn figures_of_the_confusion_matrix_are_those_of_scikit_learn() {
    for case in golden().cases {
        let confusion = answers(&case).confusion();
        for class in 0..case.classes {
            let scores = ClassScores::of(&confusion, class);
            near(scores.precision.share().unwrap_or(0.0), case.precision[class]);
            near(scores.recall.share().unwrap_or(0.0), case.recall[class]);
            near(scores.f1.unwrap_or(0.0), case.f1[class]);
            assert_eq!(scores.recall.of, case.support[class]);
            match (scores.recall.interval(), case.recall_interval[class]) {
                (Some(found), Some([low, high])) => {
                    near(found.low, low);
                    near(found.high, high);
                }
                (found, expected) => assert_eq!((found, expected), (None, None)),
            }
        }
        for (found, expected) in
            [(MeanScores::unweighted(&confusion), case.unweighted), (MeanScores::by_support(&confusion), case.weighted)]
        {
            [found.precision, found.recall, found.f1].into_iter().zip(expected).for_each(|(a, b)| near(a, b));
        }
        near(accuracy(&confusion).unwrap(), case.accuracy);
        near(balanced_accuracy(&confusion).unwrap(), case.balanced);
        near(matthews_correlation(&confusion), case.mcc);
        near(kappa(&confusion).unwrap(), case.kappa);
    }
}

#[test]
fn areas_under_curves_are_those_of_scikit_learn() {
    for case in golden().cases {
        let answers = answers(&case);
        for class in 0..case.classes {
            let areas = Ranked::new(&answers, class).areas(|_| 1);
            for (found, expected) in [
                (areas.roc, case.roc[class]),
                (areas.average_precision.filter(|_| areas.roc.is_some()), case.average_precision[class]),
            ] {
                assert_eq!(found.is_some(), expected.is_some());
                near(found.unwrap_or(0.0), expected.unwrap_or(0.0));
            }
        }
    }
}

#[test]
fn figures_of_probabilities_are_those_of_numpy() {
    for case in golden().cases {
        let answers = answers(&case);
        near(brier(&answers), case.brier);
        near(log_loss(&answers), case.log_loss);
        // One bin is the whole.
        near(expected_error(&bins(&answers, 1)), (case.confidence - case.right).abs());
        let some = bins(&answers, 10);
        assert_eq!(some.iter().map(|bin| bin.right.of).sum::<usize>(), answers.len());
        assert!(some.windows(2).all(|pair| pair[0].to < pair[1].from), "equal confidences stay together");
        assert!(expected_error(&some) >= (case.confidence - case.right).abs() - 1e-12);
    }
}

#[test]
fn differences_are_as_probable_as_statsmodels_says() {
    for (first_only, second_only, p) in golden().mcnemar {
        near(Differing { first_only, second_only }.p(), p);
    }
}
