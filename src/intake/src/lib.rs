//! Everything that comes in as a file: data sets and model folders. No torch, no network.
//!
//! ```text
//! rows           data files as rows; the list of formats is in rows/format.rs
//! labels         what the labels of data mean
//! samples        rows as samples of known classes
//! split          rows in parts, for training, validation and a test
//! survey         what rows hold, and what of it may mislead
//! model_folder   a model folder in Hugging Face layout
//!   config       config.json                 weights   one safetensors file, or several with an index
//!   tokenizer_files  the files of its tokenizer        provenance     what a saved folder says of itself
//!   member       paths that stay inside the folder     weights_file   one safetensors file
//!   place        where a folder is written, whole or not at all
//!   old_layout   folders that are imported before they are used
//! hub_snapshot   where the Hugging Face cache keeps the files of a folder
//! hub_cache      the Hugging Face cache: the folder that a name stands for
//! panic_guard    panics of libraries as errors
//! error          what is wrong, with the file and the line
//! ```
//!
//! Nobody knows who wrote these files, so nothing in them is believed before it is checked: sizes are limited before
//! memory is reserved, links stay inside their folder, and what is wrong is an error of one line that names the place.
//! In the map a file uses only files below it, and its children.

pub mod error;
pub mod hub_cache;
pub mod hub_snapshot;
pub mod labels;
pub mod model_folder;
pub mod panic_guard;
pub mod rows;
pub mod samples;
pub mod split;
pub mod survey;

pub use error::{Error, Result};
