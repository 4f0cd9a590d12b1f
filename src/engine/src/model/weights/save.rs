//! Writes a model folder in Hugging Face layout, whole or not at all.
//!
//! ```text
//! config.json, the files of the tokenizer
//! model.safetensors                 the weights, or where they are larger than one file is to be:
//!   model-00001-of-00002.safetensors, ...
//!   model.safetensors.index.json    which tensor is in which
//! pellucid.json                     the mark of this program: without it no folder is ever replaced
//! ```

mod split;
mod written;

use std::borrow::Cow;
use std::fs::{self, File};
use std::path::Path;

use pellucid_files::bounded;
use pellucid_files::weight_names::INDEX;
use pellucid_intake::model_folder::place::DraftFolder;
use pellucid_intake::model_folder::tokenizer_files::TokenizerFiles;

use self::written::WeightFiles;
use super::params::FlatParams;
use super::provenance::{self, CheckpointOf, Checksum, Provenance};
use crate::error::{Error, Result};
use crate::model::config::ModelConfig;

/// Bytes of the tensors in one file, at most, as transformers 4.57 does it if it is not told otherwise.
pub const LARGEST_FILE: u64 = 5_000_000_000;

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
    save_in_files(target, request, LARGEST_FILE)
}

/// As [`save`], with tensors of at most `largest` bytes in one file.
///
/// # Errors
/// As [`save`].
pub fn save_in_files(target: &Path, request: SaveRequest<'_>, largest: u64) -> Result<()> {
    let draft = DraftFolder::of(target)?;
    fill(draft.path(), request, largest)?;
    Ok(draft.finish()?)
}

fn sync(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

fn fill(folder: &Path, request: SaveRequest<'_>, largest: u64) -> Result<()> {
    let told = |error: std::io::Error| Error::file(folder, error);
    let weights = WeightFiles::of(request.params, request.storage, largest);
    let files = small_files(request, &weights)?;
    let sums = weights.write(folder)?;
    let sum = |(name, content): &NamedContent<'_>| ((*name).to_owned(), Checksum::of(content));
    let said = Provenance::new(sums.weights, request.checkpoint.cloned());
    let said = Provenance { shards: sums.shards, files: files.iter().map(sum).collect(), ..said };
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
fn small_files<'a>(request: SaveRequest<'a>, weights: &WeightFiles<'_>) -> Result<Vec<NamedContent<'a>>> {
    let dtype = if request.storage == Storage::F16 { "float16" } else { "float32" };
    let config = ("config.json", Cow::Owned(request.config.to_json(dtype).into_bytes()));
    let tokenizer = request.tokenizer.iter().map(|(name, content)| (name, Cow::Borrowed(content)));
    let index = weights.index()?.map(|text| (INDEX, Cow::Owned(text.into_bytes())));
    Ok([config].into_iter().chain(index).chain(tokenizer).collect())
}

/// Opens the folder again that was saved at `target`, and compares it with what was to be saved.
///
/// # Errors
/// When something cannot be read or is not what was to be written.
pub fn check_saved(target: &Path, request: SaveRequest<'_>) -> Result<()> {
    check_files(target, request, LARGEST_FILE)
}

/// As [`check_saved`], of what [`save_in_files`] has saved.
fn check_files(target: &Path, request: SaveRequest<'_>, largest: u64) -> Result<()> {
    let Some(_) = provenance::checked(target)?.filter(|said| said.checkpoint.as_ref() == request.checkpoint) else {
        return Err(Error::file(&target.join(provenance::NAME), "is not what was just written"));
    };
    for (name, content) in small_files(request, &WeightFiles::of(request.params, request.storage, largest))? {
        let path = target.join(name);
        let read = bounded::read_in(target, name, bounded::TOKENIZER).map_err(|error| Error::file(&path, error))?;
        if read != *content {
            return Err(Error::file(&path, "is not what was just written"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};
    use std::path::PathBuf;

    use pellucid_files::weight_names::{SINGLE, is_of_weights, shard};
    use pellucid_intake::model_folder::place::remove_saved;
    use safetensors::tensor::{Dtype, TensorView};

    use super::*;
    use crate::model::classifier::Classifier;
    use crate::model::weights::init::initialise;

    const CONFIG: &str = r#"{"model_type":"bert","vocab_size":11,"hidden_size":8,"num_hidden_layers":1,
        "num_attention_heads":2,"intermediate_size":16,"max_position_embeddings":16}"#;

    /// A model in a folder that has a tokenizer, and `saved`, where it is saved.
    struct Place {
        folder: tempfile::TempDir,
        config: ModelConfig,
        params: FlatParams,
        tokenizer: TokenizerFiles,
        of: CheckpointOf,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
            let config = ModelConfig::parse(CONFIG).unwrap();
            let params = initialise(Classifier::specs(&config.architecture, 3), 5);
            let tokenizer = TokenizerFiles::read(folder.path()).unwrap();
            Self { folder, config, params, tokenizer, of: CheckpointOf::default() }
        }

        fn target(&self) -> PathBuf {
            self.folder.path().join("saved")
        }

        fn request(&self) -> SaveRequest<'_> {
            SaveRequest {
                params: &self.params,
                config: &self.config,
                tokenizer: &self.tokenizer,
                storage: Storage::F32,
                checkpoint: Some(&self.of),
            }
        }

        /// Names of the files with weights.
        fn weights(&self) -> Vec<String> {
            let entries = fs::read_dir(self.target()).unwrap().map(|entry| entry.unwrap().file_name());
            let names = entries.map(|name| name.into_string().unwrap()).filter(|name| is_of_weights(name));
            names.collect::<BTreeSet<_>>().into_iter().collect()
        }

        /// Whether any change of a file, and its absence, is found in the folder and told with its name.
        fn every_change_of_is_found(&self, names: &[String], largest: u64) {
            check_files(&self.target(), self.request(), largest).unwrap();
            let refused = || check_files(&self.target(), self.request(), largest).unwrap_err().to_string();
            for name in names {
                let path = self.target().join(name);
                let whole = fs::read(&path).unwrap();
                let mut changed = whole.clone();
                *changed.last_mut().unwrap() ^= 1;
                fs::write(&path, changed).unwrap();
                assert!(refused().contains(name), "{}", refused());
                fs::remove_file(&path).unwrap();
                let is_said = refused().contains(name) || name == "pellucid.json";
                assert!(is_said && refused().lines().count() == 1, "{}", refused());
                fs::write(&path, whole).unwrap();
            }
            check_files(&self.target(), self.request(), largest).unwrap();
        }
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_was_saved_is_opened_again_and_every_other_byte_is_found() {
        let place = Place::new();
        let (target, request) = (place.target(), place.request());
        save(&target, request).unwrap();
        check_saved(&target, request).unwrap();
        let other = CheckpointOf { step: 1, ..place.of.clone() };
        check_saved(&target, SaveRequest { checkpoint: Some(&other), ..request }).unwrap_err();
        assert_eq!(place.weights(), ["model.safetensors"]);
        let names = owned(&["config.json", "tokenizer.json", "model.safetensors", "pellucid.json"]);
        place.every_change_of_is_found(&names, LARGEST_FILE);
    }

    #[test]
    fn one_file_is_what_safetensors_writes() {
        let place = Place::new();
        for (storage, dtype) in [(Storage::F32, Dtype::F32), (Storage::F16, Dtype::F16)] {
            save(&place.target(), SaveRequest { storage, ..place.request() }).unwrap();
            let stored = place.params.stored();
            let tensor = |(name, tensor): (&&str, &tch::Tensor)| {
                let shape = tensor.size().iter().map(|&size| size as usize).collect();
                let numbers = Vec::<f32>::try_from(tensor.contiguous().view([-1])).unwrap();
                let bytes: Vec<u8> = match storage {
                    Storage::F32 => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
                    Storage::F16 => numbers.iter().flat_map(|&n| half::f16::from_f32(n).to_le_bytes()).collect(),
                };
                ((*name).to_owned(), shape, bytes)
            };
            let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = stored.iter().map(tensor).collect();
            let views = tensors
                .iter()
                .map(|(name, shape, bytes)| (name, TensorView::new(dtype, shape.clone(), bytes.as_slice()).unwrap()));
            let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
            let expected = safetensors::serialize(views, Some(about)).unwrap();
            assert!(fs::read(place.target().join("model.safetensors")).unwrap() == expected);
        }
    }

    #[test]
    fn weights_that_are_too_large_for_a_file_are_in_several() {
        let place = Place::new();
        // Two of the tensors have 512 bytes.
        save_in_files(&place.target(), place.request(), 500).unwrap();
        let shards: Vec<String> = (1..=9).map(|number| shard(number, 9)).collect();
        assert_eq!(place.weights()[..9], shards);
        assert_eq!(place.weights()[9..], [INDEX]);
        let index: serde_json::Value = serde_json::from_slice(&fs::read(place.target().join(INDEX)).unwrap()).unwrap();
        let (map, totals) = (index["weight_map"].as_object().unwrap(), &index["metadata"]);
        assert_eq!(map.len(), place.params.stored().len());
        assert_eq!(totals["total_parameters"], place.params.len());
        assert_eq!(totals["total_size"], 4 * place.params.len());
        let bytes = |name: &str| fs::metadata(place.target().join(name)).unwrap().len();
        assert!(shards.iter().all(|name| bytes(name) < 2000), "a header and a few tensors");
        let beside = owned(&["config.json", "tokenizer.json", INDEX, "pellucid.json"]);
        place.every_change_of_is_found(&[shards, beside].concat(), 500);
    }

    #[test]
    fn a_file_of_other_weights_is_named() {
        let place = Place::new();
        save_in_files(&place.target(), place.request(), 500).unwrap();
        for name in [shard(8, 8), shard(3, 6), SINGLE.to_owned()] {
            let path = place.target().join(&name);
            fs::copy(place.target().join(shard(1, 9)), &path).unwrap();
            let message = check_files(&place.target(), place.request(), 500).unwrap_err().to_string();
            assert!(message.lines().count() == 1, "{message}");
            // One file comes before several, whoever reads the folder.
            let found = if name == SINGLE { "is not of the weights" } else { name.as_str() };
            assert!(message.contains(found), "{message}");
            fs::remove_file(path).unwrap();
        }
        save(&place.target(), place.request()).unwrap();
        fs::write(place.target().join(INDEX), "{}").unwrap();
        let message = check_saved(&place.target(), place.request()).unwrap_err().to_string();
        assert!(message.contains("index.json: is not of the weights that were saved with pellucid.json"), "{message}");
    }

    #[test]
    fn a_folder_is_replaced_with_all_its_files_or_not_at_all() {
        let place = Place::new();
        for largest in [500, LARGEST_FILE, 300, 500] {
            save_in_files(&place.target(), place.request(), largest).unwrap();
            check_files(&place.target(), place.request(), largest).unwrap();
        }
        assert_eq!(place.weights().len(), 10);
        fs::write(place.target().join("model-mine.safetensors"), "precious").unwrap();
        let message = save(&place.target(), place.request()).unwrap_err().to_string();
        assert!(message.contains("holds model-mine.safetensors"), "{message}");
        fs::remove_file(place.target().join("model-mine.safetensors")).unwrap();
        check_files(&place.target(), place.request(), 500).unwrap();
        assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 2, "nothing temporary is left");
        remove_saved(&place.target(), &[]).unwrap();
        assert!(!place.target().exists());
    }
}
