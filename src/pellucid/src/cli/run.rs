//! The flags of the commands that take runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::complete;
use super::json::JsonFlag;
use super::train::WatchFlags;
use super::value::{exact_run, run, speed};

/// A run: its name, an unambiguous part of it, its short id, or its folder.
#[derive(Debug, Args)]
pub(crate) struct RunArg {
    /// The run: its name, an unambiguous part of it, its short id, or its folder [default: the newest run]
    #[arg(value_parser = run, add = ArgValueCompleter::new(complete::runs))]
    pub run: Option<String>,
}

/// `pellucid attach`.
#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// The run.
    #[command(flatten)]
    pub run: RunArg,
    /// Only look: send the run no commands and write nothing
    #[arg(long)]
    pub read_only: bool,
}

/// `pellucid runs`.
#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// How to print.
    #[command(flatten)]
    pub json: JsonFlag,
}

/// `pellucid stop`.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// The run: its whole name, its short id, or its folder
    #[arg(value_parser = exact_run, add = ArgValueCompleter::new(complete::runs))]
    pub run: String,
    /// Stop at once: no evaluation, no checkpoint
    #[arg(long)]
    pub now: bool,
}

/// `pellucid rm`.
#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// The runs, each named as for `stop`
    #[arg(required = true, value_name = "RUN", value_parser = exact_run, add = ArgValueCompleter::new(complete::runs))]
    pub removed: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `pellucid resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The run.
    #[command(flatten)]
    pub run: RunArg,
    /// How to watch.
    #[command(flatten)]
    pub watch: WatchFlags,
}

/// `pellucid compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Two or more runs, each named as for `attach`
    #[arg(required = true, num_args = 2.., value_name = "RUN", value_parser = run, add = ArgValueCompleter::new(complete::runs))]
    pub compared: Vec<String>,
}

/// `pellucid frontier`.
#[derive(Debug, Args)]
pub(crate) struct FrontierArgs {
    /// Folders of runs, such as that of a sweep, and single runs named as for `attach` [default: the folder of all runs]
    #[arg(value_name = "FOLDER|RUN", value_parser = run, add = ArgValueCompleter::new(complete::runs))]
    pub shown: Vec<String>,
}

/// `pellucid replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The run.
    #[command(flatten)]
    pub run: RunArg,
    /// Play the run from its start, X times as fast as it was [default: open it at its end]
    #[arg(long, value_name = "X", value_parser = speed)]
    pub speed: Option<f64>,
}

/// `pellucid export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The run.
    #[command(flatten)]
    pub run: RunArg,
    /// How to print the metrics
    #[arg(long, value_enum, default_value_t)]
    pub format: ExportFormat,
}

/// The formats of `pellucid export`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// A table: step, time, epoch, then every metric.
    #[default]
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// `pellucid report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run.
    #[command(flatten)]
    pub run: RunArg,
    /// Folder for report.html and report.md [default: the folder of the run]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// If the run recorded few explanations, explain N validation texts with the best weights; 0 for none
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub explain: usize,
}
