//! The flags of `pellucid data`.

use std::path::PathBuf;

use clap::Args;

use super::json::JsonFlag;
use super::texts::ReadingFlags;

/// `pellucid data`.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// Data files; the first is the one to train on, the others are looked through for its texts
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Folder of the model that is to read the texts: their lengths in tokens, and what of them is cut
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// How to print.
    #[command(flatten)]
    pub json: JsonFlag,
    /// How the files are read.
    #[command(flatten)]
    pub reading: ReadingFlags,
}
