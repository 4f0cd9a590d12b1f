//! From settings as written to settings that are known to make sense.

use std::path::{Path, PathBuf};

use super::{Avoid, ClassWeights, Length, RawSettings, Settings, SettingsError};

/// Where a number must lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// 0 or more.
    FromZero,
    /// More than 0.
    Positive,
    /// From 0 to 1.
    Share,
    /// From 0 to under 1.
    PartialShare,
    /// More than 0, up to 1.
    PositiveShare,
}

impl Range {
    /// Refuses a value outside, by `key`.
    pub(super) fn check(self, key: &'static str, value: Option<f64>) -> Result<(), SettingsError> {
        let (words, holds): (_, fn(f64) -> bool) = match self {
            Self::FromZero => ("0 or more", |v| v >= 0.0),
            Self::Positive => ("more than 0", |v| v > 0.0),
            Self::Share => ("from 0 to 1", |v| (0.0..=1.0).contains(&v)),
            Self::PartialShare => ("from 0 to under 1", |v| (0.0..1.0).contains(&v)),
            Self::PositiveShare => ("more than 0 and at most 1", |v| v > 0.0 && v <= 1.0),
        };
        match value {
            Some(value) if !(value.is_finite() && holds(value)) => refuse(key, format!("must be {words}, not {value}")),
            _ => Ok(()),
        }
    }
}

fn refuse<T>(key: &'static str, message: impl Into<String>) -> Result<T, SettingsError> {
    Err(SettingsError::Value { key, message: message.into() })
}

impl RawSettings {
    /// Checks every value and fills in what was left out. The run folder defaults to
    /// `runs/<time>-<name of the training data>`.
    ///
    /// # Errors
    /// The first value that is missing or out of range.
    pub fn check(self) -> Result<Settings, SettingsError> {
        self.ranges()?;
        let raw = self;
        let length = raw.length()?;
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
            patience: raw.patience.unwrap_or(0),
            batch_size: raw.batch_size.unwrap_or(32),
            accumulate: raw.accumulate.unwrap_or(1),
            max_tokens: raw.max_tokens.unwrap_or(128),
            grouping: raw.grouping.unwrap_or_default(),
            class_weights: raw.class_weights.unwrap_or_default(),
            label_smoothing: raw.label_smoothing.unwrap_or(0.0),
            lr: raw.lr.unwrap_or(5e-5),
            schedule: raw.schedule.unwrap_or_default(),
            warmup: raw.warmup.unwrap_or(0.06),
            layer_decay: raw.layer_decay.unwrap_or(1.0),
            freeze: raw.freeze.unwrap_or_default(),
            optimizer: raw.optimizer.unwrap_or_default(),
            momentum: raw.momentum.unwrap_or(0.9),
            clip_norm: raw.clip_norm.unwrap_or(1.0),
            seed: raw.seed.unwrap_or(0),
            l1: raw.l1.unwrap_or(0.0),
            l1_form: raw.l1_form.unwrap_or_default(),
            l1_exempt: raw.l1_exempt.unwrap_or_default(),
            group_l1: raw.group_l1.unwrap_or(0.0),
            l2: raw.l2.unwrap_or(0.01),
            l2_form: raw.l2_form.unwrap_or_default(),
            l2_anchor: raw.l2_anchor.unwrap_or_default(),
            l2_exempt: raw.l2_exempt.unwrap_or_default(),
            kd_alpha: raw.kd_alpha.unwrap_or(0.5),
            kd_temperature: raw.kd_temperature.unwrap_or(2.0),
            rrr: raw.rrr.unwrap_or(0.0),
            avoid: raw.avoid.map(|avoid| avoid.words()).transpose()?.unwrap_or_default(),
            consistency: raw.consistency.unwrap_or(0.0),
            consistency_to: raw.consistency_to.unwrap_or_default(),
            attribution_every: raw.attribution_every.unwrap_or(1),
            attribution_rows: raw.attribution_rows.unwrap_or(8),
            masking: raw.masking.unwrap_or(0.0),
            eval_every: raw.eval_every.unwrap_or(0),
            checkpoint_every: raw.checkpoint_every.unwrap_or(0),
            keep: raw.keep.unwrap_or(2),
            probe: raw.probe.unwrap_or(16),
            probe_data: raw.probe_data.map(|file| absolute("--probe-data", &file)).transpose()?,
            probe_share: raw.probe_share.unwrap_or(0.05),
            threads: raw.threads.unwrap_or(0),
            device: raw.device.unwrap_or_default(),
            precision: raw.precision.unwrap_or_default(),
            run_dir,
        })
    }

    fn length(&self) -> Result<Length, SettingsError> {
        match (self.epochs, self.max_steps) {
            (Some(_), Some(_)) => refuse("--epochs", "give either --epochs or --max-steps, not both"),
            (_, Some(steps)) => Ok(Length::MaxSteps(steps)),
            (epochs, None) => Ok(Length::Epochs(epochs.unwrap_or(3))),
        }
    }

    /// Refuses a given number that is out of its range.
    pub(super) fn ranges(&self) -> Result<(), SettingsError> {
        let numbers = [
            ("--l1", self.l1, Range::FromZero),
            ("--group-l1", self.group_l1, Range::FromZero),
            ("--l2", self.l2, Range::FromZero),
            ("--rrr", self.rrr, Range::FromZero),
            ("--consistency", self.consistency, Range::FromZero),
            ("--masking", self.masking, Range::Share),
            ("--clip-norm", self.clip_norm, Range::FromZero),
            ("--lr", self.lr, Range::Positive),
            ("--kd-temperature", self.kd_temperature, Range::Positive),
            ("--probe-share", self.probe_share, Range::PartialShare),
            ("--momentum", self.momentum, Range::PartialShare),
            ("--label-smoothing", self.label_smoothing, Range::PartialShare),
            ("--warmup", self.warmup, Range::Share),
            ("--kd-alpha", self.kd_alpha, Range::Share),
            ("--layer-decay", self.layer_decay, Range::PositiveShare),
        ];
        numbers.into_iter().try_for_each(|(key, value, range)| range.check(key, value))?;
        let from_one = [
            ("--epochs", self.epochs),
            ("--max-steps", self.max_steps),
            ("--batch-size", self.batch_size),
            ("--accumulate", self.accumulate),
            ("--max-tokens", self.max_tokens),
            ("--keep", self.keep),
            ("--attribution-every", self.attribution_every),
            ("--attribution-rows", self.attribution_rows),
        ];
        if let Some((key, _)) = from_one.into_iter().find(|(_, value)| *value == Some(0)) {
            return refuse(key, "must be 1 or more, not 0");
        }
        if let Some(ClassWeights::Named(weights)) = &self.class_weights {
            let weights = weights.values().map(|&weight| Some(weight));
            weights.into_iter().try_for_each(|weight| Range::FromZero.check("--class-weights", weight))?;
        }
        self.avoid.as_ref().map_or(Ok(()), Avoid::check)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Device;

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
        let raw = RawSettings {
            max_steps: Some(7),
            device: Some(Device::Cuda(1)),
            teacher: Some("t".into()),
            freeze: Some("layers:2".parse().unwrap()),
            class_weights: Some("yes=2".parse().unwrap()),
            avoid: Some(Avoid::Written("Ashdown,Ferndale".into())),
            probe_data: Some("p".into()),
            ..complete()
        };
        let settings = raw.check().unwrap();
        let text = toml::to_string(&settings).unwrap();
        assert_eq!(toml::from_str::<Settings>(&text).unwrap(), settings);
        let raw: RawSettings = toml::from_str(&text).unwrap();
        assert_eq!(raw.check().unwrap(), settings);
        let left_out: Vec<_> = RawSettings::KEYS.iter().filter(|key| !text.contains(&format!("{key} ="))).collect();
        assert_eq!(left_out, [&"epochs", &"class_weights"], "a table, and a length that was not asked for");
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let cases: [(RawSettings, &str); 7] = [
            (RawSettings { l1: Some(-1.0), ..complete() }, "--l1: must be 0 or more, not -1"),
            (RawSettings { lr: Some(f64::NAN), ..complete() }, "--lr: must be more than 0, not NaN"),
            (RawSettings { batch_size: Some(0), ..complete() }, "--batch-size: must be 1 or more, not 0"),
            (
                RawSettings { layer_decay: Some(0.0), ..complete() },
                "--layer-decay: must be more than 0 and at most 1, not 0",
            ),
            (
                RawSettings { class_weights: Some("a=-2".parse().unwrap()), ..complete() },
                "--class-weights: must be 0 or more, not -2",
            ),
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
}
