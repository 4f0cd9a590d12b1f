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
            let (label, class) = (label_as_read(label), label_as_read(class));
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
    fn labels_stand_for_classes() {
        let map: LabelMap = "0=negative, 1=very positive".parse().unwrap();
        assert_eq!(map.0.get("1").map(String::as_str), Some("very positive"));
        assert_eq!("0=1.0,1=1".parse::<LabelMap>().unwrap().0.into_values().collect::<Vec<_>>(), ["1", "1"]);
        for wrong in ["", "0", "0=", "=a", "0=a,,1=b", "0=a,0=b", "0=a,0.0=b"] {
            assert!(wrong.parse::<LabelMap>().is_err(), "{wrong}");
        }
    }
}
