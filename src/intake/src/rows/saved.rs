//! Folders that Hugging Face datasets has saved: which files they name, in which order, and what is not read of them.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use pellucid_files::bounded;
use serde_json::Value;

use crate::error::{Error, Result};

/// The file that names the data files.
pub(super) const STATE: &str = "state.json";
/// The file that says what the columns are.
pub(super) const INFO: &str = "dataset_info.json";
/// The file that names the splits in a folder of several.
pub(super) const SPLITS: &str = "dataset_dict.json";
/// Files that are about a data set.
pub(super) const NAMES: [&str; 4] = [STATE, INFO, SPLITS, "dataset_infos.json"];

fn read(folder: &Path, name: &str) -> Result<Value> {
    let told = |error: String| Error::file(&folder.join(name), error);
    let text = bounded::read_text_in(folder, name, bounded::SETTINGS).map_err(|error| told(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| told(format!("is no JSON: {error}")))
}

/// The data files of a saved data set.
///
/// # Errors
/// When its rows or columns are a selection, and when what it names leads out of the folder.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let state = read(folder, STATE)?;
    let refused = |why: &str| Error::file(&folder.join(STATE), why);
    let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if state.get("_indices_files").is_some_and(|value| !is_empty(value)) {
        return Err(refused("selects rows of its files; call dataset.flatten_indices() before it is saved"));
    }
    let all_columns = state.get("_output_all_columns").is_some_and(|value| *value == Value::Bool(true));
    let selected = state.get("_format_columns").filter(|value| !value.is_null() && !all_columns);
    if let Some(selected) = selected
        && !names_all(selected, &read(folder, INFO)?)
    {
        return Err(refused("selects columns of its files; call dataset.reset_format() before it is saved"));
    }
    let named = state.get("_data_files").and_then(Value::as_array).filter(|files| !files.is_empty());
    let named = named.ok_or_else(|| refused("names no data files; save the data set again"))?;
    let file = |named: &Value| {
        let name = named.get("filename").and_then(Value::as_str).filter(|name| is_plain(name));
        name.map(|name| folder.join(name)).ok_or_else(|| refused("names a file that is not in its folder"))
    };
    let files: Vec<PathBuf> = named.iter().map(file).collect::<Result<_>>()?;
    let mut seen = HashSet::new();
    if !files.iter().all(|file| seen.insert(file)) {
        return Err(refused("names a file twice"));
    }
    Ok(files)
}

/// Whether `selected` names all columns: datasets writes them down when parts are joined or a column gets another type.
fn names_all(selected: &Value, info: &Value) -> bool {
    let features = info.get("features").and_then(Value::as_object).filter(|features| !features.is_empty());
    let named = |name: &String| selected.as_array().is_some_and(|all| all.iter().any(|other| other == name));
    features.is_some_and(|features| features.keys().all(named))
}

/// Whether a name leads nowhere else.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(only)), None) if only == name)
}

/// Why a folder of several splits is not read: which of them are there.
pub(super) fn refuse_splits(folder: &Path) -> Error {
    let named = match read(folder, SPLITS) {
        Ok(named) => named,
        Err(error) => return error,
    };
    let names = named.get("splits").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let there: Vec<String> = names
        .filter(|name| is_plain(name) && folder.join(name).is_dir())
        .map(|name| folder.join(name).display().to_string())
        .collect();
    let there: Vec<&str> = there.iter().map(String::as_str).collect();
    match there.is_empty() {
        true => Error::file(&folder.join(SPLITS), "names no splits that are there"),
        false => Error::file(folder, format!("is a folder of splits; name one of {}", listed(&there))),
    }
}

/// Names that are listed in a message at most.
const SHOWN: usize = 5;

/// The first of some names, and how many more there are.
pub(super) fn listed(names: &[&str]) -> String {
    let shown = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}
