//! What a saved model folder says of itself, in `pellucid.json`: which weights it was saved with, and of which run and
//! step they are. Other programs do not read the file.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crc_fast::{CrcAlgorithm, Digest};
use pellucid_files::bounded;
use pellucid_protocol::settings::Windows;
use pellucid_protocol::settings::reading::ColumnNames;
use serde::{Deserialize, Serialize};

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

/// The file of the weights that it speaks of.
pub const WEIGHTS: &str = "model.safetensors";

/// As [`Provenance::of`], after the weights in `folder` were compared with it.
///
/// # Errors
/// As [`Provenance::of`], and when the weights are missing, damaged or other ones.
pub fn checked(folder: &Path) -> Result<Option<Provenance>> {
    let Some(said) = Provenance::of(folder)? else { return Ok(None) };
    let path = folder.join(WEIGHTS);
    let file = WeightsFile::open(&path)?;
    let mut names = file.names();
    names.sort();
    let mut sum = Checksum::default();
    for name in &names {
        sum.add(name, &file.bytes(name)?);
    }
    if sum.finish() == said.weights {
        return Ok(Some(said));
    }
    let why = format!("are not the weights that were saved with {NAME}; if they are meant, remove that file");
    Err(Error::file(&path, why))
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
        self.0.update(name.as_bytes());
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// As 16 hexadecimal digits.
    #[must_use]
    pub fn finish(&self) -> String {
        format!("{:016x}", self.0.finalize())
    }
}
