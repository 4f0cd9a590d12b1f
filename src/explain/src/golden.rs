//! Comparison with numbers from the libraries that define them; `golden/make_golden.py` and
//! `golden/make_checks.py` write them.

use pellucid_protocol::rank::{ranks, spearman};
use pellucid_protocol::{Check, Method};
use serde_json::Value;

use crate::checks::curves::curves;
use crate::checks::eraser::eraser;
use crate::checks::infidelity::relative_error;
use crate::checks::kendall::kendall;
use crate::checks::plausibility::plausibility;
use crate::checks::stability::agreement;
use crate::context::Samples;
use crate::faithfulness::{Faithfulness, aopc, ranking};
use crate::fakes::Game;
use crate::gradient::quadrature::gauss_legendre;
use crate::oracle::Attention;
use crate::oracle::masking::{Masking, OutcomeCache};
use crate::oracle::subsets::Subsets;
use crate::oracle::word_set::WordSet;
use crate::regression::Weighted;
use crate::regression::regression_tree::RegressionTree;
use crate::regression::ridge::Ridge;
use crate::rollout::rollout;
use crate::shapley::exact::exact;
use crate::shapley::exhaustive::interactions;
use crate::surrogate::PENALTY;
use crate::surrogate::kernel::{distance, weight};
use crate::surrogate::lime::lime;

/// Both sides compute in f64, in different orders.
const ROUNDING: f64 = 1e-10;

fn cases(file: &str, key: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).unwrap();
    let cases = file[key].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn number(case: &Value, key: &str) -> f64 {
    case[key].as_f64().unwrap()
}

fn numbers(case: &Value) -> Vec<f64> {
    case.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn rows(case: &Value) -> Vec<Vec<f64>> {
    case.as_array().unwrap().iter().map(numbers).collect()
}

fn words(case: &Value) -> usize {
    usize::try_from(case["words"].as_u64().unwrap()).unwrap()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < ROUNDING, "{found}, not {expected}");
}

fn all_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).for_each(|(found, expected)| close(*found, *expected));
}

#[test]
fn quadrature_is_numpys() {
    for rule in cases(include_str!("../golden/quadrature.json"), "rules") {
        let at = numbers(&rule["at"]);
        let found = gauss_legendre(at.len());
        all_close(&found.iter().map(|node| node.at).collect::<Vec<_>>(), &at);
        all_close(&found.iter().map(|node| node.weight).collect::<Vec<_>>(), &numbers(&rule["weights"]));
    }
}

#[test]
fn ridge_and_r2_are_scikit_learns() {
    for case in cases(include_str!("../golden/ridge.json"), "cases") {
        let parts = [&case["targets"], &case["weights"], &case["other_targets"], &case["other_weights"]];
        let [targets, weights, other_targets, other_weights] = parts.map(numbers);
        let (fitted, other) = (rows(&case["rows"]), rows(&case["other_rows"]));
        let data = Weighted { rows: &fitted, targets: &targets, weights: &weights };
        let fit = Ridge::fit(&data, number(&case, "alpha"));
        all_close(&fit.coefficients, &numbers(&case["coefficients"]));
        close(fit.intercept, number(&case, "intercept"));
        close(fit.r2(&data).unwrap(), number(&case, "in_sample"));
        let other = Weighted { rows: &other, targets: &other_targets, weights: &other_weights };
        close(fit.r2(&other).unwrap(), number(&case, "held_out"));
    }
}

#[test]
fn a_fit_to_limes_samples_is_limes() {
    for case in cases(include_str!("../golden/lime.json"), "cases") {
        let words = words(&case);
        let rows: Vec<Vec<f64>> = case["masks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|mask| mask.as_str().unwrap().chars().map(|c| f64::from(c.to_digit(2).unwrap())).collect())
            .collect();
        let masked = |row: &Vec<f64>| row.iter().filter(|present| **present == 0.0).count();
        let weights: Vec<_> = rows.iter().map(|row| weight(distance(masked(row), words))).collect();
        let data = Weighted { rows: &rows, targets: &numbers(&case["probabilities"]), weights: &weights };
        let fit = Ridge::fit(&data, PENALTY);
        all_close(&fit.coefficients, &numbers(&case["coefficients"]));
        close(fit.intercept, number(&case, "intercept"));
        close(fit.predict(&rows[0]), number(&case, "local_prediction"));
        close(fit.r2(&data).unwrap(), number(&case, "score"));
    }
}

/// The draws differ, so only their distribution can be compared: the mean over seeds, within five standard errors of
/// the difference.
#[test]
fn own_samples_follow_limes_law() {
    for case in cases(include_str!("../golden/lime.json"), "means") {
        let (words, runs) = (words(&case), case["runs"].as_u64().unwrap());
        let samples =
            Samples { fit: number(&case, "samples") as usize, held_out: 0, scale: number(&case, "samples") as usize };
        // The `probability` of `make_golden.py`.
        let (mut game, mut cache) = (Game::interacting(words), OutcomeCache::default());
        let mut mean = vec![0.0; words];
        for seed in 0..runs {
            let found = lime(&mut Masking::new(&mut game, &mut cache), samples, seed, &mut |_| {}).unwrap();
            mean.iter_mut().zip(found.surrogate.coefficients).for_each(|(mean, one)| *mean += one / runs as f64);
        }
        let tolerance = 5.0 * number(&case, "scatter") * (2.0 / runs as f64).sqrt();
        for (found, expected) in mean.iter().zip(numbers(&case["mean"])) {
            assert!((found - expected).abs() < tolerance, "{found}, not {expected} +- {tolerance}");
        }
    }
}

#[test]
fn spearman_is_scipys() {
    for case in cases(include_str!("../golden/spearman.json"), "cases") {
        let (left, right) = (numbers(&case["left"]), numbers(&case["right"]));
        assert_eq!(ranks(&left), numbers(&case["left_ranks"]));
        close(spearman(&left, &right), number(&case, "spearman"));
    }
}

#[test]
fn aopc_and_its_bounds_are_those_of_all_orders() {
    for case in cases(include_str!("../golden/aopc.json"), "cases") {
        let mut game = Game::table(words(&case), numbers(&case["values"]));
        let mut cache = OutcomeCache::default();
        let mut masking = Masking::new(&mut game, &mut cache);
        let order: Vec<_> =
            case["order"].as_array().unwrap().iter().map(|word| word.as_u64().unwrap() as usize).collect();
        close(aopc(&mut masking, &order).unwrap(), number(&case, "aopc"));
        let subsets = Subsets::ask(&mut masking).unwrap();
        close(subsets.bounds().best, number(&case, "best"));
        close(subsets.bounds().worst, number(&case, "worst"));
        close(subsets.mean(), number(&case, "mean"));
    }
}

fn flags(case: &Value) -> Vec<bool> {
    case.as_array().unwrap().iter().map(|flag| flag.as_bool().unwrap()).collect()
}

#[test]
fn checks_are_those_of_the_second_implementation() {
    for case in cases(include_str!("../golden/checks.json"), "cases") {
        let mut game = Game::table(words(&case), numbers(&case["values"]));
        let mut cache = OutcomeCache::default();
        let mut masking = Masking::new(&mut game, &mut cache);
        let scores = numbers(&case["scores"]);
        let order = ranking(&scores, Method::Lime);
        let found = eraser(&mut masking, &order).unwrap();
        close(found.comprehensiveness, number(&case, "comprehensiveness"));
        close(found.sufficiency, number(&case, "sufficiency"));
        let found = curves(&mut masking, &order).unwrap();
        close(found.deletion, number(&case, "deletion"));
        close(found.insertion, number(&case, "insertion"));
        let losses = masking.single_drops().unwrap();
        close(kendall(&scores, &losses).unwrap(), number(&case, "tau_loo"));
        let mut measure = Faithfulness::prepare(&mut masking, 1).unwrap();
        match measure.score(&mut masking, Method::Lime, &order).unwrap() {
            Check::Faithfulness { normalised, random, exact: true } => {
                close(normalised, number(&case, "normalised"));
                close(random, number(&case, "random"));
            }
            other => panic!("no faithfulness but {other:?}"),
        }
    }
}

#[test]
fn infidelity_and_plausibility_are_those_of_the_second_implementation() {
    for case in cases(include_str!("../golden/checks.json"), "cases") {
        let mut game = Game::table(words(&case), numbers(&case["values"]));
        let scores = numbers(&case["scores"]);
        let masks: Vec<Vec<usize>> =
            rows(&case["masks"]).into_iter().map(|mask| mask.into_iter().map(|word| word as usize).collect()).collect();
        let sets: Vec<_> = masks
            .iter()
            .map(|mask| mask.iter().fold(WordSet::empty(scores.len()), |set, word| set.with(*word)))
            .collect();
        let said: Vec<f64> = masks.iter().map(|mask| mask.iter().map(|word| scores[*word]).sum()).collect();
        let drops = Masking::new(&mut game, &mut OutcomeCache::default()).drops(&sets).unwrap();
        close(relative_error(&said, &drops).unwrap(), number(&case, "infidelity"));
        let expected = &case["plausibility"];
        let found = plausibility(&scores, Method::Lime, &flags(&expected["marked"])).unwrap();
        close(found.f1, number(expected, "f1"));
        close(found.iou, number(expected, "iou"));
        close(found.auprc, number(expected, "auprc"));
    }
}

#[test]
fn agreement_is_the_mean_of_scipys_spearman() {
    let file: Value = serde_json::from_str(include_str!("../golden/checks.json")).unwrap();
    close(agreement(&rows(&file["maps"])), number(&file, "agreement"));
}

#[test]
fn shapley_values_and_interactions_are_those_of_the_definition() {
    for case in cases(include_str!("../golden/shapley.json"), "cases") {
        let mut game = Game::table(words(&case), numbers(&case["values"]));
        let subsets = Subsets::ask(&mut Masking::new(&mut game, &mut OutcomeCache::default())).unwrap();
        all_close(&exact(&subsets).scores, &numbers(&case["shapley"]));
        let found = interactions(&subsets);
        let expected = case["interactions"].as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for pair in expected {
            let words = numbers(&pair["words"]);
            let same = found.iter().find(|known| known.words == (words[0] as usize, words[1] as usize)).unwrap();
            close(same.value, number(pair, "value"));
        }
    }
}

#[test]
fn the_tables_lime_is_ridge_on_the_whole_law() {
    for case in cases(include_str!("../golden/lime_table.json"), "cases") {
        let mut game = Game::table(words(&case), numbers(&case["values"]));
        let samples =
            Samples { fit: number(&case, "samples") as usize, held_out: 0, scale: number(&case, "samples") as usize };
        let found = lime(&mut Masking::new(&mut game, &mut OutcomeCache::default()), samples, 1, &mut |_| {}).unwrap();
        all_close(&found.surrogate.coefficients, &numbers(&case["coefficients"]));
        close(found.surrogate.intercept, number(&case, "intercept"));
        close(found.in_sample.unwrap(), number(&case, "in_sample"));
        close(found.held_out.unwrap(), number(&case, "held_out"));
    }
}

#[test]
fn trees_are_scikit_learns() {
    for case in cases(include_str!("../golden/tree.json"), "cases") {
        let (fitted, other) = (rows(&case["rows"]), rows(&case["other_rows"]));
        let [targets, weights, other_targets] =
            [&case["targets"], &case["weights"], &case["other_targets"]].map(numbers);
        let data = Weighted { rows: &fitted, targets: &targets, weights: &weights };
        let features = fitted[0].len();
        let grown = RegressionTree::fit(&data, features);
        let predictions: Vec<_> = fitted.iter().map(|row| grown.predict(row)).collect();
        all_close(&predictions, &numbers(&case["predictions"]));
        all_close(&grown.importance(features).shares, &numbers(&case["importance"]));
        assert_eq!(grown.rules().len(), number(&case, "leaves") as usize);
        close(grown.r2(&data).unwrap(), number(&case, "in_sample"));
        let judged = Weighted { rows: &other, targets: &other_targets, weights: &weights };
        close(grown.r2(&judged).unwrap(), number(&case, "held_out"));
    }
}

#[test]
fn rollout_is_the_product_of_numpys_matrices() {
    for case in cases(include_str!("../golden/rollout.json"), "cases") {
        let layers: Vec<_> = case["layers"].as_array().unwrap().iter().map(rows).collect();
        let expected = numbers(&case["shares"]);
        let read = case["reader"].as_u64().unwrap() as usize;
        let reader = (0..expected.len()).map(|token| f64::from(u8::from(token == read))).collect();
        let word_of_token = vec![None; expected.len()];
        all_close(&rollout(&Attention { layers, reader, word_of_token }).unwrap(), &expected);
    }
}
