//! The flags of `pellucid predict`.

use clap::Args;

use super::texts::ModelOnTexts;

/// `pellucid predict`.
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// What to predict.
    #[command(flatten)]
    pub on: ModelOnTexts,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}
