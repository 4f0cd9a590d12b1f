//! Settings that may change while a run goes on.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::check::Range;
use super::{Settings, SettingsError};

/// A setting that may change while a run goes on. Its name in `setting` events is that of the settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveSetting {
    /// The highest learning rate; the schedule goes on from where it is.
    Lr,
    /// Lambda of L1.
    L1,
    /// Lambda of L2.
    L2,
    /// Lambda of the group lasso.
    GroupL1,
    /// Weight of the distillation term.
    KdAlpha,
    /// Temperature of distillation.
    KdTemperature,
    /// Weight of the penalty on wrong reasons.
    Rrr,
    /// Weight of the distance from the reference's reasons.
    Consistency,
    /// Share of the texts of each batch that come a second time with words masked.
    Masking,
}

impl LiveSetting {
    /// All of them.
    pub const ALL: [LiveSetting; 9] = [
        Self::Lr,
        Self::L1,
        Self::L2,
        Self::GroupL1,
        Self::KdAlpha,
        Self::KdTemperature,
        Self::Rrr,
        Self::Consistency,
        Self::Masking,
    ];

    /// The name in files and events.
    #[must_use]
    pub fn key(self) -> &'static str {
        self.flag_key().1
    }

    /// The flag and the key in files.
    fn flag_key(self) -> &'static (&'static str, &'static str) {
        match self {
            Self::Lr => &("--lr", "lr"),
            Self::L1 => &("--l1", "l1"),
            Self::L2 => &("--l2", "l2"),
            Self::GroupL1 => &("--group-l1", "group_l1"),
            Self::KdAlpha => &("--kd-alpha", "kd_alpha"),
            Self::KdTemperature => &("--kd-temperature", "kd_temperature"),
            Self::Rrr => &("--rrr", "rrr"),
            Self::Consistency => &("--consistency", "consistency"),
            Self::Masking => &("--masking", "masking"),
        }
    }

    fn range(self) -> Range {
        match self {
            Self::Lr | Self::KdTemperature => Range::Positive,
            Self::L1 | Self::L2 | Self::GroupL1 | Self::Rrr | Self::Consistency => Range::FromZero,
            Self::KdAlpha | Self::Masking => Range::Share,
        }
    }

    fn place(self, settings: &mut Settings) -> &mut f64 {
        match self {
            Self::Lr => &mut settings.lr,
            Self::L1 => &mut settings.l1,
            Self::L2 => &mut settings.l2,
            Self::GroupL1 => &mut settings.group_l1,
            Self::KdAlpha => &mut settings.kd_alpha,
            Self::KdTemperature => &mut settings.kd_temperature,
            Self::Rrr => &mut settings.rrr,
            Self::Consistency => &mut settings.consistency,
            Self::Masking => &mut settings.masking,
        }
    }

    /// Its value in `settings`.
    #[must_use]
    pub fn of(self, settings: &Settings) -> f64 {
        match self {
            Self::Lr => settings.lr,
            Self::L1 => settings.l1,
            Self::L2 => settings.l2,
            Self::GroupL1 => settings.group_l1,
            Self::KdAlpha => settings.kd_alpha,
            Self::KdTemperature => settings.kd_temperature,
            Self::Rrr => settings.rrr,
            Self::Consistency => settings.consistency,
            Self::Masking => settings.masking,
        }
    }

    /// Refuses a value out of its range.
    ///
    /// # Errors
    /// When it is.
    pub fn check(self, value: f64) -> Result<(), SettingsError> {
        self.range().check(self.flag_key().0, Some(value))
    }

    /// Sets it in `settings`.
    ///
    /// # Errors
    /// When the value is out of its range: nothing is changed.
    pub fn set(self, settings: &mut Settings, value: f64) -> Result<(), SettingsError> {
        self.check(value)?;
        *self.place(settings) = value;
        Ok(())
    }
}

impl fmt::Display for LiveSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RawSettings;

    fn settings() -> Settings {
        let path = Some("x".into());
        RawSettings { model: path.clone(), train: path.clone(), valid: path, ..RawSettings::default() }.check().unwrap()
    }

    #[test]
    fn each_changes_its_own_setting_and_is_called_as_in_files() {
        for live in LiveSetting::ALL {
            let mut changed = settings();
            live.set(&mut changed, 0.375).unwrap();
            let text = serde_json::to_value(&changed).unwrap();
            assert_eq!((text[live.key()].as_f64(), live.of(&changed)), (Some(0.375), 0.375));
            assert_eq!(serde_json::to_value(live).unwrap(), live.key());
        }
    }

    #[test]
    fn a_value_out_of_range_changes_nothing() {
        let mut unchanged = settings();
        for (live, value) in [(LiveSetting::Lr, 0.0), (LiveSetting::KdAlpha, 1.5), (LiveSetting::L1, f64::NAN)] {
            assert!(live.set(&mut unchanged, value).is_err());
        }
        assert_eq!(unchanged.lr, settings().lr);
    }
}
