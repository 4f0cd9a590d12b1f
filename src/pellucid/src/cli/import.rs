//! The flags of `pellucid import`.

use std::path::PathBuf;

use clap::Args;
use pellucid_import::tokenizer::Casing;

use super::json::JsonFlag;

/// `pellucid import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Folder of the model in an old layout: pytorch_model.bin, vocab.txt, vocab.json and merges.txt, spm.model, ...
    #[arg(value_name = "SRC")]
    pub source: PathBuf,
    /// Folder to make: config.json, model.safetensors, tokenizer.json
    #[arg(value_name = "DST")]
    pub target: PathBuf,
    /// Keep capitals, where no file of the folder says whether to
    #[arg(long, conflicts_with = "uncased")]
    pub cased: bool,
    /// Make texts lower case, where no file of the folder says whether to
    #[arg(long)]
    pub uncased: bool,
    /// How to print.
    #[command(flatten)]
    pub json: JsonFlag,
}

impl ImportArgs {
    /// What to do with capitals, if the flags say it.
    pub(crate) fn casing(&self) -> Option<Casing> {
        let cased = self.cased.then_some(Casing::Cased);
        cased.or_else(|| self.uncased.then_some(Casing::Uncased))
    }
}
