//! Files at the edge of the program: read within limits, written whole or not at all.
//!
//! ```text
//! regular       opens regular files without following links
//! bounded       reads regular files no larger than their kind can be
//! temporary     names for what is not complete yet
//! whole         writes a file under a temporary name, syncs it and renames it
//! output        files that the user names for what a command writes
//! weight_names  names of the files with the weights of a model
//! ```
//!
//! Opens no run, model or data set; every crate that touches a file may use it.

pub mod bounded;
pub mod output;
pub mod regular;
pub mod temporary;
pub mod weight_names;
pub mod whole;
