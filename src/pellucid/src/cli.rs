//! The command line: its commands and flags. No logic.
//!
//! ```text
//! value, axis, complete, json ──▶ settings, run, texts ──▶ one file for each group of commands ──▶ cli
//! ```

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use pellucid_dashboard::{Alerts, ColorChoice, Glyphs};

pub(crate) mod axis;
pub(crate) mod bench;
mod complete;
pub(crate) mod data;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod import;
pub(crate) mod json;
pub(crate) mod predict;
pub(crate) mod pull;
pub(crate) mod run;
pub(crate) mod screenshot;
mod settings;
pub(crate) mod sweep;
pub(crate) mod texts;
pub(crate) mod train;
mod value;

use bench::BenchAction;
use data::DataArgs;
use evaluate::EvaluateArgs;
use explain::ExplainArgs;
use import::ImportArgs;
use json::JsonFlag;
use predict::PredictArgs;
use pull::PullArgs;
use run::{
    AttachArgs, CompareArgs, ExportArgs, FrontierArgs, ReplayArgs, ReportArgs, ResumeArgs, RmArgs, RunsArgs, StopArgs,
};
use screenshot::ScreenshotArgs;
use sweep::SweepArgs;
use train::{DemoArgs, TrainArgs};

/// Fine-tune text classifiers and see, while they learn, what they base their answers on.
///
/// Without a command, pellucid lists the runs to open, or offers the demo if there are none yet.
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by the user.
#[derive(Debug, Parser)]
#[command(name = "pellucid", version)]
pub(crate) struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub action: Option<Action>,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Theme: its name (dark, light, ...) or the path of a theme file
    #[arg(long, global = true, value_name = "NAME|PATH", help_heading = "Screen")]
    pub theme: Option<String>,
    /// How many colours to use
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Screen")]
    pub color: ColorChoice,
    /// Characters to draw curves with [default: the best that the locale and the terminal can show]
    #[arg(long, global = true, value_enum, help_heading = "Screen")]
    pub glyphs: Option<Glyphs>,
    /// Most frames a second for what the run sends [default: 5, over SSH 4]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=60), help_heading = "Screen")]
    pub fps: Option<u8>,
    /// How to alert you when a run ends, fails, stalls, diverges or overfits
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Screen")]
    pub alert: Alerts,
    /// Leave the mouse to the terminal; without this flag the wheel zooms and a click reads a value
    #[arg(long, global = true, help_heading = "Screen")]
    pub no_mouse: bool,
    /// Folder of the runs: new runs are put there, and runs are looked up there by name
    #[arg(long, global = true, value_name = "DIR", default_value = "runs", help_heading = "Runs")]
    pub runs: PathBuf,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Fine-tune the small student model that comes with pellucid, with its teacher, and watch
    Demo(DemoArgs),
    /// Fine-tune a model on a data file
    Train(TrainArgs),
    /// Train every combination of some settings, each as a run, and tabulate the results
    Sweep(Box<SweepArgs>),
    /// Open a run, live if its worker is running
    Attach(AttachArgs),
    /// List the runs
    Runs(RunsArgs),
    /// Stop a run: it evaluates, saves a checkpoint and ends
    Stop(StopArgs),
    /// Remove runs that are not running
    Rm(RmArgs),
    /// Resume a run from its last complete checkpoint, as if it had never been interrupted
    Resume(ResumeArgs),
    /// Compare runs side by side: curves, settings that differ, results
    Compare(CompareArgs),
    /// Plot runs as points: accuracy against sparsity, faithfulness or drift, the best trade-offs marked
    Frontier(FrontierArgs),
    /// Open the record of a run and play it
    Replay(ReplayArgs),
    /// Print the metrics of a run on stdout
    Export(ExportArgs),
    /// Write a report on a run, as an HTML page and as Markdown, for people without pellucid
    Report(ReportArgs),
    /// Report what data files hold: columns, classes, lengths, leaks, words that give a label away
    Data(DataArgs),
    /// Make a model folder of one in an old layout: pickles, vocab.txt, spm.model; no code in it is run
    Import(ImportArgs),
    /// Fetch a model from the Hugging Face Hub into its cache, where `--model ORG/NAME` finds it
    Pull(PullArgs),
    /// Explain what a model bases its answers on
    Explain(ExplainArgs),
    /// Print the logits and probabilities that a model gives texts
    Predict(PredictArgs),
    /// Tell what answers are worth: errors by class, curves, calibration, each figure with its interval
    Evaluate(EvaluateArgs),
    /// Measure speed, and print JSON lines as the Python programs that pellucid is compared with do
    #[command(subcommand)]
    Bench(BenchAction),
    /// Print the keys of the dashboard as a file that you can edit
    Keys,
    /// Check the installation, this terminal, and the folder of the runs
    Doctor(JsonFlag),
    /// Print a script that lets a shell complete commands, flags and names of runs
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page of pellucid, or of one command
    Man {
        /// The command
        command: Option<String>,
    },
    /// Start a worker, and record how it died if it does
    #[command(name = "keep", hide = true)]
    Supervise {
        /// The program of the worker
        worker: PathBuf,
    },
    /// Read a model folder in an old layout, as a process that can do nothing else
    #[command(name = "convert", hide = true)]
    Convert,
    /// Draw a screen of a run into an SVG file
    #[command(hide = true)]
    Screenshot(ScreenshotArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::bench::BenchMode;
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn runs_are_compared_by_name_wherever_they_are() {
        let cli = Cli::try_parse_from(["pellucid", "--runs", "there", "compare", "a", "b", "c"]).unwrap();
        let Some(Action::Compare(compare)) = cli.action else { panic!("{:?}", cli.action) };
        assert_eq!((compare.compared.len(), cli.global.runs), (3, PathBuf::from("there")));
        assert!(Cli::try_parse_from(["pellucid", "compare", "a"]).is_err(), "one alone is not compared");
    }

    #[test]
    fn the_peers_flags_are_taken_as_they_are() {
        let line = "pellucid bench train --model m --data d --mode l1+kd --steps 9 --batch 4 --threads 1 --bucket";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Some(Action::Bench(BenchAction::Train(bench))) = cli.action else { panic!("{cli:?}") };
        assert_eq!((bench.mode, bench.steps, bench.bucket), (BenchMode::L1Kd, 9, true));
    }

    #[test]
    fn a_text_or_a_file_but_one_of_them() {
        let parse = |rest: &str| Cli::try_parse_from(format!("pellucid predict --model m {rest}").trim().split(' '));
        assert!(parse("--text a").is_ok() && parse("--data f --limit 3").is_ok());
        for bad in ["", "--text a --data f", "--text a --limit 3"] {
            assert_eq!(parse(bad).unwrap_err().exit_code(), 2, "{bad}");
        }
    }

    #[test]
    fn json_without_headless_is_wrong_usage() {
        assert_eq!(Cli::try_parse_from(["pellucid", "train", "--json"]).unwrap_err().exit_code(), 2);
    }
}
