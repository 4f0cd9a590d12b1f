//! The jobs that a worker does in the foreground, from their flags: explaining, predicting, measuring.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use pellucid_client::failure::Failure;
use pellucid_protocol::Method;
use pellucid_protocol::settings::reading::Reading;
use pellucid_protocol::settings::{Grouping, Switch};
use pellucid_protocol::work::{BenchEpoch, BenchExplainWork, BenchTrainWork, ExplainWork, PredictWork, Texts, Work};

use crate::cli::bench::{BenchExplainArgs, BenchMode, BenchTrainArgs};
use crate::cli::explain::{self, ExplainArgs};
use crate::cli::predict::{self, PredictArgs};
use crate::cli::texts::ModelOnTexts;
use crate::models;

/// The L1 penalty and the weight of distillation of the Python program that `bench train` is compared with.
const PEER_L1: f64 = 1e-7;
const PEER_KD_ALPHA: f64 = 0.5;

/// `pellucid explain`.
pub(super) fn explain(explain: ExplainArgs) -> Result<Work, Failure> {
    Ok(Work::Explain(ExplainWork {
        model: models::folder(&explain.on.model)?,
        long: explain.on.long.asked(),
        private: Switch::from(explain.on.private),
        device: explain.on.device,
        texts: texts(explain.on),
        methods: each_once(explain.method),
        seed: explain.seed,
        samples: explain.samples,
        class: explain.class,
        scalar: explain.scalar,
        removal: explain.removal,
        baseline: explain.baseline,
        steps: explain.ig_steps.map(usize::from),
        checks: explain.checks,
        budget: explain.budget,
        format: format(explain.format.or(explain.json.then_some(explain::Format::Json)), explain.out.as_deref())?
            .into(),
        out: explain.out.as_deref().map(absolute),
    }))
}

/// `pellucid predict`.
pub(super) fn predict(predict: PredictArgs) -> Result<Work, Failure> {
    Ok(Work::Predict(PredictWork {
        model: models::folder(&predict.on.model)?,
        long: predict.on.long.asked(),
        private: Switch::from(predict.on.private),
        device: predict.on.device,
        texts: texts(predict.on),
        format: format(predict.format.or(predict.json.then_some(predict::Format::Jsonl)), predict.out.as_deref())?
            .into(),
        out: predict.out.as_deref().map(absolute),
    }))
}

/// The methods in their order, each once.
fn each_once(named: Vec<Method>) -> Vec<Method> {
    let mut methods = Vec::new();
    for method in named {
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    methods
}

/// Endings of files that say what is in them.
const ENDINGS: [&str; 5] = ["json", "jsonl", "csv", "parquet", "html"];

/// The format that is asked for, or that of which the file `out` has the ending.
///
/// # Errors
/// When its ending promises another.
fn format<F: ValueEnum + Default + PartialEq + Copy>(asked: Option<F>, out: Option<&Path>) -> Result<F, Failure> {
    let ending = out.and_then(Path::extension).and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    let Some(ending) = ending.filter(|ending| ENDINGS.contains(&ending.as_str())) else {
        return Ok(asked.unwrap_or_default());
    };
    let promised = F::from_str(&ending, true).ok();
    match (asked, promised) {
        (None, Some(promised)) => Ok(promised),
        // Lines of JSON are called by either name.
        (Some(asked), Some(promised)) if asked == promised || ending.starts_with("json") && is_json(asked) => Ok(asked),
        _ => Err(Failure::Usage(format!(
            "--out ends in .{ending}, which is not the format; give --format, or another ending"
        ))),
    }
}

fn is_json<F: ValueEnum>(format: F) -> bool {
    format.to_possible_value().is_some_and(|value| value.get_name().starts_with("json"))
}

/// `pellucid bench train`.
pub(super) fn bench(train: &BenchTrainArgs) -> Result<Work, Failure> {
    bench_train(train).map(Work::BenchTrain)
}

/// `pellucid bench explain`.
pub(super) fn bench_explain(bench: BenchExplainArgs) -> Result<Work, Failure> {
    Ok(Work::BenchExplain(BenchExplainWork {
        model: models::folder(&bench.input.model)?,
        data: absolute(&bench.input.data),
        texts: bench.n,
        threads: bench.input.threads,
        methods: each_once(bench.methods),
        lime_samples: bench.lime_samples,
        shap_samples: bench.shap_samples,
        steps: (bench.ig_steps > 0).then_some(bench.ig_steps),
        seed: bench.seed,
        soak: bench.soak,
        random_maps: bench.random_maps,
    }))
}

fn bench_train(train: &BenchTrainArgs) -> Result<BenchTrainWork, Failure> {
    let (mode, l1, l2, kd_alpha) = match train.mode {
        BenchMode::Plain => ("plain", None, None, None),
        BenchMode::L1 => ("l1", Some(PEER_L1), None, None),
        BenchMode::NoL2 => ("no-l2", None, Some(0.0), None),
        BenchMode::Kd => ("kd", None, None, Some(PEER_KD_ALPHA)),
        BenchMode::L1Kd => ("l1+kd", Some(PEER_L1), None, Some(PEER_KD_ALPHA)),
    };
    Ok(BenchTrainWork {
        model: models::folder(&train.input.model)?,
        data: absolute(&train.input.data),
        l1,
        l2,
        kd_alpha,
        mode: mode.to_owned(),
        steps: train.steps,
        batch: train.batch,
        threads: train.input.threads,
        grouping: if train.bucket { Grouping::Length } else { Grouping::Random },
        lr: train.lr,
        epoch: if train.first_epoch { BenchEpoch::First } else { BenchEpoch::Later },
    })
}

fn texts(on: ModelOnTexts) -> Texts {
    match on.texts.data {
        Some(path) => Texts::File {
            path: absolute(&path),
            limit: on.limit.map(NonZeroUsize::get),
            reading: Box::new(Reading { private: Switch::from(on.private), ..on.reading.reading() }),
            skipped: on.skipped.as_deref().map(absolute),
        },
        None => Texts::Text(on.texts.text.unwrap_or_default()),
    }
}

/// The absolute path. One that cannot be made absolute stays as it is; the worker says what is wrong with it.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use pellucid_protocol::check::Depth;
    use pellucid_protocol::explanation::Scalar;
    use pellucid_protocol::{Baseline, Removal};

    use pellucid_protocol::work::{ExplainFormat, PredictFormat};

    use super::*;
    use crate::cli::bench::BenchAction;
    use crate::cli::{Action, Cli};

    fn work(line: &str) -> Work {
        match Cli::try_parse_from(line.split(' ')).unwrap().action {
            Some(Action::Explain(args)) => explain(args).unwrap(),
            Some(Action::Predict(args)) => predict(args).unwrap(),
            Some(Action::Bench(BenchAction::Train(args))) => bench(&args).unwrap(),
            Some(Action::Bench(BenchAction::Explain(args))) => bench_explain(args).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_modes_are_the_peers() {
        let parts = |mode: &str| match work(&format!("pellucid bench train --model src --data d --mode {mode}")) {
            Work::BenchTrain(bench) => (bench.mode, bench.l1, bench.kd_alpha),
            other => panic!("{other:?}"),
        };
        assert_eq!(parts("plain"), ("plain".into(), None, None));
        assert_eq!(parts("l1+kd"), ("l1+kd".into(), Some(1e-7), Some(0.5)));
    }

    #[test]
    fn methods_are_a_list_and_paths_are_absolute() {
        let Work::Explain(work) = work("pellucid explain --model src --data d --limit 2 --method ig,lime --json")
        else {
            panic!("no explain work")
        };
        assert_eq!(work.methods.iter().map(|method| method.key()).collect::<Vec<_>>(), ["ig", "lime"]);
        assert!(work.model.is_absolute());
        assert!(matches!(work.texts, Texts::File { path, limit: Some(2), .. } if path.is_absolute()));
        assert_eq!((work.format, work.out), (ExplainFormat::Json, None));
        assert_eq!((work.samples, work.baseline, work.checks), (None, Baseline::Pad, Depth::Gates));
    }

    #[test]
    fn what_is_explained_and_where_it_goes() {
        let line = "pellucid explain --model src --text t --class bad --scalar margin --removal mask --ig-steps 50 \
            --format html --out page.html";
        let Work::Explain(found) = work(line) else { panic!("no explain work") };
        assert_eq!((found.class.as_deref(), found.scalar), (Some("bad"), Some(Scalar::Margin)));
        assert_eq!((found.removal, found.steps), (Removal::Mask, Some(50)));
        assert!(found.format == ExplainFormat::Html && found.out.is_some_and(|out| out.is_absolute()));
        assert!(Cli::try_parse_from("pellucid explain --model src --text t --json --format csv".split(' ')).is_err());
    }

    #[test]
    fn the_bench_takes_the_peers_flags() {
        let line = "pellucid bench explain --model src --data d --n 6 --threads 1 --methods ig,lime --ig-steps 0";
        let Work::BenchExplain(found) = work(line) else { panic!("no bench") };
        assert_eq!((found.texts, found.threads, found.steps, found.soak), (6, 1, None, None));
        assert_eq!((found.lime_samples, found.shap_samples, found.methods.len()), (1000, 512, 2));
    }

    #[test]
    fn every_method_baseline_and_depth_can_be_named() {
        let names: Vec<_> = Method::ALL.iter().map(|method| method.key()).collect();
        for (baseline, depth) in Baseline::ALL.iter().copied().zip(Depth::ALL.iter().copied().cycle()) {
            let line = format!(
                "pellucid explain --model src --text t --method {} --samples 512 --baseline {baseline} --checks {depth}",
                names.join(",")
            );
            let Work::Explain(found) = work(&line) else { panic!("no explain work") };
            assert_eq!(found.methods, Method::ALL);
            assert_eq!((found.samples, found.baseline, found.checks), (Some(512), baseline, depth));
        }
    }

    #[test]
    fn a_file_holds_what_its_ending_says() {
        use crate::cli::predict::Format;

        let of = |asked, out: &str| format(asked, Some(Path::new(out))).map(PredictFormat::from);
        assert_eq!(of(None, "a.parquet").ok(), Some(PredictFormat::Parquet));
        assert_eq!(of(None, "a.CSV").ok(), Some(PredictFormat::Csv));
        assert_eq!(of(None, "answers").ok(), Some(PredictFormat::Text));
        assert_eq!(of(Some(Format::Csv), "a.txt").ok(), Some(PredictFormat::Csv));
        assert_eq!(of(Some(Format::Jsonl), "a.json").ok(), Some(PredictFormat::Jsonl));
        for (asked, out) in [(Some(Format::Jsonl), "a.parquet"), (Some(Format::Text), "a.csv"), (None, "a.html")] {
            let Err(Failure::Usage(told)) = of(asked, out) else { panic!("{asked:?} {out}") };
            assert!(told.starts_with("--out ends in ."), "{told}");
        }
        let explained = format::<explain::Format>(None, Some(Path::new("maps.jsonl"))).map(ExplainFormat::from);
        assert_eq!(explained.ok(), Some(ExplainFormat::Json));
    }
}
