//! The flags of `pellucid explain`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pellucid_protocol::check::Depth;
use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::settings::Device;
use pellucid_protocol::work::ExplainFormat;
use pellucid_protocol::{Baseline, Method, Removal};

use super::TextFlags;

/// `pellucid explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Model folder
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// What to explain.
    #[command(flatten)]
    pub texts: TextFlags,
    /// Rows to take from the start of --data
    #[arg(long, value_name = "N", conflicts_with = "text")]
    pub limit: Option<usize>,
    /// Methods, separated by commas: gxi, ig, occlusion, lime, grad, smoothgrad, occlusion_delete, tree,
    /// kernelshap, shapley, rollout
    #[arg(long, value_name = "A,B", value_delimiter = ',', default_values_t = Method::USUAL)]
    pub method: Vec<Method>,
    /// Maskings that LIME, the tree and Shapley values rest on
    #[arg(long, value_name = "N")]
    pub samples: Option<usize>,
    /// The class to explain, by name or index; the predicted one if left out
    #[arg(long, value_name = "NAME|INDEX")]
    pub class: Option<String>,
    /// What is explained of it: logit, probability, or margin (before the best other class); if left out, gradients
    /// explain the logit and the others the probability
    #[arg(long, value_name = "NAME")]
    pub scalar: Option<Scalar>,
    /// How LIME and the tree take words out: delete, as the lime package does, or mask
    #[arg(long, value_name = "NAME", default_value_t)]
    pub removal: Removal,
    /// Where integrated gradients start: pad, mask, zero or mean
    #[arg(long, value_name = "NAME", default_value_t)]
    pub baseline: Baseline,
    /// Nodes of integrated gradients; as many as completeness needs if left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub ig_steps: Option<u16>,
    /// What is measured of the scores: gates, figures or full
    #[arg(long, value_name = "DEPTH", default_value_t)]
    pub checks: Depth,
    /// Seed of the methods that draw
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Where to compute: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// How to write: text; json, one object a text; csv, one row a word; html, a page that needs nothing else
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// The file to write instead of stdout; it is there whole or not at all
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// The formats of `pellucid explain`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Plain lines for people
    #[default]
    Text,
    /// One JSON object a text
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
