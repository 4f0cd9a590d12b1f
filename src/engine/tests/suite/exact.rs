//! A run that is interrupted and taken up again gives the numbers of one that was not.

use std::fs;
use std::path::Path;

use pellucid_engine::model::pretrained::load_classifier;
use pellucid_engine::model::weights::save::{SaveRequest, Storage, save_in_files};
use pellucid_engine::train::prepare::prepare;
use pellucid_engine::train::{Control, Flow, Trainer, resume, run};
use pellucid_intake::model_folder::provenance::Provenance;
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use pellucid_protocol::event::{Ended, Outcome};
use pellucid_protocol::settings::{Anchor, Avoid, LiveSetting};
use pellucid_protocol::{Event, RawSettings, Record};
use pellucid_record::RunDir;
use pellucid_record::log::writer::LogWriter;

use crate::fixture::{Fixture, numbers};

/// Ends a run before the step after `at`, as a kill would: without evaluation or checkpoint. On the way it changes
/// settings.
struct Script {
    at: u64,
    changes: Vec<(u64, LiveSetting, f64)>,
}

impl Control for Script {
    fn between_steps(&mut self, trainer: &mut Trainer, emit: &mut dyn FnMut(Event)) -> Flow {
        let done = trainer.step_count();
        for &(step, key, value) in self.changes.iter().filter(|(step, ..)| *step == done) {
            trainer.set(key, value).unwrap();
            let setting = pellucid_protocol::event::Setting { step, key: key.to_string(), value: value.into() };
            emit(Event::Setting(setting));
        }
        if trainer.step_count() == self.at { Flow::StopNow } else { Flow::Continue }
    }
}

const CHANGES: [(u64, LiveSetting, f64); 5] = [
    (2, LiveSetting::Lr, 4e-3),
    (5, LiveSetting::Rrr, 0.2),
    (8, LiveSetting::L1, 2e-3),
    (11, LiveSetting::Masking, 0.3),
    (13, LiveSetting::KdAlpha, 0.9),
];

fn settings(fixture: &Fixture, name: &str) -> RawSettings {
    RawSettings {
        max_steps: Some(18),
        accumulate: Some(2),
        teacher: Some(fixture.path("teacher").into()),
        l1: Some(1e-3),
        group_l1: Some(1e-5),
        layer_decay: Some(0.9),
        eval_every: Some(4),
        checkpoint_every: Some(3),
        rrr: Some(0.1),
        avoid: Some(Avoid::Written("very".into())),
        consistency: Some(0.3),
        attribution_every: Some(2),
        attribution_rows: Some(3),
        masking: Some(0.25),
        probe_share: Some(0.3),
        patience: Some(100),
        batch_size: Some(8),
        ..fixture.settings(name)
    }
}

/// Runs `trainer` until its end or the step after `at`; all it tells also goes to the log, as in a real run.
fn record(trainer: &mut Trainer, at: u64, changes: Vec<(u64, LiveSetting, f64)>) -> (Vec<Event>, Ended) {
    let mut log = LogWriter::open(&RunDir::new(trainer.settings().run_dir.clone()).events()).unwrap();
    let mut events = Vec::new();
    let mut emit = |event: Event| {
        log.append(&Record { time: 0.0, event: event.clone() }).unwrap();
        events.push(event);
    };
    let ended = run(trainer, &mut emit, &mut Script { at, changes });
    (events, ended)
}

fn begun(raw: RawSettings) -> Trainer {
    let settings = raw.check().unwrap();
    fs::create_dir_all(&settings.run_dir).unwrap();
    fs::write(settings.run_dir.join("run.toml"), toml::to_string(&settings).unwrap()).unwrap();
    Trainer::new(prepare(settings, &mut |_| {}).unwrap())
}

fn again(run: &RunDir) -> Trainer {
    resume::trainer(resume::settings(run).unwrap(), run, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// The numbers of `whole` after step `step`.
fn later(whole: &[(u64, String, u64)], step: u64) -> Vec<(u64, String, u64)> {
    whole.iter().filter(|(at, ..)| *at > step).cloned().collect()
}

#[test]
fn a_run_that_was_killed_goes_on_bit_for_bit() {
    let fixture = Fixture::new();
    let whole = numbers(&record(&mut begun(settings(&fixture, "whole")), u64::MAX, CHANGES.to_vec()).0);
    assert!(whole.iter().any(|(_, name, _)| name == "explain/drift") && whole.iter().any(|(_, n, _)| n == "loss/kd"));
    for killed in [1u64, 4, 7, 12, 17] {
        let name = format!("killed-{killed}");
        let (events, ended) = record(&mut begun(settings(&fixture, &name)), killed, CHANGES.to_vec());
        assert_eq!((ended.outcome, ended.step), (Outcome::Stopped, killed));
        let before = numbers(&events);
        let mut trainer = again(&RunDir::new(fixture.path(&name)));
        let from = killed / 3 * 3;
        assert_eq!(trainer.step_count(), from);
        let made = CHANGES.into_iter().filter(|(step, ..)| *step > killed).collect();
        let (events, ended) = record(&mut trainer, u64::MAX, made);
        assert_eq!((ended.outcome, ended.step), (Outcome::Finished, 18));
        let Event::Started(started) = &events[0] else { panic!("{:?}", events[0]) };
        assert_eq!(started.resumed, Some(from));
        let after = numbers(&events);
        let expected = if from == 0 { whole.clone() } else { later(&whole, from) };
        assert_eq!(after, expected, "killed at {killed}");
        assert!(before.iter().all(|number| whole.contains(number)), "the same up to the kill");
    }
}

#[test]
fn a_run_with_frozen_weights_goes_on_bit_for_bit() {
    let fixture = Fixture::new();
    let raw = |name: &str| RawSettings {
        freeze: Some("embeddings".parse().unwrap()),
        l2: Some(1e-3),
        l2_anchor: Some(Anchor::Start),
        ..settings(&fixture, name)
    };
    let whole = numbers(&record(&mut begun(raw("whole")), u64::MAX, vec![]).0);
    record(&mut begun(raw("killed")), 7, vec![]);
    let mut trainer = again(&RunDir::new(fixture.path("killed")));
    assert_eq!(trainer.step_count(), 6);
    assert_eq!(numbers(&record(&mut trainer, u64::MAX, vec![]).0), later(&whole, 6));
}

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_one_before() {
    let fixture = Fixture::new();
    let whole = numbers(&record(&mut begun(settings(&fixture, "whole")), u64::MAX, vec![]).0);
    for file in ["trainer.safetensors", "model.safetensors", "config.json"] {
        let name = format!("run-{file}");
        record(&mut begun(settings(&fixture, &name)), 11, vec![]);
        let newest = fixture.path(&name).join("checkpoints/step-000009").join(file);
        let bytes = fs::read(&newest).unwrap();
        fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
        let mut trainer = again(&RunDir::new(fixture.path(&name)));
        assert_eq!(trainer.step_count(), 6, "{file}");
        assert!(trainer.notes().iter().any(|note| note.contains("passed over") && note.contains(file)), "{file}");
        assert_eq!(numbers(&record(&mut trainer, u64::MAX, vec![]).0), later(&whole, 6), "{file}");
    }
}

/// Saves the weights of a checkpoint anew, in several files.
fn in_several_files(checkpoint: &Path) {
    let of = Provenance::of(checkpoint).unwrap().unwrap().checkpoint;
    let (model, _, _) = load_classifier(checkpoint, 24).unwrap();
    let request = SaveRequest {
        params: model.params(),
        config: model.config(),
        tokenizer: &TokenizerFiles::read(checkpoint).unwrap(),
        storage: Storage::F32,
        checkpoint: of.as_ref(),
    };
    let anew = checkpoint.with_file_name("anew");
    save_in_files(&anew, request, 1000).unwrap();
    fs::remove_file(checkpoint.join("model.safetensors")).unwrap();
    for entry in fs::read_dir(&anew).unwrap().map(Result::unwrap) {
        fs::rename(entry.path(), checkpoint.join(entry.file_name())).unwrap();
    }
    fs::remove_dir(anew).unwrap();
}

#[test]
fn a_checkpoint_in_several_files_is_one_whole_or_passed_over() {
    let fixture = Fixture::new();
    let settings = |name: &str| RawSettings { checkpoint_every: Some(3), ..fixture.settings(name) };
    let whole = numbers(&record(&mut begun(settings("whole")), u64::MAX, vec![]).0);
    for damage in ["none", "changed", "missing", "extra"] {
        record(&mut begun(settings(damage)), 11, vec![]);
        let run = RunDir::new(fixture.path(damage));
        let newest = fixture.path(damage).join("checkpoints/step-000009");
        in_several_files(&newest);
        let part = newest.join("model-00002-of-00005.safetensors");
        let bytes = fs::read(&part).unwrap();
        match damage {
            "changed" => fs::write(&part, [&bytes[..bytes.len() - 1], &[bytes[bytes.len() - 1] ^ 1]].concat()).unwrap(),
            "missing" => fs::remove_file(&part).unwrap(),
            "extra" => fs::write(newest.join("model-00002-of-00002.safetensors"), bytes).unwrap(),
            _ => {}
        }
        assert_eq!(run.newest_checkpoint(), Some(if damage == "missing" { 6 } else { 9 }), "{damage}");
        let mut trainer = again(&run);
        let from = if damage == "none" { 9 } else { 6 };
        assert_eq!(trainer.step_count(), from, "{damage}");
        let is_named = |note: &String| note.contains("passed over") && note.contains("model-00002-of-0000");
        assert_eq!(trainer.notes().iter().any(is_named), from == 6, "{damage}: {:?}", trainer.notes());
        assert_eq!(numbers(&record(&mut trainer, u64::MAX, vec![]).0), later(&whole, from), "{damage}");
    }
}

#[test]
fn a_run_on_other_data_is_not_taken_up() {
    let fixture = Fixture::new();
    record(&mut begun(settings(&fixture, "run")), 7, vec![]);
    let train = fixture.path("train.jsonl");
    let text = fs::read_to_string(&train).unwrap();
    fs::write(&train, text.replacen("very good", "very bad", 1)).unwrap();
    let run = RunDir::new(fixture.path("run"));
    let Err(error) = resume::trainer(resume::settings(&run).unwrap(), &run, &mut |_| {}) else { panic!("it went on") };
    assert!(error.to_string().contains("train.jsonl: the training data has changed"), "{error}");
}

#[test]
fn what_the_teacher_said_is_found_by_later_runs_and_changes_nothing() {
    let fixture = Fixture::new();
    let first = numbers(&record(&mut begun(settings(&fixture, "first")), u64::MAX, vec![]).0);
    let second = numbers(&record(&mut begun(settings(&fixture, "second")), u64::MAX, vec![]).0);
    assert_eq!(first, second);
}
