//! `pellucid runs`: the runs of a folder, as a table or as JSON lines.

use std::path::Path;

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_protocol::work::Output;
use pellucid_record::RunDir;
use pellucid_record::runs::{self, short_ids};

use super::lookup;
use crate::cli::run::RunsArgs;
use crate::stdout;

mod listed_run;
mod loss_curve;

pub(super) use listed_run::ListedRun;

/// `pellucid runs`.
pub(super) fn runs(args: &RunsArgs, folder: &Path) -> Result<Ending, Failure> {
    let runs = lookup::all(folder)?;
    let unreadable = runs::unreadable(folder);
    unreadable.iter().for_each(|folder| console::note(&runs::why_unreadable(folder)));
    if args.json.output() == Output::Json {
        return lines(&runs);
    }
    if runs.is_empty() && unreadable.is_empty() {
        console::note(&lookup::none_yet(folder));
        return Ok(Ending::Done);
    }
    table(&runs)
}

/// The table of `runs`, newest first.
pub(super) fn table(runs: &[RunDir]) -> Result<Ending, Failure> {
    let listed = listed(runs);
    let width = listed.iter().map(|run| run.name.chars().count()).max().unwrap_or(0);
    for run in &listed {
        run.row(width).iter().try_for_each(|line| stdout::line(line))?;
    }
    Ok(Ending::Done)
}

/// `runs` as the list shows them, newest first.
fn listed(runs: &[RunDir]) -> Vec<ListedRun> {
    let ids = short_ids(runs);
    runs.iter().zip(ids).rev().map(|(run, id)| ListedRun::of(run).with_id(id)).collect()
}

fn lines(runs: &[RunDir]) -> Result<Ending, Failure> {
    listed(runs).iter().try_for_each(stdout::json).map(|()| Ending::Done)
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::{Event, Record};
    use pellucid_record::log::writer::LogWriter;

    use super::*;

    /// A run with these events, in a folder of its own.
    pub(super) fn run_with(events: Vec<Event>) -> (tempfile::TempDir, RunDir) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let mut log = LogWriter::open(&run.events()).unwrap();
        for event in events {
            log.append(&Record { time: 1.0, event }).unwrap();
        }
        (folder, run)
    }
}
