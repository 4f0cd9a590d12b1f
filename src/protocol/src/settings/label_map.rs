//! Other names for the labels of the data.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The class that each label of the data stands for, by the label as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelMap(pub BTreeMap<String, String>);

/// `LABEL=CLASS,LABEL=CLASS`, or `none`.
impl FromStr for LabelMap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self::default());
        }
        let part = |part: &str| {
            let (label, class) = part.split_once('=').unwrap_or_default();
            let (label, class) = (label.trim(), class.trim());
            (!label.is_empty() && !class.is_empty()).then(|| (label.to_owned(), class.to_owned()))
        };
        let parts: Option<Vec<_>> = text.split(',').map(part).collect();
        let parts = parts.ok_or_else(|| format!("`{text}` is not LABEL=CLASS,LABEL=CLASS"))?;
        let mut map = BTreeMap::new();
        for (label, class) in parts {
            if let Some(before) = map.insert(label.clone(), class.clone()) {
                return Err(format!("`{label}` cannot be both `{before}` and `{class}`"));
            }
        }
        Ok(Self(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_for_classes() {
        let map: LabelMap = "0=negative, 1=very positive".parse().unwrap();
        assert_eq!(map.0.get("1").map(String::as_str), Some("very positive"));
        for wrong in ["", "0", "0=", "=a", "0=a,,1=b", "0=a,0=b"] {
            assert!(wrong.parse::<LabelMap>().is_err(), "{wrong}");
        }
    }
}
