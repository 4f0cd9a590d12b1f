//! The flags of `pellucid bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use pellucid_protocol::Method;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchAction {
    /// Time training steps
    Train(BenchTrainArgs),
    /// Time explanations, or watch the memory over many
    Explain(BenchExplainArgs),
    /// What the dashboard costs: time and bytes of frames, memory, opening a log
    Ui(BenchUiArgs),
}

/// `pellucid bench ui`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct BenchUiArgs {
    /// Steps of the log that is opened
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub steps: u64,
}

/// `pellucid bench explain`.
#[derive(Debug, Args)]
pub(crate) struct BenchExplainArgs {
    /// Model folder
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Data file
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Texts from its start
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub n: usize,
    /// Threads of libtorch
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub threads: usize,
    /// What is timed, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',', default_values_t = PEERS)]
    pub methods: Vec<Method>,
    /// Samples of LIME
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub lime_samples: usize,
    /// Samples of Shapley values
    #[arg(long, value_name = "N", default_value_t = 512)]
    pub shap_samples: usize,
    /// Nodes of integrated gradients; 0 for as many as completeness needs
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub ig_steps: usize,
    /// Seed of the methods that draw
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Instead of timing, so many explanations, with the resident memory before and after
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub soak: Option<usize>,
}

/// The methods that the Python peer has.
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
    /// Model folder
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Training file
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// What takes part beside the cross entropy
    #[arg(long, value_enum, default_value_t)]
    pub mode: BenchMode,
    /// Measured steps; five more warm up
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub steps: u64,
    /// Examples a step
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub batch: usize,
    /// Threads of libtorch
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub threads: usize,
    /// Group batches by length
    #[arg(long)]
    pub bucket: bool,
    /// Learning rate
    #[arg(long, value_name = "LR", default_value_t = 5e-5)]
    pub lr: f64,
    /// With distillation, ask the teacher within the steps, as in the first epoch; else it has answered before
    #[arg(long)]
    pub first_epoch: bool,
}

/// The terms of the loss that `bench train` measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchMode {
    /// Cross entropy alone, with decoupled L2 as the peer has it.
    #[default]
    Plain,
    /// Without L2.
    #[value(name = "no-l2")]
    NoL2,
    /// With L1.
    L1,
    /// With distillation.
    Kd,
    /// With both.
    #[value(name = "l1+kd")]
    L1Kd,
}
