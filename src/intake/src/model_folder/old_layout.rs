//! Folders in a layout that is imported before it is used: pickles for weights, vocabularies without `tokenizer.json`.

use std::path::{Path, PathBuf};

use pellucid_protocol::paste::quoted_path;

use crate::hub_snapshot::fetching;

/// The weights of PyTorch, which are pickles, in the order in which they are looked for.
pub const PICKLES: &[&str] =
    &["pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "pytorch_model.pt", "model.bin"];
/// The files that tokenizers were kept in before `tokenizer.json`.
pub const VOCABULARIES: &[&str] = &["vocab.txt", "vocab.json", "spm.model", "spiece.model", "sentencepiece.bpe.model"];

/// The first of these files that `folder` has.
#[must_use]
pub fn first_of(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// The command to type that makes a folder which is read of `folder`, between backquotes.
#[must_use]
pub fn import_command(folder: &Path) -> String {
    match quoted_path(folder).zip(quoted_path(Path::new(&format!("{}-imported", model_name(folder))))) {
        Some((from, to)) => format!("`pellucid import {from} {to}`"),
        None => "`pellucid import` (the path of the folder has characters that cannot be pasted)".to_owned(),
    }
}

/// What to say of a folder without `tokenizer.json`.
#[must_use]
pub fn without_tokenizer(folder: &Path) -> String {
    match first_of(folder, VOCABULARIES).as_deref().and_then(Path::file_name) {
        Some(name) => {
            let (name, command) = (name.to_string_lossy(), import_command(folder));
            format!("has no tokenizer.json, but {name}; {command} makes a folder that has one")
        }
        None => {
            let (names, fetching) = (VOCABULARIES.join(", "), fetching(folder));
            format!("has no tokenizer.json, and none of {names} to make it of{fetching}")
        }
    }
}

/// What the model in `folder` is called: the name of the folder or, in a Hugging Face cache, of the repository.
fn model_name(folder: &Path) -> String {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let snapshots = folder.parent().filter(|parent| parent.ends_with("snapshots"));
    let repository = snapshots.and_then(Path::parent).and_then(name);
    let cached = repository.as_ref().and_then(|name| name.strip_prefix("models--")?.rsplit("--").next());
    cached.map(str::to_owned).or_else(|| name(folder)).unwrap_or_else(|| "model".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_pasted_whatever_the_folder_is_called() {
        let told = |path: &str| import_command(Path::new(path));
        assert_eq!(told("/models/finbert"), "`pellucid import /models/finbert finbert-imported`");
        assert_eq!(told("/my models/it's"), "`pellucid import \"/my models/it's\" \"it's-imported\"`");
        assert_eq!(told("-rf"), "`pellucid import ./-rf ./-rf-imported`");
        let cache = "/hub/models--nlpaueb--legal-bert/snapshots/0123";
        assert_eq!(told(cache), format!("`pellucid import {cache} legal-bert-imported`"));
        assert_eq!(told("."), "`pellucid import . model-imported`");
        assert!(told("/a\nb").contains("cannot be pasted"));
    }
}
