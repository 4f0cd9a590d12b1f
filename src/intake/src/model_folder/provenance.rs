//! What a saved model folder says of itself, in `pellucid.json`: which weights it was saved with, and of which run and
//! step they are. Other programs do not read the file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crc_fast::{CrcAlgorithm, Digest};
use pellucid_files::bounded;
use pellucid_files::weight_names::{self, is_of_weights};
use pellucid_protocol::settings::Windows;
use pellucid_protocol::settings::reading::ColumnNames;
use serde::{Deserialize, Serialize};

use super::weights::ModelWeights;
use super::weights_file::WeightsFile;
use crate::error::{Error, Result};

/// The name of the file.
pub const NAME: &str = "pellucid.json";
/// The name of the file that says what an imported folder was made of.
pub const IMPORTED: &str = "pellucid-import.json";
const PROGRAM: &str = "pellucid";

/// What a saved model folder says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The program that saved it, and its version. Without this no folder is ever replaced.
    pub written_by: String,
    /// Checksum of the weights; empty while the folder is being written.
    #[serde(default)]
    pub weights: String,
    /// Checksum of the weights in each file, by its name, if they are in several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shards: BTreeMap<String, String>,
    /// [`Checksum`] of each file beside the weights, by its name; empty in folders of earlier versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Of which run and step they are, if the folder is a checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<CheckpointOf>,
}

/// What a checkpoint is a checkpoint of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointOf {
    /// The id of the run, as in its `started` event.
    pub run: String,
    /// Steps done.
    pub step: u64,
    /// Hash of the settings that the run was started with.
    pub settings: String,
    /// Which columns of the training data were for what.
    #[serde(default)]
    pub columns: ColumnNames,
    /// The most tokens of a text that were read; `None` for a checkpoint of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// How texts were read that are longer; `None` if they were cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
}

impl CheckpointOf {
    /// Why this is not the checkpoint of `step` of `run`; `None` if it is.
    #[must_use]
    pub fn mismatch(&self, run: &str, step: u64) -> Option<String> {
        let whose = if self.run == run { "this run" } else { "another run" };
        (self.run != run || self.step != step).then(|| format!("holds the weights of step {} of {whose}", self.step))
    }
}

impl Provenance {
    /// Of weights with this checksum, saved by this program.
    #[must_use]
    pub fn new(weights: String, checkpoint: Option<CheckpointOf>) -> Self {
        Self {
            written_by: format!("{PROGRAM} {}", env!("CARGO_PKG_VERSION")),
            weights,
            shards: BTreeMap::new(),
            files: BTreeMap::new(),
            checkpoint,
        }
    }

    /// The files beside the weights in `folder` that are not as they were saved.
    #[must_use]
    pub fn changed_files(&self, folder: &Path) -> Vec<&str> {
        let is_changed = |(name, sum): &(&String, &String)| {
            let read = bounded::read_in(folder, name.as_str(), bounded::TOKENIZER);
            read.map_or(true, |content| Checksum::of(&content) != **sum)
        };
        self.files.iter().filter(is_changed).map(|(name, _)| name.as_str()).collect()
    }

    /// Whether this program has saved it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.written_by.split(' ').next() == Some(PROGRAM)
    }

    /// That of `folder`; `None` if it has none, because another program or an earlier version saved it.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn of(folder: &Path) -> Result<Option<Self>> {
        let told = |why: String| Error::file(&folder.join(NAME), why);
        match bounded::read_in(folder, NAME, bounded::SETTINGS) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| told(error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(told(error.to_string())),
        }
    }
}

/// The file of the weights that it speaks of, if they are in one.
pub const WEIGHTS: &str = weight_names::SINGLE;

/// As [`Provenance::of`], after the weights in `folder` were compared with it.
///
/// # Errors
/// As [`Provenance::of`], and when the weights are missing, damaged or other ones, or beside files of other weights; the
/// message names the file of which that is so, if they are in several.
pub fn checked(folder: &Path) -> Result<Option<Provenance>> {
    let Some(said) = Provenance::of(folder)? else { return Ok(None) };
    let weights = ModelWeights::open(folder)?;
    if let Some(foreign) = foreign(folder, &weights)? {
        let why = format!("is not of the weights that were saved with {NAME}; move it away");
        return Err(Error::file(&foreign, why));
    }
    let names = weights.names().map(str::to_owned).collect();
    if checksum(names, |name| weights.bytes(name))? == said.weights {
        return Ok(Some(said));
    }
    let changed = changed_shard(&said.shards, &weights)?;
    let why = format!("are not the weights that were saved with {NAME}; if they are meant, remove that file");
    Err(Error::file(changed.unwrap_or(weights.path()), why))
}

/// A file in `folder` that is called as those of the weights are, and is none of them.
fn foreign(folder: &Path, weights: &ModelWeights) -> Result<Option<PathBuf>> {
    let told = |error: io::Error| Error::file(folder, error);
    let known: Vec<_> = weights.files().chain([weights.path()]).filter_map(Path::file_name).collect();
    for entry in fs::read_dir(folder).map_err(told)? {
        let name = entry.map_err(told)?.file_name();
        if name.to_str().is_some_and(is_of_weights) && !known.contains(&name.as_os_str()) {
            return Ok(Some(folder.join(name)));
        }
    }
    Ok(None)
}

/// The first of several files whose weights have another checksum than `shards` says.
fn changed_shard<'a>(shards: &BTreeMap<String, String>, weights: &'a ModelWeights) -> Result<Option<&'a Path>> {
    for file in weights.parts() {
        let name = file.path().file_name().unwrap_or_default().to_string_lossy();
        let Some(said) = shards.get(name.as_ref()) else { continue };
        if *said != checksum_of(file)? {
            return Ok(Some(file.path()));
        }
    }
    Ok(None)
}

/// Checksum of the weights in a file.
///
/// # Errors
/// What the file system says.
pub fn checksum_of(file: &WeightsFile) -> Result<String> {
    checksum(file.names(), |name| file.bytes(name))
}

fn checksum(mut names: Vec<String>, bytes: impl Fn(&str) -> Result<Vec<u8>>) -> Result<String> {
    names.sort_unstable();
    let mut sum = Checksum::default();
    for name in &names {
        sum.add(name, &bytes(name)?);
    }
    Ok(sum.finish())
}

/// CRC-64/NVME over tensors: the name of each and its bytes, in the order of the names.
pub struct Checksum(Digest);

impl Default for Checksum {
    fn default() -> Self {
        Self(Digest::new(CrcAlgorithm::Crc64Nvme))
    }
}

impl Checksum {
    /// That of one file.
    #[must_use]
    pub fn of(content: &[u8]) -> String {
        let mut sum = Self::default();
        sum.add("", content);
        sum.finish()
    }

    /// Adds the tensor `name`, whose numbers are stored as `bytes`.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        self.begin(name, bytes.len() as u64);
        self.go_on(bytes);
    }

    /// Begins with the tensor `name`, whose numbers are stored in `length` bytes, which follow.
    pub fn begin(&mut self, name: &str, length: u64) {
        self.0.update(name.as_bytes());
        self.0.update(&length.to_le_bytes());
    }

    /// Adds the next bytes of the tensor that was begun.
    pub fn go_on(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// As 16 hexadecimal digits.
    #[must_use]
    pub fn finish(&self) -> String {
        format!("{:016x}", self.0.finalize())
    }
}
