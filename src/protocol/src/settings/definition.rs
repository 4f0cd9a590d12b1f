//! What the declaration of a setting says.

use std::ffi::OsStr;

use serde::Serialize;
use serde_json::Value;

use super::range::Range;
use super::{RawSettings, SettingsError};

/// What the declaration of a setting says: everything that its flag is made from.
#[derive(Debug)]
pub struct Definition {
    /// The key in settings files and events, as `label_smoothing`.
    pub key: &'static str,
    /// The flag without its dashes, as `label-smoothing`.
    pub flag: &'static str,
    /// The heading under which the help has it.
    pub heading: &'static str,
    /// What stands for the value in the help.
    pub value_name: &'static str,
    /// What may follow the flag.
    pub form: Form,
    /// The key of the setting that it excludes.
    pub excludes: Option<&'static str>,
    /// The lines of its documentation.
    pub(super) doc: &'static [&'static str],
    pub(super) default: fn() -> Option<String>,
    pub(super) parse: fn(&OsStr) -> Result<RawSettings, String>,
    pub(super) range: Range,
    pub(super) refuse: fn(&RawSettings, Range) -> Result<(), String>,
}

/// What may follow a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A text that the type of the setting reads.
    Text,
    /// A path.
    Path,
    /// Nothing, or after `=` whether it is on.
    Switch,
    /// One of these names.
    Choice(&'static [&'static str]),
}

impl Definition {
    /// The help on the command line: the first paragraph of the documentation without its full stop, and the default.
    #[must_use]
    pub fn help(&self) -> String {
        let paragraph = self.doc.iter().map(|line| line.trim()).take_while(|line| !line.is_empty());
        let text = paragraph.collect::<Vec<_>>().join(" ");
        let text = text.strip_suffix('.').unwrap_or(&text);
        self.default().map_or_else(|| text.to_owned(), |default| format!("{text} [default: {default}]"))
    }

    /// The default as the flag takes it; `None` for a setting that has none, or one that depends on others.
    #[must_use]
    pub fn default(&self) -> Option<String> {
        (self.default)()
    }

    /// Settings of which this one alone is given, as the text that follows its flag.
    ///
    /// # Errors
    /// When the text is no value of this setting.
    pub fn parse(&self, text: &OsStr) -> Result<RawSettings, String> {
        (self.parse)(text)
    }

    /// Refuses its value in `raw` if that is out of its range.
    pub(super) fn check(&self, raw: &RawSettings) -> Result<(), SettingsError> {
        (self.refuse)(raw, self.range).map_err(|message| SettingsError::Value { key: self.key, message })
    }
}

/// A value as the flag takes it: `5e-5`, `linear`, `embeddings,head`, `none`.
pub(super) fn flag_text(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(Value::Object(items)) if items.is_empty() => "none".to_owned(),
        Ok(Value::Array(items)) if items.is_empty() => "none".to_owned(),
        Ok(Value::Array(items)) => items.iter().map(flag_text).collect::<Vec<_>>().join(","),
        // Rust's debug form is short for very small numbers, where JSON's is not.
        Ok(Value::Number(number)) => {
            format!("{:?}", number.as_f64().unwrap_or_default()).trim_end_matches(".0").to_owned()
        }
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}

/// A key with `-` for `_`. Constant because clap wants the names of flags to live for ever.
pub(super) const fn kebab<const LENGTH: usize>(key: &str) -> [u8; LENGTH] {
    let (mut flag, mut at) = ([0; LENGTH], 0);
    while at < LENGTH {
        flag[at] = if key.as_bytes()[at] == b'_' { b'-' } else { key.as_bytes()[at] };
        at += 1;
    }
    flag
}

/// Bytes as text.
pub(super) const fn ascii(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("the keys of settings are ASCII"),
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::{DEFINITIONS, Form};

    use super::*;

    fn of(key: &str) -> &'static Definition {
        DEFINITIONS.iter().find(|known| known.key == key).unwrap()
    }

    #[test]
    fn help_has_one_paragraph_and_the_default() {
        assert_eq!(of("lr").help(), "Highest learning rate [default: 5e-5]");
        assert_eq!(of("teacher").help(), "Fine-tuned model to distil from: a folder or a name, as for the model");
        let help = of("label_smoothing").help();
        assert_eq!(help, "Share of each target that is spread over all classes [default: 0]");
        let defaults = ["freeze", "class_weights", "l1_exempt", "device", "clip_norm", "probe_share", "avoid"];
        let texts = defaults.map(|key| of(key).default().unwrap_or_default());
        assert_eq!(texts, ["none", "none", "embeddings,head,biases,norms", "auto", "1", "0.05", ""]);
    }

    #[test]
    fn a_default_reads_back_from_its_text() {
        for known in DEFINITIONS {
            if let Some(text) = known.default() {
                let raw = known.parse(OsStr::new(&text)).unwrap();
                assert_eq!(flag_text(&serde_json::to_value(&raw).unwrap()[known.key]), text);
                assert!(known.check(&raw).is_ok());
            }
        }
    }

    #[test]
    fn flags_are_keys_with_dashes_and_choices_are_their_names() {
        assert_eq!((of("lr").flag, of("kd_alpha").flag), ("lr", "kd-alpha"));
        assert_eq!(of("schedule").form, Form::Choice(&["linear", "cosine", "constant"]));
        for known in DEFINITIONS {
            let Form::Choice(names) = known.form else { continue };
            for name in names {
                assert_eq!(serde_json::to_value(known.parse(OsStr::new(name)).unwrap()).unwrap()[known.key], *name);
            }
        }
    }
}
