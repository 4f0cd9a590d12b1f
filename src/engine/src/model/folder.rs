//! Model folders in Hugging Face layout: read into parameters, written whole or not at all.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use half::f16;
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tch::{Device, Kind, Tensor};

use super::config::ModelConfig;
use super::params::{FlatParams, ParamSpec};
use crate::error::{Error, Result};

/// Files that make up a tokenizer; copied along when a model is saved.
const TOKENIZER_FILES: &[&str] = &[
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

/// Standard deviation of fresh weights, transformers' `initializer_range`.
const FRESH_DEVIATION: f64 = 0.02;

/// How weights are stored in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// 32-bit floats: exactly the weights in memory.
    F32,
    /// 16-bit floats: half the size, rounded.
    F16,
}

/// Which parameters may be made afresh when a folder does not have them.
pub type MayBeFresh = fn(&str) -> bool;

/// Loads `model.safetensors` of `folder` into parameters of the places `specs`. Places that the file
/// does not have, or has in another shape, are made afresh from `seed` where `fresh` allows, and listed.
///
/// # Errors
/// When the file is missing, damaged, or misses a place that must be there.
pub fn load(folder: &Path, specs: Vec<ParamSpec>, fresh: MayBeFresh, seed: u64) -> Result<(FlatParams, Vec<String>)> {
    let path = weights_file(folder)?;
    let bytes = fs::read(&path).map_err(|error| Error::file(&path, error))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| Error::file(&path, format!("damaged: {error}")))?;
    let known: HashMap<String, TensorView<'_>> =
        file.tensors().into_iter().map(|(name, view)| (canonical(&name), view)).collect();
    let mut params = FlatParams::zeros(specs.clone(), Device::Cpu);
    let mut made = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        match known.get(&spec.name).map(|view| read_tensor(view, spec)) {
            Some(Ok(value)) => params.set(&spec.name, &value),
            _ if fresh(&spec.name) => {
                params.set(&spec.name, &fresh_tensor(spec, seed, index));
                made.push(spec.name.clone());
            }
            Some(Err(message)) => return Err(Error::file(&path, format!("{}: {message}", spec.name))),
            None => return Err(Error::file(&path, format!("has no tensor {}", spec.name))),
        }
    }
    Ok((params, made))
}

/// Number of classes of the classification head in `folder`.
///
/// # Errors
/// When the weights cannot be read or there is no head.
pub fn classes(folder: &Path) -> Result<usize> {
    let path = weights_file(folder)?;
    let bytes = fs::read(&path).map_err(|error| Error::file(&path, error))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| Error::file(&path, format!("damaged: {error}")))?;
    let bias = file.tensor("classifier.bias");
    let headless = "is not fine-tuned: it has no classification head; train it first";
    bias.map(|view| view.shape().iter().product()).map_err(|_| Error::file(&path, headless))
}

/// Parameters of the places `specs`, all made afresh from `seed`.
#[must_use]
pub fn initialise(specs: Vec<ParamSpec>, seed: u64) -> FlatParams {
    let mut params = FlatParams::zeros(specs.clone(), Device::Cpu);
    for (index, spec) in specs.iter().enumerate() {
        params.set(&spec.name, &fresh_tensor(spec, seed, index));
    }
    params
}

fn weights_file(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("model.safetensors");
    if path.is_file() {
        return Ok(path);
    }
    let pickle = ["pytorch_model.bin", "model.pt", "pytorch_model.pt", "model.bin"]
        .iter()
        .find(|name| folder.join(name).is_file());
    Err(match pickle {
        Some(name) => Error::file(
            &folder.join(name),
            "is a pickle file, which can run code and is never opened; convert it with transformers: \
             AutoModel.from_pretrained(DIR).save_pretrained(DIR, safe_serialization=True)",
        ),
        None if folder.join("model.safetensors.index.json").is_file() => {
            Error::file(folder, "has its weights in several files; save them as one model.safetensors")
        }
        None => Error::file(folder, "has no model.safetensors"),
    })
}

/// A checkpoint's name as this program writes it: with the `bert.` prefix, norms as weight and bias.
fn canonical(name: &str) -> String {
    let name = name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias");
    let bare = ["embeddings.", "encoder.", "pooler."].iter().any(|part| name.starts_with(part));
    if bare { format!("bert.{name}") } else { name }
}

fn read_tensor(view: &TensorView<'_>, spec: &ParamSpec) -> std::result::Result<Tensor, String> {
    let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
    if shape != spec.shape {
        return Err(format!("has shape {shape:?}, not {:?}", spec.shape));
    }
    let kind = match view.dtype() {
        Dtype::F32 => Kind::Float,
        Dtype::F16 => Kind::Half,
        Dtype::BF16 => Kind::BFloat16,
        Dtype::F64 => Kind::Double,
        other => return Err(format!("has type {other:?}; supported are F32, F16, BF16, F64")),
    };
    Tensor::f_from_data_size(view.data(), &shape, kind).map_err(|error| error.to_string())
}

fn fresh_tensor(spec: &ParamSpec, seed: u64, index: usize) -> Tensor {
    let count: i64 = spec.shape.iter().product();
    let is_norm = spec.name.contains("LayerNorm");
    let values: Vec<f32> = match (spec.shape.len(), is_norm && spec.name.ends_with("weight")) {
        (1, true) => vec![1.0; count as usize],
        (1, false) => vec![0.0; count as usize],
        _ => {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(index as u64 + 1);
            (0..count).map(|_| (normal(&mut random) * FRESH_DEVIATION) as f32).collect()
        }
    };
    Tensor::from_slice(&values).view(spec.shape.as_slice())
}

/// A standard normal number (Box and Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// What to save and how.
#[derive(Debug, Clone, Copy)]
pub struct SaveRequest<'a> {
    /// The parameters.
    pub params: &'a FlatParams,
    /// The configuration, as it is to be written.
    pub config: &'a ModelConfig,
    /// Folder whose tokenizer is copied along.
    pub tokenizer: &'a Path,
    /// How weights are stored.
    pub storage: Storage,
}

/// Writes a model folder at `target`: beside it under a temporary name, synced, and then renamed, so that
/// it appears whole or not at all. A folder that is there is replaced.
///
/// # Errors
/// What the file system says; `target` is then as it was before.
pub fn save(target: &Path, request: SaveRequest<'_>) -> Result<()> {
    let partial = beside(target, "partial");
    let told = |error: std::io::Error| Error::file(target, error);
    remove(&partial).map_err(told)?;
    fs::create_dir_all(&partial).map_err(told)?;
    fill(&partial, request)?;
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
        let from = request.tokenizer.join(name);
        if from.is_file() {
            fs::copy(&from, folder.join(name)).map_err(told)?;
        }
    }
    for entry in fs::read_dir(folder).map_err(told)? {
        sync(&entry.map_err(told)?.path()).map_err(told)?;
    }
    sync(folder).map_err(told)
}

fn write_weights(path: &Path, params: &FlatParams, storage: Storage) -> Result<()> {
    // Deliberate transfer from device to host: the weights as they are now.
    let flat = Vec::<f32>::try_from(params.weights().to_device(Device::Cpu))?;
    let width = if storage == Storage::F16 { 2 } else { 4 };
    let bytes: Vec<u8> = match storage {
        Storage::F32 => flat.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Storage::F16 => flat.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect(),
    };
    let dtype = if storage == Storage::F16 { Dtype::F16 } else { Dtype::F32 };
    let views: std::result::Result<Vec<_>, _> = params
        .ranges()
        .map(|(spec, range)| {
            let shape = spec.shape.iter().map(|&size| size as usize).collect();
            let data = &bytes[range.start as usize * width..range.end as usize * width];
            TensorView::new(dtype, shape, data).map(|view| (spec.name.clone(), view))
        })
        .collect();
    let views = views.map_err(|error| Error::file(path, error))?;
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize_to_file(views, Some(metadata), path).map_err(|error| Error::file(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::classifier::Classifier;

    const CONFIG: &str = r#"{"model_type":"bert","vocab_size":11,"hidden_size":8,"num_hidden_layers":2,
        "num_attention_heads":2,"intermediate_size":16,"max_position_embeddings":16}"#;

    fn saved(folder: &Path, storage: Storage) -> (ModelConfig, FlatParams, PathBuf) {
        let config = ModelConfig::parse(CONFIG).unwrap();
        let params = initialise(Classifier::specs(&config.bert, 3), 5);
        let target = folder.join("model");
        save(&target, SaveRequest { params: &params, config: &config, tokenizer: folder, storage }).unwrap();
        (config, params, target)
    }

    fn flat(params: &FlatParams) -> Vec<f32> {
        Vec::try_from(params.weights()).unwrap()
    }

    #[test]
    fn what_is_saved_is_loaded_bit_for_bit_zeros_included() {
        let folder = tempfile::tempdir().unwrap();
        let (config, mut params, target) = saved(folder.path(), Storage::F32);
        params.set("classifier.weight", &Tensor::zeros([3, 8], (Kind::Float, Device::Cpu)));
        save(
            &target,
            SaveRequest { params: &params, config: &config, tokenizer: folder.path(), storage: Storage::F32 },
        )
        .unwrap();
        let (back, made) = load(&target, Classifier::specs(&config.bert, 3), |_| false, 0).unwrap();
        assert!(made.is_empty());
        assert_eq!(flat(&back), flat(&params));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing temporary is left");
    }

    #[test]
    fn half_precision_is_rounded_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let (config, params, target) = saved(folder.path(), Storage::F16);
        let (back, _) = load(&target, Classifier::specs(&config.bert, 3), |_| false, 0).unwrap();
        for (was, is) in flat(&params).iter().zip(flat(&back)) {
            assert!((was - is).abs() <= was.abs() * 1e-3 + 1e-7);
        }
    }

    #[test]
    fn another_head_is_made_afresh_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let (config, _, target) = saved(folder.path(), Storage::F32);
        let head: MayBeFresh = |name| name.starts_with("classifier");
        let (_, made) = load(&target, Classifier::specs(&config.bert, 5), head, 0).unwrap();
        assert_eq!(made, ["classifier.weight", "classifier.bias"].map(String::from));
        let error = load(&target, Classifier::specs(&config.bert, 5), |_| false, 0).unwrap_err().to_string();
        assert!(error.contains("classifier.weight: has shape [3, 8], not [5, 8]"), "{error}");
    }

    #[test]
    fn pickle_and_damage_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let config = ModelConfig::parse(CONFIG).unwrap();
        let refused = || load(folder.path(), Classifier::specs(&config.bert, 3), |_| true, 0).unwrap_err().to_string();
        assert!(refused().contains("has no model.safetensors"));
        fs::write(folder.path().join("pytorch_model.bin"), b"\x80\x02").unwrap();
        assert!(refused().contains("pytorch_model.bin: is a pickle file"));
        let mut lying = u64::MAX.to_le_bytes().to_vec();
        lying.extend(b"{}");
        fs::write(folder.path().join("model.safetensors"), lying).unwrap();
        assert!(refused().contains("model.safetensors: damaged"));
    }

    #[test]
    fn names_of_older_and_headless_checkpoints_are_understood() {
        assert_eq!(canonical("embeddings.LayerNorm.gamma"), "bert.embeddings.LayerNorm.weight");
        assert_eq!(canonical("bert.pooler.dense.bias"), "bert.pooler.dense.bias");
        assert_eq!(canonical("classifier.bias"), "classifier.bias");
    }
}
