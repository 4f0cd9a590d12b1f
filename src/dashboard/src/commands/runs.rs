//! `pellucid runs`: the runs of a folder, as a table or as JSON lines.

use std::path::Path;

use pellucid_protocol::RunDir;

use super::{listed, print, print_json};
use crate::cli::RunsArgs;
use crate::console;
use crate::failure::{Ending, Failure};

mod summary;

pub(super) use summary::Summary;

/// `pellucid runs`.
pub(super) fn runs(args: &RunsArgs, folder: &Path) -> Result<Ending, Failure> {
    let runs = listed(folder)?;
    if args.json {
        return lines(&runs);
    }
    if runs.is_empty() {
        console::note(&format!("no runs in {} yet; `pellucid demo` makes one", folder.display()));
        return Ok(Ending::Done);
    }
    table(&runs)
}

/// The table of `runs`, newest first.
pub(super) fn table(runs: &[RunDir]) -> Result<Ending, Failure> {
    let summaries: Vec<_> = runs.iter().rev().map(Summary::of).collect();
    let width = summaries.iter().map(|summary| summary.name.chars().count()).max().unwrap_or(0);
    for summary in &summaries {
        print(&summary.row(width))?;
    }
    Ok(Ending::Done)
}

fn lines(runs: &[RunDir]) -> Result<Ending, Failure> {
    for run in runs.iter().rev() {
        print_json(&Summary::of(run))?;
    }
    Ok(Ending::Done)
}
