//! The files of weights: which there are, and how they are written. Of all tensors, a piece of one is copied at a time.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use half::f16;
use pellucid_files::weight_names::{SINGLE, shard};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Serialize;
use tch::{Device, Tensor};

use super::Storage;
use super::split::split;
use crate::error::{Error, Result};
use crate::model::weights::params::FlatParams;
use crate::model::weights::provenance::Checksum;

/// Numbers of a tensor that are copied at once.
const PIECE: i64 = 1 << 20;

/// The tensors of a model and the files that they go into.
pub(super) struct WeightFiles<'a> {
    storage: Storage,
    /// By their names.
    tensors: Vec<(&'a str, Tensor)>,
    /// Name of each file, and the places of its tensors in `tensors`, rising.
    files: Vec<(String, Vec<usize>)>,
}

/// The checksums of what was written.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// Of all weights.
    pub(super) weights: String,
    /// Of the weights in each file, if there are several.
    pub(super) shards: BTreeMap<String, String>,
}

/// `model.safetensors.index.json`, with the keys in the order of the alphabet as transformers writes them.
#[derive(Serialize)]
struct Index<'a> {
    metadata: Totals,
    weight_map: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Totals {
    total_parameters: u64,
    total_size: u64,
}

/// A file that is being written.
struct Part {
    path: PathBuf,
    file: File,
    sum: Checksum,
}

impl<'a> WeightFiles<'a> {
    /// The files of `params`, with tensors of at most `largest` bytes in each.
    pub(super) fn of(params: &'a FlatParams, storage: Storage, largest: u64) -> Self {
        let mut tensors: Vec<_> = params.stored().into_iter().collect();
        tensors.sort_unstable_by_key(|(name, _)| *name);
        let sizes: Vec<u64> = tensors.iter().map(|(_, tensor)| storage.bytes(tensor)).collect();
        let groups = split(&sizes, largest);
        let count = groups.len();
        let name = |number| if count > 1 { shard(number, count) } else { SINGLE.to_owned() };
        let files = groups.into_iter().enumerate().map(|(index, group)| (name(index + 1), group)).collect();
        Self { storage, tensors, files }
    }

    /// The place in `files` of the file of each tensor.
    fn numbers(&self) -> Vec<usize> {
        let mut numbers = vec![0; self.tensors.len()];
        for (number, (_, group)) in self.files.iter().enumerate() {
            group.iter().for_each(|&at| numbers[at] = number);
        }
        numbers
    }

    /// The text of the index; `None` if all are in one file.
    ///
    /// # Errors
    /// Never in fact: names and numbers are always JSON.
    pub(super) fn index(&self) -> Result<Option<String>> {
        if self.files.len() < 2 {
            return Ok(None);
        }
        let sum = |of: &dyn Fn(&Tensor) -> u64| self.tensors.iter().map(|(_, tensor)| of(tensor)).sum();
        let metadata = Totals {
            total_parameters: sum(&|tensor| tensor.numel() as u64),
            total_size: sum(&|tensor| self.storage.bytes(tensor)),
        };
        let file = |number: usize| self.files[number].0.as_str();
        let weight_map = self.tensors.iter().zip(self.numbers()).map(|((name, _), at)| (*name, file(at))).collect();
        let text = serde_json::to_string_pretty(&Index { metadata, weight_map });
        text.map(|text| Some(text + "\n")).map_err(|error| Error::Refused(error.to_string()))
    }

    /// Writes the files into `folder`, where there are none of these names.
    ///
    /// # Errors
    /// What the file system says.
    pub(super) fn write(&self, folder: &Path) -> Result<Sums> {
        let mut parts: Vec<Part> = self.files.iter().map(|file| self.begun(folder, file)).collect::<Result<_>>()?;
        // In the order of their names, which is that of the checksum and that in each file.
        let mut all = Checksum::default();
        for ((name, tensor), number) in self.tensors.iter().zip(self.numbers()) {
            let part = &mut parts[number];
            let length = self.storage.bytes(tensor);
            all.begin(name, length);
            part.sum.begin(name, length);
            for piece in pieces(tensor) {
                let bytes = self.storage.stored(&piece?);
                all.go_on(&bytes);
                part.sum.go_on(&bytes);
                part.write(&bytes)?;
            }
        }
        let names = self.files.iter().map(|(name, _)| name.clone());
        let shards = names.zip(parts).filter(|_| self.files.len() > 1).map(|(name, part)| (name, part.sum.finish()));
        Ok(Sums { weights: all.finish(), shards: shards.collect() })
    }

    /// A file with its header.
    fn begun(&self, folder: &Path, (name, group): &(String, Vec<usize>)) -> Result<Part> {
        let path = folder.join(name);
        let mut end = 0;
        let info = |&at: &usize| {
            let (name, tensor) = &self.tensors[at];
            let start = end;
            end += self.storage.bytes(tensor) as usize;
            let shape = tensor.size().iter().map(|&size| size as usize).collect();
            let info = TensorInfo { dtype: self.storage.dtype(), shape, data_offsets: (start, end) };
            ((*name).to_owned(), info)
        };
        let tensors = group.iter().map(info).collect();
        let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let told = |error: &dyn ToString| Error::file(&path, error.to_string());
        let metadata = Metadata::new(Some(about), tensors).map_err(|error| told(&error))?;
        let mut header = serde_json::to_vec(&metadata).map_err(|error| told(&error))?;
        // Tensors begin where numbers of any size may.
        header.resize(header.len().next_multiple_of(8), b' ');
        let file = File::create_new(&path).map_err(|error| told(&error))?;
        let mut part = Part { path, file, sum: Checksum::default() };
        part.write(&(header.len() as u64).to_le_bytes())?;
        part.write(&header)?;
        Ok(part)
    }
}

impl Part {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error: io::Error| Error::file(&self.path, error))
    }
}

impl Storage {
    fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
        }
    }

    /// Bytes that a tensor is stored in.
    fn bytes(self, tensor: &Tensor) -> u64 {
        (tensor.numel() * self.dtype().bitsize() / 8) as u64
    }

    /// Numbers as they are stored, little-endian.
    fn stored(self, numbers: &[f32]) -> Vec<u8> {
        match self {
            Self::F32 => numbers.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::F16 => numbers.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect(),
        }
    }
}

/// The numbers of a tensor, row by row.
fn pieces(tensor: &Tensor) -> impl Iterator<Item = Result<Vec<f32>>> {
    let flat = tensor.contiguous().view([-1]);
    let count = flat.numel() as i64;
    (0..count).step_by(PIECE as usize).map(move |start| {
        // Deliberate transfer from device to host: the weights as they are now.
        let piece = flat.narrow(0, start, PIECE.min(count - start)).to_device(Device::Cpu);
        Ok(Vec::try_from(piece)?)
    })
}
