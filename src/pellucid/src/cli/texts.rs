//! The flags of commands that load a model and run it on texts.

use std::path::PathBuf;

use clap::Args;
use pellucid_protocol::settings::Device;

pub(crate) use super::settings::ReadingFlags;

/// A model, texts for it, and where to compute.
#[derive(Debug, Args)]
pub(crate) struct ModelOnTexts {
    /// Folder of the model
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// The texts.
    #[command(flatten)]
    pub texts: TextFlags,
    /// Take only the first N rows of --data
    #[arg(long, value_name = "N", conflicts_with = "text")]
    pub limit: Option<usize>,
    /// How the file is read.
    #[command(flatten)]
    pub reading: ReadingFlags,
    /// Where to compute: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: Device,
}

/// One text, or a file of texts.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TextFlags {
    /// A text
    #[arg(long, value_name = "STR")]
    pub text: Option<String>,
    /// A data file: CSV, TSV or JSON Lines
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
}
