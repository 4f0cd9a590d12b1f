//! A tiny model folder and a data set that can be learnt, made anew in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use pellucid_engine::model::classifier::Classifier;
use pellucid_engine::model::config::ModelConfig;
use pellucid_engine::model::weights::init::initialise;
use pellucid_engine::model::weights::save::{SaveRequest, Storage, save};
use pellucid_engine::train::prepare::prepare;
use pellucid_engine::train::{NoControl, Trainer, run};
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use pellucid_protocol::event::Ended;
use pellucid_protocol::{Event, RawSettings};
use serde_json::json;
use tempfile::TempDir;

pub(crate) const WORDS: &[&str] = &["good", "bad", "not", "film", "plot", "very", "the", "was", "cast", "dull"];

/// A temporary folder with `student`, `teacher`, `train.jsonl` and `valid.jsonl`.
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixture = Self { folder };
        fixture.model("student", 8, 1);
        fixture.model("teacher", 16, 2);
        fixture.data("train.jsonl", 96, 1);
        fixture.data("valid.jsonl", 32, 5);
        fixture
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A random model of this size, seed 3.
    fn model(&self, name: &str, hidden: i64, layers: usize) {
        let config = json!({"model_type": "bert", "vocab_size": WORDS.len() + 5, "hidden_size": hidden,
            "num_hidden_layers": layers, "num_attention_heads": 2, "intermediate_size": 2 * hidden,
            "max_position_embeddings": 24, "id2label": {"0": "negative", "1": "positive"}});
        let config = ModelConfig::parse(&config.to_string()).unwrap();
        let params = initialise(Classifier::specs(&config.architecture, 2), 3);
        fs::create_dir_all(self.path("tokenizer")).unwrap();
        fs::write(self.path("tokenizer").join("tokenizer.json"), tokenizer().to_string()).unwrap();
        let request = SaveRequest {
            params: &params,
            config: &config,
            tokenizer: &TokenizerFiles::read(&self.path("tokenizer")).unwrap(),
            storage: Storage::F32,
            checkpoint: None,
        };
        save(&self.path(name), request).unwrap();
    }

    /// Sentences that are positive when they have "good" without "not", or "bad" with it.
    fn data(&self, name: &str, count: usize, stride: usize) {
        let lines: Vec<String> = (0..count)
            .map(|n| {
                let n = n * stride;
                let (polar, negated) = (n % 2, (n / 2).is_multiple_of(3));
                let noun = ["film", "plot", "cast"][n / 6 % 3];
                let mut text = vec!["the", noun, "was"];
                text.extend(negated.then_some("not"));
                text.extend((n / 18).is_multiple_of(2).then_some("very"));
                text.push(if polar == 1 { "good" } else { "bad" });
                let label = if (polar == 1) != negated { "positive" } else { "negative" };
                json!({"text": text.join(" "), "label": label}).to_string()
            })
            .collect();
        fs::write(self.path(name), lines.join("\n")).unwrap();
    }

    /// Settings of a short run into `run_dir`.
    pub(crate) fn settings(&self, run_dir: &str) -> RawSettings {
        RawSettings {
            model: Some(self.path("student").into()),
            train: Some(self.path("train.jsonl")),
            valid: Some(self.path("valid.jsonl").into()),
            run_dir: Some(self.path(run_dir)),
            max_steps: Some(12),
            batch_size: Some(16),
            lr: Some(1e-2),
            eval_every: Some(6),
            threads: Some(1),
            ..RawSettings::default()
        }
    }
}

/// Trains to the end and gives all events.
pub(crate) fn train(settings: RawSettings) -> (Vec<Event>, Ended) {
    let prepared = prepare(settings.check().unwrap(), &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    let mut trainer = Trainer::new(prepared);
    let mut events = Vec::new();
    let ended = run(&mut trainer, &mut |event| events.push(event), &mut NoControl);
    (events, ended)
}

/// A whole-word tokenizer that knows [`WORDS`].
fn tokenizer() -> serde_json::Value {
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let vocabulary: serde_json::Map<_, _> =
        special.iter().chain(WORDS).enumerate().map(|(id, word)| ((*word).to_owned(), json!(id))).collect();
    let added: Vec<_> = special
        .iter()
        .enumerate()
        .map(|(id, word)| {
            json!({"id": id, "content": word, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
        })
        .collect();
    json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}})
}

/// The metrics of every step and evaluation but those of speed, with their step.
pub(crate) fn numbers(events: &[Event]) -> Vec<(u64, String, u64)> {
    let of = |step: u64, metrics: &pellucid_protocol::Metrics| {
        let kept = metrics.iter().filter(|(name, _)| !name.starts_with("speed/"));
        kept.map(|(name, value)| (step, name.to_owned(), value.to_bits())).collect::<Vec<_>>()
    };
    let each = events.iter().flat_map(|event| match event {
        Event::Step(step) => of(step.step, &step.metrics),
        Event::Eval(eval) => of(eval.step, &eval.metrics),
        _ => Vec::new(),
    });
    each.collect()
}

/// Every file below `folder`.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] })
        .collect()
}
