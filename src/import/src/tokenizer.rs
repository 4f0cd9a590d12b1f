//! `tokenizer.json`, made of the files that tokenizers were kept in before it, as transformers converts them.
//!
//! ```text
//! class ──▶ word_piece, byte_bpe, sentence_piece ──▶ Converted ──▶ files
//!                 │                       └── spm_file, merges
//!                 ├── casing      lower case or not
//!                 └── special     special tokens ──▶ settings   tokenizer_config.json and its like ──▶ added_token
//! ```

mod added_token;
mod byte_bpe;
mod casing;
mod class;
mod existing;
mod merges;
mod sentence_piece;
mod settings;
mod special;
mod spm_file;
mod template;
mod vocabulary;
mod word_piece;

use std::io;
use std::path::{Path, PathBuf};

use pellucid_files::{bounded, regular};
use pellucid_intake::error::{Error, Result};
use pellucid_intake::model_folder::member::{member, read_text};
use serde_json::{Map, Value, json};

use crate::brief::quoted;
pub use casing::Casing;
use casing::Said;
use class::{Class, Model};
use settings::TokenizerSettings;
use special::SpecialTokens;

/// The files of a tokenizer, as they are to be written.
#[derive(Debug)]
pub struct Made {
    /// Each file: its name and what it holds.
    pub files: Vec<(String, Vec<u8>)>,
    /// The files that were read.
    pub read: Vec<PathBuf>,
    /// What was found and decided, for people.
    pub notes: Vec<String>,
}

/// A tokenizer as it was converted.
#[derive(Debug)]
struct Converted {
    tokens: SpecialTokens,
    model: Value,
    normalizer: Value,
    pre_tokenizer: Value,
    post_processor: Value,
    decoder: Value,
    /// What `tokenizer_config.json` says of it besides.
    flags: Vec<(&'static str, Value)>,
    notes: Vec<String>,
}

/// What a tokenizer is converted from.
struct Origin<'a> {
    folder: &'a Path,
    class: &'static Class,
    settings: &'a TokenizerSettings,
    config: &'a Map<String, Value>,
    casing: Option<Casing>,
}

/// Whether `folder` has the files of a tokenizer of this class.
pub(crate) fn fits(folder: &Path, class: &str) -> bool {
    class::find(class).is_some_and(|class| class.files.iter().all(|name| folder.join(name).is_file()))
}

/// The files of the tokenizer of `folder`, whose model has this configuration. `usual` is the class of the family's
/// tokenizers.
///
/// # Errors
/// When there is none, it cannot be read, or its class is not converted.
pub fn make(folder: &Path, config: &Map<String, Value>, usual: &str, casing: Option<Casing>) -> Result<Made> {
    let settings = TokenizerSettings::read(folder)?;
    if folder.join(existing::FILE).exists() {
        return existing::kept(folder, &settings, casing);
    }
    let refused = |why: String| Error::file(folder, why);
    let named = settings.class().or_else(|| config.get("tokenizer_class").and_then(Value::as_str));
    let name = named.unwrap_or(usual).trim_end_matches("Fast");
    let class = class::find(name).ok_or_else(|| {
        let remedy = "AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)";
        refused(format!("has a tokenizer of the class {}, which is not converted; make its tokenizer.json with transformers: {remedy}", quoted(name)))
    })?;
    if let Some(missing) = class.files.iter().find(|name| !folder.join(name).is_file()) {
        check_kind(&folder.join(missing))?;
        return Err(refused(format!("has no tokenizer.json, and no {missing} to make one of")));
    }
    if casing.is_some() && !class.model.lowers_by_default() {
        let file = class.files.first().copied().unwrap_or_default();
        return Err(refused(format!(
            "has a tokenizer of {file}, which has one casing; leave --cased and --uncased out"
        )));
    }
    let origin = Origin { folder, class, settings: &settings, config, casing };
    let converted = match class.model {
        Model::WordPiece { between } => word_piece::convert(&origin, between)?,
        Model::ByteBpe { .. } => byte_bpe::convert(&origin)?,
        Model::SentencePiece(kind) => sentence_piece::convert(&origin, kind)?,
    };
    origin.files(converted)
}

/// Says what is at `path`, if something is that is no file.
fn check_kind(path: &Path) -> Result<()> {
    match (path.symlink_metadata(), regular::open_named(path)) {
        (Err(_), _) | (_, Ok(_)) => Ok(()),
        (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::file(path, "is a link to nothing; put the file itself there"))
        }
        (_, Err(error)) => Err(Error::file(path, error)),
    }
}

impl Origin<'_> {
    /// Reads a file of the folder.
    fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        let path = member(self.folder, name)?;
        bounded::read(&path, bounded::TOKENIZER).map_err(|error| Error::file(&path, error))
    }

    /// Reads a file of the folder, as text.
    fn text(&self, name: &str) -> Result<String> {
        read_text(self.folder, name, bounded::TOKENIZER)
    }

    /// An error about a file of the folder.
    fn refused(&self, name: &str, why: impl ToString) -> Error {
        Error::file(&self.folder.join(name), why)
    }

    /// What `tokenizer_config.json` says under `key`; `usual` if it says nothing.
    fn flag(&self, key: &str, usual: bool) -> Result<bool> {
        Ok(self.settings.flag(key).map_err(|why| self.refused(settings::FILE, why))?.unwrap_or(usual))
    }

    /// What the folder and the user say of the casing: `do_lower_case`, today in `tokenizer_config.json` and once in
    /// `config.json`.
    fn said_casing(&self) -> Result<Said> {
        let said = self.settings.flag("do_lower_case").map_err(|why| self.refused(settings::FILE, why))?;
        let in_config = || self.config.get("do_lower_case").and_then(Value::as_bool).map(|flag| (flag, "config.json"));
        Ok(Said { folder: said.map(|flag| (flag, settings::FILE)).or_else(in_config), asked: self.casing })
    }

    /// Rows of the table of word embeddings.
    fn embeddings(&self) -> u64 {
        self.config.get("vocab_size").and_then(Value::as_u64).unwrap_or(0)
    }

    fn files(&self, converted: Converted) -> Result<Made> {
        let mut read = self.settings.files(self.folder);
        for name in self.class.files {
            read.push(member(self.folder, name)?);
        }
        let mut notes = vec![format!("tokenizer.json: made of {}", self.class.files.join(" and "))];
        let settings = self.config_file(&converted);
        let Converted { tokens, model, normalizer, pre_tokenizer, post_processor, decoder, notes: more, .. } =
            converted;
        notes.extend(more);
        notes.extend(tokens.notes().iter().cloned());
        let tokenizer = json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": tokens.listed(),
            "normalizer": normalizer,
            "pre_tokenizer": pre_tokenizer,
            "post_processor": post_processor,
            "decoder": decoder,
            "model": model,
        });
        let files = vec![
            (existing::FILE.to_owned(), format!("{tokenizer}\n").into_bytes()),
            (settings::FILE.to_owned(), format!("{settings:#}\n").into_bytes()),
        ];
        Ok(Made { files, read, notes })
    }

    /// The `tokenizer_config.json` of a converted tokenizer.
    fn config_file(&self, converted: &Converted) -> Value {
        let (tokens, mut keys) = (&converted.tokens, self.settings.kept());
        keys.insert("tokenizer_class".to_owned(), json!(self.class.name));
        for (key, value) in &converted.flags {
            keys.insert((*key).to_owned(), value.clone());
        }
        for (key, content) in tokens.roles() {
            keys.insert(key.to_owned(), json!(content));
        }
        if !tokens.additional().is_empty() {
            keys.insert("additional_special_tokens".to_owned(), json!(tokens.additional()));
        }
        keys.insert("added_tokens_decoder".to_owned(), tokens.decoder());
        Value::Object(keys)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn refusal(folder: &Path) -> String {
        make(folder, &Map::new(), "BertTokenizer", None).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_file_is_said() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("vocab.txt");
        assert!(refusal(place.path()).ends_with("and no vocab.txt to make one of"));
        fs::create_dir(&path).unwrap();
        assert!(refusal(place.path()).ends_with("vocab.txt: is a folder"));
        fs::remove_dir(&path).unwrap();
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert!(refusal(place.path()).ends_with("vocab.txt: is no regular file"));
        fs::remove_file(&path).unwrap();
        symlink("nowhere", &path).unwrap();
        assert!(refusal(place.path()).contains("vocab.txt: is a link to nothing"));
    }

    #[test]
    fn a_missing_token_is_refused_where_transformers_would_give_it_the_id_of_another() {
        let place = tempfile::tempdir().unwrap();
        let config = |rows: u64| json!({"vocab_size": rows}).as_object().unwrap().clone();
        let made = |rows| make(place.path(), &config(rows), "BertTokenizer", None).map(|_| ());
        // transformers 4.57.1 gives [MASK] the id 5, which is that of the second `a`.
        fs::write(place.path().join("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\na\n").unwrap();
        let why = made(6).unwrap_err().to_string();
        assert!(why.contains("lacks the token \"[MASK]\"") && why.contains("5 tokens have ids up to 5"), "{why}");
        fs::write(place.path().join("vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n").unwrap();
        made(6).unwrap();
    }
}
