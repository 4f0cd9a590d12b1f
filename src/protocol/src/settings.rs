//! The settings of a run: as written by a person ([`RawSettings`]) and as checked ([`Settings`]).
//!
//! The keys of a TOML file are the flags of `pellucid train` with `_` for `-`; a flag wins over the file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use crate::device::Device;
use crate::work::Grouping;

/// Settings as written: everything optional, nothing checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is documented at the checked setting of the same name")]
pub struct RawSettings {
    pub model: Option<PathBuf>,
    pub train: Option<PathBuf>,
    pub valid: Option<PathBuf>,
    pub teacher: Option<PathBuf>,
    pub epochs: Option<u64>,
    pub max_steps: Option<u64>,
    pub batch_size: Option<u64>,
    pub max_tokens: Option<u64>,
    pub grouping: Option<Grouping>,
    pub lr: Option<f64>,
    pub optimizer: Option<OptimizerKind>,
    pub momentum: Option<f64>,
    pub clip_norm: Option<f64>,
    pub warmup: Option<f64>,
    pub seed: Option<u64>,
    pub l1: Option<f64>,
    pub l1_form: Option<L1Form>,
    pub l2: Option<f64>,
    pub l2_form: Option<L2Form>,
    pub kd_alpha: Option<f64>,
    pub kd_temperature: Option<f64>,
    pub eval_every: Option<u64>,
    pub probe: Option<u64>,
    pub threads: Option<u64>,
    pub device: Option<Device>,
    pub run_dir: Option<PathBuf>,
}

/// Settings that are known to make sense. Paths are absolute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Folder of the model to fine-tune.
    pub model: PathBuf,
    /// Training file.
    pub train: PathBuf,
    /// Validation file.
    pub valid: PathBuf,
    /// Folder of the teacher, for distillation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teacher: Option<PathBuf>,
    /// How long to train.
    #[serde(flatten)]
    pub length: Length,
    /// Examples a step.
    pub batch_size: u64,
    /// Longest text in tokens; the rest is cut and counted.
    pub max_tokens: u64,
    /// How batches are put together.
    pub grouping: Grouping,
    /// Highest learning rate.
    pub lr: f64,
    /// The optimiser.
    pub optimizer: OptimizerKind,
    /// Momentum of SGD; AdamW's betas are 0.9 and 0.999.
    pub momentum: f64,
    /// Norm to which the gradient is clipped; 0 for no clipping.
    pub clip_norm: f64,
    /// Share of the steps over which the learning rate rises from 0; it falls to 0 linearly after.
    pub warmup: f64,
    /// Seed of the order of examples, dropout, a fresh head and the explanations.
    pub seed: u64,
    /// Lambda of the L1 penalty.
    pub l1: f64,
    /// How L1 is applied.
    pub l1_form: L1Form,
    /// Lambda of the L2 penalty.
    pub l2: f64,
    /// How L2 is applied.
    pub l2_form: L2Form,
    /// Weight of the distillation term; cross entropy has `1 - kd_alpha`. Without a teacher it is unused.
    pub kd_alpha: f64,
    /// Temperature of distillation.
    pub kd_temperature: f64,
    /// Steps between evaluations; 0: half an epoch, see [`Settings::eval_interval`].
    pub eval_every: u64,
    /// Validation samples that are re-explained at each evaluation; 0 for none.
    pub probe: u64,
    /// Threads of libtorch on the CPU; 0 for one a core.
    pub threads: u64,
    /// Where to compute.
    pub device: Device,
    /// The run's own folder.
    pub run_dir: PathBuf,
}

/// How long to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// Passes over the training data.
    Epochs(u64),
    /// Optimiser steps.
    MaxSteps(u64),
}

/// The optimiser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// Adam with bias correction; L2 decoupled by default (Loshchilov and Hutter 2019).
    #[default]
    Adamw,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

/// How L1 is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum L1Form {
    /// Soft threshold after each step, in the metric of the optimiser: gives exact zeros.
    #[default]
    Proximal,
    /// lambda * sign(w) added to the gradient, as in the article: gives small weights, no zeros.
    Subgradient,
}

/// How L2 is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum L2Form {
    /// w *= 1 - lr * lambda, beside the gradient step.
    #[default]
    Decoupled,
    /// 2 * lambda * w added to the gradient, as in the article's loss.
    Coupled,
}

/// A setting that does not make sense; the message names the key, and file and line where it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file is not TOML or has a key that is not known.
    #[error("{path}:{line}: {message}")]
    File {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The file cannot be read.
    #[error("cannot read {path}: {message}")]
    Read {
        /// The file.
        path: String,
        /// What the system says.
        message: String,
    },
    /// A value is missing or out of range.
    #[error("{key}: {message}")]
    Value {
        /// The key, as the flag is called.
        key: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
}

fn refuse<T>(key: &'static str, message: impl Into<String>) -> Result<T, SettingsError> {
    Err(SettingsError::Value { key, message: message.into() })
}

macro_rules! prefer {
    ($over:ident, $under:ident, $($field:ident),*) => { RawSettings { $($field: $over.$field.or($under.$field)),* } };
}

impl RawSettings {
    /// Reads a TOML file; relative paths in it are taken from its folder.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML or has an unknown key or a value of the wrong type.
    pub fn from_file(path: &Path) -> Result<Self, SettingsError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| SettingsError::Read { path: shown.clone(), message: error.to_string() })?;
        let mut raw: Self = toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text[..start.min(text.len())].matches('\n').count() + 1;
            SettingsError::File { path: shown.clone(), line, message: error.message().to_owned() }
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for place in [&mut raw.model, &mut raw.train, &mut raw.valid, &mut raw.teacher, &mut raw.run_dir] {
            if let Some(inner) = place.as_mut() {
                *inner = folder.join(&*inner);
            }
        }
        if let Err(SettingsError::Value { key, message }) = raw.clone().ranges() {
            let name = key.trim_start_matches("--").replace('-', "_");
            let line = text.lines().position(|line| line.trim_start().starts_with(&name)).map_or(1, |at| at + 1);
            return Err(SettingsError::File { path: shown, line, message: format!("{name}: {message}") });
        }
        Ok(raw)
    }

    /// These settings, and where they say nothing, those of `under`.
    #[must_use]
    pub fn or(self, under: RawSettings) -> RawSettings {
        // The two lengths exclude each other, so a flag of one kind silences the other in the file.
        let under = if self.epochs.is_some() || self.max_steps.is_some() {
            RawSettings { epochs: None, max_steps: None, ..under }
        } else {
            under
        };
        prefer!(
            self,
            under,
            model,
            train,
            valid,
            teacher,
            epochs,
            max_steps,
            batch_size,
            max_tokens,
            grouping,
            lr,
            optimizer,
            momentum,
            clip_norm,
            warmup,
            seed,
            l1,
            l1_form,
            l2,
            l2_form,
            kd_alpha,
            kd_temperature,
            eval_every,
            probe,
            threads,
            device,
            run_dir
        )
    }

    /// Checks every value and fills in what was left out. The run folder defaults to
    /// `runs/<time>-<name of the training data>`.
    ///
    /// # Errors
    /// The first value that is missing or out of range.
    pub fn check(self) -> Result<Settings, SettingsError> {
        let raw = self.ranges()?;
        let length = match (raw.epochs, raw.max_steps) {
            (Some(_), Some(_)) => return refuse("--epochs", "give either --epochs or --max-steps, not both"),
            (_, Some(steps)) => Length::MaxSteps(steps),
            (epochs, None) => Length::Epochs(epochs.unwrap_or(3)),
        };
        let train = required("--train", raw.train)?;
        let run_dir = match raw.run_dir {
            Some(folder) => absolute("--run-dir", &folder)?,
            None => absolute("--run-dir", &default_run_dir(&train))?,
        };
        Ok(Settings {
            model: required("--model", raw.model)?,
            valid: required("--valid", raw.valid)?,
            teacher: raw.teacher.map(|folder| absolute("--teacher", &folder)).transpose()?,
            train,
            length,
            batch_size: raw.batch_size.unwrap_or(32),
            max_tokens: raw.max_tokens.unwrap_or(128),
            grouping: raw.grouping.unwrap_or_default(),
            lr: raw.lr.unwrap_or(5e-5),
            optimizer: raw.optimizer.unwrap_or_default(),
            momentum: raw.momentum.unwrap_or(0.9),
            clip_norm: raw.clip_norm.unwrap_or(1.0),
            warmup: raw.warmup.unwrap_or(0.06),
            seed: raw.seed.unwrap_or(0),
            l1: raw.l1.unwrap_or(0.0),
            l1_form: raw.l1_form.unwrap_or_default(),
            l2: raw.l2.unwrap_or(0.01),
            l2_form: raw.l2_form.unwrap_or_default(),
            kd_alpha: raw.kd_alpha.unwrap_or(0.5),
            kd_temperature: raw.kd_temperature.unwrap_or(2.0),
            eval_every: raw.eval_every.unwrap_or(0),
            probe: raw.probe.unwrap_or(2),
            threads: raw.threads.unwrap_or(0),
            device: raw.device.unwrap_or_default(),
            run_dir,
        })
    }

    /// These settings if every given number is within its range.
    fn ranges(self) -> Result<Self, SettingsError> {
        let finite_from_zero = [("--l1", self.l1), ("--l2", self.l2), ("--clip-norm", self.clip_norm)];
        for (key, value) in finite_from_zero {
            within(key, value, "0 or more", |v| v >= 0.0)?;
        }
        within("--lr", self.lr, "more than 0", |v| v > 0.0)?;
        within("--momentum", self.momentum, "from 0 to under 1", |v| (0.0..1.0).contains(&v))?;
        within("--warmup", self.warmup, "from 0 to 1", |v| (0.0..=1.0).contains(&v))?;
        within("--kd-alpha", self.kd_alpha, "from 0 to 1", |v| (0.0..=1.0).contains(&v))?;
        within("--kd-temperature", self.kd_temperature, "more than 0", |v| v > 0.0)?;
        let from_one = [
            ("--epochs", self.epochs),
            ("--max-steps", self.max_steps),
            ("--batch-size", self.batch_size),
            ("--max-tokens", self.max_tokens),
        ];
        for (key, value) in from_one {
            if value == Some(0) {
                return refuse(key, "must be 1 or more, not 0");
            }
        }
        Ok(self)
    }
}

fn within(
    key: &'static str,
    value: Option<f64>,
    range: &str,
    holds: impl Fn(f64) -> bool,
) -> Result<(), SettingsError> {
    match value {
        Some(value) if !(value.is_finite() && holds(value)) => refuse(key, format!("must be {range}, not {value}")),
        _ => Ok(()),
    }
}

fn required(key: &'static str, path: Option<PathBuf>) -> Result<PathBuf, SettingsError> {
    match path {
        Some(path) => absolute(key, &path),
        None => refuse(key, "is needed, on the command line or in the --config file"),
    }
}

fn absolute(key: &'static str, path: &Path) -> Result<PathBuf, SettingsError> {
    std::path::absolute(path)
        .map_err(|error| SettingsError::Value { key, message: format!("{}: {error}", path.display()) })
}

fn default_run_dir(train: &Path) -> PathBuf {
    let stem = train.file_stem().map_or("run".into(), |stem| stem.to_string_lossy().into_owned());
    let folder = train.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    // data/triage/train.jsonl is better known as triage than as train.
    let name = if stem == "train" { folder.unwrap_or(stem) } else { stem };
    let name: String = name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let time = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
    Path::new("runs").join(format!("{time}-{name}"))
}

impl Settings {
    /// Steps between evaluations, for a training set of `steps_per_epoch` steps: as set, or half an
    /// epoch but at least 20 steps.
    #[must_use]
    pub fn eval_interval(&self, steps_per_epoch: u64) -> u64 {
        if self.eval_every > 0 { self.eval_every } else { (steps_per_epoch / 2).max(20) }
    }

    /// Optimiser steps in all, for a training set of `steps_per_epoch` steps.
    #[must_use]
    pub fn total_steps(&self, steps_per_epoch: u64) -> u64 {
        match self.length {
            Length::Epochs(epochs) => epochs.saturating_mul(steps_per_epoch),
            Length::MaxSteps(steps) => steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> RawSettings {
        RawSettings {
            model: Some("m".into()),
            train: Some("data/triage/train.jsonl".into()),
            valid: Some("v".into()),
            ..RawSettings::default()
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_manual() {
        let settings = complete().check().unwrap();
        assert_eq!(settings.length, Length::Epochs(3));
        assert_eq!((settings.batch_size, settings.lr, settings.l1), (32, 5e-5, 0.0));
        assert!(settings.run_dir.to_string_lossy().ends_with("-triage"));
        assert!(settings.model.is_absolute());
    }

    #[test]
    fn settings_read_back_from_toml() {
        let settings = RawSettings { max_steps: Some(7), device: Some(Device::Cuda(1)), ..complete() }.check().unwrap();
        let text = toml::to_string(&settings).unwrap();
        assert_eq!(toml::from_str::<Settings>(&text).unwrap(), settings);
        let raw: RawSettings = toml::from_str(&text).unwrap();
        assert_eq!(raw.check().unwrap(), settings);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let cases: [(RawSettings, &str); 5] = [
            (RawSettings { l1: Some(-1.0), ..complete() }, "--l1: must be 0 or more, not -1"),
            (RawSettings { lr: Some(f64::NAN), ..complete() }, "--lr: must be more than 0, not NaN"),
            (RawSettings { batch_size: Some(0), ..complete() }, "--batch-size: must be 1 or more, not 0"),
            (
                RawSettings { epochs: Some(1), max_steps: Some(1), ..complete() },
                "--epochs: give either --epochs or --max-steps, not both",
            ),
            (
                RawSettings { valid: None, ..complete() },
                "--valid: is needed, on the command line or in the --config file",
            ),
        ];
        for (raw, message) in cases {
            assert_eq!(raw.check().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_file_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        for (text, line, part) in [
            ("model = \"m\"\nl1 = -3\n", 2, "l1: must be 0 or more"),
            ("lr = \"fast\"\n", 1, "invalid type"),
            ("seed = 1\nlearning_rate = 3\n", 2, "unknown field `learning_rate`"),
        ] {
            std::fs::write(&path, text).unwrap();
            let message = RawSettings::from_file(&path).unwrap_err().to_string();
            assert!(message.contains(&format!("run.toml:{line}: ")) && message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_flag_wins_over_the_file_and_a_length_over_the_other() {
        let flags = RawSettings { lr: Some(1.0), max_steps: Some(5), ..RawSettings::default() };
        let file = RawSettings { lr: Some(2.0), epochs: Some(9), seed: Some(4), ..RawSettings::default() };
        let both = flags.or(file);
        assert_eq!((both.lr, both.max_steps, both.epochs, both.seed), (Some(1.0), Some(5), None, Some(4)));
    }
}
