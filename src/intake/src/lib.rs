//! Everything that comes in as a file: data sets and model folders. No torch, no network.
//!
//! ```text
//! rows           data files as rows; the list of formats
//!   csv, tsv, jsonl   one format each        table   what CSV and TSV share
//!   fields            names of columns, and what a row must have
//! samples        rows as samples of known classes
//!   labels       class names
//! model_folder   a model folder in Hugging Face layout
//!   config       config.json                 weights   one safetensors file, or several with an index
//!   tokenizer_files  the files of its tokenizer
//!   member       paths that stay inside the folder     weights_file   one safetensors file
//! error          what is wrong, with the file and the line
//! ```
//!
//! Nobody knows who wrote these files, so nothing in them is believed before it is checked: sizes are limited before
//! memory is reserved, links stay inside their folder, and what is wrong is an error of one line that names the place.
//! In the map a file uses only files below it, and its children.

pub mod error;
pub mod labels;
pub mod model_folder;
pub mod rows;
pub mod samples;
pub mod split;

pub use error::{Error, Result};
