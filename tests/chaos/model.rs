//! A tiny model and data that can be learnt in seconds, and the run that nobody disturbs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pellucid_protocol::RawSettings;
use pellucid_protocol::work::Work;
use pellucid_record::RunDir;
use pellucid_tests::{numbers, program};
use serde_json::json;
use tempfile::TempDir;

use crate::worker::Worker;

const WORDS: [&str; 10] = ["good", "bad", "not", "film", "plot", "very", "the", "was", "cast", "dull"];
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// A temporary folder with a model, data, and runs.
pub(crate) struct Place {
    folder: TempDir,
}

/// What a run must come to.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) numbers: BTreeMap<(u64, String), u64>,
    pub(crate) weights: Vec<u8>,
}

impl Outcome {
    pub(crate) fn of(run: &RunDir) -> Self {
        let weights = run.root().join("checkpoints/last/model.safetensors");
        Self { numbers: numbers(run), weights: fs::read(weights).unwrap_or_default() }
    }

    /// What of it is not as `expected`, if anything is.
    pub(crate) fn differs(&self, expected: &Self) -> Option<String> {
        let (found, expected_numbers) = (&self.numbers, &expected.numbers);
        let more = found.iter().find(|(key, value)| expected_numbers.get(*key) != Some(value));
        let missing = expected_numbers.keys().find(|key| !found.contains_key(*key));
        let what = more.map(|(key, _)| format!("{key:?} is another or one too many"));
        what.or_else(|| missing.map(|key| format!("{key:?} is missing")))
            .or_else(|| (self.weights != expected.weights).then(|| "it ends with other weights".to_owned()))
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.path("raw")).unwrap();
        fs::write(place.path("raw/tokenizer.json"), tokenizer()).unwrap();
        let config = json!({"model_type": "bert", "vocab_size": WORDS.len() + SPECIAL.len(), "hidden_size": 8,
            "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 24});
        fs::write(place.path("raw/config.json"), config.to_string()).unwrap();
        let texts: Vec<String> = (0..96).map(|number| row(number).0).collect();
        fs::write(place.path("texts.txt"), texts.join("\n")).unwrap();
        for (name, count, stride) in [("train.jsonl", 96, 1), ("valid.jsonl", 32, 5)] {
            let rows = (0..count).map(|number| row(number * stride));
            let lines = rows.map(|(text, label)| json!({"text": text, "label": label}).to_string() + "\n");
            fs::write(place.path(name), lines.collect::<String>()).unwrap();
        }
        let mut pretrain = Command::new(program("pellucid-worker"));
        pretrain.args(["pretrain", "--epochs", "1", "--model"]).arg(place.path("raw"));
        pretrain.arg("--texts").arg(place.path("texts.txt")).arg("--out").arg(place.path("model"));
        assert!(pretrain.stderr(Stdio::null()).status().unwrap().success(), "the tiny model cannot be made");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The job of training `steps` steps into the run folder `name`.
    pub(crate) fn training(&self, name: &str, steps: u64, every: (u64, u64)) -> (RunDir, Work) {
        let run = RunDir::new(self.path(name));
        let settings = RawSettings {
            model: Some(self.path("model").into()),
            train: Some(self.path("train.jsonl")),
            valid: Some(self.path("valid.jsonl").into()),
            run_dir: Some(run.root().to_owned()),
            max_steps: Some(steps),
            batch_size: Some(8),
            lr: Some(1e-2),
            l1: Some(1e-4),
            probe: Some(0),
            threads: Some(1),
            checkpoint_every: Some(every.0),
            eval_every: Some(every.1),
            ..RawSettings::default()
        };
        (run, Work::Train(Box::new(settings.check().unwrap())))
    }

    /// What the run of [`Place::training`] comes to when nothing happens to it.
    pub(crate) fn undisturbed(&self, name: &str, steps: u64, every: (u64, u64)) -> (RunDir, Outcome) {
        let (run, work) = self.training(name, steps, every);
        let mut worker = Worker::start(&work, &self.path("stderr"), &[]);
        worker.wait_until_ready().expect("the undisturbed run starts");
        let heard = worker.listen(&run);
        worker.wait();
        heard.join().unwrap();
        let outcome = Outcome::of(&run);
        assert!(!outcome.weights.is_empty(), "the undisturbed run is whole");
        (run, outcome)
    }
}

pub(crate) fn resume(run: &RunDir) -> Work {
    Work::Resume { run_dir: run.root().to_owned() }
}

/// Bytes of the log.
pub(crate) fn log(run: &RunDir) -> Vec<u8> {
    fs::read(run.events()).unwrap_or_default()
}

/// Copies a folder with all that is in it; links stay links.
pub(crate) fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(done.success());
}

/// Makes the ended run in `folder` one that was killed after `last` steps.
pub(crate) fn cut(folder: &Path, last: u64) {
    let log = fs::read_to_string(folder.join("events.jsonl")).unwrap();
    let is_last = |line: &&str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["event"] == "step" && record["step"] == last
    };
    let end = log.lines().position(|line| is_last(&line)).expect("the run has that many steps") + 1;
    let kept: String = log.lines().take(end).flat_map(|line| [line, "\n"]).collect();
    fs::write(folder.join("events.jsonl"), kept).unwrap();
    let mut newest = None;
    for part in ["checkpoints", "predictions"] {
        for entry in fs::read_dir(folder.join(part)).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let step = name.strip_prefix("step-").and_then(|rest| rest.get(..6)?.parse::<u64>().ok());
            match step {
                Some(step) if step > last => crate::tree::clear(&entry.path()),
                Some(_) if part == "checkpoints" => newest = newest.max(Some(name)),
                _ => {}
            }
        }
    }
    for name in ["best", "last"].map(|name| folder.join("checkpoints").join(name)) {
        if !name.exists() {
            crate::tree::clear(&name);
            std::os::unix::fs::symlink(newest.as_ref().unwrap(), &name).unwrap();
        }
    }
}

/// A text and its label: positive with "good" and without "not", or with "bad" and "not".
fn row(number: usize) -> (String, &'static str) {
    let (polar, negated) = (number % 2, (number / 2).is_multiple_of(3));
    let mut words = vec!["the", ["film", "plot", "cast"][number / 6 % 3], "was"];
    words.extend(negated.then_some("not"));
    words.extend((number / 18).is_multiple_of(2).then_some("very"));
    words.push(if polar == 0 { "good" } else { "bad" });
    (words.join(" "), if (polar == 0) == negated { "negative" } else { "positive" })
}

fn tokenizer() -> String {
    let vocabulary: serde_json::Map<_, _> =
        SPECIAL.iter().chain(&WORDS).enumerate().map(|(id, word)| ((*word).to_owned(), json!(id))).collect();
    let added = SPECIAL.iter().enumerate().map(|(id, word)| {
        json!({"id": id, "content": word, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    });
    json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": added.collect::<Vec<_>>(),
        "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}})
    .to_string()
}
