//! Where a part of the data comes from: a file, or a share of the training file.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A file, or a share of the training file that is split off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DataPart {
    /// A share between 0 and 1.
    Share(f64),
    /// A file of its own.
    File(PathBuf),
}

impl DataPart {
    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Share(_) => None,
        }
    }

    /// In words: the path, or the share.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Share(share) => format!("{share} of the training file"),
        }
    }
}

impl From<&str> for DataPart {
    fn from(text: &str) -> Self {
        let Ok(part) = text.parse();
        part
    }
}

impl From<PathBuf> for DataPart {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

/// A number is a share, and so is a percentage; a file of such a name is written `./0.1`.
impl FromStr for DataPart {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent = || text.strip_suffix('%')?.trim_end().parse().ok().map(|percent: f64| percent / 100.0);
        Ok(text.parse().ok().or_else(percent).map_or_else(|| Self::File(text.into()), Self::Share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_share_and_all_else_a_file() {
        assert_eq!(DataPart::from("0.1"), DataPart::Share(0.1));
        assert_eq!(DataPart::from("10%"), DataPart::Share(0.1));
        assert_eq!(DataPart::from("12.5 %"), DataPart::Share(0.125));
        for file in ["a%", "%", "./0.1", "a.csv", "0.1.csv"] {
            assert_eq!(DataPart::from(file).file(), Some(Path::new(file)));
        }
        assert_eq!(serde_json::from_str::<DataPart>("0.25").unwrap(), DataPart::Share(0.25));
        assert_eq!(serde_json::to_string(&DataPart::from("a.csv")).unwrap(), "\"a.csv\"");
    }
}
