//! Settings as a person writes them: the text of a TOML file, overridden by flags.

use std::path::Path;

use crate::text::line_at::line_at;

use super::{RawSettings, SettingsError};

impl RawSettings {
    /// Reads the text of the TOML file at `path`; relative paths in it are taken from its folder.
    ///
    /// # Errors
    /// When the text is not TOML or has an unknown key or a value of the wrong type.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let shown = path.display().to_string();
        let at = |line: usize, message: String| SettingsError::File { path: shown.clone(), line, message };
        let raw = Self::parse(text).map_err(|(line, message)| at(line, message))?;
        let raw = raw.within(path.parent().unwrap_or(Path::new("")));
        if let Err(SettingsError::Value { key, message }) = raw.refuse_outside() {
            return Err(at(line_of(text, key), format!("{key}: {message}")));
        }
        Ok(raw)
    }

    /// Reads the text of a settings file; an error has its line.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let failed = |error: toml::de::Error| {
            (line_at(text, error.span().map_or(0, |span| span.start)), error.message().to_owned())
        };
        let table: toml::Table = toml::from_str(text).map_err(failed)?;
        if let Some(key) = table.keys().find(|key| !Self::KEYS.contains(&key.as_str())) {
            let meant = nearest(key).map_or(String::new(), |known| format!("; did you mean `{known}`?"));
            return Err((line_of(text, key), format!("unknown key `{key}`{meant}")));
        }
        toml::from_str(text).map_err(failed)
    }

    /// These settings, filled up with those of `under`.
    #[must_use]
    pub fn or(self, under: RawSettings) -> RawSettings {
        // The two lengths exclude each other, so a flag for one overrides the other in the file.
        let under = if self.epochs.is_some() || self.max_steps.is_some() {
            RawSettings { epochs: None, max_steps: None, ..under }
        } else {
            under
        };
        self.over(under)
    }
}

/// The line, from 1, at which `text` sets `key`.
fn line_of(text: &str, key: &str) -> usize {
    let starts = |line: &str| {
        let rest = line.trim_start().trim_start_matches(['[', '"']).strip_prefix(key);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-'))
    };
    text.lines().position(starts).map_or(1, |at| at + 1)
}

/// The known key that is most similar to `key`, if any is similar at all.
fn nearest(key: &str) -> Option<&'static str> {
    let likeness = |known: &str| strsim::jaro_winkler(&key.replace('-', "_"), known);
    let best = RawSettings::KEYS.iter().map(|known| (likeness(known), *known)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > 0.7).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_with_its_line() {
        let path = Path::new("folder/run.toml");
        for (text, line, part) in [
            ("model = \"m\"\nl1 = -3\n", 2, "l1: must be 0 or more"),
            ("l1_form = \"proximal\"\n\nl1 = -3\n", 3, "l1: must be 0 or more"),
            ("lr = \"fast\"\n", 1, "invalid type"),
            ("lr = 1\nlr = 2\n", 2, "duplicate key"),
            ("seed = 1\nlabel_smooth = 3\n", 2, "unknown key `label_smooth`; did you mean `label_smoothing`?"),
            ("l2-form = \"coupled\"\n", 1, "did you mean `l2_form`?"),
            ("seed = 1\n[optimiser]\nlr = 1\n", 2, "did you mean `optimizer`?"),
            ("lr = 1\navoid = [\"a\", \"b c\"]\n", 2, "avoid: `b c` is not one word"),
            ("lr = 1\nmasking = 2\n", 2, "masking: must be from 0 to 1, not 2"),
            ("seed = 1\nxyz = 3\n", 2, "unknown key `xyz`"),
            ("seed = 1\nrun_dir = \"\"\n", 2, "run_dir: the path is empty"),
        ] {
            let message = RawSettings::from_toml(text, path).unwrap_err().to_string();
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
