//! The flags of `pellucid predict`.

use clap::Args;

use super::json::JsonFlag;
use super::texts::ModelOnTexts;

/// `pellucid predict`.
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// What to predict.
    #[command(flatten)]
    pub on: ModelOnTexts,
    /// How to print.
    #[command(flatten)]
    pub json: JsonFlag,
}
