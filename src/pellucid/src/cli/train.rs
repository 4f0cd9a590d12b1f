//! The flags of `pellucid train` and `pellucid demo`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pellucid_protocol::work::Output;

use super::settings::SettingFlags;

/// `pellucid train`.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// TOML file with settings, named as the flags with `_` for `-`; a flag overrides the file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print all settings, defaults filled in, as a settings file, and do nothing else
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
    /// No dashboard: show a progress bar, or plain lines if stderr is no terminal
    #[arg(long, help_heading = "Watching")]
    pub headless: bool,
    /// Print every event as one JSON line on stdout; needs --headless
    #[arg(long, requires = "headless", help_heading = "Watching")]
    json: bool,
}

impl WatchFlags {
    /// How lines are printed.
    pub(crate) fn output(self) -> Output {
        if self.json { Output::Json } else { Output::Plain }
    }
}

/// `pellucid demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The data set
    #[arg(value_enum, default_value_t)]
    pub set: DemoSet,
    /// How to watch.
    #[command(flatten)]
    pub watch: WatchFlags,
    /// Settings that override those of the demo.
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
