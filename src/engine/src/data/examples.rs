//! Labelled texts with their token ids.

use pellucid_protocol::Sample;
use sha2::{Digest, Sha256};

use super::tokenise::{Encoded, TextEncoder};
use crate::error::Result;

/// Texts with their token ids and classes.
#[derive(Debug)]
pub struct Examples {
    /// The samples in the order of the file.
    pub samples: Vec<Sample>,
    /// Their token ids.
    pub encoded: Vec<Encoded>,
}

impl Examples {
    /// Encodes `samples`.
    ///
    /// # Errors
    /// When the tokenizer refuses.
    pub fn encode(samples: Vec<Sample>, encoder: &TextEncoder) -> Result<Self> {
        let encoded = encoder.encode(&texts(&samples))?;
        Ok(Self { samples, encoded })
    }

    /// Each text, with its second text if it has one.
    #[must_use]
    pub fn texts(&self) -> Vec<(&str, Option<&str>)> {
        texts(&self.samples)
    }

    /// A hash of the token ids and classes in their order.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for (sample, row) in self.samples.iter().zip(&self.encoded) {
            hash.update((sample.label as u64).to_le_bytes());
            hash.update((row.ids.len() as u64).to_le_bytes());
            row.ids.iter().chain(&row.types).for_each(|id| hash.update(id.to_le_bytes()));
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn texts(samples: &[Sample]) -> Vec<(&str, Option<&str>)> {
    samples.iter().map(|sample| (sample.text.as_str(), sample.pair.as_deref())).collect()
}
