//! What a saved model folder says of itself, in `pellucid.json`: which weights it was saved with, and of which run and
//! step they are. Other programs do not read the file.

use std::io;
use std::path::Path;

use pellucid_files::bounded;
use pellucid_protocol::settings::reading::ColumnNames;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The name of the file.
pub const NAME: &str = "pellucid.json";
const PROGRAM: &str = "pellucid";

/// What a saved model folder says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The program that saved it, and its version. Without this no folder is ever replaced.
    pub written_by: String,
    /// Checksum of the weights; empty while the folder is being written.
    #[serde(default)]
    pub weights: String,
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
        Self { written_by: format!("{PROGRAM} {}", env!("CARGO_PKG_VERSION")), weights, checkpoint }
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
