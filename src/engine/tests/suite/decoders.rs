//! Decoders as classifiers, on whole uses: they are explained, read in windows, trained, penalised and distilled; their
//! answer is read from the last token that is none of padding.

use std::fs;
use std::path::Path;

use pellucid_engine::data::tokenise::{Encoded, TextEncoder};
use pellucid_engine::data::windows::TextLimit;
use pellucid_engine::explain::oracle::ModelOracle;
use pellucid_engine::explain::session::{self, Plan};
use pellucid_engine::explain::subject::Subject;
use pellucid_engine::model::answers;
use pellucid_engine::model::classifier::Classifier;
use pellucid_engine::model::config::ModelConfig;
use pellucid_engine::model::pretrained::load_classifier;
use pellucid_engine::model::weights::init::initialise;
use pellucid_engine::model::weights::save::{SaveRequest, Storage, save};
use pellucid_engine::model::weights::spec::Group;
use pellucid_engine::pretrain::{PretrainRequest, pretrain};
use pellucid_explain::{Context, Predict, Slopes};
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use pellucid_protocol::event::Outcome;
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::settings::{LongTexts, MaxTokens, WindowPooling, Windows};
use pellucid_protocol::{Baseline, Check, Event, Method, RawSettings, Removal};
use pellucid_record::RunDir;
use serde_json::{Value, json};
use tch::{Kind, Tensor, no_grad};

use crate::fixture::{Fixture, WORDS, numbers, train};

const FAMILIES: [&str; 6] = ["llama", "mistral", "qwen2", "qwen3", "smollm3", "gemma3_text"];
const TEXT: &str = "the film was not very good";
const PAD: i64 = 0;
const END: i64 = 1;

/// The configuration of a small model, with classes in another order than that of the data.
fn config(family: &str) -> Value {
    let mut keys = json!({"model_type": family, "vocab_size": WORDS.len() + 2, "hidden_size": 8, "intermediate_size": 12,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 64,
        "pad_token_id": PAD, "bos_token_id": END, "eos_token_id": END, "id2label": {"0": "positive", "1": "negative"}});
    let own = match family {
        "mistral" => json!({"sliding_window": 4, "head_dim": 4}),
        "qwen2" => json!({"use_sliding_window": true, "sliding_window": 4, "max_window_layers": 1}),
        "qwen3" => json!({"use_sliding_window": true, "sliding_window": 4, "max_window_layers": 1, "head_dim": 4}),
        "smollm3" => json!({"no_rope_layers": [0, 1]}),
        "gemma3_text" => json!({"sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"],
            "query_pre_attn_scalar": 4, "head_dim": 4}),
        _ => json!({"head_dim": 4}),
    };
    keys.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    keys
}

/// A tokenizer without a mask and an unknown token, whose words have other ids than those of the fixture.
fn tokenizer() -> Value {
    let special = ["<|pad|>", "<|end|>"];
    let words = special.into_iter().chain(WORDS.iter().rev().copied()).enumerate();
    let vocabulary: serde_json::Map<_, _> = words.map(|(id, word)| (word.to_owned(), json!(id))).collect();
    let added = |(id, word): (usize, &str)| {
        json!({"id": id, "content": word, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            "special": true})
    };
    let added: Vec<_> = special.into_iter().enumerate().map(added).collect();
    json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": added, "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "dull"}})
}

/// Writes the folder `name` of a random model with clear answers. `padding` is the side that its tokenizer names.
fn write(fixture: &Fixture, name: &str, keys: &Value, padding: &str) {
    let config = ModelConfig::parse(&keys.to_string()).unwrap();
    let params = initialise(Classifier::specs(&config.architecture, 2), 7);
    for (spec, range) in params.ranges() {
        let wide = !matches!(spec.group, Group::Norms | Group::Biases);
        let part = params.weights().narrow(0, range.start, range.end - range.start);
        no_grad(|| {
            if wide {
                drop(part.shallow_clone().g_mul_scalar_(10.0));
            }
        });
    }
    let tokens = fixture.path(&format!("{name}-tokenizer"));
    fs::create_dir_all(&tokens).unwrap();
    fs::write(tokens.join("tokenizer.json"), tokenizer().to_string()).unwrap();
    let said = json!({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>", "pad_token": "<|pad|>",
        "padding_side": padding, "model_input_names": ["input_ids", "attention_mask"]});
    fs::write(tokens.join("tokenizer_config.json"), said.to_string()).unwrap();
    let tokenizer = &TokenizerFiles::read(&tokens).unwrap();
    let request = SaveRequest { params: &params, config: &config, tokenizer, storage: Storage::F32, checkpoint: None };
    save(&fixture.path(name), request).unwrap();
}

/// The data of the fixture with a model of each family beside it.
fn decoders() -> Fixture {
    let fixture = Fixture::new();
    for family in FAMILIES {
        write(&fixture, family, &config(family), "right");
    }
    fixture
}

fn loaded(folder: &Path) -> (Classifier, TextEncoder) {
    let (model, _, encoder) = load_classifier(folder, 24).unwrap();
    (model, encoder)
}

fn logits(model: &Classifier, encoder: &TextEncoder, text: &str) -> Vec<f32> {
    answers::logits(model, encoder.encode(&[(text, None)]).unwrap().as_slice()).unwrap().remove(0)
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn series(events: &[Event], name: &str) -> Vec<f64> {
    let of = |event: &Event| match event {
        Event::Step(step) => step.metrics.get(name),
        Event::Eval(eval) => eval.metrics.get(name),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[test]
fn every_method_explains_a_decoder_and_gradients_add_up() {
    let fixture = decoders();
    for family in FAMILIES {
        let (model, encoder) = loaded(&fixture.path(family));
        let subject = Subject::new(&encoder, TEXT, None).unwrap();
        let mut oracle = ModelOracle { model: &model, subject: &subject, target: 1 };
        let blank = session::blank(&subject, vec![0.5, 0.5], 1);
        let made = session::explain(&mut oracle, blank, Plan::new(Method::ALL, Context::new(4)), &mut |_| {}).unwrap();
        assert_eq!(made.attributions.len(), Method::ALL.len());
        for map in &made.attributions {
            assert!(map.scores.len() == 6 && !map.checks.is_empty(), "{family} {:?}", map.method);
            assert!(map.scores.iter().any(|score| score.abs() > 1e-6), "{family} {:?}: {:?}", map.method, map.scores);
            if let Some(Check::Completeness { gap, .. }) = map.checks.first() {
                assert!(*gap < 0.05, "{family}: {gap}");
            }
        }
        let stand_ins: Vec<&str> = made.stand_ins.iter().map(|one| one.token.as_str()).collect();
        assert_eq!(stand_ins, ["<|end|>"], "{family}: of the mask, which is not the padding token");
        // Not from zero: there the norms before the first layer have a pole, and the check of a map says so.
        for baseline in [Baseline::Pad, Baseline::Mask, Baseline::Mean] {
            let alphas: Vec<f64> = (0..100).map(|at| (f64::from(at) + 0.5) / 100.0).collect();
            let path = oracle.path(baseline, &alphas, Scalar::Logit).unwrap();
            let sum: f64 = path.iter().flat_map(|point| &point.slopes).sum::<f64>() / alphas.len() as f64;
            let ends = oracle.path(baseline, &[0.0, 1.0], Scalar::Logit).unwrap();
            let change = ends[1].value - ends[0].value;
            assert!((sum - change).abs() < 0.02 * change.abs().max(0.1), "{family} {baseline}: {sum} {change}");
        }
        let here = f64::from(logits(&model, &encoder, TEXT)[1]);
        assert!((oracle.path(Baseline::Pad, &[1.0], Scalar::Logit).unwrap()[0].value - here).abs() < 1e-5);
    }
}

#[test]
fn what_is_left_out_is_as_if_it_had_not_been_written() {
    let fixture = decoders();
    for family in FAMILIES {
        let (model, encoder) = loaded(&fixture.path(family));
        let subject = Subject::new(&encoder, TEXT, None).unwrap();
        let mut oracle = ModelOracle { model: &model, subject: &subject, target: 0 };
        let without = |words: &[usize]| (0..6).map(|word| !words.contains(&word)).collect::<Vec<_>>();
        let rows = [without(&[3]), without(&[4, 5]), without(&[5])];
        for (removal, texts) in [
            (Removal::Delete, ["the film was very good", "the film was not", "the film was not very"]),
            (
                Removal::Mask,
                ["the film was <|end|> very good", "the film was not <|end|> <|end|>", "the film was not very <|end|>"],
            ),
        ] {
            let found = oracle.outcomes(&rows, removal).unwrap();
            for (found, text) in found.iter().zip(texts) {
                let wanted = f64::from(logits(&model, &encoder, text)[0]);
                assert!((found.logit - wanted).abs() < 1e-4, "{family} {text}: {} {wanted}", found.logit);
            }
        }
    }
}

#[test]
fn the_answer_is_that_of_the_last_token_by_its_id_whatever_side_is_padded() {
    let fixture = decoders();
    for family in FAMILIES {
        let (model, encoder) = loaded(&fixture.path(family));
        let texts = ["good", TEXT, "the plot was bad", "dull", "the cast was very very very dull"];
        let pairs: Vec<_> = texts.iter().map(|text| (*text, None)).collect();
        let together = answers::logits(&model, encoder.encode(&pairs).unwrap().as_slice()).unwrap();
        for (text, found) in texts.iter().zip(&together) {
            assert!(apart(found, &logits(&model, &encoder, text)) < 1e-5, "{family} {text}");
            let padded = logits(&model, &encoder, &format!("{text} <|pad|> <|pad|>"));
            assert!(apart(found, &padded) < 1e-5, "{family}: padding tokens behind {text}");
            let ended = logits(&model, &encoder, &format!("{text} <|end|>"));
            assert!(apart(found, &ended) > 1e-3, "{family}: another token behind {text}");
        }
        write(&fixture, "left", &config(family), "left");
        let (left, of_left) = loaded(&fixture.path("left"));
        assert!(apart(&logits(&left, &of_left, TEXT), &together[1]) < 1e-6, "{family}");
        // The padding token of the model decides, not that of the tokenizer.
        let mut keys = config(family);
        keys["pad_token_id"] = json!(END);
        write(&fixture, "other", &keys, "right");
        let (other, of_other) = loaded(&fixture.path("other"));
        let at_end = logits(&other, &of_other, &format!("{TEXT} <|end|>"));
        assert!(apart(&at_end, &logits(&other, &of_other, TEXT)) < 1e-5, "{family}");
        assert!(apart(&logits(&other, &of_other, &format!("{TEXT} <|pad|>")), &at_end) > 1e-3, "{family}");
    }
}

#[test]
fn a_mask_that_is_the_padding_token_does_not_move_the_answer() {
    let fixture = Fixture::new();
    let mut keys = config("qwen3");
    keys["pad_token_id"] = json!(END);
    write(&fixture, "one_token", &keys, "right");
    let said = fixture.path("one_token/tokenizer_config.json");
    let text = fs::read_to_string(&said).unwrap().replace("\"<|pad|>\"", "\"<|end|>\"");
    fs::write(&said, text).unwrap();
    let (model, encoder) = loaded(&fixture.path("one_token"));
    let subject = Subject::new(&encoder, TEXT, None).unwrap();
    assert_eq!((subject.mask, subject.pad), (END, END));
    let mut oracle = ModelOracle { model: &model, subject: &subject, target: 0 };
    let hidden = oracle.outcomes(&[vec![true, true, true, true, true, false]], Removal::Mask).unwrap()[0].logit;
    let shorter = oracle.outcomes(&[vec![true, true, true, true, true, false]], Removal::Delete).unwrap()[0].logit;
    assert!((hidden - shorter).abs() > 1e-3, "the masked word is read, and not the one before it");
    // Where a path from the masked words begins, all of them are masked too.
    let none = oracle.outcomes(&[vec![false; 6]], Removal::Mask).unwrap()[0].logit;
    let start = oracle.path(Baseline::Mask, &[0.0], Scalar::Logit).unwrap()[0].value;
    assert!((none - start).abs() < 1e-4, "{none} {start}");
}

#[test]
fn a_long_text_is_the_mean_of_its_windows() {
    let fixture = decoders();
    let text = [TEXT, "the plot was bad", "the cast was very dull", TEXT].join(" ");
    for family in FAMILIES {
        let limit =
            TextLimit { max_tokens: 8, windows: Some(Windows { stride: Some(3), pooling: WindowPooling::Mean }) };
        let (model, _, encoder) = load_classifier(&fixture.path(family), limit).unwrap();
        let whole = encoder.encode(&[(&text, None)]).unwrap();
        let windows = whole[0].windows.as_ref().unwrap().windows(whole[0].ids.len());
        assert!(windows.len() > 2, "{}", windows.len());
        let mut mean = [0.0f64; 2];
        for window in &windows {
            let ids: Vec<i64> = window.iter().flat_map(|part| whole[0].ids[part.clone()].iter().copied()).collect();
            let count = ids.len();
            let row = Encoded {
                types: vec![0; count],
                second: vec![false; count],
                spans: vec![(0, 0); count],
                special: vec![false; count],
                cut: 0,
                windows: None,
                ids,
            };
            for (sum, logit) in mean.iter_mut().zip(answers::of_one(&model, &row).unwrap()) {
                *sum += f64::from(logit) / windows.len() as f64;
            }
        }
        let found = answers::logits(&model, whole.as_slice()).unwrap().remove(0);
        assert!(apart(&found, &mean.map(|logit| logit as f32)) < 1e-5, "{family}: {found:?} {mean:?}");
        let subject = Subject::new(&encoder, &text, None).unwrap();
        let mut oracle = ModelOracle { model: &model, subject: &subject, target: 0 };
        let alphas: Vec<f64> = (0..200).map(|at| (f64::from(at) + 0.5) / 200.0).collect();
        let path = oracle.path(Baseline::Pad, &alphas, Scalar::Logit).unwrap();
        let sum: f64 = path.iter().flat_map(|point| &point.slopes).sum::<f64>() / alphas.len() as f64;
        let ends = oracle.path(Baseline::Pad, &[0.0, 1.0], Scalar::Logit).unwrap();
        let change = ends[1].value - ends[0].value;
        assert!((sum - change).abs() < 0.02 * change.abs().max(0.1), "{family}: {sum} {change}");
    }
}

#[test]
fn a_decoder_learns_in_windows_and_the_folder_gives_the_same_answers() {
    let fixture = decoders();
    for family in ["qwen3", "gemma3_text"] {
        let raw = RawSettings {
            model: Some(fixture.path(family).into()),
            probe: Some(0),
            long: Some(LongTexts::Windows),
            max_tokens: Some(MaxTokens::At(4)),
            stride: Some(2),
            max_steps: Some(60),
            ..fixture.settings(&format!("windows-{family}"))
        };
        let (events, ended) = train(raw);
        assert_eq!(ended.outcome, Outcome::Finished);
        let loss = series(&events, "loss/task");
        assert!(loss[loss.len() - 1] < 0.8 * loss[0], "{family}: {loss:?}");
        let run = RunDir::new(fixture.path(&format!("windows-{family}")));
        let told = run.read_predictions(&RunDir::predictions_name(60)).unwrap();
        assert_eq!(told.len(), 32);
    }
}

#[test]
fn zeros_of_the_penalty_are_zeros_in_the_file_which_answers_as_the_run_did() {
    let fixture = decoders();
    for family in FAMILIES {
        let raw = RawSettings {
            model: Some(fixture.path(family).into()),
            probe: Some(0),
            l1: Some(0.02),
            group_l1: Some(1e-3),
            max_steps: Some(25),
            ..fixture.settings(&format!("l1-{family}"))
        };
        let (events, ended) = train(raw);
        assert_eq!(ended.outcome, Outcome::Finished, "{family}: {:?}", ended.message);
        let reported = *series(&events, "sparsity/exact").last().unwrap();
        let (model, _) = loaded(&fixture.path(&format!("l1-{family}/checkpoints/last")));
        let of_layers = |spec: &pellucid_engine::model::weights::spec::ParamSpec| spec.group == Group::Encoder;
        let parts: Vec<Tensor> = model
            .params()
            .ranges()
            .filter(|(spec, _)| of_layers(spec))
            .map(|(_, range)| model.params().weights().narrow(0, range.start, range.end - range.start))
            .collect();
        let all = Tensor::cat(&parts, 0);
        let zeros = all.eq(0.0).sum(Kind::Int64).int64_value(&[]) as f64 / all.numel() as f64;
        assert!(zeros == reported && zeros > 0.05, "{family}: {zeros} {reported}");
    }
}

/// The fixture's teacher as `name`, with its classes in the other order: their names, and the rows of its head if `rows`.
fn turned(fixture: &Fixture, name: &str, rows: bool) {
    let (model, _, _) = load_classifier(&fixture.path("teacher"), 24).unwrap();
    for parameter in ["classifier.weight", "classifier.bias"] {
        let mut part = model.params().view(parameter);
        no_grad(|| {
            if rows {
                part.copy_(&part.flip([0i64]));
            }
        });
    }
    let keys = fs::read_to_string(fixture.path("teacher/config.json")).unwrap();
    let mut keys: Value = serde_json::from_str(&keys).unwrap();
    keys["id2label"] = json!({"0": "positive", "1": "negative"});
    keys["label2id"] = json!({"positive": 0, "negative": 1});
    let tokenizer = &TokenizerFiles::read(&fixture.path("teacher")).unwrap();
    let config = &ModelConfig::parse(&keys.to_string()).unwrap();
    let request = SaveRequest { params: model.params(), config, tokenizer, storage: Storage::F32, checkpoint: None };
    save(&fixture.path(name), request).unwrap();
}

#[test]
fn a_student_of_another_family_and_tokenizer_learns_from_its_teacher_by_the_names_of_classes() {
    let fixture = decoders();
    turned(&fixture, "same", true);
    turned(&fixture, "opposite", false);
    let taught = |student: &str, teacher: &str| {
        let raw = RawSettings {
            model: Some(fixture.path(student).into()),
            probe: Some(0),
            teacher: Some(fixture.path(teacher).into()),
            kd_alpha: Some(1.0),
            max_steps: Some(30),
            ..fixture.settings(&format!("{student}-of-{teacher}"))
        };
        let (events, ended) = train(raw);
        assert_eq!(ended.outcome, Outcome::Finished, "{student}: {:?}", ended.message);
        events
    };
    let closer = |events: &[Event], what: &str| {
        let kl = series(events, "kd/kl");
        assert!(kl[kl.len() - 1] < 0.5 * kl[0], "{what}: {kl:?}");
    };
    for student in FAMILIES {
        closer(&taught(student, "teacher"), student);
    }
    closer(&taught("student", "qwen3"), "a BERT of Qwen3");
    closer(&taught("gemma3_text", "llama"), "a Gemma of Llama");
    let (as_named, same) = (taught("smollm3", "teacher"), taught("smollm3", "same"));
    let kl = |events: &[Event]| series(events, "kd/kl");
    assert!(kl(&as_named).iter().zip(kl(&same)).all(|(a, b)| (a - b).abs() < 1e-5 * a.abs().max(1.0)));
    assert_eq!(numbers(&as_named).len(), numbers(&same).len());
    assert!((kl(&as_named)[0] - kl(&taught("smollm3", "opposite"))[0]).abs() > 1e-4);
}

#[test]
fn pretraining_is_refused_by_the_family_before_anything_is_read() {
    let fixture = decoders();
    for family in FAMILIES {
        let request = PretrainRequest {
            model: fixture.path(family),
            texts: fixture.path("no such file"),
            out: fixture.path("adapted"),
            epochs: 1,
            batch_size: 4,
            lr: 1e-3,
            max_tokens: 8,
            dropout: 0.1,
            seed: 1,
            storage: Storage::F32,
        };
        let told = pretrain(&request, &mut |_| {}).unwrap_err().to_string();
        assert!(
            told.ends_with(&format!("{family}: pretraining a `{family}` is not supported; supported is bert")),
            "{told}"
        );
        assert!(!fixture.path("adapted").exists());
    }
}
