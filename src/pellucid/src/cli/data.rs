//! The flags of `pellucid data`.

use std::path::PathBuf;

use clap::Args;

use super::json::JsonFlag;
use super::texts::ReadingFlags;
use super::value::output_file;

/// `pellucid data`.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// Data files; the first is the one to train on, the others are looked through for its texts
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Model that is to read the texts, its folder or its name: their lengths in tokens, and what of them is cut
    #[arg(long, value_name = "DIR|ORG/NAME")]
    pub model: Option<PathBuf>,
    /// File for the list of the rows that --skip-bad leaves out: where they are and why
    #[arg(long, value_name = "FILE", requires = "skip_bad", value_parser = output_file)]
    pub skipped: Option<PathBuf>,
    /// How to print.
    #[command(flatten)]
    pub json: JsonFlag,
    /// How the files are read.
    #[command(flatten)]
    pub reading: ReadingFlags,
}
