//! Other names for the labels of the data.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a label is read: without the blanks around it, and as a whole number where it is one, so that `1`, `1.0` and `+1`
/// are one class. Any other text is as it is.
#[must_use]
pub fn label_as_read(written: &str) -> &str {
    let text = written.trim();
    let is_whole = |digits: &str| {
        let digits = digits.strip_prefix(['-', '+']).unwrap_or(digits);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let number = text.split_once('.').map_or(
        text,
        |(number, zeros)| {
            if zeros.bytes().all(|byte| byte == b'0') { number } else { text }
        },
    );
    match number.strip_prefix('-') {
        _ if !is_whole(number) => text,
        Some("0") => "0",
        _ => number.strip_prefix('+').unwrap_or(number),
    }
}

/// The class that each label of the data stands for, by the label as it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct LabelMap(BTreeMap<String, String>);

impl LabelMap {
    /// Labels and their classes, both as they are read.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(label, class)| (label.as_str(), class.as_str()))
    }

    /// Each label once, however it is written.
    fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut map = BTreeMap::new();
        for (label, class) in pairs {
            let (label, class) = (label_as_read(label).to_owned(), label_as_read(class).to_owned());
            if let Some(before) = map.insert(label.clone(), class.clone()) {
                return Err(format!("`{label}` cannot be both `{before}` and `{class}`"));
            }
        }
        Ok(Self(map))
    }
}

impl TryFrom<BTreeMap<String, String>> for LabelMap {
    type Error = String;

    fn try_from(map: BTreeMap<String, String>) -> Result<Self, String> {
        Self::of(map.iter().map(|(label, class)| (label.as_str(), class.as_str())))
    }
}

impl From<LabelMap> for BTreeMap<String, String> {
    fn from(map: LabelMap) -> Self {
        map.0
    }
}

/// `LABEL=CLASS,LABEL=CLASS`, or `none`.
impl FromStr for LabelMap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self::default());
        }
        let part = |part| {
            let (label, class) = str::split_once(part, '=')?;
            let (label, class) = (label.trim(), class.trim());
            (!label.is_empty() && !class.is_empty()).then_some((label, class))
        };
        let parts: Option<Vec<_>> = text.split(',').map(part).collect();
        let parts = parts.ok_or_else(|| format!("`{text}` is not LABEL=CLASS,LABEL=CLASS"))?;
        Self::of(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_one_label_however_they_are_written() {
        for (written, read) in [
            ("1.0", "1"),
            (" 1.", "1"),
            ("+1", "1"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("-2.00", "-2"),
            ("1.5", "1.5"),
            ("1.0.0", "1.0.0"),
            (".0", ".0"),
            ("a.0", "a.0"),
            ("+", "+"),
            ("+a", "+a"),
            ("01", "01"),
        ] {
            assert_eq!(label_as_read(written), read);
        }
    }

    #[test]
    fn a_map_of_a_settings_file_is_read_as_the_flag_is() {
        let map: LabelMap = serde_json::from_str(r#"{"0.0": "neg", "+1": "pos"}"#).unwrap();
        assert_eq!(map, "0=neg,1=pos".parse().unwrap());
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"0":"neg","1":"pos"}"#);
        let error = serde_json::from_str::<LabelMap>(r#"{"0": "neg", "0.0": "pos"}"#).unwrap_err().to_string();
        assert!(error.starts_with("`0` cannot be both"), "{error}");
    }

    #[test]
    fn labels_stand_for_classes() {
        let map: LabelMap = "0=negative, 1=very positive".parse().unwrap();
        assert_eq!(map.0.get("1").map(String::as_str), Some("very positive"));
        assert_eq!("0=1.0,1=1".parse::<LabelMap>().unwrap().0.into_values().collect::<Vec<_>>(), ["1", "1"]);
        for wrong in ["", "0", "0=", "=a", "0=a,,1=b", "0=a,0=b", "0=a,0.0=b"] {
            assert!(wrong.parse::<LabelMap>().is_err(), "{wrong}");
        }
    }
}
