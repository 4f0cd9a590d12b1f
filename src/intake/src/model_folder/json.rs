//! Reads JSON that Python has written, which may have numbers that are none.

use serde::de::DeserializeOwned;

/// What Python writes for numbers that JSON does not have.
const NO_NUMBERS: &[&str] = &["-Infinity", "Infinity", "NaN"];
/// Characters of a key that are shown.
const SHOWN: usize = 60;

/// Reads `text`.
///
/// # Errors
/// What is wrong with it and where, in one line.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| no_number(text, &error).unwrap_or_else(|| error.to_string()))
}

/// What to say of `error` if it is that of a number which JSON does not have.
fn no_number(text: &str, error: &serde_json::Error) -> Option<String> {
    let line = text.split('\n').nth(error.line().checked_sub(1)?)?;
    // The error is found at the first letter that no number has.
    let places = error.column().saturating_sub(2)..=error.column();
    let named = |start: usize| {
        let rest = line.get(start..)?;
        NO_NUMBERS.iter().find(|name| rest.starts_with(**name)).map(|name| (start, *name))
    };
    let (start, name) = places.into_iter().find_map(named)?;
    let before = &line[..start];
    let column = before.chars().count() + 1;
    let key = before.trim_end().strip_suffix(':').and_then(|before| before.trim_end().strip_suffix('"'));
    let key = key.and_then(|before| before.rsplit('"').next()).map(|key| key.chars().take(SHOWN).collect::<String>());
    let key = key.map_or_else(String::new, |key| format!("{key:?} is {name}: "));
    Some(format!("{key}{name} is no JSON number at line {} column {column}; write a number or null", error.line()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    fn told(text: &str) -> String {
        parse::<Map<String, Value>>(text).unwrap_err()
    }

    #[test]
    fn numbers_that_are_none_are_named_with_their_key() {
        let rest = "is no JSON number at line 1 column 6; write a number or null";
        assert_eq!(told("{\"a\":NaN}"), format!("\"a\" is NaN: NaN {rest}"));
        assert_eq!(told("{\"a\":Infinity}"), format!("\"a\" is Infinity: Infinity {rest}"));
        assert_eq!(told("{\"a\":-Infinity}"), format!("\"a\" is -Infinity: -Infinity {rest}"));
        let told_of_two = told("{\n  \"\u{e9}\": 1, \"eps\" : NaN\n}");
        assert!(
            told_of_two.starts_with("\"eps\" is NaN: ") && told_of_two.contains("line 2 column 19"),
            "{told_of_two}"
        );
        let in_list = told("{\"a\":[1, NaN]}");
        assert!(in_list.starts_with("NaN is no JSON number at line 1 column 10"), "{in_list}");
        for text in ["{\"NaN\":nil}", "{\"a\":1", "[]", "", "{\"a\":-\u{e9}}", "{\"NaN\"\u{e9}"] {
            assert!(!told(text).contains("no JSON number"), "{text}");
        }
    }
}
