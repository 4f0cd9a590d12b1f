//! Opens a run on the dashboard: launched, resumed, attached to, or replayed.

use std::io::IsTerminal;
use std::path::PathBuf;

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_client::{History, Link, Task};
use pellucid_dashboard::{Exit, Options, Rights};
use pellucid_protocol::Settings;
use pellucid_record::RunDir;

use super::frontier;
use super::options::options;
use super::watch::{Left, farewell, watch};
use crate::cli::Global;
use crate::cli::run::AttachArgs;
use crate::runtime::block_on;

/// Trains, with the dashboard open from the first moment. The exit code is that of the training.
pub(super) async fn launch(worker: PathBuf, settings: Settings, global: &Global) -> Result<Ending, Failure> {
    train(pellucid_client::launch(worker, settings), global).await
}

/// Resumes a run on the dashboard.
pub(super) async fn resume(worker: PathBuf, run: RunDir, global: &Global) -> Result<Ending, Failure> {
    train(pellucid_client::resume(worker, &run, History::Read), global).await
}

async fn train(line: (Link, Task), global: &Global) -> Result<Ending, Failure> {
    match watch(line, options(global)).await? {
        Left::BeforeTheRun => {
            console::note("left before the run began; nothing was written");
            Ok(Ending::Stopped)
        }
        Left::Run(exit, run) => leave(exit, &run, global).await,
    }
}

/// Goes where the user wants to go from a run: to the runs beside it, or back to the shell.
async fn leave(exit: Exit, run: &RunDir, global: &Global) -> Result<Ending, Failure> {
    match exit {
        Exit::Frontier => frontier::beside(run, global).await,
        exit => farewell(exit, run),
    }
}

/// What the flags of `pellucid attach` let the user do.
pub(super) fn rights(attach: &AttachArgs) -> Rights {
    if attach.read_only { Rights::Look } else { Rights::Steer }
}

/// `pellucid attach`. Showing an ended run is no failure, however it ended.
pub(super) fn attach(run: RunDir, rights: Rights, global: &Global) -> Result<Ending, Failure> {
    needs_terminal("attach")?;
    look_at(|| pellucid_client::attach(run), Options { rights, ..options(global) }, global)
}

/// `pellucid replay`.
pub(super) fn replay(run: RunDir, speed: Option<f64>, global: &Global) -> Result<Ending, Failure> {
    needs_terminal("replay")?;
    look_at(|| pellucid_client::replay(run, speed), options(global), global)
}

/// `open` is called within the runtime, since it starts a task.
fn look_at(open: impl FnOnce() -> (Link, Task), options: Options, global: &Global) -> Result<Ending, Failure> {
    block_on(async {
        if let Left::Run(exit, run) = watch(open(), options).await? {
            leave(exit, &run, global).await?;
        }
        Ok(Ending::Done)
    })
}

fn needs_terminal(command: &str) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Failure::Usage(format!("`pellucid {command}` needs a terminal; `pellucid export` prints a run's metrics")))
}
