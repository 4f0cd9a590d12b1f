//! What passes between the process that imports and the one that reads: a job, and what became of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::checkpoint::Container;
use crate::tokenizer::Casing;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The folder that is read.
    pub source: PathBuf,
    /// The folder that is written into: it is there, and nobody else's.
    pub draft: PathBuf,
    /// What to do with capitals, if the user says it.
    pub casing: Option<Casing>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The folder is written.
    Done(Report),
    /// Why it is not, in one line.
    Refused(String),
}

/// What a folder was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The program that made it, and its version.
    pub written_by: String,
    /// The family of the model, e.g. `bert`.
    pub model_type: String,
    /// How many tensors it has.
    pub tensors: usize,
    /// How the weights were stored, if they were pickles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The names that the pickles asked for; each stands for a plain value here.
    pub globals: BTreeSet<String>,
    /// The files that were read.
    pub files: Vec<SourceFile>,
    /// What was inferred, changed or passed over, each as a line for people.
    pub notes: Vec<String>,
    /// What held the process that read the files.
    pub confined: Vec<String>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Its SHA-256, as hexadecimal digits.
    pub sha256: String,
}
