//! The oracles on a real model: they agree with plain forward passes and with each other.

use pellucid_engine::explain::oracle::{ModelOracle, answer};
use pellucid_engine::explain::remote::{Company, Question, remote};
use pellucid_engine::explain::session::{self, Plan};
use pellucid_engine::explain::subject::{Subject, Unit};
use pellucid_engine::model::answers;
use pellucid_engine::model::pretrained::load_classifier;
use pellucid_engine::task::Output;
use pellucid_engine::task::classification::ClassOutput;
use pellucid_explain::{Context, Noise, Predict, Slopes};
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Baseline, Check, Method, Removal};
use std::time::Duration;

use crate::fixture::Fixture;

const TEXT: &str = "the film was not very good";

#[test]
fn masking_nothing_is_the_prediction_and_masking_is_by_word() {
    let fixture = Fixture::new();
    let (model, _, encoder) = load_classifier(&fixture.path("teacher"), 24).unwrap();
    let subject = Subject::new(&encoder, TEXT, None).unwrap();
    assert_eq!(subject.words.len(), 6);
    let logits = answers::logits(&model, std::slice::from_ref(&subject.encoded)).unwrap();
    let mut oracle = ModelOracle { model: &model, subject: &subject, target: 1 };
    let all = oracle.outcomes(&[vec![true; 6]], Removal::Mask).unwrap()[0].probability;
    assert!((all - ClassOutput.probabilities(&logits[0])[1]).abs() < 1e-6);

    let masked = encoder.encode(&[("the film was [MASK] very good", None)]).unwrap();
    let expected = ClassOutput.probabilities(&answers::logits(&model, &masked).unwrap()[0])[1];
    let row = (0..6).map(|word| word != 3).collect();
    assert!((oracle.outcomes(&[row], Removal::Mask).unwrap()[0].probability - expected).abs() < 1e-6);
}

#[test]
fn deleting_is_the_shorter_text() {
    let fixture = Fixture::new();
    let (model, _, encoder) = load_classifier(&fixture.path("teacher"), 24).unwrap();
    let subject = Subject::new(&encoder, TEXT, None).unwrap();
    let mut oracle = ModelOracle { model: &model, subject: &subject, target: 1 };
    let texts = encoder.encode(&[("the film was not very good", None), ("the film very good", None), ("", None)]);
    let expected: Vec<f64> = answers::logits(&model, &texts.unwrap())
        .unwrap()
        .iter()
        .map(|logits| ClassOutput.probabilities(logits)[1])
        .collect();
    let rows = [vec![true; 6], (0..6).map(|word| !(2..4).contains(&word)).collect(), vec![false; 6]];
    for (found, expected) in oracle.outcomes(&rows, Removal::Delete).unwrap().iter().zip(expected) {
        let found = found.probability;
        assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
    }
}

#[test]
fn the_margin_is_the_logit_before_the_best_of_the_others() {
    let fixture = Fixture::new();
    let (model, _, encoder) = load_classifier(&fixture.path("teacher"), 24).unwrap();
    let subject = Subject::new(&encoder, TEXT, None).unwrap();
    let logits = answers::logits(&model, std::slice::from_ref(&subject.encoded)).unwrap().remove(0);
    for target in 0..logits.len() {
        let others = logits.iter().enumerate().filter(|(class, _)| *class != target);
        let rival = others.map(|(_, logit)| *logit).fold(f32::NEG_INFINITY, f32::max);
        let mut oracle = ModelOracle { model: &model, subject: &subject, target };
        let found = oracle.outcomes(&[vec![true; 6]], Removal::Mask).unwrap()[0];
        assert!((found.logit - f64::from(logits[target])).abs() < 1e-5);
        assert!((found.margin - f64::from(logits[target] - rival)).abs() < 1e-5);
        let end = oracle.path(Baseline::Pad, &[1.0], Scalar::Margin).unwrap()[0].value;
        assert!((end - found.margin).abs() < 1e-5);
    }
}

#[test]
fn units_are_words_that_are_alike_or_tokens() {
    let fixture = Fixture::new();
    let (_, _, encoder) = load_classifier(&fixture.path("teacher"), 24).unwrap();
    let subject = Subject::new(&encoder, "not good not very good", None).unwrap();
    let distinct = subject.by(Unit::DistinctWord);
    let of = |subject: &Subject| subject.word_of_token.clone();
    assert_eq!((subject.words.len(), distinct.words.len()), (5, 3));
    assert_eq!(of(&distinct), [None, Some(0), Some(1), Some(0), Some(2), Some(1), None]);
    assert_eq!(of(&subject.by(Unit::Token)), of(&subject));
    assert_eq!(of(&subject.by(Unit::AnyToken)), (0..7).map(Some).collect::<Vec<_>>());
    assert_eq!(distinct.by_tokens(&[1.0, 2.0, 3.0]), [0.0, 1.0, 2.0, 1.0, 3.0, 2.0, 0.0]);
    assert_eq!(subject.by(Unit::Word), subject);
}

#[test]
fn every_path_ends_at_the_input_and_begins_somewhere_else() {
    let fixture = Fixture::new();
    let (model, _, encoder) = load_classifier(&fixture.path("teacher"), 24).unwrap();
    let subject = Subject::new(&encoder, TEXT, None).unwrap();
    let mut oracle = ModelOracle { model: &model, subject: &subject, target: 0 };
    let masked =
        answers::logits(&model, &encoder.encode(&[(["[MASK]"; 6].join(" ").as_str(), None)]).unwrap()).unwrap();
    let mut starts = Vec::new();
    for &baseline in Baseline::ALL {
        let ends = oracle.path(baseline, &[0.0, 1.0], Scalar::Logit).unwrap();
        let input = answers::logits(&model, std::slice::from_ref(&subject.encoded)).unwrap()[0][0];
        assert!((ends[1].value - f64::from(input)).abs() < 1e-5);
        starts.push(ends[0].value);
    }
    assert!((starts[1] - f64::from(masked[0][0])).abs() < 1e-5, "{starts:?}");
    assert!((0..4).all(|a| (0..a).all(|b| (starts[a] - starts[b]).abs() > 1e-7)), "{starts:?}");
}

#[test]
fn no_noise_is_the_gradient_and_noise_has_a_seed() {
    let fixture = Fixture::new();
    let (model, _, encoder) = load_classifier(&fixture.path("teacher"), 24).unwrap();
    let subject = Subject::new(&encoder, TEXT, None).unwrap();
    let mut oracle = ModelOracle { model: &model, subject: &subject, target: 0 };
    let plain = oracle.gradient(Scalar::Logit).unwrap();
    let mut noisy = |sigma, seed, first, count| {
        oracle.noisy_gradients(Noise { sigma, seed, scalar: Scalar::Logit }, first, count).unwrap()
    };
    for still in noisy(0.0, 1, 0, 2) {
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(near(&still.times_input, &plain.times_input) && near(&still.norm, &plain.norm));
    }
    let three = noisy(0.05, 1, 0, 3);
    let last = noisy(0.05, 1, 2, 1);
    let near = three[2].times_input.iter().zip(&last[0].times_input).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(near && three[0] != three[1] && three[0] != noisy(0.05, 2, 0, 1)[0]);
}

#[test]
fn attention_is_shares_of_all_tokens_in_every_layer() {
    let fixture = Fixture::new();
    let (model, _, encoder) = load_classifier(&fixture.path("teacher"), 24).unwrap();
    let subject = Subject::new(&encoder, TEXT, None).unwrap();
    let mut oracle = ModelOracle { model: &model, subject: &subject, target: 0 };
    let attention = oracle.attention().unwrap();
    let tokens = subject.encoded.ids.len();
    assert_eq!((attention.layers.len(), attention.reader[0]), (2, 1.0));
    for layer in &attention.layers {
        assert_eq!(layer.len(), tokens);
        assert!(layer.iter().all(|row| row.len() == tokens && (row.iter().sum::<f64>() - 1.0).abs() < 1e-5));
    }
    assert_ne!(attention.layers[0], attention.layers[1]);
}

#[test]
fn the_gradient_is_that_of_finite_differences_along_the_path() {
    let fixture = Fixture::new();
    let (model, _, encoder) = load_classifier(&fixture.path("teacher"), 24).unwrap();
    let subject = Subject::new(&encoder, TEXT, None).unwrap();
    let mut oracle = ModelOracle { model: &model, subject: &subject, target: 0 };
    let h = 1e-2;
    for scalar in Scalar::CHOICES {
        let points = oracle.path(Baseline::Pad, &[0.5 - h, 0.5, 0.5 + h], scalar).unwrap();
        let numeric = (points[2].value - points[0].value) / (2.0 * h);
        let analytic: f64 = points[1].slopes.iter().sum();
        assert!((numeric - analytic).abs() < 1e-3 + 0.02 * analytic.abs(), "{scalar}: {numeric} and {analytic}");
    }
}

#[test]
fn every_method_has_its_checks_and_the_remote_oracle_gives_the_same() {
    let fixture = Fixture::new();
    let (model, _, encoder) = load_classifier(&fixture.path("teacher"), 24).unwrap();
    let subject = Subject::new(&encoder, TEXT, None).unwrap();
    let blank = || session::blank(&subject, vec![0.5, 0.5], 1);
    let mut direct = ModelOracle { model: &model, subject: &subject, target: 1 };
    let here = session::explain(&mut direct, blank(), Plan::new(Method::ALL, Context::new(4)), &mut |_| {}).unwrap();
    assert_eq!(here.attributions.len(), Method::ALL.len());
    for made in &here.attributions {
        assert_eq!(made.scores.len(), 6);
        assert!(!made.checks.is_empty());
        if let Some(Check::Completeness { gap, .. }) = made.checks.first() {
            assert!(*gap < 0.05, "{gap}");
        }
    }

    let (mut oracle, questions) = remote(6, Company::Training);
    let start = blank();
    let asker = std::thread::spawn(move || {
        session::explain(&mut oracle, start, Plan::new(Method::ALL, Context::new(4)), &mut |_| {}).unwrap()
    });
    loop {
        match questions.poll(Duration::from_millis(10)) {
            Question::Asked(query) => questions.reply(answer(&model, &subject, 1, &query)),
            Question::NotYet => {}
            Question::Over => break,
        }
    }
    let there = asker.join().unwrap();
    for (a, b) in here.attributions.iter().zip(&there.attributions) {
        // Questions across the channel are smaller, and the last bits of a number depend on the rows beside it.
        // A tree's scores are ratios of small variances: how far those bits reach depends on the processor.
        let within = if a.method == Method::Tree { 1e-5 } else { 1e-6 };
        let near = a.scores.iter().zip(&b.scores).all(|(a, b)| (a - b).abs() < within);
        assert!(a.method == b.method && near, "{:?} and {:?}", a.scores, b.scores);
        assert_eq!((a.checks.len(), a.is_trusted()), (b.checks.len(), b.is_trusted()));
    }
}

#[test]
fn when_the_time_has_ended_the_first_map_is_there_and_the_rest_is_named() {
    let fixture = Fixture::new();
    let (model, _, encoder) = load_classifier(&fixture.path("teacher"), 24).unwrap();
    let subject = Subject::new(&encoder, TEXT, None).unwrap();
    let mut oracle = ModelOracle { model: &model, subject: &subject, target: 1 };
    let methods = [Method::SmoothGrad, Method::GradientInput, Method::IntegratedGradients];
    let plan = Plan { budget: Some(Duration::ZERO), ..Plan::new(&methods, Context::new(0)) };
    let mut last = None;
    let mut emit = |stage: session::Stage<'_>| last = Some((stage.ending(), stage.explanation()));
    let done = session::explain(&mut oracle, session::blank(&subject, vec![0.5, 0.5], 1), plan, &mut emit).unwrap();
    assert_eq!(last, Some((session::Ending::Over, done.clone())));
    assert_eq!(done.attributions.iter().map(|made| made.method).collect::<Vec<_>>(), [Method::GradientInput]);
    let left: Vec<Method> = done.left_out.iter().map(|left| left.method).collect();
    assert_eq!(left, [Method::IntegratedGradients, Method::SmoothGrad]);
    assert!(!done.partial && done.left_out.iter().all(|left| left.why.contains("time")));
}

#[test]
fn a_text_without_words_and_one_that_is_too_long_are_explained_as_far_as_they_go() {
    let fixture = Fixture::new();
    let (model, _, encoder) = load_classifier(&fixture.path("student"), 24).unwrap();
    for (text, words, cut) in [(" ", 0, 0), ("good", 1, 0), (&"film ".repeat(60), 22, 38)] {
        let subject = Subject::new(&encoder, text, None).unwrap();
        assert_eq!((subject.words.len(), subject.truncated_words), (words, cut));
        let mut oracle = ModelOracle { model: &model, subject: &subject, target: 0 };
        let blank = session::blank(&subject, vec![0.5, 0.5], 0);
        let done = session::explain(&mut oracle, blank, Plan::new(Method::ALL, Context::new(0)), &mut |_| {}).unwrap();
        assert!(done.attributions.iter().all(|made| made.scores.iter().all(|score| score.is_finite())));
    }
}
