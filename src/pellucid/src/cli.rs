//! The command line: its commands and flags. No logic.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::{ArgValueCompleter, Shell};
use pellucid_dashboard::{Alerts, Glyphs};
use pellucid_protocol::settings::Device;

use crate::commands::complete;

mod bench;
mod explain;
mod screenshot;
mod settings;
mod sweep;
mod value;

pub(crate) use bench::{BenchAction, BenchExplainArgs, BenchMode, BenchTrainArgs, BenchUiArgs};
pub(crate) use explain::ExplainArgs;
pub(crate) use screenshot::ScreenshotArgs;
pub(crate) use settings::SettingFlags;
pub(crate) use sweep::SweepArgs;
use value::speed;

/// Fine-tune text classifiers and see, while they learn, what they base their answers on.
///
/// Without a command: a list of the runs to open, or the demo when there are none yet.
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
    /// Theme: a name (dark, light, ...) or the path of a theme file
    #[arg(long, global = true, value_name = "NAME|PATH", help_heading = "Screen")]
    pub theme: Option<String>,
    /// Colours of the screen; `auto` looks at the terminal and at `NO_COLOR`
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Screen")]
    pub color: ColorChoice,
    /// What curves are drawn with; by default what the locale and the terminal can show
    #[arg(long, global = true, value_enum, help_heading = "Screen")]
    pub glyphs: Option<Glyphs>,
    /// Frames a second for what comes from the run [default: 5, and 4 over SSH]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=60), help_heading = "Screen")]
    pub fps: Option<u8>,
    /// Call me when a run ends, fails, stalls, diverges or over-fits
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Screen")]
    pub alert: Alerts,
    /// Leave the mouse to the terminal; with it, the wheel zooms and a click reads
    #[arg(long, global = true, help_heading = "Screen")]
    pub no_mouse: bool,
    /// Folder in which runs are looked up and put
    #[arg(long, global = true, value_name = "DIR", default_value = "runs", help_heading = "Runs")]
    pub runs: PathBuf,
}

/// How many colours to use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// As many as the terminal says it has.
    #[default]
    Auto,
    /// As `auto`, also with `NO_COLOR`.
    Always,
    /// None.
    Never,
    /// The 16 of the terminal's palette.
    #[value(name = "16")]
    Sixteen,
    /// 256.
    #[value(name = "256")]
    Indexed,
    /// 24 bits.
    Truecolor,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Fine-tune the small student that comes with pellucid, with its teacher, and watch
    Demo(DemoArgs),
    /// Fine-tune a model folder on a data file
    Train(TrainArgs),
    /// Train a grid of settings as ordinary runs, some at once, and put their results into a table
    Sweep(Box<SweepArgs>),
    /// Open a run, live if its worker is still there
    Attach(AttachArgs),
    /// List the runs
    Runs(RunsArgs),
    /// End a run: a last evaluation and checkpoint, then the end
    Stop(StopArgs),
    /// Remove runs that do not go on
    Rm(RmArgs),
    /// Take a run up again from its last whole checkpoint, as if it had not been interrupted
    Resume(ResumeArgs),
    /// Lay runs beside each other: curves, settings that differ, results
    Compare(CompareArgs),
    /// Runs as points: accuracy against sparsity, faithfulness and drift, the best trade-offs marked
    Frontier(FrontierArgs),
    /// Open the record of a run, and play it
    Replay(ReplayArgs),
    /// Print the metrics of a run on stdout
    Export(ExportArgs),
    /// Write the account of a run as one HTML page and as Markdown, for people without pellucid
    Report(ReportArgs),
    /// Say what a model bases its answers on
    Explain(ExplainArgs),
    /// Print logits and probabilities of texts
    Predict(PredictArgs),
    /// Measure, and print one JSON line as the Python programs it is compared with do
    #[command(subcommand)]
    Bench(BenchAction),
    /// Print the keys of the dashboard as a file to change them in
    Keys,
    /// Check the installation, this terminal, and where runs lie
    Doctor {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Print a script that lets a shell complete commands, flags, and names of runs
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, of one command if it is named
    Man {
        /// The command
        command: Option<String>,
    },
    /// Start a worker and write down how it died if it does
    #[command(hide = true)]
    Keep {
        /// The program
        worker: PathBuf,
    },
    /// Draw a screen of a run into an SVG file
    #[command(hide = true)]
    Screenshot(ScreenshotArgs),
}

/// `pellucid demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Which data set
    #[arg(value_enum, default_value_t)]
    pub set: DemoSet,
    /// How to watch.
    #[command(flatten)]
    pub watch: WatchFlags,
    /// Settings that win over the demo's.
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// The data sets that come with pellucid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DemoSet {
    /// Medicine: triage notes.
    #[default]
    Triage,
    /// Finance: credit memos.
    Credit,
    /// Law: contract clauses.
    Clauses,
}

/// `pellucid train`.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// TOML file with settings, named as the flags with `_` for `-`; a flag wins over the file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the settings, every value filled in, as a settings file, and do nothing
    #[arg(long)]
    pub print_settings: bool,
    /// How to watch.
    #[command(flatten)]
    pub watch: WatchFlags,
    /// The settings.
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// Whether a dashboard or lines show the run.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct WatchFlags {
    /// No dashboard: a progress bar, or plain lines when stderr is no terminal
    #[arg(long, help_heading = "Watching")]
    pub headless: bool,
    /// Every event as one JSON line on stdout; needs --headless
    #[arg(long, requires = "headless", help_heading = "Watching")]
    pub json: bool,
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

/// A run, by name, part of a name, or path.
#[derive(Debug, Args)]
pub(crate) struct RunArg {
    /// Name of the run, an unambiguous part of it, its short id, or its folder; the newest run if left out
    #[arg(default_value = "", hide_default_value = true, add = ArgValueCompleter::new(complete::runs))]
    pub run: String,
}

/// `pellucid replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The run.
    #[command(flatten)]
    pub run: RunArg,
    /// Play it from its start, so many times as fast as it was; without, it is opened at its end
    #[arg(long, value_name = "X", value_parser = speed)]
    pub speed: Option<f64>,
}

/// `pellucid stop`.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// Name of the run, an unambiguous part of it, its short id, or its folder
    #[arg(add = ArgValueCompleter::new(complete::runs))]
    pub run: String,
    /// At once: no evaluation, no checkpoint
    #[arg(long)]
    pub now: bool,
}

/// `pellucid rm`.
#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// The runs, as for `stop`
    #[arg(required = true, value_name = "RUN", add = ArgValueCompleter::new(complete::runs))]
    pub removed: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `pellucid attach`.
#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// The run.
    #[command(flatten)]
    pub run: RunArg,
    /// Look only: nothing is sent to the training, nothing is written
    #[arg(long)]
    pub read_only: bool,
}

/// `pellucid compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Two runs or more, as for `attach`
    #[arg(required = true, num_args = 2.., value_name = "RUN", add = ArgValueCompleter::new(complete::runs))]
    pub compared: Vec<String>,
}

/// `pellucid frontier`.
#[derive(Debug, Args)]
pub(crate) struct FrontierArgs {
    /// Folders of runs, as of a sweep, and single runs, as for `attach` [default: the folder of all runs]
    #[arg(value_name = "FOLDER|RUN", add = ArgValueCompleter::new(complete::runs))]
    pub shown: Vec<String>,
}

/// `pellucid runs`.
#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `pellucid export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The run.
    #[command(flatten)]
    pub run: RunArg,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    pub format: ExportFormat,
}

/// `pellucid report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run.
    #[command(flatten)]
    pub run: RunArg,
    /// Folder for report.html and report.md [default: that of the run]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Validation texts to explain with the best weights if the run has recorded few explanations, 0 for none
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub explain: usize,
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

/// The texts of `explain` and `predict`.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TextFlags {
    /// A text
    #[arg(long, value_name = "STR")]
    pub text: Option<String>,
    /// A data file: TSV, CSV or JSON Lines
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
}

/// `pellucid predict`.
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// Model folder
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// What to predict.
    #[command(flatten)]
    pub texts: TextFlags,
    /// Rows to take from the start of --data
    #[arg(long, value_name = "N", conflicts_with = "text")]
    pub limit: Option<usize>,
    /// Where to compute: auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

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
