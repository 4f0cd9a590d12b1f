//! The flags of `pellucid explain`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use pellucid_protocol::check::Depth;
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::work::ExplainFormat;
use pellucid_protocol::{Baseline, Method, Removal};

use super::texts::ModelOnTexts;
use super::value::{output_file, time};

/// `pellucid explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// What to explain.
    #[command(flatten)]
    pub on: ModelOnTexts,
    /// Methods, separated by commas: gxi, ig, occlusion, lime, grad, smoothgrad, occlusion_delete, tree,
    /// kernelshap, shapley, rollout
    #[arg(long, value_name = "A,B", value_delimiter = ',', default_values_t = Method::USUAL)]
    pub method: Vec<Method>,
    /// Number of masked texts from which LIME, the tree and Shapley values are computed
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(2..=1_000_000))]
    pub samples: Option<usize>,
    /// The class to explain, by name or index [default: the predicted class]
    #[arg(long, value_name = "NAME|INDEX")]
    pub class: Option<String>,
    /// What of the class to explain: logit, probability, or margin (over the best other class) [default: logit for
    /// gradients, probability for other methods]
    #[arg(long, value_name = "NAME")]
    pub scalar: Option<Scalar>,
    /// How LIME and the tree remove words: delete, as the package lime does, or mask
    #[arg(long, value_name = "NAME", default_value_t)]
    pub removal: Removal,
    /// Where integrated gradients start: pad, mask, zero or mean
    #[arg(long, value_name = "NAME", default_value_t)]
    pub baseline: Baseline,
    /// Steps of integrated gradients [default: as many as completeness needs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub ig_steps: Option<u16>,
    /// Which checks to make: none, gates (may the scores be trusted), figures (also measures to read; they cost up to a
    /// hundred passes a word) or full (also measures that run the method again)
    #[arg(long, value_name = "DEPTH", default_value_t)]
    pub checks: Depth,
    /// How long a text may take, e.g. 5s or 2m; the first map is made whatever it takes [default: no limit]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub budget: Option<Duration>,
    /// Seed of the methods that draw samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// How to write: text; json, one object a text; csv, one row a word; html, a page that needs no other file [default: as
    /// --out ends, or text]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// File to write to instead of stdout; it appears when it is complete
    #[arg(long, value_name = "FILE", value_parser = output_file)]
    pub out: Option<PathBuf>,
}

/// The formats of `pellucid explain`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Plain lines for people
    #[default]
    Text,
    /// One JSON object a text
    #[value(alias = "jsonl")]
    Json,
    /// A table with one row a word
    Csv,
    /// One page with everything in it
    Html,
}

impl From<Format> for ExplainFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => ExplainFormat::Text,
            Format::Json => ExplainFormat::Json,
            Format::Csv => ExplainFormat::Csv,
            Format::Html => ExplainFormat::Html,
        }
    }
}
