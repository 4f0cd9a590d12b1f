//! `pellucid compare`: runs side by side, on the screen or as tables.

use std::io::IsTerminal;

use pellucid_client::failure::{Ending, Failure};
use pellucid_dashboard::compare::{Compare, MOST, Parting};
use pellucid_dashboard::page;
use pellucid_record::RunDir;

use super::frontier;
use super::options::options;
use crate::cli::Global;
use crate::recorded;
use crate::runtime::block_on;
use crate::stdout;

/// `pellucid compare`.
pub(super) fn compare(runs: &[RunDir], global: &Global) -> Result<Ending, Failure> {
    let mut compare = read(runs)?;
    if !std::io::stdout().is_terminal() {
        return tables(&compare);
    }
    let options = options(global);
    match block_on(async { Ok(page::show(&mut compare, &options).await?) })? {
        Some(Parting::Frontier) => frontier::among(runs.to_vec(), global),
        Some(Parting::Leave) | None => Ok(Ending::Done),
    }
}

/// The screen of these runs.
pub(super) fn read(runs: &[RunDir]) -> Result<Compare, Failure> {
    if runs.len() > MOST {
        return Err(Failure::Usage(format!("at most {MOST} runs can be compared")));
    }
    let read = runs.iter().map(|run| {
        let pieces = recorded::pieces(run);
        let failed = |error| Failure::Failed(format!("cannot read {}: {error}", run.events().display()));
        Ok((run.name(), pieces.map_err(failed)?))
    });
    Ok(Compare::new(read.collect::<Result<_, Failure>>()?))
}

/// Prints a line for each setting that differs and each result, with tabs between the runs.
fn tables(compare: &Compare) -> Result<Ending, Failure> {
    row("run", compare.names().iter().cloned())?;
    for (key, values) in compare.differences() {
        row(&key, values)?;
    }
    for (metric, values) in compare.results() {
        row(&metric, values.into_iter().map(|value| value.map_or_else(String::new, |value| value.to_string())))?;
    }
    Ok(Ending::Done)
}

fn row(title: &str, values: impl IntoIterator<Item = String>) -> Result<(), Failure> {
    stdout::columns([title.to_owned()].into_iter().chain(values))
}
