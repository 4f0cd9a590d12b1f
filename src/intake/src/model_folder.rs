//! A model folder in Hugging Face layout: its configuration, its tokenizer and its weights.

pub mod config;
pub mod json;
pub mod member;
pub mod old_layout;
pub mod place;
pub mod provenance;
pub mod sentence;
pub mod tokenizer_files;
pub mod weights;
pub mod weights_file;
