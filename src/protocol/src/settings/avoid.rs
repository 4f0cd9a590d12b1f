//! Words that a model must not base its answers on.

use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::SettingsError;

/// Words that must not be a reason, as written: a list, or a text that is the path of a file or words with commas
/// between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Avoid {
    /// Words.
    Words(Vec<String>),
    /// Words with commas between, or the path of a file with one word a line; empty lines and those that begin with `#`
    /// are skipped.
    Written(String),
}

/// As a flag. What is no word is refused when the settings are checked.
impl FromStr for Avoid {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::Written(text.to_owned()))
    }
}

impl Avoid {
    /// The same with the path of a file taken from `folder`, if there is such a file.
    #[must_use]
    pub(super) fn located_in(self, folder: &Path) -> Self {
        match self {
            Self::Written(text) if folder.join(&text).is_file() => {
                Self::Written(folder.join(text).to_string_lossy().into_owned())
            }
            other => other,
        }
    }

    /// Refuses a list in which something is not one word; a text is not looked at, because it may name a file.
    pub(super) fn refuse_other_than_words(&self) -> Result<(), String> {
        match self {
            Self::Words(words) => words.iter().try_for_each(|word| one(word).map(drop)),
            Self::Written(_) => Ok(()),
        }
    }

    /// The file that it names if there is such a file: whoever may read files reads it, see [`Avoid::from_lines`].
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Words(_) => None,
            Self::Written(text) => Some(Path::new(text)),
        }
    }

    /// The words of the file at `path`, from its text.
    ///
    /// # Errors
    /// When it has none, or a line is not one word: with file and line.
    pub fn from_lines(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let path = path.display().to_string();
        let lines = text.lines().enumerate();
        let written = lines.filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
        let word = |(at, line): (usize, &str)| {
            one(line).map_err(|message| SettingsError::File { path: path.clone(), line: at + 1, message })
        };
        let words: Vec<String> = written.map(word).collect::<Result<_, _>>()?;
        if words.is_empty() {
            let message = format!("{path} has no words in it; write one a line");
            return Err(SettingsError::Value { key: "avoid", message });
        }
        Ok(Self::Words(words))
    }

    /// The words; errors name the setting `key`.
    ///
    /// # Errors
    /// When something is not one word, or is the path of a file, which must have been read before.
    pub(super) fn read(&self, key: &'static str) -> Result<Vec<String>, SettingsError> {
        let refused = |message| SettingsError::Value { key, message };
        match self {
            Self::Words(words) => words.iter().map(|word| one(word).map_err(refused)).collect(),
            Self::Written(text) if text.contains('/') => Err(refused(format!("there is no file {text}"))),
            Self::Written(text) => text.split(',').map(|word| one(word).map_err(refused)).collect(),
        }
    }

    /// The words of a list.
    ///
    /// # Errors
    /// When it is a text that has not been read yet.
    pub(super) fn list(self, key: &'static str) -> Result<Vec<String>, SettingsError> {
        match self {
            Self::Words(words) => Ok(words),
            Self::Written(_) => Err(SettingsError::Value { key, message: "must be a list of words here".to_owned() }),
        }
    }
}

/// One word without the space around it.
fn one(text: &str) -> Result<String, String> {
    let word = text.trim();
    if word.is_empty() || word.contains(char::is_whitespace) || !word.contains(char::is_alphanumeric) {
        return Err(format!("`{word}` is not one word; name each word on its own"));
    }
    Ok(word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Vec<String>, String> {
        let Ok(avoid) = text.parse::<Avoid>();
        avoid.read("avoid").map_err(|error| error.to_string())
    }

    #[test]
    fn words_come_from_a_list_or_from_lines() {
        let expected = vec!["Ashdown".to_owned(), "Ferndale".to_owned()];
        let lines = Avoid::from_lines("# wards\nAshdown\n\n Ferndale \n", Path::new("avoid.txt"));
        assert_eq!(lines, Ok(Avoid::Words(expected.clone())));
        assert_eq!(words("Ashdown, Ferndale").unwrap(), expected);
        assert_eq!(Avoid::Words(expected.clone()).read("avoid").unwrap(), expected);
        assert_eq!((Avoid::Words(expected).file(), words("a").unwrap()), (None, vec!["a".to_owned()]));
    }

    #[test]
    fn what_is_no_word_is_named_with_its_line() {
        let told = |text: &str| Avoid::from_lines(text, Path::new("avoid.txt")).unwrap_err().to_string();
        assert!(told("Ashdown\nAshdown ward\n").contains("avoid.txt:2: `Ashdown ward` is not one word"));
        assert!(told("# nothing\n").contains("avoid.txt has no words in it"));
        assert_eq!(words("a,,b").unwrap_err(), "--avoid: `` is not one word; name each word on its own");
        assert_eq!(words("no/such.txt").unwrap_err(), "--avoid: there is no file no/such.txt");
    }
}
