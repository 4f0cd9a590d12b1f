//! The weights of a folder, whatever they are stored in, and how they are written as one safetensors file.

mod names;
mod written;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pellucid_intake::error::{Error, Result};
use pellucid_intake::model_folder::member::member;
use pellucid_intake::model_folder::old_layout::{PICKLES, first_of};
use pellucid_intake::model_folder::weights::ModelWeights;
use pellucid_intake::model_folder::weights::index::ShardIndex;
use safetensors::tensor::Dtype;

use crate::checkpoint::{Checkpoint, Container};
use crate::pickle::TensorView;

/// What the name of a file of pickles ends with.
const ENDING: &str = ".bin";

/// The weights of a folder.
#[derive(Debug)]
pub(crate) struct Weights {
    source: Source,
    tensors: Vec<Tensor>,
    notes: Vec<String>,
}

#[derive(Debug)]
enum Source {
    Pickles { files: Vec<Checkpoint>, index: Option<PathBuf> },
    Safetensors(ModelWeights),
}

/// A tensor by its name in the new file.
#[derive(Debug)]
struct Tensor {
    name: String,
    dtype: Dtype,
    shape: Vec<u64>,
    place: Place,
}

/// Where a tensor is stored.
#[derive(Debug)]
enum Place {
    /// In the file of pickles of this number.
    Pickle(usize, TensorView),
    /// Under this name.
    Safetensors(String),
}

impl Weights {
    /// Opens the weights of `folder`: as safetensors where there are such, else as pickles.
    ///
    /// # Errors
    /// When there are none, or they are refused.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let pickle = first_of(folder, PICKLES);
        if ModelWeights::are_in(folder) {
            let mut weights = Self::safetensors(ModelWeights::open(folder)?)?;
            if let Some(name) = pickle.as_deref().and_then(Path::file_name) {
                let name = name.to_string_lossy();
                weights.notes.push(format!("{name} was not opened: the folder has safetensors, which come first"));
            }
            return Ok(weights);
        }
        let Some(path) = pickle else {
            let looked = PICKLES.join(", ");
            return Err(Error::file(folder, format!("has no weights: none of model.safetensors, {looked}")));
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = member(folder, &name)?;
        if name.ends_with(".json") {
            Self::shards(folder, path)
        } else {
            Self::pickles(vec![Checkpoint::open(&path)?], None)
        }
    }

    fn safetensors(weights: ModelWeights) -> Result<Self> {
        let tensor = |name: &str| {
            let (dtype, shape) = weights.info(name)?;
            let shape = shape.iter().map(|size| size.unsigned_abs()).collect();
            Some(Tensor { name: name.to_owned(), dtype, shape, place: Place::Safetensors(name.to_owned()) })
        };
        let tensors = weights.names().filter_map(tensor).collect();
        Self::renamed(Source::Safetensors(weights), tensors)
    }

    fn shards(folder: &Path, path: PathBuf) -> Result<Self> {
        let index = ShardIndex::read(&path, ENDING)?;
        let mut files = Vec::new();
        for shard in index.shards() {
            let place = member(folder, shard)?;
            if !place.exists() {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                return Err(Error::file(&place, format!("is missing, but {name} names it")));
            }
            let file = Checkpoint::open(&place)?;
            let found: Vec<String> = file.tensors().map(|(name, _)| name.to_owned()).collect();
            index.check(shard, &found).map_err(|message| Error::file(&place, message))?;
            files.push(file);
        }
        Self::pickles(files, Some(path))
    }

    fn pickles(files: Vec<Checkpoint>, index: Option<PathBuf>) -> Result<Self> {
        let of_file = |(number, file): (usize, &Checkpoint)| {
            let tensor = move |(name, view): (&str, &TensorView)| Tensor {
                name: name.to_owned(),
                dtype: view.storage.dtype,
                shape: view.shape.clone(),
                place: Place::Pickle(number, view.clone()),
            };
            file.tensors().map(tensor).collect::<Vec<_>>()
        };
        let tensors = files.iter().enumerate().flat_map(of_file).collect();
        Self::renamed(Source::Pickles { files, index }, tensors)
    }

    fn renamed(source: Source, mut tensors: Vec<Tensor>) -> Result<Self> {
        let mut weights = Self { source, tensors: Vec::new(), notes: Vec::new() };
        let renamed = names::modern(tensors.iter_mut().map(|tensor| &mut tensor.name));
        weights.notes = renamed.map_err(|message| Error::file(weights.path(), message))?;
        if tensors.is_empty() {
            return Err(Error::file(weights.path(), "holds no tensors"));
        }
        weights.tensors = tensors;
        Ok(weights)
    }

    /// The file that stands for all.
    pub(crate) fn path(&self) -> &Path {
        match &self.source {
            Source::Safetensors(weights) => weights.path(),
            Source::Pickles { index: Some(index), .. } => index,
            Source::Pickles { files, .. } => files.first().map_or(Path::new(""), Checkpoint::path),
        }
    }

    /// All files that were read.
    pub(crate) fn files(&self) -> Vec<&Path> {
        let mut files: Vec<&Path> = match &self.source {
            Source::Safetensors(weights) => weights.files().collect(),
            Source::Pickles { files, .. } => files.iter().map(Checkpoint::path).collect(),
        };
        if !files.contains(&self.path()) {
            files.push(self.path());
        }
        files
    }

    /// How the files are stored, if they are pickles, and the names that these ask for.
    pub(crate) fn pickled(&self) -> Option<(Container, BTreeSet<String>)> {
        let Source::Pickles { files, .. } = &self.source else { return None };
        let globals = files.iter().flat_map(|file| file.globals().clone()).collect();
        files.first().map(|file| (file.container(), globals))
    }

    /// What was changed or passed over, for people.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How many tensors there are.
    pub(crate) fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Names of the tensors.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.iter().map(|tensor| tensor.name.as_str())
    }

    /// The shape of a tensor.
    pub(crate) fn shape(&self, name: &str) -> Option<&[u64]> {
        self.tensors.iter().find(|tensor| tensor.name == name).map(|tensor| tensor.shape.as_slice())
    }
}
