//! A setting of a sweep and its values, as `--grid` takes them.

use std::str::FromStr;

use pellucid_protocol::RawSettings;

/// A setting and the values that it takes in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Axis {
    /// The key, as in a settings file.
    pub(crate) key: String,
    /// Its values, as written.
    pub(crate) values: Vec<String>,
}

/// `KEY=A,B`, the key with `-` or `_`.
impl FromStr for Axis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, values) = text.split_once('=').ok_or_else(|| "write it as KEY=A,B".to_owned())?;
        let key = key.trim().trim_start_matches('-').replace('-', "_");
        let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
        if !RawSettings::KEYS.contains(&key.as_str()) || key == "run_dir" {
            return Err(format!("`{key}` is no setting that can be swept"));
        }
        if values.iter().any(String::is_empty) {
            return Err(format!("{key} has an empty value"));
        }
        Ok(Self { key, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_axis_is_refused() {
        for (text, part) in
            [("l1", "KEY=A,B"), ("lambda=1", "no setting"), ("l1=1,,2", "empty"), ("run-dir=a", "no setting")]
        {
            assert!(text.parse::<Axis>().unwrap_err().contains(part), "{text}");
        }
    }
}
