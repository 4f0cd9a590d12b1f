//! From settings as written to settings that are known to make sense.

use std::path::{Path, PathBuf};

use super::{DEFINITIONS, LongTexts, RawSettings, Settings, SettingsError, WindowPooling};

impl RawSettings {
    /// Checks every value and fills in missing ones. The run folder defaults to
    /// `runs/<time>-<name of the training data>`.
    ///
    /// # Errors
    /// The first value that is missing or out of range.
    pub fn check(self) -> Result<Settings, SettingsError> {
        self.refuse_outside()?;
        if self.epochs.is_some() && self.max_steps.is_some() {
            let message = "give either --epochs or --max-steps, not both".to_owned();
            return Err(SettingsError::Value { key: "epochs", message });
        }
        self.refuse_idle_windows()?;
        let train = required("train", self.train.clone())?;
        self.check_folds()?;
        let run_dir = self.run_dir.unwrap_or_else(|| default_run_dir(&train));
        RawSettings { train: Some(train), run_dir: Some(run_dir), ..self }.resolved()?.complete()
    }

    /// Refuses flags about windows where texts are cut off.
    fn refuse_idle_windows(&self) -> Result<(), SettingsError> {
        let idle = [("stride", self.stride.is_some()), ("window_pooling", self.window_pooling.is_some_and(is_chosen))];
        match idle.into_iter().find(|(_, given)| *given && self.long.unwrap_or_default() == LongTexts::Truncate) {
            Some((key, _)) => {
                let message = "says how windows are read, and long texts are cut off; add --long windows".to_owned();
                Err(SettingsError::Value { key, message })
            }
            None => Ok(()),
        }
    }

    /// What is validated on is a part of its own or a fold, and not both.
    fn check_folds(&self) -> Result<(), SettingsError> {
        let refused = |key, message: String| Err(SettingsError::Value { key, message });
        match (self.folds, self.fold, &self.valid) {
            (None, None, valid) => required("valid", valid.as_ref()).map(drop),
            (Some(folds), None, _) => refused("folds", format!("needs --fold N, the one to validate on: 1 to {folds}")),
            (None, Some(_), _) => refused("fold", "needs --folds K, how many there are".to_owned()),
            (Some(_), Some(_), Some(_)) => refused("valid", "give either --valid or --folds, not both".to_owned()),
            (Some(folds), Some(fold), None) if fold > folds => {
                refused("fold", format!("must be at most the {folds} of --folds, not {fold}"))
            }
            (Some(_), Some(_), None) => Ok(()),
        }
    }

    /// Refuses a value that is out of its range.
    pub(super) fn refuse_outside(&self) -> Result<(), SettingsError> {
        DEFINITIONS.iter().try_for_each(|known| known.check(self))
    }
}

/// Whether it is not what is done anyway, and so was asked for.
fn is_chosen(pooling: WindowPooling) -> bool {
    pooling != WindowPooling::default()
}

/// A value that must be given.
pub(super) fn required<T>(key: &'static str, value: Option<T>) -> Result<T, SettingsError> {
    let message = || "is needed, on the command line or in the --config file".to_owned();
    value.ok_or_else(|| SettingsError::Value { key, message: message() })
}

fn default_run_dir(train: &Path) -> PathBuf {
    let stem = train.file_stem().map_or("run".into(), |stem| stem.to_string_lossy().into_owned());
    let folder = train.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    // People know data/triage/train.jsonl as triage, not as train.
    let name = if stem == "train" { folder.unwrap_or(stem) } else { stem };
    let name: String = name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let time = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
    Path::new("runs").join(format!("{time}-{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Avoid, Device};

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
        assert_eq!((settings.epochs, settings.max_steps), (Some(3), None));
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
            test: Some("0.1".into()),
            text_column: Some("a".into()),
            pair_column: Some("b".into()),
            label_column: Some("c".into()),
            id_column: Some("d".into()),
            group_column: Some("e".into()),
            rationale_column: Some("f".into()),
            delimiter: Some("tab".parse().unwrap()),
            encoding: Some("latin1".into()),
            label_map: Some("0=no,1=yes".parse().unwrap()),
            long: Some(LongTexts::Windows),
            stride: Some(16),
            ..complete()
        };
        let settings = raw.check().unwrap();
        let text = toml::to_string(&settings).unwrap();
        assert_eq!(toml::from_str::<Settings>(&text).unwrap(), settings);
        let raw: RawSettings = toml::from_str(&text).unwrap();
        assert_eq!(raw.check().unwrap(), settings);
        let folds = RawSettings { folds: Some(5), fold: Some(5), valid: None, ..complete() }.check().unwrap();
        assert_eq!(folds.valid_words(), "fold 5 of 5 of the training file");
        let again: RawSettings = toml::from_str(&toml::to_string(&folds).unwrap()).unwrap();
        assert_eq!(again.check().unwrap(), folds);
        let left_out: Vec<_> = RawSettings::KEYS.iter().filter(|key| !text.contains(&format!("{key} ="))).collect();
        assert_eq!(
            left_out,
            [&"folds", &"fold", &"label_map", &"epochs", &"class_weights"],
            "tables, and what was not asked for"
        );
    }

    #[test]
    fn the_records_of_earlier_versions_read_as_they_were_meant() {
        // A run.toml from before there were more settings.
        let old = r#"
            model = "/m"
            train = "/t"
            valid = "/v"
            max_steps = 7
            batch_size = 16
            max_tokens = 64
            grouping = "length"
            lr = 0.001
            warmup = 0.1
            optimizer = "sgd"
            momentum = 0.5
            clip_norm = 0.0
            seed = 3
            l1 = 0.0
            l1_form = "proximal"
            l2 = 0.0
            l2_form = "coupled"
            kd_alpha = 0.5
            kd_temperature = 2.0
            eval_every = 0
            probe = 4
            threads = 2
            device = "cpu"
            run_dir = "/r"
            of_a_later_version = true
        "#;
        let settings: Settings = toml::from_str(old).unwrap();
        assert_eq!((settings.epochs, settings.max_steps, settings.total_steps(9)), (None, Some(7), 7));
        assert_eq!((settings.accumulate, settings.attribution_rows, settings.keep), (1, 8, 2));
        assert_eq!(settings.probe_share, 0.0, "these runs explained the whole probe set at each evaluation");
        assert!(settings.avoid.is_empty() && settings.teacher.is_none() && settings.freeze.0.is_empty());
        let damaged = old.replace("model =", "modal =");
        assert!(toml::from_str::<Settings>(&damaged).unwrap_err().message().contains("--model: is needed"));
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let folds = |folds, fold, valid| RawSettings { folds, fold, valid, ..complete() };
        let cases: [(RawSettings, &str); 12] = [
            (folds(Some(5), None, None), "--folds: needs --fold N, the one to validate on: 1 to 5"),
            (folds(None, Some(2), None), "--fold: needs --folds K, how many there are"),
            (folds(Some(5), Some(6), None), "--fold: must be at most the 5 of --folds, not 6"),
            (folds(Some(1), Some(1), None), "--folds: must be 2 or more, not 1"),
            (folds(Some(5), Some(2), Some("0.1".into())), "--valid: give either --valid or --folds, not both"),
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
