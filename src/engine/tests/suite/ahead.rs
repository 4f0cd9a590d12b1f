//! Steps whose numbers stay on the device until several are read together, as on a GPU; here with its arithmetic on the
//! CPU.

use std::fs;

use pellucid_engine::host::reads;
use pellucid_engine::train::prepare::prepare;
use pellucid_engine::train::{Control, Flow, Trainer, run};
use pellucid_protocol::event::{Ended, Outcome, Setting, Step};
use pellucid_protocol::settings::{L1Form, L2Form, LiveSetting, OptimizerKind};
use pellucid_protocol::{Event, RawSettings};

use crate::fixture::{Fixture, numbers};

/// Changes a setting before a step, as a person would, and ends after another.
struct Script {
    change: Option<(u64, LiveSetting, f64)>,
    last: u64,
}

const NO_SCRIPT: Script = Script { change: None, last: u64::MAX };

impl Control for Script {
    fn between_steps(&mut self, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Flow {
        let done = trainer.step_count();
        if let Some((step, key, value)) = self.change.filter(|(step, ..)| *step == done) {
            trainer.flush(emit);
            trainer.set(key, value).unwrap();
            emit(Event::Setting(Setting { step, key: key.to_string(), value: value.into() }));
        }
        if done == self.last { Flow::StopNow } else { Flow::Continue }
    }
}

/// A run that reads the numbers of `most` steps together; with none it computes as on the CPU.
fn run_of(raw: RawSettings, most: Option<usize>, mut script: Script) -> (Trainer, Vec<Event>, Ended) {
    let mut trainer = Trainer::new(prepare(raw.check().unwrap(), &mut |_| {}).unwrap());
    if let Some(most) = most {
        trainer.defer_numbers(most);
    }
    let mut events = Vec::new();
    let ended = run(&mut trainer, &mut |event| events.push(event), &mut script);
    (trainer, events, ended)
}

fn everything(fixture: &Fixture, name: &str) -> RawSettings {
    RawSettings {
        max_steps: Some(27),
        accumulate: Some(2),
        batch_size: Some(8),
        teacher: Some(fixture.path("teacher").into()),
        l1: Some(1e-3),
        l2: Some(1e-3),
        l2_form: Some(L2Form::Coupled),
        group_l1: Some(1e-5),
        clip_norm: Some(0.5),
        masking: Some(0.25),
        consistency: Some(0.3),
        attribution_every: Some(2),
        eval_every: Some(7),
        checkpoint_every: Some(5),
        ..fixture.settings(name)
    }
}

fn weights(trainer: &Trainer) -> Vec<u32> {
    let flat = Vec::<f32>::try_from(trainer.model().params().weights()).unwrap();
    flat.into_iter().map(f32::to_bits).collect()
}

/// What was told, in its order, without numbers.
fn order(events: &[Event]) -> Vec<String> {
    let told = |event: &Event| match event {
        Event::Step(step) => format!("step {}", step.step),
        Event::Eval(eval) => format!("eval {}", eval.step),
        Event::Checkpoint(checkpoint) => format!("checkpoint {} {:?}", checkpoint.step, checkpoint.kind),
        Event::Setting(setting) => format!("{} at {}", setting.key, setting.step),
        Event::Ended(ended) => format!("ended at {}", ended.step),
        _ => "other".to_owned(),
    };
    events.iter().map(told).collect()
}

#[test]
fn it_makes_no_difference_how_many_steps_are_read_together() {
    let fixture = Fixture::new();
    let change = Some((13, LiveSetting::L1, 5e-3));
    for optimizer in [OptimizerKind::Adamw, OptimizerKind::Sgd] {
        let of = |most: usize| {
            let raw = RawSettings {
                optimizer: Some(optimizer),
                l1_form: Some(if optimizer == OptimizerKind::Sgd { L1Form::Subgradient } else { L1Form::Proximal }),
                ..everything(&fixture, &format!("{optimizer:?}-{most}"))
            };
            run_of(raw, Some(most), Script { change, ..NO_SCRIPT })
        };
        let (one, events, ended) = of(1);
        assert_eq!((ended.outcome, ended.step), (Outcome::Finished, 27));
        let told = numbers(&events);
        assert!(
            ["loss/kd", "loss/l1", "loss/l2", "loss/group_l1", "loss/consistency", "sparsity/exact"]
                .iter()
                .all(|wanted| told.iter().any(|(_, name, _)| name == wanted))
        );
        for most in [4, 10] {
            let (many, others, _) = of(most);
            assert_eq!(order(&others), order(&events), "{most} together");
            assert!(numbers(&others) == told, "{most} together");
            assert!(weights(&many) == weights(&one), "{most} together");
        }
    }
}

#[test]
fn its_arithmetic_is_near_that_of_the_cpu() {
    let fixture = Fixture::new();
    let (_, kernel, _) = run_of(everything(&fixture, "kernel"), None, NO_SCRIPT);
    let (_, tensors, _) = run_of(everything(&fixture, "tensors"), Some(10), NO_SCRIPT);
    assert_eq!(order(&kernel), order(&tensors));
    let (kernel, tensors) = (numbers(&kernel), numbers(&tensors));
    assert_eq!(kernel.len(), tensors.len());
    for ((step, name, a), (_, other, b)) in kernel.iter().zip(&tensors) {
        assert_eq!(name, other);
        let (a, b) = (f64::from_bits(*a), f64::from_bits(*b));
        // Later on small differences have grown, and a text may fall to the other side.
        assert!(*step > 5 || (a - b).abs() < 1e-4 * a.abs().max(1.0), "{name} at {step}: {a} {b}");
    }
}

#[test]
fn one_read_does_for_many_steps() {
    let fixture = Fixture::new();
    let raw = RawSettings {
        max_steps: Some(33),
        eval_every: Some(1000),
        checkpoint_every: Some(1000),
        probe: Some(0),
        ..everything(&fixture, "reads")
    };
    let raw = RawSettings { consistency: None, attribution_every: None, ..raw };
    let before = reads();
    let (_, events, _) = run_of(raw, Some(10), NO_SCRIPT);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Step(_))).count(), 33);
    // After steps 1, 10, 20, 30 and 33, and once for each of the two evaluations.
    assert_eq!(reads() - before, 7);
}

#[test]
fn a_step_that_is_not_finite_is_left_out_with_all_that_follow() {
    let fixture = Fixture::new();
    // The step after it has a loss that is no number, though its weights are some.
    let change = Some((13, LiveSetting::Lr, 1e25));
    let raw = |name: &str| RawSettings {
        l1: None,
        l2: None,
        group_l1: None,
        eval_every: Some(1000),
        ..everything(&fixture, name)
    };
    let (kernel, _, failed) = run_of(raw("kernel"), None, Script { change, ..NO_SCRIPT });
    let why = failed.message.clone().unwrap();
    assert!(failed.outcome == Outcome::Failed && why.contains("step 15"), "{failed:?}");
    assert_eq!(kernel.step_count(), 14);
    let (before, ..) = run_of(raw("before"), Some(1), Script { change, last: 14 });
    assert!(weights(&before).into_iter().map(f32::from_bits).all(f32::is_finite));
    for most in [1, 6, 10] {
        let (trainer, events, ended) =
            run_of(raw(&format!("failed-{most}")), Some(most), Script { change, ..NO_SCRIPT });
        assert_eq!((ended.outcome, ended.step, trainer.step_count()), (Outcome::Failed, 14, 14), "{most} together");
        assert_eq!(ended.message.as_deref().map(|told| told.split(" is ").next()), Some(why.split(" is ").next()));
        let steps: Vec<u64> = events.iter().filter_map(step).collect();
        assert_eq!(steps, (1..=14).collect::<Vec<_>>(), "{most} together");
        assert!(weights(&trainer) == weights(&before), "{most} together");
    }
}

fn step(event: &Event) -> Option<u64> {
    if let Event::Step(Step { step, .. }) = event { Some(*step) } else { None }
}

#[test]
fn a_checkpoint_of_a_run_that_is_read_seldom_is_as_of_its_step() {
    let fixture = Fixture::new();
    for (name, most) in [("often", 1), ("seldom", 10)] {
        run_of(everything(&fixture, name), Some(most), NO_SCRIPT);
    }
    let saved = |name: &str| fs::read(fixture.path(name).join("checkpoints/step-000025/model.safetensors")).unwrap();
    assert!(saved("often") == saved("seldom"));
}
