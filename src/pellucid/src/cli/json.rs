//! The flag `--json` of commands that print something for people.

use clap::Args;
use pellucid_protocol::work::Output;

/// Whether to print lines for people or JSON lines.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct JsonFlag {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

impl JsonFlag {
    /// How the command prints.
    pub(crate) fn output(self) -> Output {
        if self.json { Output::Json } else { Output::Plain }
    }
}
