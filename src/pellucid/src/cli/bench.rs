//! The flags of `pellucid bench`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand, ValueEnum};
use pellucid_protocol::Method;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchAction {
    /// Time training steps
    Train(BenchTrainArgs),
    /// Time explanations, or watch memory over many of them
    Explain(BenchExplainArgs),
    /// Measure the dashboard: time and bytes of frames, memory, time to open a log
    Ui(BenchUiArgs),
}

/// `pellucid bench ui`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct BenchUiArgs {
    /// Steps in the log that is opened
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub steps: u64,
}

/// What is measured on what, as the Python programs name it.
#[derive(Debug, Args)]
pub(crate) struct BenchInput {
    /// Model: its folder, or the name of one in the Hugging Face cache
    #[arg(long, value_name = "DIR|ORG/NAME")]
    pub model: PathBuf,
    /// Data file
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Threads of libtorch
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = number(1..=1024))]
    pub threads: usize,
}

/// `pellucid bench explain`.
#[derive(Debug, Args)]
pub(crate) struct BenchExplainArgs {
    /// The model and the texts.
    #[command(flatten)]
    pub input: BenchInput,
    /// Explain the first N texts
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = number(1..=1_000_000))]
    pub n: usize,
    /// Methods to time, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',', default_values_t = PEERS)]
    pub methods: Vec<Method>,
    /// Samples of LIME
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = number(2..=1_000_000))]
    pub lime_samples: usize,
    /// Samples of Shapley values
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = number(2..=1_000_000))]
    pub shap_samples: usize,
    /// Steps of integrated gradients; 0 for as many as completeness needs
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub ig_steps: usize,
    /// Seed of the methods that draw samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Do not time: make N explanations, and print the resident memory before and after
    #[arg(long, value_name = "N", value_parser = number(1..=1_000_000_000))]
    pub soak: Option<usize>,
    /// Instead of timing, count how many of N random maps of each text pass the test against chance, and grade the maps
    /// of the methods
    #[arg(long, value_name = "N", conflicts_with = "soak", value_parser = number(1..=1_000_000))]
    pub random_maps: Option<usize>,
}

/// A number in this range.
fn number(range: RangeInclusive<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(range)
}

/// The methods of the Python program.
const PEERS: [Method; 6] = [
    Method::Gradient,
    Method::GradientInput,
    Method::IntegratedGradients,
    Method::Occlusion,
    Method::Lime,
    Method::KernelShap,
];

/// `pellucid bench train`.
#[derive(Debug, Args)]
pub(crate) struct BenchTrainArgs {
    /// The model and the training data.
    #[command(flatten)]
    pub input: BenchInput,
    /// Terms of the loss beside the cross entropy
    #[arg(long, value_enum, default_value_t)]
    pub mode: BenchMode,
    /// Steps to measure, after five steps that are not measured
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub steps: u64,
    /// Examples a step
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub batch: usize,
    /// Group batches by length
    #[arg(long)]
    pub bucket: bool,
    /// Learning rate
    #[arg(long, value_name = "LR", default_value_t = 5e-5)]
    pub lr: f64,
    /// With distillation, run the teacher within the steps, as in the first epoch; without this flag its answers are there
    /// before the first step
    #[arg(long)]
    pub first_epoch: bool,
}

/// The terms of the loss that `bench train` measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchMode {
    /// Cross entropy with decoupled L2, as in the Python program.
    #[default]
    Plain,
    /// Without L2.
    #[value(name = "no-l2")]
    NoL2,
    /// With L1.
    L1,
    /// With distillation.
    Kd,
    /// With L1 and distillation.
    #[value(name = "l1+kd")]
    L1Kd,
}
