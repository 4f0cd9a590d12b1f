//! The flags of `pellucid bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What can be measured.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchAction {
    /// Time training steps
    Train(BenchTrainArgs),
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
