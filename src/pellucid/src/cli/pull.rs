//! The flags of `pellucid pull`.

use clap::Args;
use pellucid_import::tokenizer::Casing;
use pellucid_protocol::settings::HubName;

use super::json::JsonFlag;

/// `pellucid pull`.
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// Name of the model on the Hugging Face Hub
    #[arg(value_name = "ORG/NAME")]
    pub name: HubName,
    /// Branch, tag or commit [default: main]
    #[arg(long, value_name = "REVISION")]
    pub revision: Option<String>,
    /// If the model is in an old layout: keep capitals, where no file of it says whether to
    #[arg(long, conflicts_with = "uncased")]
    pub cased: bool,
    /// If the model is in an old layout: make texts lower case, where no file of it says whether to
    #[arg(long)]
    pub uncased: bool,
    /// How to print.
    #[command(flatten)]
    pub json: JsonFlag,
}

impl PullArgs {
    /// The model at the revision that is asked for.
    ///
    /// # Errors
    /// When that is no revision, or two are asked for.
    pub(crate) fn model(&self) -> Result<HubName, String> {
        match &self.revision {
            None => Ok(self.name.clone()),
            Some(_) if !self.name.is_main() => {
                Err("names a revision, as the name does; leave one of them out".to_owned())
            }
            Some(revision) => self.name.clone().at(revision),
        }
    }

    /// What to do with capitals, if the flags say it.
    pub(crate) fn casing(&self) -> Option<Casing> {
        let cased = self.cased.then_some(Casing::Cased);
        cased.or_else(|| self.uncased.then_some(Casing::Uncased))
    }
}
