//! `pellucid doctor`: says what works and what does not, and how to fix it.

mod finding;
mod folders;
mod programs;
mod terminal;

use std::path::Path;

use pellucid_client::failure::{Ending, Failure};
use pellucid_protocol::work::Output;

use crate::stdout;
use finding::Verdict;

/// `pellucid doctor`, where `runs` is the folder of the runs.
pub(super) fn doctor(runs: &Path, output: Output) -> Result<Ending, Failure> {
    let all = [programs::findings(), terminal::findings(), folders::findings(runs)].concat();
    for finding in &all {
        match output {
            Output::Plain => stdout::line(&finding.line())?,
            Output::Json => stdout::json(finding)?,
        }
    }
    let bad = all.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(if bad { Ending::Failed } else { Ending::Done })
}
