//! A recorded run for tests: the same at every call, and as a real one would be.

mod explanation;

use pellucid_protocol::event::{
    Alert, Checkpoint, CheckpointKind, Ended, Eval, Level, ModelCard, Outcome, Setting, Started, Step,
};
use pellucid_protocol::explanation::{Method, Span};
use pellucid_protocol::metric::{layer_grad_norm, layer_sparsity};
use pellucid_protocol::{Event, Metrics, Prediction, RawSettings, Record, Sample, Watched, WatchedWord};
use ratatui::layout::Size;

pub use self::explanation::explanation;
use super::Screen;
use super::msg::Msg;
use super::state::State;
use super::update::update;
use crate::link::FromRun;

/// When the run begins: 2026-01-01 12:00:00 UTC.
pub const START: f64 = 1_767_268_800.0;

const STEP_SECONDS: f64 = 0.25;

pub const TEXTS: [(&str, usize, &str); 6] = [
    (
        "Crushing chest pain since an hour ago, sweating and short of breath, pain goes into the left arm.",
        0,
        "Crushing chest pain",
    ),
    ("Needs a repeat of the blood pressure tablets, feels well otherwise.", 1, "repeat"),
    ("Would like to know whether the flu vaccine can be had while taking antibiotics.", 2, "Would like to know"),
    ("Sudden weakness of the right arm and slurred speech, now somewhat better.", 0, "Sudden weakness"),
    ("Mild cough for three days, no fever, eats and drinks normally.", 1, "Mild cough"),
    ("Where can the result of last week's blood test be seen?", 2, "Where"),
];

/// Noise from -1 to 1, the same for the same number.
pub fn noise(seed: u64) -> f64 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
    x ^= x >> 31;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 29;
    (x % 2_000_001) as f64 / 1e6 - 1.0
}

fn time(step: u64) -> f64 {
    START + 3.0 + step as f64 * STEP_SECONDS
}

pub fn record(step: u64, event: Event) -> Record {
    Record { time: time(step), event }
}

fn card(layers: usize, hidden: usize, parameters: u64, path: &str) -> ModelCard {
    ModelCard { path: path.to_owned(), family: "bert".to_owned(), layers, hidden, parameters }
}

pub fn started(total_steps: u64) -> Record {
    let raw = RawSettings {
        model: Some("data/models/student".into()),
        train: Some("data/triage/train.jsonl".into()),
        valid: Some("data/triage/valid.jsonl".into()),
        teacher: Some("data/models/teacher".into()),
        l1: Some(1e-6),
        kd_alpha: Some(0.5),
        ..RawSettings::default()
    };
    let started = Started {
        version: "0.1.0".to_owned(),
        log: pellucid_protocol::log_line::FORMAT,
        run: "20260101-120000-triage".to_owned(),
        pid: 4711,
        host: "gpu-3".to_owned(),
        device: "cpu, 4 threads".to_owned(),
        model: card(4, 128, 3_214_000, "data/models/student"),
        teacher: Some(card(6, 256, 12_800_000, "data/models/teacher")),
        labels: ["urgent", "routine", "advice"].map(str::to_owned).to_vec(),
        train_examples: 24_000,
        valid_examples: 600,
        steps_per_epoch: 750,
        total_steps,
        resumed: None,
        settings: raw.check().unwrap(),
    };
    Record { time: START, event: Event::Started(Box::new(started)) }
}

pub fn step(number: u64) -> Record {
    let (n, x) = (number * 16, number as f64);
    let task = 0.18 + 0.95 * (-x / 260.0).exp() + 0.09 * noise(n) * (0.4 + (-x / 400.0).exp());
    let spike = if number == 777 { 1.1 } else { 0.0 };
    let kd = 0.11 + 0.5 * (-x / 340.0).exp() + 0.04 * noise(n + 1);
    let l1 = 0.16 * (-x / 1500.0).exp() + 0.01;
    let mut metrics = Metrics::default();
    for (name, value) in [
        ("loss/total", task + kd + l1 + spike),
        ("loss/task", task + spike),
        ("loss/kd", kd),
        ("loss/l1", l1),
        ("loss/l2", 0.0),
        ("train/accuracy", (1.0 - 0.5 * (-x / 240.0).exp() - 0.06 + 0.06 * noise(n + 2)).clamp(0.0, 1.0)),
        ("optim/lr", 5e-5 * (1.0 - x / 3000.0)),
        ("optim/grad_norm", 1.1 + 2.5 * (-x / 150.0).exp() + 0.4 * noise(n + 3).abs() + 3.0 * spike),
        ("speed/step_ms", 250.0 + 12.0 * noise(n + 4)),
        ("speed/examples_per_s", 128.0 + 6.0 * noise(n + 4)),
        ("speed/tokens_per_s", 4100.0 + 200.0 * noise(n + 5)),
    ] {
        metrics.set(name, value);
    }
    for layer in 0..4usize {
        let size = (1.6 - 0.35 * layer as f64) * (0.4 + 2.0 * (-x / 150.0).exp());
        metrics.set(layer_grad_norm(layer), size + 0.1 * noise(n + 6 + layer as u64).abs());
    }
    // A look at the machine every two seconds.
    if number.is_multiple_of(8) {
        for (name, value) in [
            ("system/cpu", 61.0 + 3.0 * noise(n + 12)),
            ("system/memory", 5210.0 + 40.0 * noise(n + 13)),
            ("system/worker_cpu", 196.0 + 3.0 * noise(n + 14)),
            ("system/worker_memory", 861.0 + noise(n + 15)),
        ] {
            metrics.set(name, value);
        }
    }
    record(number, Event::Step(Step { step: number, epoch: x / 750.0, metrics }))
}

pub fn eval(number: u64) -> Record {
    let (n, x) = (number * 16 + 9, number as f64);
    let accuracy = 0.93 - 0.45 * (-x / 300.0).exp() + 0.008 * noise(n);
    let mut metrics = Metrics::default();
    for (name, value) in [
        ("valid/loss", 0.24 + 0.8 * (-x / 280.0).exp() + 0.01 * noise(n + 1)),
        ("valid/accuracy", accuracy),
        ("valid/f1", accuracy - 0.012),
        ("sparsity/exact", 0.42 * (1.0 - (-x / 900.0).exp())),
        ("sparsity/near", 0.06 + 0.44 * (1.0 - (-x / 800.0).exp())),
        ("kd/kl", 0.05 + 0.5 * (-x / 320.0).exp()),
        ("kd/agreement", 0.95 - 0.4 * (-x / 280.0).exp()),
        ("kd/accuracy_gap", 0.955 - accuracy),
        ("explain/faithfulness", 0.86 - 0.3 * (-x / 420.0).exp() + 0.01 * noise(n + 3)),
        ("explain/fidelity", 0.78 - 0.2 * (-x / 300.0).exp() + 0.02 * noise(n + 4)),
        ("explain/drift", 0.04 + 0.5 * (-x / 240.0).exp()),
    ] {
        metrics.set(name, value);
    }
    for layer in 0..4usize {
        let depth = 0.15 + 0.22 * layer as f64;
        metrics.set(layer_sparsity(layer), depth * (1.0 - (-x / 900.0).exp()));
    }
    let best = !number.is_multiple_of(500);
    let predictions = Some(format!("predictions/step-{number:06}.jsonl"));
    record(number, Event::Eval(Eval { step: number, epoch: x / 750.0, metrics, best, predictions }))
}

pub fn explained(step: u64, methods: usize) -> Record {
    record(step, Event::Explained(Box::new(explanation(TEXTS[0].0, Some(12), step, methods))))
}

pub fn samples() -> Vec<Sample> {
    (0..60)
        .map(|index| {
            let (text, label, reason) = TEXTS[index % TEXTS.len()];
            let start = text.find(reason).map_or(0, |byte| text[..byte].chars().count());
            let rationale = vec![Span { start, end: start + reason.chars().count() }];
            Sample { text: text.to_owned(), pair: None, label, rationale }
        })
        .collect()
}

pub fn predictions() -> Vec<Prediction> {
    let three = |class: usize, share: f64| {
        let mut shares = vec![((1.0 - share) / 2.0) as f32; 3];
        shares[class] = share as f32;
        shares
    };
    (0..60usize)
        .map(|index| {
            let label = TEXTS[index % TEXTS.len()].1;
            let share = 0.75 + 0.22 * noise(index as u64 * 3 + 1);
            let class = if index % 13 == 5 { (label + 1) % 3 } else { label };
            let probabilities = three(class, share);
            let loss = -probabilities[label].ln();
            let teacher = Some(three(if index % 17 == 3 { (label + 2) % 3 } else { label }, 0.92));
            Prediction { probabilities, loss, teacher }
        })
        .collect()
}

/// What an evaluation says of a word that the model comes to lean on.
pub fn watched_word(word: &str, step: u64) -> WatchedWord {
    let learned = 1.0 - (-(step as f64) / 300.0).exp();
    WatchedWord {
        word: word.to_owned(),
        class: 0,
        named: (step >= 400).then_some(400),
        texts: 10,
        examples: (0..4).map(|index| index * 6).collect(),
        in_training: 0.94,
        in_validation: 0.31,
        importance: 0.05 + 0.4 * learned,
        probability: 0.33 + 0.5 * learned,
        masked_probability: 0.32,
        masked_accuracy: 0.91,
    }
}

/// The watched words as of an evaluation.
pub fn watched(step: u64) -> Record {
    let words = ["chest", "arm"].map(|word| watched_word(word, step)).to_vec();
    record(step, Event::Watched(Watched { step, accuracy: 0.88, words }))
}

/// The records of the first `steps` of 3000 steps.
pub fn records(steps: u64) -> Vec<Record> {
    let mut records = vec![started(3000)];
    for number in 1..=steps {
        records.push(step(number));
        if number.is_multiple_of(100) {
            records.push(eval(number));
            let kind = if number.is_multiple_of(500) { CheckpointKind::Last } else { CheckpointKind::Best };
            let path = format!("checkpoints/{}", if kind == CheckpointKind::Best { "best" } else { "last" });
            records.push(record(number, Event::Checkpoint(Checkpoint { step: number, kind, path })));
        }
        if number.is_multiple_of(400) {
            records.push(explained(number, Method::ALL.len()));
        }
        if number == 777 {
            let message = "loss/task is 1.35, six times its usual spread above the last steps".to_owned();
            records.push(record(number, Event::Alert(Alert { step: number, level: Level::Warning, message })));
        }
    }
    records
}

pub fn setting(step: u64, value: &str) -> Record {
    record(step, Event::Setting(Setting { step, key: "state".to_owned(), value: value.into() }))
}

pub fn ended(step: u64, outcome: Outcome, message: Option<&str>) -> Record {
    let ended = Ended { step, outcome, message: message.map(str::to_owned), metrics: Metrics::default() };
    record(step, Event::Ended(ended))
}

/// A screen of a live run after `steps` steps, with all its files read.
pub fn live(steps: u64, size: Size, screen: Screen) -> State {
    let now = time(steps);
    let mut state = State::new(now, size, screen);
    let log = ["[W] a warning that libtorch prints", "evaluating on 600 samples", "checkpoint written in 31 ms"];
    let messages = [
        Msg::Run(FromRun::Records(records(steps))),
        Msg::Run(FromRun::Connected),
        Msg::Samples(Ok(samples())),
        Msg::Predictions(steps / 100 * 100, Ok(predictions())),
        Msg::LogTail(log.map(str::to_owned).to_vec()),
        Msg::Tick(now),
    ];
    for message in messages {
        update(&mut state, message);
    }
    state
}
