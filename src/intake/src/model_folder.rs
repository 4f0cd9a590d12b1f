//! A model folder in Hugging Face layout: its configuration and its weights.

pub mod config;
pub mod member;
pub mod weights;
pub mod weights_file;
