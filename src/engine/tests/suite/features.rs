//! What people expect of a fine-tuner, on whole runs.

use std::fs;

use pellucid_engine::model::pretrained::load_classifier;
use pellucid_protocol::event::Outcome;
use pellucid_protocol::settings::{Anchor, L2Form, OptimizerKind, Precision, ScheduleKind};
use pellucid_protocol::{Event, RawSettings};
use tch::{Kind, Tensor};

use crate::fixture::{Fixture, train};

fn series(events: &[Event], name: &str) -> Vec<f64> {
    let of = |event: &Event| match event {
        Event::Step(step) => step.metrics.get(name),
        Event::Eval(eval) => eval.metrics.get(name),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

fn last(events: &[Event], name: &str) -> f64 {
    *series(events, name).last().unwrap_or_else(|| panic!("{name} was never measured"))
}

/// The parameter of this name in the last checkpoint of the run `name`.
fn saved(fixture: &Fixture, name: &str, parameter: &str) -> Tensor {
    load_classifier(&fixture.path(name).join("checkpoints/last"), 24).unwrap().0.params().view(parameter)
}

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    (a - b).abs().max().double_value(&[])
}

/// The fixture's student without dropout.
fn without_dropout(fixture: &Fixture) {
    let path = fixture.path("student/config.json");
    let mut config: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config["hidden_dropout_prob"] = 0.0.into();
    config["attention_probs_dropout_prob"] = 0.0.into();
    fs::write(&path, config.to_string()).unwrap();
}

#[test]
fn batches_that_are_accumulated_are_one_large_batch() {
    let fixture = Fixture::new();
    without_dropout(&fixture);
    let with = |name: &str, batch_size, accumulate| {
        let raw = RawSettings {
            batch_size: Some(batch_size),
            accumulate: Some(accumulate),
            class_weights: Some("positive=3".parse().unwrap()),
            label_smoothing: Some(0.1),
            teacher: Some(fixture.path("teacher").into()),
            ..fixture.settings(name)
        };
        train(raw).0
    };
    // 96 examples: 3 steps an epoch, the last one of a batch short of examples when batches are of 20.
    let (one, parts) = (with("one", 40, 1), with("parts", 20, 2));
    for name in ["loss/task", "loss/kd", "optim/grad_norm", "valid/loss"] {
        let (one, parts) = (series(&one, name), series(&parts, name));
        assert_eq!(one.len(), parts.len());
        assert!(
            one.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 2e-5 * a.abs().max(1.0)),
            "{name}: {one:?} {parts:?}"
        );
    }
}

#[test]
fn frozen_parts_are_saved_as_they_were_loaded() {
    let fixture = Fixture::new();
    let raw =
        RawSettings { freeze: Some("embeddings,layers:1".parse().unwrap()), l1: Some(0.1), ..fixture.settings("run") };
    train(raw);
    let before = load_classifier(&fixture.path("student"), 24).unwrap().0;
    for spec in before.params().specs() {
        let moved = distance(&before.params().view(&spec.name), &saved(&fixture, "run", &spec.name));
        let is_head = spec.name.starts_with("classifier") || spec.name.contains("pooler");
        assert_eq!(moved > 0.0, is_head, "{} moved by {moved}", spec.name);
    }
}

#[test]
fn patience_ends_a_run_that_gets_no_better() {
    let fixture = Fixture::new();
    let raw = RawSettings {
        lr: Some(1e-12),
        patience: Some(3),
        eval_every: Some(2),
        max_steps: Some(100),
        ..fixture.settings("run")
    };
    let (events, ended) = train(raw);
    assert_eq!(
        (ended.outcome, ended.step),
        (Outcome::Finished, 8),
        "the best at step 2, then three that are no better"
    );
    let told = |event: &Event| matches!(event, Event::Alert(alert) if alert.message.contains("3 evaluations"));
    assert!(events.iter().any(told));
    assert!(fixture.path("run/checkpoints/last/model.safetensors").is_file());
}

#[test]
fn the_group_lasso_takes_whole_heads_and_neurons_away_also_in_the_file() {
    for optimizer in [OptimizerKind::Adamw, OptimizerKind::Sgd] {
        let fixture = Fixture::new();
        let raw = RawSettings {
            group_l1: Some(if optimizer == OptimizerKind::Adamw { 3e-2 } else { 4e-3 }),
            optimizer: Some(optimizer),
            lr: Some(if optimizer == OptimizerKind::Adamw { 1e-2 } else { 3e-2 }),
            max_steps: Some(60),
            ..fixture.settings("run")
        };
        let (events, _) = train(raw);
        let (heads, neurons) = (last(&events, "sparsity/dead_heads"), last(&events, "sparsity/dead_neurons"));
        assert!(neurons > 2.0, "{optimizer:?}: {heads} heads, {neurons} neurons");
        assert_eq!(neurons, last(&events, "sparsity/dead_neurons/0"));
        let wide = saved(&fixture, "run", "bert.encoder.layer.0.intermediate.dense.weight");
        let narrow = saved(&fixture, "run", "bert.encoder.layer.0.output.dense.weight");
        let rows = wide.abs().sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        let columns = narrow.abs().sum_dim_intlist([0i64].as_slice(), false, Kind::Float);
        let dead = (rows + columns).eq(0.0).sum(Kind::Int64).int64_value(&[]);
        assert_eq!(dead as f64, neurons, "{optimizer:?}");
        let total = last(&events, "loss/task") + last(&events, "loss/group_l1");
        assert!((last(&events, "loss/total") - total).abs() < 1e-9);
    }
}

#[test]
fn l2_sp_keeps_the_weights_near_their_start() {
    let fixture = Fixture::new();
    let moved = |name: &str, anchor| {
        let raw = RawSettings {
            l2: Some(30.0),
            l2_form: Some(L2Form::Decoupled),
            l2_anchor: Some(anchor),
            max_steps: Some(60),
            ..fixture.settings(name)
        };
        train(raw);
        let parameter = "bert.encoder.layer.0.intermediate.dense.weight";
        let start = load_classifier(&fixture.path("student"), 24).unwrap().0.params().view(parameter);
        let end = saved(&fixture, name, parameter);
        let norm = |x: Tensor| x.norm().double_value(&[]);
        (norm(&end - &start) / norm(start.copy()), norm(end) / norm(start))
    };
    let (near, far) = (moved("near", Anchor::Start), moved("far", Anchor::Zero));
    assert!(near.0 < 0.7 * far.0, "{near:?} {far:?}");
}

#[test]
fn schedules_say_how_the_rate_goes() {
    let fixture = Fixture::new();
    let rates = |name: &str, kind| {
        let raw = RawSettings { schedule: Some(kind), warmup: Some(0.0), ..fixture.settings(name) };
        series(&train(raw).0, "optim/lr")
    };
    assert!(rates("a", ScheduleKind::Constant).iter().all(|&rate| rate == 1e-2));
    let cosine = rates("b", ScheduleKind::Cosine);
    assert!((cosine[6] - 0.5e-2).abs() < 1e-12 && cosine[11] < 2e-4);
}

#[test]
fn bf16_products_are_near_those_in_f32_and_weights_stay_f32() {
    let fixture = Fixture::new();
    without_dropout(&fixture);
    let with = |name: &str, precision| {
        train(RawSettings { precision: Some(precision), max_steps: Some(30), ..fixture.settings(name) }).0
    };
    let (exact, rough) = (with("exact", Precision::F32), with("rough", Precision::Bf16));
    let (a, b) = (series(&exact, "loss/task"), series(&rough, "loss/task"));
    assert_ne!(a[0], b[0]);
    assert!((a[0] - b[0]).abs() < 0.02 && (last(&exact, "valid/loss") - last(&rough, "valid/loss")).abs() < 0.1);
    assert_eq!(saved(&fixture, "rough", "classifier.weight").kind(), Kind::Float);
}

#[test]
fn a_batch_larger_than_the_data_is_the_data() {
    let fixture = Fixture::new();
    let (events, ended) = train(RawSettings { batch_size: Some(1000), ..fixture.settings("run") });
    assert_eq!(ended.outcome, Outcome::Finished);
    let Event::Started(started) = &events[0] else { panic!("{:?}", events[0]) };
    assert_eq!(started.steps_per_epoch, 1);
}
