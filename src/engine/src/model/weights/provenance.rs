//! What a saved folder says of itself, as the engine compares it.

pub use pellucid_intake::model_folder::provenance::{CheckpointOf, Checksum, NAME, Provenance, checked};
