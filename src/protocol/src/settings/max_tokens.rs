//! How many tokens of a text are read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest text in tokens; the rest of a longer one is cut off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum MaxTokens {
    /// What holds 99 of 100 training texts, at most what the model can read.
    #[default]
    Auto,
    /// This many.
    At(u64),
}

/// As in a file: a number, or `auto`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u64),
    Name(String),
}

impl TryFrom<Written> for MaxTokens {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::Number(number) => Ok(Self::At(number)),
            Written::Name(name) => name.parse(),
        }
    }
}

impl From<MaxTokens> for Written {
    fn from(most: MaxTokens) -> Self {
        match most {
            MaxTokens::Auto => Self::Name("auto".to_owned()),
            MaxTokens::At(number) => Self::Number(number),
        }
    }
}

impl fmt::Display for MaxTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::At(number) => write!(f, "{number}"),
        }
    }
}

impl FromStr for MaxTokens {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            _ if text == "auto" => Ok(Self::Auto),
            Ok(number) => Ok(Self::At(number)),
            Err(_) => Err(format!("`{text}` is neither a number nor auto")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_it_is_read() {
        for (text, file) in [("auto", "\"auto\""), ("128", "128")] {
            let most: MaxTokens = text.parse().unwrap();
            assert_eq!((most.to_string().as_str(), serde_json::to_string(&most).unwrap().as_str()), (text, file));
            assert_eq!(serde_json::from_str::<MaxTokens>(file).unwrap(), most);
        }
        assert!("-1".parse::<MaxTokens>().is_err() && serde_json::from_str::<MaxTokens>("\"most\"").is_err());
    }
}
