//! Parts of a model that are not trained.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A part that is not trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Frozen {
    /// All embeddings, their norm and projection.
    Embeddings,
    /// This many layers, counted from the first.
    Layers(u64),
    /// All but the classification head.
    Encoder,
}

/// Parts that are not trained.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrozenList(pub Vec<Frozen>);

/// Where a parameter is, as far as freezing is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before the first layer.
    Embeddings,
    /// In the layer of this index.
    Layer(usize),
    /// After the last layer, and not in the head.
    Top,
    /// In the head.
    Head,
}

impl FrozenList {
    /// Whether the parameters at `place` are frozen.
    #[must_use]
    pub fn holds(&self, place: Place) -> bool {
        self.0.iter().any(|part| match (part, place) {
            (_, Place::Head) => false,
            (Frozen::Encoder, _) | (Frozen::Embeddings, Place::Embeddings) => true,
            (Frozen::Layers(count), Place::Layer(index)) => (index as u64) < *count,
            _ => false,
        })
    }
}

impl fmt::Display for Frozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embeddings => f.write_str("embeddings"),
            Self::Layers(count) => write!(f, "layers:{count}"),
            Self::Encoder => f.write_str("encoder"),
        }
    }
}

impl From<Frozen> for String {
    fn from(part: Frozen) -> Self {
        part.to_string()
    }
}

impl TryFrom<String> for Frozen {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl FromStr for Frozen {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match (name, name.strip_prefix("layers:").map(str::parse)) {
            ("embeddings", _) => Ok(Self::Embeddings),
            ("encoder", _) => Ok(Self::Encoder),
            (_, Some(Ok(count))) => Ok(Self::Layers(count)),
            _ => Err(format!("`{name}` is none of: embeddings, layers:N (the first N), encoder, or none alone")),
        }
    }
}

/// Parts with commas between, or `none`.
impl FromStr for FrozenList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self::default());
        }
        text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_their_places_and_never_the_head() {
        let list: FrozenList = "embeddings,layers:2".parse().unwrap();
        let held = [Place::Embeddings, Place::Layer(1), Place::Layer(2), Place::Top, Place::Head];
        assert_eq!(held.map(|place| list.holds(place)), [true, true, false, false, false]);
        let all: FrozenList = "encoder".parse().unwrap();
        assert_eq!(held.map(|place| all.holds(place)), [true, true, true, true, false]);
        assert_eq!("none".parse::<FrozenList>().unwrap(), FrozenList::default());
    }

    #[test]
    fn a_file_holds_what_the_flag_says() {
        let list: FrozenList = "layers:3,embeddings".parse().unwrap();
        let text = serde_json::to_string(&list).unwrap();
        assert_eq!(text, r#"["layers:3","embeddings"]"#);
        assert_eq!(serde_json::from_str::<FrozenList>(&text).unwrap(), list);
        assert!(serde_json::from_str::<FrozenList>(r#"["layers"]"#).unwrap_err().to_string().contains("layers:N"));
    }
}
