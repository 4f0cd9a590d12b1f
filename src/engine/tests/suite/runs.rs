//! Whole runs: learning, determinism, sparsity, distillation, failures.

use pellucid_engine::model::answers;
use pellucid_engine::model::pretrained::load_classifier;
use pellucid_engine::model::weights::spec::Group;
use pellucid_engine::task::classification::prediction;
use pellucid_protocol::event::Outcome;
use pellucid_protocol::settings::{L1Form, L2Form, OptimizerKind};
use pellucid_protocol::{Event, RawSettings};
use pellucid_record::RunDir;
use tch::Kind;

use crate::fixture::{Fixture, files, numbers, train};

fn last(events: &[Event], name: &str) -> f64 {
    let of = |event: &Event| match event {
        Event::Step(step) => step.metrics.get(name),
        Event::Eval(eval) => eval.metrics.get(name),
        _ => None,
    };
    events.iter().rev().find_map(of).unwrap_or_else(|| panic!("{name} was never measured"))
}

fn first(events: &[Event], name: &str) -> f64 {
    let reversed: Vec<Event> = events.iter().rev().cloned().collect();
    last(&reversed, name)
}

#[test]
fn a_run_learns_and_leaves_a_folder_that_gives_the_same_answers() {
    let fixture = Fixture::new();
    let (events, ended) = train(RawSettings { max_steps: Some(400), ..fixture.settings("run") });
    assert_eq!((ended.outcome, ended.step), (Outcome::Finished, 400));
    assert!(matches!(events[0], Event::Started(_)) && matches!(events[events.len() - 1], Event::Ended(_)));
    assert!(last(&events, "valid/accuracy") > 0.9, "{}", last(&events, "valid/accuracy"));
    assert!(last(&events, "loss/task") < 0.5 * first(&events, "loss/task"));

    let run = RunDir::new(fixture.path("run"));
    let predictions = run.read_predictions(&RunDir::predictions_name(400)).unwrap();
    let (model, labels, encoder) = load_classifier(&run.root().join("checkpoints/last"), 24).unwrap();
    assert_eq!(labels.names(), ["negative", "positive"]);
    let text = "the film was not very bad";
    let encoded = encoder.encode(&[(text, None)]).unwrap();
    let logits = answers::logits(&model, &encoded).unwrap();
    assert_eq!(prediction(&logits[0], 1, None).class(), 1, "negation was learnt");
    assert_eq!(predictions.len(), 32);
}

#[test]
fn the_same_seed_gives_the_same_numbers_bit_for_bit_and_another_seed_others() {
    let fixture = Fixture::new();
    let with = |name: &str, seed: u64| {
        numbers(
            &train(RawSettings {
                seed: Some(seed),
                teacher: Some(fixture.path("teacher").into()),
                ..fixture.settings(name)
            })
            .0,
        )
    };
    let one = with("one", 7);
    assert!(one.iter().any(|(_, name, _)| name == "explain/faithfulness"));
    assert_eq!(one, with("two", 7));
    assert_ne!(one, with("three", 8));
}

#[test]
fn a_run_that_never_beats_its_start_still_leaves_a_best_checkpoint() {
    let fixture = Fixture::new();
    let (events, _) = train(RawSettings { lr: Some(1e-12), ..fixture.settings("run") });
    let best: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Eval(eval) if eval.best => Some(eval.step),
            _ => None,
        })
        .collect();
    assert_eq!(best, [6], "the first one after a step, and no better one");
    assert!(fixture.path("run/checkpoints/best/model.safetensors").is_file());
}

#[test]
fn reported_zeros_are_zeros_in_the_saved_file() {
    let fixture = Fixture::new();
    for optimizer in [OptimizerKind::Adamw, OptimizerKind::Sgd] {
        let name = format!("{optimizer:?}");
        let raw =
            RawSettings { l1: Some(0.02), optimizer: Some(optimizer), max_steps: Some(40), ..fixture.settings(&name) };
        let (events, _) = train(raw);
        let reported = last(&events, "sparsity/exact");
        assert!(reported > 0.05, "{name}: {reported}");
        assert!(last(&events, "sparsity/near") >= reported);
        let (model, ..) = load_classifier(&fixture.path(&name).join("checkpoints/last"), 24).unwrap();
        let of_layers = model.params().ranges().filter(|(spec, _)| spec.group == Group::Encoder);
        let end = of_layers.map(|(_, range)| range.end).max().unwrap();
        let part = model.params().weights().narrow(0, 0, end);
        let zeros = part.eq(0.0).sum(Kind::Int64).int64_value(&[]) as f64 / part.numel() as f64;
        assert_eq!(zeros, reported, "{name}");
    }
}

#[test]
fn the_subgradient_form_shrinks_but_gives_no_zeros() {
    let fixture = Fixture::new();
    let raw = RawSettings {
        l1: Some(0.02),
        l1_form: Some(L1Form::Subgradient),
        max_steps: Some(40),
        ..fixture.settings("run")
    };
    let (events, _) = train(raw);
    assert_eq!(last(&events, "sparsity/exact"), 0.0);
    assert!(last(&events, "loss/l1") < first(&events, "loss/l1"));
}

#[test]
fn coupled_l2_is_part_of_the_loss_and_decoupled_is_not() {
    let fixture = Fixture::new();
    let with =
        |name: &str, form| train(RawSettings { l2: Some(0.01), l2_form: Some(form), ..fixture.settings(name) }).0;
    let coupled = with("coupled", L2Form::Coupled);
    let sum = last(&coupled, "loss/task") + last(&coupled, "loss/l2");
    assert!((last(&coupled, "loss/total") - sum).abs() < 1e-9);
    let decoupled = with("decoupled", L2Form::Decoupled);
    assert!((last(&decoupled, "loss/total") - last(&decoupled, "loss/task")).abs() < 1e-9);
}

#[test]
fn a_student_comes_closer_to_its_teacher() {
    let fixture = Fixture::new();
    let raw = RawSettings {
        teacher: Some(fixture.path("teacher").into()),
        kd_alpha: Some(1.0),
        max_steps: Some(60),
        ..fixture.settings("run")
    };
    let (events, _) = train(raw);
    assert!(
        last(&events, "kd/kl") < 0.5 * first(&events, "kd/kl"),
        "{} to {}",
        first(&events, "kd/kl"),
        last(&events, "kd/kl")
    );
    assert!((0.0..=1.0).contains(&last(&events, "kd/agreement")));
    let predictions = RunDir::new(fixture.path("run")).read_predictions(&RunDir::predictions_name(60)).unwrap();
    assert!(predictions.iter().all(|prediction| prediction.teacher.is_some()));
}

#[test]
fn a_number_that_is_not_finite_ends_the_run_by_name_and_the_checkpoint_stays() {
    let fixture = Fixture::new();
    // Finite for a few steps, then the weights overflow.
    let raw = RawSettings {
        lr: Some(1e38),
        clip_norm: Some(0.0),
        warmup: Some(0.0),
        optimizer: Some(OptimizerKind::Sgd),
        ..fixture.settings("run")
    };
    let (events, ended) = train(raw);
    assert_eq!(ended.outcome, Outcome::Failed);
    let message = ended.message.unwrap();
    assert!(message.contains("loss/task became NaN") || message.contains("optim/grad_norm became"), "{message}");
    assert!(matches!(events.last(), Some(Event::Ended(_))));
    assert!(files(&fixture.path("run/checkpoints")).is_empty(), "no checkpoint of broken weights");
}
