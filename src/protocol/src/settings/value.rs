//! The trait of every type that a setting can have.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;
use strum::VariantNames;

use super::range::Range;
use super::{
    Anchor, Avoid, ClassWeights, DataPart, Delimiter, Device, Form, FrozenList, Grouping, L1Form, L2Form, LabelMap,
    LongTexts, MaxTokens, ModelSource, OptimizerKind, ParamGroups, Precision, Reference, ScheduleKind, SettingsError,
    Switch, WindowPooling,
};

/// The value of a setting. [`FromStr`] reads it from the text after the flag.
pub(super) trait Value: FromStr<Err: Display> + Serialize {
    /// What may follow the flag.
    const FORM: Form = Form::Text;

    /// Reads the value from the text after the flag.
    fn parse(text: &OsStr) -> Result<Self, String> {
        let text = text.to_str().ok_or_else(|| "is not UTF-8".to_owned())?;
        text.parse().map_err(|error: Self::Err| error.to_string())
    }

    /// Refuses a value outside of the range; opens no file.
    fn refuse_outside(&self, _range: Range) -> Result<(), String> {
        Ok(())
    }

    /// The value with a relative path taken from `folder`.
    #[must_use]
    fn within(self, _folder: &Path) -> Self {
        self
    }

    /// The value with its path absolute.
    fn resolved(self, _key: &'static str) -> Result<Self, SettingsError> {
        Ok(self)
    }
}

impl Value for u64 {
    fn refuse_outside(&self, range: Range) -> Result<(), String> {
        range.check(*self as f64)
    }
}

impl Value for f64 {
    fn refuse_outside(&self, range: Range) -> Result<(), String> {
        range.check(*self)
    }
}

impl Value for PathBuf {
    const FORM: Form = Form::Path;

    fn parse(text: &OsStr) -> Result<Self, String> {
        Ok(text.into())
    }

    /// A path that is empty comes from a variable that is, and would mean the folder itself.
    fn refuse_outside(&self, _range: Range) -> Result<(), String> {
        if self.as_os_str().is_empty() { Err("the path is empty".to_owned()) } else { Ok(()) }
    }

    fn within(self, folder: &Path) -> Self {
        if self.as_os_str().is_empty() { self } else { folder.join(self) }
    }

    fn resolved(self, key: &'static str) -> Result<Self, SettingsError> {
        std::path::absolute(&self)
            .map_err(|error| SettingsError::Value { key, message: format!("{}: {error}", self.display()) })
    }
}

impl Value for ModelSource {
    const FORM: Form = Form::Path;

    fn parse(text: &OsStr) -> Result<Self, String> {
        Ok(Path::new(text).into())
    }

    fn refuse_outside(&self, range: Range) -> Result<(), String> {
        self.path().to_owned().refuse_outside(range)
    }

    fn within(self, folder: &Path) -> Self {
        let Ok(within) = self.with_path(|path| Ok::<_, std::convert::Infallible>(path.within(folder)));
        within
    }

    fn resolved(self, key: &'static str) -> Result<Self, SettingsError> {
        self.with_path(|path| path.resolved(key))
    }
}

impl Value for Avoid {
    fn refuse_outside(&self, _range: Range) -> Result<(), String> {
        self.refuse_other_than_words()
    }

    fn within(self, folder: &Path) -> Self {
        self.located_in(folder)
    }

    fn resolved(self, key: &'static str) -> Result<Self, SettingsError> {
        self.read(key).map(Avoid::Words)
    }
}

impl Value for ClassWeights {
    fn refuse_outside(&self, range: Range) -> Result<(), String> {
        match self {
            Self::Named(weights) => weights.values().try_for_each(|weight| range.check(*weight)),
            Self::Equal | Self::Balanced => Ok(()),
        }
    }
}

impl Value for String {
    /// A name that is empty comes from a variable that is.
    fn refuse_outside(&self, _range: Range) -> Result<(), String> {
        if self.is_empty() { Err("the name is empty".to_owned()) } else { Ok(()) }
    }
}

impl Value for DataPart {
    const FORM: Form = Form::Path;

    fn refuse_outside(&self, range: Range) -> Result<(), String> {
        match self {
            Self::Share(share) => range.check(*share),
            Self::File(path) => path.refuse_outside(range),
        }
    }

    fn within(self, folder: &Path) -> Self {
        match self {
            Self::File(path) => Self::File(path.within(folder)),
            share => share,
        }
    }

    fn resolved(self, key: &'static str) -> Result<Self, SettingsError> {
        match self {
            Self::File(path) => path.resolved(key).map(Self::File),
            share => Ok(share),
        }
    }
}

impl Value for MaxTokens {
    fn refuse_outside(&self, range: Range) -> Result<(), String> {
        match self {
            Self::At(number) => range.check(*number as f64),
            Self::Auto => Ok(()),
        }
    }
}

impl Value for Switch {
    const FORM: Form = Form::Switch;
}

impl Value for Delimiter {}
impl Value for Device {}
impl Value for LabelMap {}
impl Value for FrozenList {}
impl Value for ParamGroups {}

/// Values that are one of a few names.
macro_rules! choices {
    ($($kind:ty),+ $(,)?) => {
        $(impl Value for $kind {
            const FORM: Form = Form::Choice(<$kind as VariantNames>::VARIANTS);
        })+
    };
}

choices!(Anchor, Grouping, L1Form, L2Form, LongTexts, WindowPooling, OptimizerKind, Precision, Reference, ScheduleKind);
