//! Compares the weights of a saved model folder with what it says of itself.

use std::path::Path;

use crc_fast::{CrcAlgorithm, Digest};
pub use pellucid_intake::model_folder::provenance::{CheckpointOf, NAME, Provenance};
use pellucid_intake::model_folder::weights_file::WeightsFile;

use crate::error::{Error, Result};

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
