//! Writes a model folder in Hugging Face layout, whole or not at all.
//!
//! ```text
//! config.json, model.safetensors, the files of the tokenizer
//! pellucid.json                     the mark of this program: without it no folder is ever replaced
//! ```

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

use half::f16;
use pellucid_files::bounded;
use pellucid_intake::model_folder::place::DraftFolder;
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;
use safetensors::tensor::{Dtype, TensorView};
use tch::Device;

use super::params::FlatParams;
use super::provenance::{self, CheckpointOf, Checksum, Provenance};
use crate::error::{Error, Result};
use crate::model::config::ModelConfig;

/// How weights are stored in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// 32-bit floats: exactly the weights in memory.
    F32,
    /// 16-bit floats: half the size, rounded.
    F16,
}

/// What to save and how.
#[derive(Debug, Clone, Copy)]
pub struct SaveRequest<'a> {
    /// The parameters.
    pub params: &'a FlatParams,
    /// The configuration to write.
    pub config: &'a ModelConfig,
    /// The files of its tokenizer.
    pub tokenizer: &'a TokenizerFiles,
    /// How weights are stored.
    pub storage: Storage,
    /// Of which run and step it is, if it is a checkpoint.
    pub checkpoint: Option<&'a CheckpointOf>,
}

/// Writes a model folder at `target`: first under a temporary name beside it, which is synced and renamed, so that the
/// folder appears whole or not at all. An empty folder, or one that this program has written, is replaced.
///
/// # Errors
/// When something else is at `target`, and what the file system says; `target` is then as it was before.
pub fn save(target: &Path, request: SaveRequest<'_>) -> Result<()> {
    let draft = DraftFolder::of(target)?;
    fill(draft.path(), request)?;
    Ok(draft.finish()?)
}

fn sync(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

fn fill(folder: &Path, request: SaveRequest<'_>) -> Result<()> {
    let told = |error: std::io::Error| Error::file(folder, error);
    let weights = write_weights(&folder.join(provenance::WEIGHTS), request.params, request.storage)?;
    let files = small_files(request);
    let sum = |(name, content): &NamedContent<'_>| ((*name).to_owned(), Checksum::of(content));
    let said = Provenance::new(weights, request.checkpoint.cloned());
    let said = Provenance { files: files.iter().map(sum).collect(), ..said };
    let mark = serde_json::to_string(&said).map_err(|error| Error::Refused(error.to_string()))? + "\n";
    let mark = (provenance::NAME, Cow::Owned(mark.into_bytes()));
    for (name, content) in files.into_iter().chain([mark]) {
        fs::write(folder.join(name), content).map_err(told)?;
    }
    for entry in fs::read_dir(folder).map_err(told)? {
        sync(&entry.map_err(told)?.path()).map_err(told)?;
    }
    sync(folder).map_err(told)
}

/// The name of a file and what it holds.
type NamedContent<'a> = (&'static str, Cow<'a, [u8]>);

/// The files beside the weights.
fn small_files(request: SaveRequest<'_>) -> Vec<NamedContent<'_>> {
    let dtype = if request.storage == Storage::F16 { "float16" } else { "float32" };
    let config = ("config.json", Cow::Owned(request.config.to_json(dtype).into_bytes()));
    let tokenizer = request.tokenizer.iter().map(|(name, content)| (name, Cow::Borrowed(content)));
    [config].into_iter().chain(tokenizer).collect()
}

/// Opens the folder again that was saved at `target`, and compares it with what was to be saved.
///
/// # Errors
/// When something cannot be read or is not what was to be written.
pub fn check_saved(target: &Path, request: SaveRequest<'_>) -> Result<()> {
    let Some(_) = provenance::checked(target)?.filter(|said| said.checkpoint.as_ref() == request.checkpoint) else {
        return Err(Error::file(&target.join(provenance::NAME), "is not what was just written"));
    };
    for (name, content) in small_files(request) {
        let path = target.join(name);
        let read = bounded::read_in(target, name, bounded::TOKENIZER).map_err(|error| Error::file(&path, error))?;
        if read != *content {
            return Err(Error::file(&path, "is not what was just written"));
        }
    }
    Ok(())
}

/// Writes the weights and gives their checksum.
fn write_weights(path: &Path, params: &FlatParams, storage: Storage) -> Result<String> {
    let mut parts = Vec::new();
    for (name, tensor) in params.stored() {
        let shape: Vec<usize> = tensor.size().iter().map(|&size| size as usize).collect();
        // Deliberate transfer from device to host: the weights as they are now.
        let flat = Vec::<f32>::try_from(tensor.to_device(Device::Cpu).contiguous().view([-1]))?;
        let bytes: Vec<u8> = match storage {
            Storage::F32 => flat.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Storage::F16 => flat.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect(),
        };
        parts.push((name, shape, bytes));
    }
    parts.sort_by_key(|(name, ..)| *name);
    let mut sum = Checksum::default();
    parts.iter().for_each(|(name, _, bytes)| sum.add(name, bytes));
    let dtype = if storage == Storage::F16 { Dtype::F16 } else { Dtype::F32 };
    let views: std::result::Result<Vec<_>, _> = parts
        .iter()
        .map(|(name, shape, bytes)| TensorView::new(dtype, shape.clone(), bytes).map(|v| (*name, v)))
        .collect();
    let views = views.map_err(|error| Error::file(path, error))?;
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize_to_file(views, Some(metadata), path).map_err(|error| Error::file(path, error))?;
    Ok(sum.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::classifier::Classifier;
    use crate::model::weights::init::initialise;

    const CONFIG: &str = r#"{"model_type":"bert","vocab_size":11,"hidden_size":8,"num_hidden_layers":1,
        "num_attention_heads":2,"intermediate_size":16,"max_position_embeddings":16}"#;

    #[test]
    fn what_was_saved_is_opened_again_and_every_other_byte_is_found() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("saved");
        fs::write(place.path().join("tokenizer.json"), "{}").unwrap();
        let config = ModelConfig::parse(CONFIG).unwrap();
        let params = initialise(Classifier::specs(&config.architecture, 3), 5);
        let (tokenizer, of) = (TokenizerFiles::read(place.path()).unwrap(), CheckpointOf::default());
        let request = SaveRequest {
            params: &params,
            config: &config,
            tokenizer: &tokenizer,
            storage: Storage::F32,
            checkpoint: Some(&of),
        };
        save(&target, request).unwrap();
        check_saved(&target, request).unwrap();
        let other = CheckpointOf { step: 1, ..of.clone() };
        check_saved(&target, SaveRequest { checkpoint: Some(&other), ..request }).unwrap_err();
        for name in ["config.json", "tokenizer.json", "model.safetensors", "pellucid.json"] {
            let path = target.join(name);
            let whole = fs::read(&path).unwrap();
            let mut changed = whole.clone();
            *changed.last_mut().unwrap() ^= 1;
            fs::write(&path, changed).unwrap();
            let message = check_saved(&target, request).unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
            fs::remove_file(&path).unwrap();
            check_saved(&target, request).unwrap_err();
            fs::write(&path, whole).unwrap();
        }
        check_saved(&target, request).unwrap();
    }
}
