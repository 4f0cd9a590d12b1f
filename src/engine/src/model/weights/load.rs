//! Reads the weights of a model folder into parameters.

use std::collections::HashMap;
use std::path::Path;

use pellucid_intake::model_folder::weights::ModelWeights;
use safetensors::tensor::Dtype;
use tch::{Device, Kind, Tensor};

use super::init::initial;
use super::params::{FlatParams, check_memory};
use super::provenance;
use super::spec::ParamSpec;
use crate::error::{Error, Result};
use crate::host::is_finite;
use crate::model::architecture::Architecture;
use crate::model::architecture::names::Names;

/// Which parameters may be initialised when a folder does not have them.
pub type MayBeFresh<'a> = &'a dyn Fn(&ParamSpec) -> bool;

/// Parameters from a folder.
#[derive(Debug)]
pub struct Loaded {
    /// The parameters.
    pub params: FlatParams,
    /// Names of those that the folder did not have, initialised from the seed.
    pub fresh: Vec<String>,
}

/// Loads the weights of `folder` into the parameters `specs`. Parameters that the folder does not have, or has in
/// another shape, are initialised from `seed` where `fresh` allows it, and listed.
///
/// # Errors
/// When weights are missing or damaged, or disagree with `config.json`: the message then lists all tensors that are
/// missing, stored twice, of another shape, or of a layer that the configuration does not have; also when they are not
/// those that pellucid saved there. No memory is reserved
/// before everything fits.
pub fn load(folder: &Path, names: &Names, specs: Vec<ParamSpec>, fresh: MayBeFresh<'_>, seed: u64) -> Result<Loaded> {
    provenance::checked(folder)?;
    let weights = ModelWeights::open(folder)?;
    let known = StoredTensors::of(&weights, names.prefix);
    let mut wrong = surplus_layers(names, &specs, known.names.keys());
    let mut made = Vec::new();
    for spec in &specs {
        match known.check(spec) {
            Ok(()) => {}
            Err(_) if fresh(spec) && !known.is_ambiguous(spec) => made.push(spec.name.clone()),
            Err(messages) => wrong.extend(messages),
        }
    }
    if !wrong.is_empty() {
        return Err(disagreement(weights.path(), &wrong));
    }
    check_memory(&specs).map_err(|message| Error::file(folder, message))?;
    let mut params = FlatParams::zeros(specs.clone(), Device::Cpu);
    for (index, spec) in specs.iter().enumerate() {
        let value = if made.contains(&spec.name) { initial(spec, seed, index) } else { known.read(spec)? };
        params.set(&spec.name, &value);
    }
    Ok(Loaded { params, fresh: made })
}

/// The tensors of a folder by their [`canonical`] names.
struct StoredTensors<'a> {
    weights: &'a ModelWeights,
    prefix: &'a str,
    /// More than one name where a tensor is stored under an old and a new name, or with and without the prefix.
    names: HashMap<String, Vec<&'a str>>,
}

impl<'a> StoredTensors<'a> {
    fn of(weights: &'a ModelWeights, prefix: &'a str) -> Self {
        let mut names = HashMap::<String, Vec<&str>>::new();
        weights.names().for_each(|name| names.entry(canonical(name, prefix)).or_default().push(name));
        Self { weights, prefix, names }
    }

    /// The name under which a tensor is stored.
    fn stored(&self, name: &str) -> std::result::Result<&'a str, String> {
        match self.names.get(&canonical(name, self.prefix)).map(Vec::as_slice) {
            Some(&[stored]) => Ok(stored),
            Some(several) => Err(format!("is stored {} times, also under another name", several.len())),
            None => Err("is missing".to_owned()),
        }
    }

    /// What is wrong with the stored tensors of a parameter, judging by the headers alone.
    fn check(&self, spec: &ParamSpec) -> std::result::Result<(), Vec<String>> {
        let wrong: Vec<String> = spec
            .stored
            .iter()
            .filter_map(|part| {
                let fault = self.fault(&part.name, &spec.stored_shape(part)).err()?;
                Some(format!("{} {fault}", part.name))
            })
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Whether one of its tensors is stored more than once.
    fn is_ambiguous(&self, spec: &ParamSpec) -> bool {
        let names = |name: &str| self.names.get(&canonical(name, self.prefix)).map_or(0, Vec::len);
        spec.stored.iter().any(|part| names(&part.name) > 1)
    }

    fn fault(&self, name: &str, expected: &[i64]) -> std::result::Result<(), String> {
        let (dtype, shape) = self.weights.info(self.stored(name)?).ok_or("is missing")?;
        if shape != expected {
            return Err(format!("has shape {shape:?}, not {expected:?}"));
        }
        kind(dtype).map(|_| ())
    }

    /// The value of a parameter that was checked.
    fn read(&self, spec: &ParamSpec) -> Result<Tensor> {
        let told = |message: String| Error::file(self.weights.path(), message);
        let mut parts = Vec::new();
        for part in &spec.stored {
            let name = self.stored(&part.name).map_err(told)?;
            let dtype = self.weights.info(name).map_or(Dtype::F32, |(dtype, _)| dtype);
            let kind = kind(dtype).map_err(told)?;
            let value = Tensor::f_from_data_size(&self.weights.bytes(name)?, &spec.stored_shape(part), kind)?;
            let value = as_floats(&value).map_err(|why| told(format!("the tensor {name} holds {why}")))?;
            parts.push(if part.transposed { value.tr() } else { value });
        }
        Ok(Tensor::cat(&parts, 0))
    }
}

/// The numbers of `value` as 32-bit floats; or what it holds that is none.
fn as_floats(value: &Tensor) -> std::result::Result<Tensor, &'static str> {
    let floats = value.to_kind(Kind::Float);
    match holds_numbers(&floats) {
        true => Ok(floats),
        false if is_finite(value) => Err("numbers that are too large for 32-bit floats, in which models are computed"),
        false => Err("NaN or infinite numbers; no answer rests on such weights"),
    }
}

/// Whether no number is NaN or infinite. The sum tells it of nearly all tensors in one pass; it overflows only for
/// enormous numbers, which are looked at one by one.
fn holds_numbers(value: &Tensor) -> bool {
    value.sum(Kind::Float).double_value(&[]).is_finite() || is_finite(value)
}

fn kind(dtype: Dtype) -> std::result::Result<Kind, String> {
    match dtype {
        Dtype::F32 => Ok(Kind::Float),
        Dtype::F16 => Ok(Kind::Half),
        Dtype::BF16 => Ok(Kind::BFloat16),
        Dtype::F64 => Ok(Kind::Double),
        other => Err(format!("has type {other:?}; supported are F32, F16, BF16, F64")),
    }
}

/// Faults that a message names one by one.
const NAMED: usize = 6;

fn disagreement(path: &Path, wrong: &[String]) -> Error {
    let more = wrong.len().saturating_sub(NAMED);
    let mut message = format!("does not fit config.json: {}", wrong[..wrong.len().min(NAMED)].join("; "));
    if more > 0 {
        message.push_str(&format!("; and {more} more"));
    }
    Error::file(path, message)
}

/// What is wrong with tensors of layers that the configuration does not have.
fn surplus_layers<'a>(names: &Names, specs: &[ParamSpec], known: impl Iterator<Item = &'a String>) -> Vec<String> {
    let layers = specs.iter().filter_map(|spec| spec.layer).max().map_or(0, |last| last + 1);
    let first = names.out_proj.split('#').next().unwrap_or("");
    let number = |name: &String| name.strip_prefix(first)?.split('.').next()?.parse::<usize>().ok();
    let mut numbers: Vec<usize> = known.filter_map(number).filter(|&number| number >= layers).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let told = |number: usize| format!("has tensors of layer {number}, but num_hidden_layers is {layers}");
    numbers.into_iter().map(told).collect()
}

/// The weights of the last layer of a classification head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutLayer {
    /// Their name.
    pub name: String,
    /// `[outputs, hidden]`; one output or more.
    pub shape: Vec<i64>,
}

/// The last layer of the classification head in `folder`.
///
/// # Errors
/// When the weights cannot be read or there is no head.
pub fn out_layer(folder: &Path, architecture: &Architecture) -> Result<OutLayer> {
    let name = format!("{}.weight", architecture.head.out);
    let out = ModelWeights::open(folder)?.info(&name);
    let shape = out.map(|(_, shape)| shape).filter(|shape| shape.first().is_some_and(|&outputs| outputs > 0));
    shape.map(|shape| OutLayer { name, shape }).ok_or_else(|| Error::file(folder, HEADLESS))
}

/// The message for a folder without a classification head.
const HEADLESS: &str = "is not fine-tuned: it has no classification head; train it first";

/// A tensor's name as it is compared: without the prefix, and with `weight` and `bias` in norms that older checkpoints
/// call `gamma` and `beta`.
fn canonical(name: &str, prefix: &str) -> String {
    let bare = name.strip_prefix(prefix).unwrap_or(name);
    bare.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;

    use super::provenance::NAME;
    use super::*;
    use crate::model::classifier::Classifier;
    use crate::model::config::ModelConfig;
    use crate::model::weights::init::initialise;
    use crate::model::weights::save::{SaveRequest, Storage, save, save_in_files};

    const CONFIG: &str = r#"{"model_type":"bert","vocab_size":11,"hidden_size":8,"num_hidden_layers":2,
        "num_attention_heads":2,"intermediate_size":16,"max_position_embeddings":16}"#;

    fn saved(folder: &Path, storage: Storage) -> (ModelConfig, FlatParams, PathBuf) {
        let config = ModelConfig::parse(CONFIG).unwrap();
        let params = initialise(Classifier::specs(&config.architecture, 3), 5);
        let target = folder.join("model");
        save_again(folder, &params, &config, storage);
        (config, params, target)
    }

    fn save_again(folder: &Path, params: &FlatParams, config: &ModelConfig, storage: Storage) {
        let tokenizer = &TokenizerFiles::read(folder).unwrap();
        let request = SaveRequest { params, config, tokenizer, storage, checkpoint: None };
        save(&folder.join("model"), request).unwrap();
    }

    fn again(config: &ModelConfig, folder: &Path, classes: i64, fresh: MayBeFresh<'_>) -> Result<Loaded> {
        let architecture = &config.architecture;
        load(folder, &architecture.names, Classifier::specs(architecture, classes), fresh, 0)
    }

    fn flat(params: &FlatParams) -> Vec<f32> {
        Vec::try_from(params.weights()).unwrap()
    }

    #[test]
    fn what_is_saved_is_loaded_bit_for_bit_zeros_included() {
        let folder = tempfile::tempdir().unwrap();
        let (config, mut params, target) = saved(folder.path(), Storage::F32);
        params.set("classifier.weight", &Tensor::zeros([3, 8], (Kind::Float, Device::Cpu)));
        save_again(folder.path(), &params, &config, Storage::F32);
        let back = again(&config, &target, 3, &|_| false).unwrap();
        assert!(back.fresh.is_empty());
        assert_eq!(flat(&back.params), flat(&params));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing temporary is left");
    }

    #[test]
    fn a_tensor_that_holds_no_numbers_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (config, mut params, target) = saved(folder.path(), Storage::F32);
        let name = "bert.encoder.layer.1.attention.output.dense.bias";
        let told = |params: &FlatParams| {
            save_again(folder.path(), params, &config, Storage::F32);
            again(&config, &target, 3, &|_| true).map(|_| ()).map_err(|error| error.to_string())
        };
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = [0.5f32; 8];
            values[5] = bad;
            params.set(name, &Tensor::from_slice(&values));
            let message = told(&params).unwrap_err();
            assert!(
                message.contains(&format!("model.safetensors: the tensor {name} holds NaN or infinite")),
                "{message}"
            );
        }
        params.set(name, &Tensor::from_slice(&[3e38f32; 8]));
        assert_eq!(told(&params), Ok(()), "the sum is infinite, and no number of it");
    }

    #[test]
    fn numbers_of_64_bits_that_are_too_large_are_told_from_infinite_ones() {
        let told = |number: f64| as_floats(&Tensor::from_slice(&[0.5, number])).map(|_| ());
        assert_eq!(told(3e38), Ok(()));
        assert!(told(1e300).unwrap_err().starts_with("numbers that are too large for 32-bit floats"));
        assert!(told(f64::INFINITY).unwrap_err().starts_with("NaN or infinite numbers"));
    }

    #[test]
    fn half_precision_is_rounded_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let (config, params, target) = saved(folder.path(), Storage::F16);
        let back = again(&config, &target, 3, &|_| false).unwrap();
        for (was, is) in flat(&params).iter().zip(flat(&back.params)) {
            assert!((was - is).abs() <= was.abs() * 1e-3 + 1e-7);
        }
    }

    #[test]
    fn another_head_is_made_afresh_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let (config, _, target) = saved(folder.path(), Storage::F32);
        let back = again(&config, &target, 5, &|spec| spec.name.starts_with("classifier")).unwrap();
        assert_eq!(back.fresh, ["classifier.weight", "classifier.bias"].map(String::from));
        let error = again(&config, &target, 5, &|_| false).unwrap_err().to_string();
        assert!(error.contains("classifier.weight has shape [3, 8], not [5, 8]; classifier.bias has shape"), "{error}");
    }

    #[test]
    fn all_that_does_not_fit_the_configuration_is_listed() {
        let folder = tempfile::tempdir().unwrap();
        let (_, _, target) = saved(folder.path(), Storage::F32);
        let told = |from: &str, to: &str| {
            let config = ModelConfig::parse(&CONFIG.replace(from, to)).unwrap();
            again(&config, &target, 3, &|_| false).unwrap_err().to_string()
        };
        let fewer = told("\"num_hidden_layers\":2", "\"num_hidden_layers\":1");
        assert!(fewer.contains("has tensors of layer 1, but num_hidden_layers is 1"), "{fewer}");
        let more = told("\"num_hidden_layers\":2", "\"num_hidden_layers\":3");
        let first = "bert.encoder.layer.2.attention.self.query.weight is missing; ";
        assert!(more.contains(first) && more.contains("; and 10 more"), "{more}");
    }

    #[test]
    fn damage_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let config = ModelConfig::parse(CONFIG).unwrap();
        let refused = || again(&config, folder.path(), 3, &|_| true).unwrap_err().to_string();
        assert!(refused().contains("has no model.safetensors"));
        let mut lying = u64::MAX.to_le_bytes().to_vec();
        lying.extend(b"{}");
        fs::write(folder.path().join("model.safetensors"), lying).unwrap();
        assert!(refused().contains("model.safetensors: damaged"));
    }

    /// Saves the tensors of `target` anew in two files with an index, after `change` has been at their names, as another
    /// program might; without the mark of this one.
    fn shard(target: &Path, change: impl Fn(&str) -> String) {
        let bytes = fs::read(target.join("model.safetensors")).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut names = tensors.names();
        names.sort_unstable();
        let mut map = serde_json::Map::new();
        for (number, part) in names.chunks(names.len().div_ceil(2)).enumerate() {
            let file = format!("model-0000{}-of-00002.safetensors", number + 1);
            let views = part.iter().map(|name| (change(name), tensors.tensor(name).unwrap()));
            safetensors::serialize_to_file(views, None, &target.join(&file)).unwrap();
            map.extend(part.iter().map(|name| (change(name), file.clone().into())));
        }
        fs::remove_file(target.join("model.safetensors")).unwrap();
        fs::remove_file(target.join(NAME)).unwrap();
        let index = serde_json::json!({ "weight_map": map });
        fs::write(target.join("model.safetensors.index.json"), index.to_string()).unwrap();
    }

    #[test]
    fn weights_from_several_files_are_those_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let (config, params, target) = saved(folder.path(), Storage::F32);
        shard(&target, str::to_owned);
        assert_eq!(flat(&again(&config, &target, 3, &|_| false).unwrap().params), flat(&params));
        assert_eq!(out_layer(&target, &config.architecture).unwrap().shape, [3, 8]);
        fs::remove_file(target.join("model-00002-of-00002.safetensors")).unwrap();
        let message = again(&config, &target, 3, &|_| true).unwrap_err().to_string();
        assert!(message.contains("model-00002-of-00002.safetensors: is missing"), "{message}");
    }

    #[test]
    fn what_is_saved_in_several_files_is_loaded_bit_for_bit_and_a_changed_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (config, params, target) = saved(folder.path(), Storage::F32);
        let tokenizer = &TokenizerFiles::read(folder.path()).unwrap();
        let request =
            SaveRequest { params: &params, config: &config, tokenizer, storage: Storage::F32, checkpoint: None };
        save_in_files(&target, request, 1000).unwrap();
        assert!(!target.join("model.safetensors").exists());
        let bits = |params: &FlatParams| flat(params).iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&again(&config, &target, 3, &|_| false).unwrap().params), bits(&params));
        let part = ModelWeights::open(&target).unwrap().files().nth(2).unwrap().to_owned();
        let mut bytes = fs::read(&part).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&part, bytes).unwrap();
        let message = again(&config, &target, 3, &|_| false).unwrap_err().to_string();
        let expected = format!("{}: are not the weights that were saved with pellucid.json", part.display());
        assert!(message.starts_with(&expected), "{message}");
    }

    #[test]
    fn a_tensor_under_two_names_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (config, _, target) = saved(folder.path(), Storage::F32);
        shard(&target, |name| name.replace("bert.pooler.dense.bias", "pooler.dense.bias"));
        assert!(again(&config, &target, 3, &|_| false).is_ok());
        let [old, new] = ["classifier.weight", "bert.classifier.weight"];
        let both = |name: &str| if name == "classifier.bias" { new.to_owned() } else { name.to_owned() };
        // It is not replaced: it has no mark.
        fs::remove_dir_all(target).unwrap();
        let (config, _, target) = saved(folder.path(), Storage::F32);
        shard(&target, both);
        let message = again(&config, &target, 3, &|_| true).unwrap_err().to_string();
        assert!(message.contains(&format!("{old} is stored 2 times, also under another name")), "{message}");
    }

    #[test]
    fn a_configuration_of_no_machine_is_refused_by_the_header() {
        let folder = tempfile::tempdir().unwrap();
        let (_, _, target) = saved(folder.path(), Storage::F32);
        let config = ModelConfig::parse(&CONFIG.replace("\"vocab_size\":11", "\"vocab_size\":16000000")).unwrap();
        let message = again(&config, &target, 3, &|_| false).unwrap_err().to_string();
        assert!(message.contains("word_embeddings.weight has shape [11, 8], not [16000000, 8]"), "{message}");
    }

    #[test]
    fn names_of_older_and_headless_checkpoints_are_understood() {
        assert_eq!(canonical("bert.embeddings.LayerNorm.gamma", "bert."), "embeddings.LayerNorm.weight");
        assert_eq!(canonical("pooler.dense.bias", "bert."), "pooler.dense.bias");
        assert_eq!(canonical("classifier.bias", "bert."), "classifier.bias");
    }
}
