//! Settings that may change while a run goes on.

use std::fmt;

use strum::VariantArray;

use super::range::Range;
use super::{DEFINITIONS, LiveSetting, Settings, SettingsError};

/// What the declaration of a live setting says.
pub(super) struct Live {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    pub(super) scale: Scale,
    pub(super) value: fn(&Settings) -> &f64,
    pub(super) place: fn(&mut Settings) -> &mut f64,
}

/// The steps in which a setting is changed by hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// A share: even steps from 0 to 1.
    Share,
    /// Even steps of this size, never below one step.
    Even(f64),
    /// Logarithmic, never 0.
    Rate,
    /// Logarithmic, with this as the first step up from 0.
    Penalty(f64),
}

impl LiveSetting {
    /// All of them.
    pub const ALL: &'static [LiveSetting] = Self::VARIANTS;

    /// The name in files and events.
    #[must_use]
    pub fn key(self) -> &'static str {
        self.live().key
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.live().title
    }

    /// The steps in which it is changed by hand.
    #[must_use]
    pub fn scale(self) -> Scale {
        self.live().scale
    }

    /// Its value in `settings`.
    #[must_use]
    pub fn of(self, settings: &Settings) -> f64 {
        *(self.live().value)(settings)
    }

    /// Refuses a value out of its range.
    ///
    /// # Errors
    /// When it is.
    pub fn check(self, value: f64) -> Result<(), SettingsError> {
        let definition = DEFINITIONS.iter().find(|known| known.key == self.key());
        let range = definition.map_or(Range::Any, |known| known.range);
        range.check(value).map_err(|message| SettingsError::Value { key: self.key(), message })
    }

    /// Sets it in `settings`.
    ///
    /// # Errors
    /// When the value is out of its range: nothing is changed.
    pub fn set(self, settings: &mut Settings, value: f64) -> Result<(), SettingsError> {
        self.check(value)?;
        *(self.live().place)(settings) = value;
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
        RawSettings { model: Some("x".into()), train: path, valid: Some("m".into()), ..RawSettings::default() }
            .check()
            .unwrap()
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
