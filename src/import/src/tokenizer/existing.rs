//! A `tokenizer.json` that is there already: it is kept, with the files beside it.

use std::path::Path;

use pellucid_files::bounded;
use pellucid_intake::error::{Error, Result};
use pellucid_intake::model_folder::member::read_text;
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use serde_json::{Value, json};

use super::settings::{self, TokenizerSettings};
use super::{Casing, Made};

/// The file.
pub(super) const FILE: &str = "tokenizer.json";

/// The files of the tokenizer as they are. Where `tokenizer_config.json` is missing, transformers would make texts lower
/// case whatever `tokenizer.json` does; then one is added that says what it does.
///
/// # Errors
/// When they cannot be read, or `tokenizer.json` does something else than `tokenizer_config.json` or the user says.
pub(super) fn kept(folder: &Path, settings: &TokenizerSettings, casing: Option<Casing>) -> Result<Made> {
    let refused = |why: String| Error::file(&folder.join(FILE), why);
    let text = read_text(folder, FILE, bounded::TOKENIZER)?;
    let tokenizer: Value = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    let lower = lowercases(&tokenizer);
    let said = settings.flag("do_lower_case").map_err(|why| Error::file(&folder.join(settings::FILE), why))?;
    if let Some((lower, said)) = lower.zip(said).filter(|(lower, said)| lower != said) {
        return Err(refused(format!(
            "has lowercase {lower}, but {} says do_lower_case {said}; correct one of them",
            settings::FILE
        )));
    }
    let asked = casing.map(|casing| casing == Casing::Uncased);
    if let Some(asked) = asked.filter(|asked| Some(*asked) != lower) {
        let does =
            lower.map_or_else(|| "says nothing of lower case".to_owned(), |lower| format!("has lowercase {lower}"));
        let flag = if asked { "--uncased" } else { "--cased" };
        return Err(refused(format!("{does}, and is kept as it is; leave {flag} out")));
    }
    let files = TokenizerFiles::read(folder)?;
    let mut made = Made {
        files: files.iter().map(|(name, content)| (name.to_owned(), content.to_vec())).collect(),
        read: files.iter().map(|(name, _)| folder.join(name)).collect(),
        notes: vec![format!("{FILE}: kept as it is")],
    };
    if let Some(lower) = lower.filter(|_| !settings.has_file()) {
        let content = format!("{:#}\n", json!({"do_lower_case": lower}));
        made.files.push((settings::FILE.to_owned(), content.into_bytes()));
        made.notes.push(format!("{}: added, with do_lower_case {lower}, as {FILE} does", settings::FILE));
    }
    Ok(made)
}

/// Whether a tokenizer like BERT's makes texts lower case; `None` if it is none.
fn lowercases(tokenizer: &Value) -> Option<bool> {
    let normalizer = tokenizer.get("normalizer")?;
    let is_bert = normalizer.get("type").and_then(Value::as_str) == Some("BertNormalizer");
    normalizer.get("lowercase").and_then(Value::as_bool).filter(|_| is_bert)
}
