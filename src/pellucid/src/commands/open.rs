//! A run on the dashboard: launched, attached to, or replayed; and what is said when it is left.

use std::io::IsTerminal;
use std::path::PathBuf;

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_client::handle::{handle, resume_hint};
use pellucid_client::{Link, Past, Task};
use pellucid_dashboard::{Exit, Rights};
use pellucid_protocol::Settings;
use pellucid_protocol::event::Outcome;
use pellucid_record::RunDir;
use pellucid_record::owner::Whereabouts;

use super::{frontier, options, wait};
use crate::cli::Global;

/// Trains, with the dashboard open from the first moment. The exit code is that of the training.
pub(super) async fn launch(worker: PathBuf, settings: Settings, global: &Global) -> Result<Ending, Failure> {
    train(pellucid_client::launch(worker, settings), global).await
}

/// `pellucid resume` on the dashboard.
pub(super) async fn resume(worker: PathBuf, run: RunDir, global: &Global) -> Result<Ending, Failure> {
    train(pellucid_client::resume(worker, &run, Past::Shown), global).await
}

async fn train(line: (Link, Task), global: &Global) -> Result<Ending, Failure> {
    match show(line, options(global)).await? {
        Left::Early => {
            console::note("left before the run began; nothing was written");
            Ok(Ending::Stopped)
        }
        Left::Run(exit, run) => leave(exit, &run, global).await,
    }
}

/// The way out of a run: to all runs beside it, or with a word to the shell.
async fn leave(exit: Exit, run: &RunDir, global: &Global) -> Result<Ending, Failure> {
    match exit {
        Exit::Frontier => frontier::beside(run, global).await,
        exit => tell(exit, run),
    }
}

/// A run that was chosen among others, to which the user comes back.
pub(super) async fn visit(run: RunDir, global: &Global) -> Result<(), Failure> {
    show(pellucid_client::attach(run), options(global)).await.map(drop)
}

/// `pellucid attach`. Showing an ended run is no failure, however it ended.
pub(super) fn attach(run: RunDir, rights: Rights, global: &Global) -> Result<Ending, Failure> {
    needs_terminal("attach")?;
    look_at(|| pellucid_client::attach(run), pellucid_dashboard::Options { rights, ..options(global) }, global)
}

/// `pellucid replay`.
pub(super) fn replay(run: RunDir, speed: Option<f64>, global: &Global) -> Result<Ending, Failure> {
    needs_terminal("replay")?;
    look_at(|| pellucid_client::replay(run, speed), options(global), global)
}

fn look_at(
    open: impl FnOnce() -> (Link, Task),
    options: pellucid_dashboard::Options,
    global: &Global,
) -> Result<Ending, Failure> {
    wait(async {
        if let Left::Run(exit, run) = show(open(), options).await? {
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

/// How the dashboard was left.
enum Left {
    /// Before there was a run.
    Early,
    Run(Exit, RunDir),
}

async fn show((link, task): (Link, Task), options: pellucid_dashboard::Options) -> Result<Left, Failure> {
    let exit = pellucid_dashboard::run(link, options).await;
    // Commands that are still on the way are delivered first.
    let run = match task.await {
        Ok(run) => run,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => None,
    };
    match (exit?, run) {
        (Exit::Failed(reason), None) => Err(Failure::Failed(reason)),
        (_, None) => Ok(Left::Early),
        (exit, Some(run)) => Ok(Left::Run(exit, run)),
    }
}

/// Says where the run is and how to come back.
fn tell(exit: Exit, run: &RunDir) -> Result<Ending, Failure> {
    let back = format!("`pellucid attach {}` comes back", handle(run));
    let place = run.root().display();
    match exit {
        Exit::HungUp | Exit::Frontier => return Ok(Ending::Done),
        Exit::Failed(reason) => return Err(Failure::Failed(format!("{reason}; {}", resume_hint(run)))),
        Exit::Detached if goes_on(run) => console::note(&format!("{} goes on; {back}", run.name())),
        Exit::Detached => console::note(&format!("the run is in {place}; {back}")),
        Exit::Stopped | Exit::Ended(Outcome::Stopped) => {
            console::note(&format!("stopped; the run is in {place}; {}", resume_hint(run)));
        }
        Exit::Ended(outcome) => console::note(&format!("{}; the run is in {place}; {back}", word(outcome))),
    }
    Ok(match exit {
        Exit::Stopped | Exit::Ended(Outcome::Stopped) => Ending::Stopped,
        Exit::Ended(Outcome::Failed | Outcome::Died) => Ending::Failed,
        _ => Ending::Done,
    })
}

fn goes_on(run: &RunDir) -> bool {
    let place = run.worker_info().map(|info| info.whereabouts(run));
    matches!(place, Some(Whereabouts::Here | Whereabouts::Elsewhere))
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Finished => "finished",
        Outcome::Stopped => "stopped",
        Outcome::Failed => "failed",
        Outcome::Died => "died",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_training_ended_is_the_exit_code() {
        let run = RunDir::new("/nowhere/run");
        let code = |exit| match tell(exit, &run) {
            Ok(ending) => ending.code(),
            Err(failure) => failure.code(),
        };
        assert_eq!(code(Exit::Detached), 0);
        assert_eq!(code(Exit::Stopped), 130);
        assert_eq!(code(Exit::Ended(Outcome::Finished)), 0);
        assert_eq!(code(Exit::Ended(Outcome::Failed)), 1);
        assert_eq!(code(Exit::Failed("loss/kd became NaN".into())), 1);
    }
}
