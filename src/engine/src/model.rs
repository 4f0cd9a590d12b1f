//! Transformer encoders: from a Hugging Face folder to logits and back to a folder.
//!
//! ```text
//! config ──▶ params (one flat buffer, names as in the checkpoint) ──▶ bert ──▶ classifier
//!                         ▲                                             └────▶ masked_lm
//!                      folder (config.json, model.safetensors)
//! ```

pub mod bert;
pub mod classifier;
pub mod config;
pub mod folder;
pub mod masked_lm;
pub mod params;
