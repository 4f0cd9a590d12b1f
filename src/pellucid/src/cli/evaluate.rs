//! The flags of `pellucid evaluate`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use pellucid_protocol::settings::Device;

use super::json::JsonFlag;
use super::texts::{LongFlags, ReadingFlags};

/// `pellucid evaluate`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Model to evaluate on --data: its folder, or the name of one in the Hugging Face cache
    #[arg(long, value_name = "DIR|ORG/NAME", requires = "data")]
    pub model: Option<PathBuf>,
    /// What is evaluated.
    #[command(flatten)]
    pub source: SourceFlags,
    /// Examples drawn again for an interval: how often
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = RangedU64ValueParser::<usize>::new().range(20..=100_000))]
    pub draws: usize,
    /// Seed of these draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// How texts are read that are too long.
    #[command(flatten)]
    pub long: LongFlags,
    /// Where to compute: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// How the file is read.
    #[command(flatten)]
    pub reading: ReadingFlags,
    /// How to print.
    #[command(flatten)]
    pub json: JsonFlag,
}

/// What is evaluated.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SourceFlags {
    /// A data file with labels: CSV, TSV, JSON, Parquet or Arrow
    #[arg(long, value_name = "FILE", requires = "model")]
    pub data: Option<PathBuf>,
    /// Answers of any program: a JSON object a line with `probabilities`, an object of classes or a list of numbers, and
    /// `gold`, the true class
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
    /// The validation answers of a run, by its best weights: its name or its folder
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
}
