//! What Hugging Face datasets says of its columns: the names of the classes that numbers stand for.

use std::collections::HashMap;

use serde_json::Value;

/// The key of what datasets says in the metadata of a file.
pub(super) const KEY: &str = "huggingface";
/// Levels of lists around a class at most.
const DEEPEST: usize = 8;

/// The names of classes by the column that has them.
pub(super) type Classes = HashMap<String, Vec<String>>;

/// The classes in the metadata of a file; `{"info": {"features": {..}}}`.
///
/// # Errors
/// When it is not what datasets writes.
pub(super) fn of_metadata(json: &str) -> Result<Classes, String> {
    let said: Value =
        serde_json::from_str(json).map_err(|error| format!("its `{KEY}` metadata is no JSON: {error}"))?;
    of_features(said.pointer("/info/features").unwrap_or(&Value::Null))
}

/// The classes in a `dataset_info.json`; `{"features": {..}}`.
///
/// # Errors
/// When it is not what datasets writes.
pub(super) fn of_info(json: &str) -> Result<Classes, String> {
    let said: Value = serde_json::from_str(json).map_err(|error| format!("is no JSON: {error}"))?;
    of_features(said.get("features").unwrap_or(&Value::Null))
}

/// The classes among `features`.
fn of_features(features: &Value) -> Result<Classes, String> {
    let mut classes = Classes::new();
    for (column, feature) in features.as_object().into_iter().flatten() {
        if let Some(names) = names(feature, DEEPEST) {
            let names =
                names.as_array().map(|names| names.iter().map(|name| name.as_str().map(str::to_owned)).collect());
            let names: Option<Vec<String>> = names.unwrap_or_default();
            classes.insert(column.clone(), names.ok_or_else(|| format!("the classes of `{column}` have no names"))?);
        }
    }
    Ok(classes)
}

/// The names of a feature that is a class, or a list of classes.
fn names(feature: &Value, deepest: usize) -> Option<&Value> {
    let inner = match feature {
        Value::Array(items) => items.first(),
        feature if feature.get("_type").is_some_and(|kind| kind == "ClassLabel") => {
            return feature.get("names").filter(|names| !names.is_null());
        }
        feature => feature.get("feature"),
    };
    deepest.checked_sub(1).and_then(|deepest| names(inner?, deepest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_found_in_what_datasets_writes() {
        let json = r#"{"info":{"features":{"text":{"dtype":"string","_type":"Value"},
            "label":{"names":["neg","pos"],"_type":"ClassLabel"},"number":{"num_classes":3,"_type":"ClassLabel"},
            "tags":{"feature":{"names":["a"],"_type":"ClassLabel"},"_type":"Sequence"},
            "old":[{"names":["b"],"_type":"ClassLabel"}]}}}"#;
        let classes = of_metadata(json).unwrap();
        assert_eq!((classes.len(), classes["label"].join(" ")), (3, "neg pos".to_owned()));
        assert_eq!((&classes["tags"][0], &classes["old"][0]), (&"a".to_owned(), &"b".to_owned()));
        assert!(of_metadata("{}").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_name_is_refused() {
        assert!(of_metadata("{").unwrap_err().starts_with("its `huggingface` metadata is no JSON"));
        let numbers = r#"{"info":{"features":{"label":{"names":[1],"_type":"ClassLabel"}}}}"#;
        assert_eq!(of_metadata(numbers).unwrap_err(), "the classes of `label` have no names");
    }
}
