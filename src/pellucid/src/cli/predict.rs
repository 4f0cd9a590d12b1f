//! The flags of `pellucid predict`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pellucid_protocol::work::PredictFormat;

use super::texts::ModelOnTexts;
use super::value::output_file;

/// `pellucid predict`.
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// What to predict.
    #[command(flatten)]
    pub on: ModelOnTexts,
    /// How to write: text; json, an array; jsonl, one object a text; csv for spreadsheets, one row a text, in which line
    /// breaks are blanks and an apostrophe stands before what would be a formula; parquet, with --out, the texts as they are
    /// [default: as --out ends, or text]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,
    /// The same as --format jsonl
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// File to write to instead of stdout; it appears when it is complete
    #[arg(long, value_name = "FILE", value_parser = output_file, required_if_eq("format", "parquet"))]
    pub out: Option<PathBuf>,
}

/// The formats of `pellucid predict`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Plain lines for people.
    #[default]
    Text,
    /// One JSON array.
    Json,
    /// One JSON object a text.
    Jsonl,
    /// A table with a row for each text.
    Csv,
    /// The same table for programs; needs --out.
    Parquet,
}

impl From<Format> for PredictFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
            Format::Jsonl => Self::Jsonl,
            Format::Csv => Self::Csv,
            Format::Parquet => Self::Parquet,
        }
    }
}
