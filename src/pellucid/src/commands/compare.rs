//! `pellucid compare`: runs beside each other, on the screen or as tables.

use std::io::{IsTerminal, Write};

use pellucid_client::failure::{Ending, Failure};
use pellucid_dashboard::compare::{Compare, MOST, Parting};
use pellucid_dashboard::page;
use pellucid_protocol::scrub::scrub;
use pellucid_record::RunDir;

use super::{frontier, options, wait};
use crate::cli::Global;
use crate::recorded;

/// `pellucid compare`.
pub(super) fn compare(runs: &[RunDir], global: &Global) -> Result<Ending, Failure> {
    let mut compare = read(runs)?;
    if !std::io::stdout().is_terminal() {
        return tables(&compare);
    }
    let options = options(global);
    match wait(async { Ok(page::show(&mut compare, &options).await?) })? {
        Some(Parting::Frontier) => frontier::among(runs.to_vec(), global),
        Some(Parting::Leave) | None => Ok(Ending::Done),
    }
}

/// The screen of these runs.
pub(super) fn read(runs: &[RunDir]) -> Result<Compare, Failure> {
    if runs.len() > MOST {
        return Err(Failure::Usage(format!("{MOST} runs at most can be told apart")));
    }
    let read = runs.iter().map(|run| {
        let pieces = recorded::pieces(run);
        let failed = |error| Failure::Failed(format!("cannot read {}: {error}", run.events().display()));
        Ok((run.name(), pieces.map_err(failed)?))
    });
    Ok(Compare::new(read.collect::<Result<_, Failure>>()?))
}

/// Without a terminal: columns between tabs, the settings that differ first.
fn tables(compare: &Compare) -> Result<Ending, Failure> {
    put(&line("run", compare.names().iter().cloned()))?;
    for (key, values) in compare.differences() {
        put(&line(&key, values.into_iter()))?;
    }
    for (metric, values) in compare.results() {
        let written = values.into_iter().map(|value| value.map_or_else(String::new, |value| value.to_string()));
        put(&line(&metric, written))?;
    }
    Ok(Ending::Done)
}

fn line(name: &str, values: impl Iterator<Item = String>) -> String {
    // What could steer a terminal is taken out of each value: tabs between them stay.
    let all = [name.to_owned()].into_iter().chain(values).map(|value| scrub(&value).into_owned());
    all.collect::<Vec<_>>().join("\t")
}

fn put(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
