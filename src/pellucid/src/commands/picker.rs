//! `pellucid` without a command: a list of the runs to open, or an offer of the demo when there are none yet.

use std::io::{BufRead, Write};

use pellucid_client::failure::{Ending, Failure};
use pellucid_dashboard::picker::{Choice, Picker};
use pellucid_dashboard::{Rights, page};
use pellucid_protocol::scrub::scrub;
use pellucid_record::RunDir;

use super::options::options;
use super::runs::ListedRun;
use super::{compare, frontier, open, train};
use crate::cli::train::DemoArgs;
use crate::cli::{Action, Cli, Global};
use crate::runtime::block_on;

/// Asks whether to start the demo, and starts it.
pub(super) fn offer_demo(global: &Global) -> Result<Ending, Failure> {
    let mut out = std::io::stdout().lock();
    let folder = global.runs.display().to_string();
    writeln!(out, "There are no runs in {} yet. `pellucid help` lists the commands.", scrub(&folder))?;
    write!(out, "Start the demo: fine-tune a small model on triage notes, a minute or two? [Y/n] ")?;
    out.flush()?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::Failed(error.to_string()))?;
    match (read, answer.trim()) {
        (0, _) => Ok(Ending::Done),
        (_, "" | "y" | "Y" | "yes") => demo(global),
        _ => Ok(Ending::Done),
    }
}

fn demo(global: &Global) -> Result<Ending, Failure> {
    train::demo(demo_args(), global)
}

/// `pellucid demo` as if typed without flags.
fn demo_args() -> DemoArgs {
    use clap::Parser;
    match Cli::parse_from(["pellucid", "demo"]).action {
        Some(Action::Demo(args)) => args,
        _ => unreachable!("`pellucid demo` is the demo"),
    }
}

/// The list of `runs`, newest first.
pub(super) fn list(runs: &[RunDir]) -> Picker {
    Picker::new(runs.iter().rev().map(|run| ListedRun::of(run).entry(run)).collect())
}

/// Lets the user choose one of `runs`, newest first, and opens it, or several, and compares them.
pub(super) fn pick(runs: &[RunDir], global: &Global) -> Result<Ending, Failure> {
    let newest_first: Vec<_> = runs.iter().rev().cloned().collect();
    let options = options(global);
    let choice = block_on(async { Ok(page::show(&mut list(runs), &options).await?) })?;
    match choice.unwrap_or(Choice::Nothing) {
        Choice::Open(index) => open::attach(newest_first[index].clone(), Rights::Steer, global),
        Choice::Compare(chosen) => {
            let chosen: Vec<_> = chosen.into_iter().map(|index| newest_first[index].clone()).collect();
            compare::compare(&chosen, global)
        }
        Choice::Frontier => frontier::among(newest_first, global),
        Choice::Demo => demo(global),
        Choice::Nothing => Ok(Ending::Done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_needs_no_flags() {
        assert!(!demo_args().watch.headless);
    }
}
