//! `pellucid runs`: the runs of a folder, as a table or as JSON lines.

use std::path::Path;

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_protocol::work::Output;
use pellucid_record::RunDir;
use pellucid_record::run_dir::{self, short_ids};

use super::lookup;
use crate::cli::run::RunsArgs;
use crate::stdout;

mod summary;

pub(super) use summary::Summary;

/// `pellucid runs`.
pub(super) fn runs(args: &RunsArgs, folder: &Path) -> Result<Ending, Failure> {
    let runs = lookup::all(folder)?;
    let closed = run_dir::closed(folder);
    closed.iter().for_each(|folder| console::note(&run_dir::refusal(folder)));
    if args.json.output() == Output::Json {
        return lines(&runs);
    }
    if runs.is_empty() && closed.is_empty() {
        console::note(&lookup::none_yet(folder));
        return Ok(Ending::Done);
    }
    table(&runs)
}

/// The table of `runs`, newest first.
pub(super) fn table(runs: &[RunDir]) -> Result<Ending, Failure> {
    let summaries = summaries(runs);
    let width = summaries.iter().map(|summary| summary.name.chars().count()).max().unwrap_or(0);
    for summary in &summaries {
        summary.row(width).iter().try_for_each(|line| stdout::line(line))?;
    }
    Ok(Ending::Done)
}

/// The summaries of `runs`, newest first.
fn summaries(runs: &[RunDir]) -> Vec<Summary> {
    let ids = short_ids(runs);
    runs.iter().zip(ids).rev().map(|(run, id)| Summary::of(run).with_id(id)).collect()
}

fn lines(runs: &[RunDir]) -> Result<Ending, Failure> {
    for summary in summaries(runs) {
        stdout::json(&summary)?;
    }
    Ok(Ending::Done)
}
