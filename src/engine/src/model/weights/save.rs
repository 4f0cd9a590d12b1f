//! Writes a model folder in Hugging Face layout, whole or not at all.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use half::f16;
use pellucid_intake::model_folder::member::member;
use safetensors::tensor::{Dtype, TensorView};
use tch::Device;

use super::params::FlatParams;
use crate::error::{Error, Result};
use crate::model::config::ModelConfig;

/// The files of a tokenizer, which are copied when a model is saved.
const TOKENIZER_FILES: &[&str] = &[
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

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
    /// The folder whose tokenizer is copied.
    pub tokenizer: &'a Path,
    /// How weights are stored.
    pub storage: Storage,
}

/// Writes a model folder at `target`: first under a temporary name beside it, which is synced and renamed, so that the
/// folder appears whole or not at all. A folder that is there already is replaced.
///
/// # Errors
/// What the file system says; `target` is then as it was before.
pub fn save(target: &Path, request: SaveRequest<'_>) -> Result<()> {
    let partial = beside(target, "partial");
    let told = |error: std::io::Error| Error::file(target, error);
    remove(&partial).map_err(told)?;
    fs::create_dir_all(&partial).map_err(told)?;
    if let Err(error) = fill(&partial, request) {
        // What is left of it on a full disk would only take up room.
        let _ = remove(&partial);
        return Err(error);
    }
    let old = beside(target, "old");
    remove(&old).map_err(told)?;
    if target.exists() {
        fs::rename(target, &old).map_err(told)?;
    }
    fs::rename(&partial, target).map_err(told)?;
    if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        sync(parent).map_err(told)?;
    }
    remove(&old).map_err(told)
}

fn beside(target: &Path, ending: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    target.with_file_name(name)
}

fn remove(folder: &Path) -> std::io::Result<()> {
    if folder.exists() { fs::remove_dir_all(folder) } else { Ok(()) }
}

fn sync(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

fn fill(folder: &Path, request: SaveRequest<'_>) -> Result<()> {
    let told = |error: std::io::Error| Error::file(folder, error);
    let dtype = if request.storage == Storage::F16 { "float16" } else { "float32" };
    fs::write(folder.join("config.json"), request.config.to_json(dtype)).map_err(told)?;
    let weights = folder.join("model.safetensors");
    write_weights(&weights, request.params, request.storage)?;
    for name in TOKENIZER_FILES {
        let from = member(request.tokenizer, name)?;
        if from.is_file() {
            // Not `fs::copy`, which copies the permissions too: here the umask decides who may read the file.
            let copied =
                File::open(&from).and_then(|mut from| std::io::copy(&mut from, &mut File::create(folder.join(name))?));
            copied.map_err(told)?;
        }
    }
    for entry in fs::read_dir(folder).map_err(told)? {
        sync(&entry.map_err(told)?.path()).map_err(told)?;
    }
    sync(folder).map_err(told)
}

fn write_weights(path: &Path, params: &FlatParams, storage: Storage) -> Result<()> {
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
    let dtype = if storage == Storage::F16 { Dtype::F16 } else { Dtype::F32 };
    let views: std::result::Result<Vec<_>, _> = parts
        .iter()
        .map(|(name, shape, bytes)| TensorView::new(dtype, shape.clone(), bytes).map(|v| (*name, v)))
        .collect();
    let views = views.map_err(|error| Error::file(path, error))?;
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize_to_file(views, Some(metadata), path).map_err(|error| Error::file(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::classifier::Classifier;
    use crate::model::weights::init::initialise;

    const CONFIG: &str = r#"{"model_type":"bert","vocab_size":11,"hidden_size":8,"num_hidden_layers":1,
        "num_attention_heads":2,"intermediate_size":16,"max_position_embeddings":16}"#;

    #[test]
    fn a_tokenizer_that_is_a_link_to_elsewhere_is_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        let config = ModelConfig::parse(CONFIG).unwrap();
        let params = initialise(Classifier::specs(&config.architecture, 3), 5);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("vocab.txt")).unwrap();
        let request = SaveRequest { params: &params, config: &config, tokenizer: folder.path(), storage: Storage::F32 };
        let message = save(&folder.path().join("other"), request).unwrap_err().to_string();
        assert!(message.contains("leads out of the model folder") && !folder.path().join("other").exists());
    }
}
