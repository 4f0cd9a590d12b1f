//! The files of a report: what they may replace, and how they are known.

use std::path::Path;

use pellucid_client::failure::Failure;
use pellucid_files::output::{Inputs, OutputFile};
use pellucid_record::RunDir;

use crate::commands::written;

/// The files of a report.
const NAMES: [&str; 2] = ["report.html", "report.md"];
/// What the title of a report begins with.
pub(super) const TITLE: &str = "Report on the run ";

/// Whether the file `name`, which begins with `head`, is a report.
pub(in crate::commands) fn is_report(name: &str, head: &[u8]) -> bool {
    match name {
        "report.html" => String::from_utf8_lossy(head).contains(&format!("<title>{TITLE}")),
        "report.md" => head.starts_with(format!("# {TITLE}").as_bytes()),
        _ => false,
    }
}

/// The files of the report in `folder`, which may replace reports and nothing else.
///
/// # Errors
/// Which of them may not be replaced, and what to do.
pub(super) fn outputs(folder: &Path, inputs: &Inputs) -> Result<Vec<OutputFile>, Failure> {
    written::outputs(&NAMES.map(|name| folder.join(name)), inputs, is_report)
}

/// What a report is made from.
pub(super) fn inputs(run: &RunDir) -> Inputs {
    Inputs::of(written::data_of(run).into_iter().chain(written::files_of(run)))
}
