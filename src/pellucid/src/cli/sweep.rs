//! The flags of `pellucid sweep`.

use std::path::PathBuf;

use clap::Args;

use super::axis::Axis;
use super::settings::SettingFlags;

/// `pellucid sweep`.
#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    /// A setting and its values; repeat it to train every combination: --grid l1=0,1e-5 --grid seed=1,2,3
    #[arg(long, value_name = "KEY=A,B", required = true)]
    pub grid: Vec<Axis>,
    /// Folder for the runs, sweep.csv and sweep.json; runs that are there already are resumed
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// How many runs to train at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    pub jobs: u8,
    /// TOML file with settings that all runs share; a flag overrides the file, and the grid overrides both
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Settings that all runs share.
    #[command(flatten)]
    pub settings: SettingFlags,
}
