//! The terms of the loss on reasons: their gradients, their effect on whole runs, and what is refused.

use std::fs;

use pellucid_engine::data::batch::Batch;
use pellucid_engine::data::layout::PadTokens;
use pellucid_engine::data::tokenise::Encoded;
use pellucid_engine::data::tokens::TokenRow;
use pellucid_engine::model::classifier::Classifier;
use pellucid_engine::model::config::ModelConfig;
use pellucid_engine::model::layers::dropout::Dropout;
use pellucid_engine::model::weights::init::initialise;
use pellucid_engine::task::Task;
use pellucid_engine::task::classification::Classification;
use pellucid_engine::train::loss::attribution::Pass;
use pellucid_engine::train::loss::consistency::{WordScores, inconsistency};
use pellucid_engine::train::optimiser::gradient::{Gradient, Lookup};
use pellucid_engine::train::prepare::prepare;
use pellucid_engine::train::{Control, Flow, Trainer, run};
use pellucid_protocol::event::Outcome;
use pellucid_protocol::settings::{Avoid, LiveSetting, Reference};
use pellucid_protocol::{Event, RawSettings};
use tch::{Device, Kind, Tensor, no_grad};

use crate::fixture::{Fixture, numbers, train};

const CONFIGS: [&str; 5] = [
    r#"{"model_type":"bert","vocab_size":31,"hidden_size":12,"num_hidden_layers":2,"num_attention_heads":3,
        "intermediate_size":20,"max_position_embeddings":40,"initializer_range":0.5}"#,
    r#"{"model_type":"gpt2","vocab_size":31,"n_embd":12,"n_layer":2,"n_head":3,"n_positions":40,
        "initializer_range":0.5}"#,
    r#"{"model_type":"modernbert","vocab_size":31,"hidden_size":12,"num_hidden_layers":2,"num_attention_heads":3,
        "intermediate_size":20,"max_position_embeddings":40,"classifier_pooling":"mean","local_attention":6,
        "initializer_range":0.5}"#,
    r#"{"model_type":"qwen3","vocab_size":31,"hidden_size":12,"num_hidden_layers":2,"num_attention_heads":2,
        "num_key_value_heads":1,"head_dim":6,"intermediate_size":20,"max_position_embeddings":40,
        "use_sliding_window":true,"sliding_window":4,"max_window_layers":1,"pad_token_id":30}"#,
    r#"{"model_type":"gemma3_text","vocab_size":31,"hidden_size":12,"num_hidden_layers":2,"num_attention_heads":2,
        "num_key_value_heads":1,"head_dim":6,"intermediate_size":20,"max_position_embeddings":40,"sliding_window":4,
        "layer_types":["sliding_attention","full_attention"],"query_pre_attn_scalar":6,"pad_token_id":30}"#,
];
const LENGTHS: [usize; 4] = [3, 9, 9, 5];

fn batch() -> Batch {
    let text = |(number, &count): (usize, &usize)| Encoded {
        ids: (0..count).map(|place| ((place * 7 + number * 5) % 31) as i64).collect(),
        types: vec![0; count],
        second: vec![false; count],
        spans: vec![(0, 0); count],
        special: vec![false; count],
        cut: 0,
        windows: None,
    };
    let rows: Vec<Encoded> = LENGTHS.iter().enumerate().map(text).collect();
    Batch::new(&rows.iter().cloned().map(TokenRow::from).collect::<Vec<_>>(), PadTokens::Alike, Device::Cpu)
}

/// Each token a word, but the first of each text.
fn words(batch: &Batch) -> WordScores {
    let (mut pieces, mut rows, mut token) = (Vec::new(), Vec::new(), 0i64);
    for &row in batch.layout.order() {
        pieces.extend(token + 1..token + LENGTHS[row] as i64);
        rows.extend(std::iter::repeat_n(row as i64, LENGTHS[row] - 1));
        token += LENGTHS[row] as i64;
    }
    let count = pieces.len() as i64;
    let wanted: Vec<f32> = (0..count).map(|word| (word as f32 * 1.7).sin()).collect();
    WordScores {
        pieces: Tensor::from_slice(&pieces),
        word_of_piece: Tensor::arange(count, (Kind::Int64, Device::Cpu)),
        row_of_word: Tensor::from_slice(&rows),
        wanted: Tensor::from_slice(&wanted),
        rows: LENGTHS.len() as i64,
    }
}

/// The whole loss: cross entropy and both terms with a weight.
fn loss(model: &Classifier, batch: &Batch, embeddings: &Tensor) -> Tensor {
    let classes = Tensor::from_slice(&[1i64, 0, 1, 0]);
    let logits = model.forward(embeddings, &batch.types, &batch.layout, &mut Dropout::Twice);
    let task = Classification::new(2, None, 0.0, Device::Cpu).loss(&logits, &classes);
    let pass = Pass { embeddings, logits: &logits };
    let blamed: Vec<f32> = (0..batch.tokens()).map(|token| f32::from(u8::from(token % 3 == 1))).collect();
    let wrong = pass.wrong_reasons(&Tensor::from_slice(&blamed), &classes).unwrap();
    let apart = inconsistency(&pass.scores(&classes).unwrap(), &words(batch));
    task + wrong * 0.7 + apart * 0.5
}

fn leaf(model: &Classifier, batch: &Batch) -> Tensor {
    no_grad(|| model.embed(&batch.ids)).detach().set_requires_grad(true)
}

/// The gradient of [`loss`] at the weights of `model`, and how it changes along the gradient by finite differences.
fn slopes(config: &str) -> (f64, f64) {
    let config = ModelConfig::parse(config).unwrap();
    let params = initialise(Classifier::specs(&config.architecture, 2), 5);
    // Wider than for training, so that nothing is near zero.
    no_grad(|| drop(params.weights().shallow_clone().g_mul_scalar_(5.0)));
    if config.family() == "gemma3_text" {
        // What its first norm divides by is far from zero.
        no_grad(|| drop(params.view("model.embed_tokens.weight").g_mul_scalar_(10.0)));
    }
    let model = Classifier::new(config, 2, params).trainable(&|_| false);
    let batch = batch();
    let lookup =
        Lookup { table: model.word_table(), ids: Vec::try_from(&batch.ids).unwrap(), embeddings: leaf(&model, &batch) };
    let gradient = Gradient::of(&loss(&model, &batch, &lookup.embeddings), model.params(), Some(&lookup)).unwrap();
    let parts = gradient.densified(model.params()).dense;
    let flat = |index: usize| {
        parts[index].as_ref().map_or_else(|| model.params().leaves()[index].zeros_like(), Tensor::shallow_clone)
    };
    let flat: Vec<Tensor> = (0..parts.len()).map(|index| flat(index).detach().view([-1])).collect();
    let way = Tensor::cat(&flat, 0);
    let norm = way.norm().double_value(&[]);
    let way = way / norm;
    let at = |distance: f64| {
        no_grad(|| drop(model.params().weights().shallow_clone().g_add_(&(&way * distance))));
        let value = loss(&model, &batch, &leaf(&model, &batch)).double_value(&[]);
        no_grad(|| drop(model.params().weights().shallow_clone().g_sub_(&(&way * distance))));
        value
    };
    let h = 1e-3;
    // Of fourth order: the loss bends much.
    (norm, (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h))
}

#[test]
fn the_gradient_of_the_whole_loss_is_that_of_finite_differences() {
    for config in CONFIGS {
        let (exact, measured) = slopes(config);
        assert!((exact - measured).abs() < 2e-2 * exact, "{exact} {measured} of {config}");
    }
}

fn series(events: &[Event], name: &str) -> Vec<f64> {
    let of = |event: &Event| match event {
        Event::Step(step) => step.metrics.get(name),
        Event::Eval(eval) => eval.metrics.get(name),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

fn mean_of_last(values: &[f64]) -> f64 {
    values[values.len() - 10..].iter().sum::<f64>() / 10.0
}

#[test]
fn avoided_words_lose_their_say() {
    let fixture = Fixture::new();
    let with = |name: &str, rrr| {
        let avoid = Some(Avoid::Written("good".into()));
        let (lr, max_steps) = (Some(2e-2), Some(200));
        let raw = RawSettings { rrr: Some(rrr), avoid, lr, max_steps, ..fixture.settings(name) };
        train(raw).0
    };
    let (weak, strong) = (series(&with("weak", 1e-9), "loss/rrr"), series(&with("strong", 10.0), "loss/rrr"));
    assert_eq!((weak.len(), strong.len()), (200, 200));
    assert!(mean_of_last(&strong) < 0.2 * mean_of_last(&weak), "{weak:?} {strong:?}");
}

#[test]
fn explanations_are_drawn_to_those_of_the_teacher_or_of_the_start() {
    let fixture = Fixture::new();
    for (name, reference) in [("teacher", Reference::Teacher), ("start", Reference::Start)] {
        let with = |weight: f64| {
            let raw = RawSettings {
                consistency: Some(weight),
                consistency_to: Some(reference),
                teacher: Some(fixture.path("teacher").into()),
                attribution_every: Some(2),
                max_steps: Some(60),
                ..fixture.settings(&format!("{name}-{weight}"))
            };
            series(&train(raw).0, "loss/consistency")
        };
        let (weak, strong) = (with(1e-9), with(3.0));
        assert_eq!(strong.len(), 30, "every other step");
        assert!(mean_of_last(&strong) < 0.7 * mean_of_last(&weak), "{name}: {weak:?} {strong:?}");
    }
}

#[test]
fn masked_texts_are_part_of_every_batch_and_the_validation_says_how_they_do() {
    let fixture = Fixture::new();
    let raw = RawSettings {
        masking: Some(0.5),
        teacher: Some(fixture.path("teacher").into()),
        max_steps: Some(60),
        ..fixture.settings("run")
    };
    let (events, ended) = train(raw);
    assert_eq!(ended.outcome, Outcome::Finished);
    let masked = series(&events, "valid/masked_accuracy");
    assert!(masked.len() == series(&events, "valid/accuracy").len() && masked.iter().all(|a| (0.0..=1.0).contains(a)));
    let all =
        RawSettings { masking: Some(1.0), teacher: Some(fixture.path("teacher").into()), ..fixture.settings("all") };
    assert_eq!(train(all).1.outcome, Outcome::Finished);
}

#[test]
fn terms_without_weight_change_no_bit() {
    let fixture = Fixture::new();
    let plain = numbers(&train(fixture.settings("plain")).0);
    let avoid = Some(Avoid::Written("good".into()));
    let raw = RawSettings { avoid, consistency_to: Some(Reference::Start), ..fixture.settings("none") };
    assert_eq!(numbers(&train(raw).0), plain);
}

#[test]
fn what_has_nothing_to_go_by_is_refused() {
    let fixture = Fixture::new();
    let refused = |raw: RawSettings| match prepare(raw.check().unwrap(), &mut |_| {}) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it was accepted"),
    };
    let message = refused(RawSettings { rrr: Some(1.0), ..fixture.settings("run") });
    assert!(message.contains("--rrr: ") && message.contains("has no rationales; name words with --avoid"), "{message}");
    let message = refused(RawSettings { consistency: Some(1.0), ..fixture.settings("run") });
    assert!(message.starts_with("--consistency: there is no --teacher"), "{message}");
}

/// Sets values before the first step and keeps what was said.
struct Setter(Vec<String>);

impl Control for Setter {
    fn between_steps(&mut self, trainer: &mut Trainer, _: &mut dyn FnMut(Event)) -> Flow {
        for key in [LiveSetting::Rrr, LiveSetting::Consistency, LiveSetting::Masking] {
            self.0.extend(trainer.set(key, 0.5).err().map(|error| error.to_string()));
        }
        Flow::StopNow
    }
}

#[test]
fn what_is_of_no_use_cannot_be_turned_on_later_either() {
    let fixture = Fixture::new();
    let mut setter = Setter(Vec::new());
    let mut trainer = Trainer::new(prepare(fixture.settings("run").check().unwrap(), &mut |_| {}).unwrap());
    run(&mut trainer, &mut |_| {}, &mut setter);
    assert!(setter.0.len() == 2 && setter.0[0].starts_with("rrr is of no use"), "{:?}", setter.0);
    assert!(setter.0[1].starts_with("consistency is of no use: the run has no teacher"));
    assert_eq!(trainer.settings().masking, 0.5);
    let avoid = Some(Avoid::Written("good,unheard".into()));
    let trainer =
        Trainer::new(prepare(RawSettings { avoid, ..fixture.settings("b") }.check().unwrap(), &mut |_| {}).unwrap());
    assert!(
        trainer.notes().iter().any(|note| note == "--avoid: in no training text: unheard"),
        "{:?}",
        trainer.notes()
    );
}

#[test]
fn explaining_the_probe_set_changes_no_bit_of_the_training() {
    let fixture = Fixture::new();
    let trained = |name: &str, probe, share| {
        let raw = RawSettings {
            probe: Some(probe),
            probe_share: Some(share),
            seed: Some(7),
            teacher: Some(fixture.path("teacher").into()),
            ..fixture.settings(name)
        };
        let (of_training, of_probe): (Vec<_>, Vec<_>) =
            numbers(&train(raw).0).into_iter().partition(|(_, name, _)| !name.starts_with("explain/"));
        (of_training, of_probe)
    };
    let (without, nothing) = trained("none", 0, 0.05);
    let (with, all) = trained("all", 8, 0.0);
    let (within, some) = trained("some", 8, 0.05);
    assert!(nothing.is_empty() && without == with && without == within);
    let count = |found: &[(u64, String, u64)], wanted: &str| found.iter().filter(|(_, name, _)| name == wanted).count();
    assert_eq!((count(&all, "explain/entropy"), count(&all, "explain/jsd_teacher")), (3, 3));
    assert_eq!((count(&all, "explain/drift"), count(&all, "explain/drift_start")), (2, 2));
    assert_eq!(count(&some, "explain/entropy"), 2, "at the start and, whatever it costs, at the end");
    assert!(count(&all, "explain/faithfulness") > 0 && count(&some, "explain/faithfulness") == 1);
}

#[test]
fn a_person_can_name_the_texts_of_the_probe_set() {
    let fixture = Fixture::new();
    fs::write(fixture.path("probe.csv"), "text,label\nthe film was very good,positive\n").unwrap();
    let with = |name: &str, file: &str| {
        let probe_data = Some(fixture.path(file));
        RawSettings { probe_data, seed: Some(7), ..fixture.settings(name) }
    };
    let (named, usual) = (train(with("named", "probe.csv")).0, train(with("all", "valid.jsonl")).0);
    assert_ne!(series(&named, "explain/entropy"), series(&usual, "explain/entropy"));
    fs::write(fixture.path("bad.csv"), "text,label\nthe film,maybe\n").unwrap();
    let Err(error) = prepare(with("bad", "bad.csv").check().unwrap(), &mut |_| {}) else { panic!("it was accepted") };
    assert!(error.to_string().contains("bad.csv:2: unknown label `maybe`"), "{error}");
}
