//! `pellucid doctor`: what is there and what is missing, each with its remedy.

mod finding;
mod places;
mod programs;
mod terminal;

use std::path::Path;

use pellucid_protocol::work::Output;

use super::{print, print_json};
use finding::Verdict;
use pellucid_client::failure::{Ending, Failure};

/// `pellucid doctor`, for runs in the folder `runs`.
pub(super) fn doctor(runs: &Path, output: Output) -> Result<Ending, Failure> {
    let all = [programs::findings(), terminal::findings(), places::findings(runs)].concat();
    for finding in &all {
        match output {
            Output::Plain => print(&finding.line())?,
            Output::Json => print_json(finding)?,
        }
    }
    let bad = all.iter().any(|finding| finding.verdict == Verdict::Bad);
    Ok(if bad { Ending::Failed } else { Ending::Done })
}
