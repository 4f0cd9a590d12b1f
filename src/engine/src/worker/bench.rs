//! Times training steps and prints the JSON fields of the Python peer.

use std::time::Instant;

use pellucid_protocol::settings::{DataPart, MaxTokens};
use pellucid_protocol::work::{BenchEpoch, BenchTrainWork};
use pellucid_protocol::{Event, RawSettings, Settings};
use serde_json::json;

use super::memory::peak_rss_mb;
use crate::data::tokenise::TextEncoder;
use crate::error::{Error, Result};
use crate::model::pretrained::card;
use crate::model::teacher::{Teacher, TeacherState};
use crate::train::Trainer;
use crate::train::prepare::prepare;

/// Steps before timing starts.
const WARM_UP: u64 = 5;

/// Trains `steps` steps with the code of a run and prints one line.
///
/// # Errors
/// When model or data are not what they should be.
pub fn bench_train(work: &BenchTrainWork) -> Result<()> {
    tch::set_num_threads(work.threads as i32);
    let mut prepared = prepare(settings(work)?, &mut |_| {})?;
    if work.kd_alpha.is_some() {
        // The peer's teacher is the model itself before training.
        let model = prepared.model.snapshot();
        let classes: Vec<usize> = (0..prepared.data.labels.len()).collect();
        let (card, teacher) = (card(&work.model, &model), Teacher::new(model, &classes));
        prepared.teacher = Some(TeacherState {
            card,
            encoder: TextEncoder::load(&work.model, prepared.data.encoder.max_tokens())?,
            train: teacher.answers(prepared.data.train.tokens.clone()),
            valid: teacher.answers(prepared.data.valid.tokens.clone()),
            teacher,
            // Answers that earlier benchmarks have kept would make this one look faster than it is.
            cache: None,
        });
    }
    let mut trainer = Trainer::new(prepared);
    let asked = Instant::now();
    if work.kd_alpha.is_some() && work.epoch == BenchEpoch::Later {
        trainer.ask_teacher(&trainer.examples_ahead(work.steps + WARM_UP));
    }
    let teacher_ms = asked.elapsed().as_secs_f64() * 1e3 / (work.steps + WARM_UP) as f64;
    let (mut steps, mut times, mut losses, mut tokens, mut examples) = (Vec::new(), Vec::new(), Vec::new(), 0.0, 0.0);
    let mut take = |event| steps.extend(if let Event::Step(step) = event { Some(step) } else { None });
    for _ in 0..work.steps + WARM_UP {
        trainer.train_step(&mut take)?;
    }
    trainer.flush(&mut take);
    trainer.check()?;
    for step in &steps {
        let of = |name| step.metrics.get(name).unwrap_or(f64::NAN);
        losses.push(of("loss/total"));
        if step.step > WARM_UP {
            let seconds = of("speed/step_ms") / 1e3;
            times.push(seconds);
            tokens += of("speed/tokens_per_s") * seconds;
            examples += of("speed/examples_per_s") * seconds;
        }
    }
    let total: f64 = times.iter().sum();
    times.sort_by(f64::total_cmp);
    let last = &losses[losses.len().saturating_sub(10)..];
    let line = json!({
        "peer": format!("pellucid-{}", env!("CARGO_PKG_VERSION")), "mode": work.mode, "bf16": false,
        "bucket": work.grouping == pellucid_protocol::settings::Grouping::Length,
        "step_ms_median": round(times[times.len() / 2] * 1e3, 1),
        "examples_per_s": round(examples / total, 1), "tokens_per_s": round(tokens / total, 1),
        "teacher_ms_once": round(teacher_ms, 1), "peak_rss_mb": peak_rss_mb(), "loss_first": round(losses[0], 4),
        "loss_last10": round(last.iter().sum::<f64>() / last.len() as f64, 4),
    });
    println!("{line}");
    Ok(())
}

/// The most tokens of a text that the Python peer reads.
const PEERS: u64 = 128;

fn settings(work: &BenchTrainWork) -> Result<Settings> {
    let raw = RawSettings {
        model: Some(work.model.clone().into()),
        train: Some(work.data.clone()),
        valid: Some(DataPart::File(work.data.clone())),
        max_tokens: Some(MaxTokens::At(PEERS)),
        max_steps: Some(work.steps + WARM_UP),
        batch_size: Some(work.batch as u64),
        lr: Some(work.lr),
        grouping: Some(work.grouping),
        l1: work.l1,
        l2: work.l2,
        kd_alpha: work.kd_alpha,
        warmup: Some(0.0),
        probe: Some(0),
        run_dir: Some(std::env::temp_dir().join(format!("pellucid-bench-{}", std::process::id()))),
        ..RawSettings::default()
    };
    raw.check().map_err(|error| Error::Refused(error.to_string()))
}

fn round(value: f64, digits: i32) -> f64 {
    (value * 10f64.powi(digits)).round() / 10f64.powi(digits)
}
