//! Something that a person should know about a run.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Recorded")]
pub struct Alert {
    /// Steps done before it.
    pub step: u64,
    /// What it is about.
    #[serde(serialize_with = "by_name")]
    pub kind: AlertKind,
    /// How bad it is.
    pub level: Level,
    /// One line.
    pub message: String,
}

/// What an alert is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum AlertKind {
    /// Anything else.
    #[default]
    General,
    /// A word that the model uses as a shortcut.
    Shortcut,
    /// A word that the data offers as a shortcut, and that the model does not use so far.
    ShortcutInData,
}

/// How bad an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Look at it.
    Warning,
    /// Something went wrong.
    Error,
}

impl Alert {
    /// An alert about nothing in particular.
    #[must_use]
    pub fn new(step: u64, level: Level, message: impl Into<String>) -> Self {
        Self { step, kind: AlertKind::General, level, message: message.into() }
    }

    /// Good to know.
    #[must_use]
    pub fn info(step: u64, message: impl Into<String>) -> Self {
        Self::new(step, Level::Info, message)
    }

    /// Worth a look.
    #[must_use]
    pub fn warning(step: u64, message: impl Into<String>) -> Self {
        Self::new(step, Level::Warning, message)
    }

    /// Something went wrong.
    #[must_use]
    pub fn error(step: u64, message: impl Into<String>) -> Self {
        Self::new(step, Level::Error, message)
    }

    /// The same alert, about this.
    #[must_use]
    pub fn about(self, kind: AlertKind) -> Self {
        Self { kind, ..self }
    }
}

impl AlertKind {
    /// The kind of an alert that was recorded before alerts had one.
    fn of_message(message: &str) -> Self {
        match message.split_once(": ") {
            Some(("shortcut", _)) => Self::Shortcut,
            Some(("shortcut in the data", _)) => Self::ShortcutInData,
            _ => Self::General,
        }
    }
}

fn by_name<S: serde::Serializer>(kind: &AlertKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str((*kind).into())
}

/// An alert as it stands in a record: earlier versions wrote no kind, and later ones may write kinds that are new.
#[derive(Deserialize)]
struct Recorded {
    step: u64,
    kind: Option<String>,
    level: Level,
    message: String,
}

impl From<Recorded> for Alert {
    fn from(recorded: Recorded) -> Self {
        let Recorded { step, kind, level, message } = recorded;
        let kind = kind.map_or_else(|| AlertKind::of_message(&message), |name| name.parse().unwrap_or_default());
        Self { step, kind, level, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_recorded_by_name() {
        let alert = Alert::warning(3, "`ashdown` leads to urgent").about(AlertKind::Shortcut);
        let line = serde_json::to_string(&alert).unwrap();
        let expected = r#"{"step":3,"kind":"shortcut","level":"warning","message":"`ashdown` leads to urgent"}"#;
        assert_eq!(line, expected);
        assert_eq!(serde_json::from_str::<Alert>(&line).unwrap(), alert);
        let plain = Alert::info(3, "slow");
        let line = serde_json::to_string(&plain).unwrap();
        assert_eq!(line, r#"{"step":3,"kind":"general","level":"info","message":"slow"}"#);
        assert_eq!(serde_json::from_str::<Alert>(&line).unwrap(), plain);
    }

    #[test]
    fn records_without_a_kind_and_with_one_of_a_later_version_are_read() {
        let kind = |kind: &str, message: &str| {
            let line = format!(r#"{{"step":1,{kind}"level":"warning","message":"{message}"}}"#);
            serde_json::from_str::<Alert>(&line).unwrap().kind
        };
        assert_eq!(kind("", "shortcut: `halden` leads to termination"), AlertKind::Shortcut);
        assert_eq!(kind("", "shortcut in the data: 100 % of the texts"), AlertKind::ShortcutInData);
        assert_eq!(kind("", "the disk is full: no shortcut"), AlertKind::General);
        assert_eq!(kind(r#""kind":"leakage","#, "shortcut: a"), AlertKind::General);
    }
}
