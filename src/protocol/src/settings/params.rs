//! Groups of parameters, as penalties name them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::{EnumString, VariantNames};

/// A kind of parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ParamGroup {
    /// Matrices of layers.
    Layers,
    /// Tables of embeddings and their projection.
    Embeddings,
    /// Matrices of the pooler and the classification head.
    Head,
    /// Biases.
    Biases,
    /// Weights and biases of norms.
    Norms,
}

/// What a penalty does not act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParamGroups(pub Vec<ParamGroup>);

/// All but the matrices of layers.
impl Default for ParamGroups {
    fn default() -> Self {
        Self(vec![ParamGroup::Embeddings, ParamGroup::Head, ParamGroup::Biases, ParamGroup::Norms])
    }
}

impl ParamGroups {
    /// Whether `group` is among them.
    #[must_use]
    pub fn contains(&self, group: ParamGroup) -> bool {
        self.0.contains(&group)
    }
}

/// Names with commas between, or `none`.
impl FromStr for ParamGroups {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        let known = ParamGroup::VARIANTS.join(", ");
        let group = |name: &str| name.parse().map_err(|_| format!("`{name}` is none of: {known}, or none alone"));
        text.split(',').map(str::trim).map(group).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_reads_as_the_list_of_a_file() {
        let groups: ParamGroups = "biases, norms".parse().unwrap();
        assert_eq!(serde_json::to_string(&groups).unwrap(), r#"["biases","norms"]"#);
        assert!("none".parse::<ParamGroups>().unwrap().0.is_empty());
        let wrong = "`bias` is none of: layers, embeddings, head, biases, norms, or none alone";
        assert_eq!("norms,bias".parse::<ParamGroups>().unwrap_err(), wrong);
        let usual = ParamGroups::default();
        assert!(usual.contains(ParamGroup::Head) && !usual.contains(ParamGroup::Layers));
    }
}
