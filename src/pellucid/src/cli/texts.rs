//! The flags of commands that load a model and run it on texts.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use pellucid_protocol::settings::{Device, LongTexts, WindowPooling, Windows};
use pellucid_protocol::work::LongRead;
use strum::VariantNames;

pub(crate) use super::settings::ReadingFlags;
use super::value::output_file;

/// A model, texts for it, and where to compute.
#[derive(Debug, Args)]
pub(crate) struct ModelOnTexts {
    /// Model: its folder, or the name of one in the Hugging Face cache
    #[arg(long, value_name = "DIR|ORG/NAME")]
    pub model: PathBuf,
    /// The texts.
    #[command(flatten)]
    pub texts: TextFlags,
    /// Take only the first N rows of --data
    #[arg(long, value_name = "N", conflicts_with = "text")]
    pub limit: Option<NonZeroUsize>,
    /// How the file is read.
    #[command(flatten)]
    pub reading: ReadingFlags,
    /// File for the list of the rows that --skip-bad leaves out: where they are and why
    #[arg(long, value_name = "FILE", requires = "skip_bad", value_parser = output_file)]
    pub skipped: Option<PathBuf>,
    /// How long texts are read.
    #[command(flatten)]
    pub long: LongFlags,
    /// Write no texts: rows are named by their ids or lines, and words have dots for letters
    #[arg(long)]
    pub private: bool,
    /// Where to compute: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: Device,
}

/// How texts are read that are longer than the model reads at once.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct LongFlags {
    /// What is done with texts that are too long: truncate, or windows [default: as the model was trained]
    #[arg(long, value_name = "LONG", value_parser = choice::<LongTexts>(LongTexts::VARIANTS))]
    pub long: Option<LongTexts>,
    /// Tokens that a window shares with the next one [default: a quarter of a window]
    #[arg(long, value_name = "N", requires = "long")]
    pub stride: Option<u64>,
    /// How the logits of a text come from those of its windows: mean or max
    #[arg(long, value_name = "WINDOW_POOLING", requires = "long", value_parser = choice::<WindowPooling>(WindowPooling::VARIANTS))]
    pub window_pooling: Option<WindowPooling>,
}

impl LongFlags {
    /// What was asked for, if anything was.
    pub(crate) fn asked(self) -> Option<LongRead> {
        self.long.map(|long| match long {
            LongTexts::Truncate => LongRead::Truncate,
            LongTexts::Windows => {
                LongRead::Windows(Windows { stride: self.stride, pooling: self.window_pooling.unwrap_or_default() })
            }
        })
    }
}

/// A parser of one of `names`.
fn choice<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

/// One text, or a file of texts.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TextFlags {
    /// A text
    #[arg(long, value_name = "STR")]
    pub text: Option<String>,
    /// A data file: CSV, TSV, JSON, Parquet or Arrow
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
}
