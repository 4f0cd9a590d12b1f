//! Transformers: from a Hugging Face folder to logits and back to a folder.
//!
//! ```text
//! config ──▶ family ──▶ architecture ──▶ encoder ──▶ head ──▶ classifier
//!                            params ───────▲  └──────────────▶ masked_lm
//!    folder (config.json, model.safetensors) ──▲
//! ```
//!
//! Texts of a batch are packed: linear layers see real tokens only, attention sees rectangles of texts of like length.

pub mod architecture;
pub mod attention;
pub mod classifier;
pub mod config;
pub mod dropout;
pub mod encoder;
pub mod family;
pub mod folder;
pub mod head;
pub mod layers;
pub mod masked_lm;
pub mod params;
pub mod relative;
pub mod tensor_file;
