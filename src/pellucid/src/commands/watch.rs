//! Shows a run on the dashboard until the user leaves it, and then says how to come back.

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_client::handle::{command_line, resume_hint};
use pellucid_client::{Link, Task};
use pellucid_dashboard::{Exit, Options};
use pellucid_protocol::event::Outcome;
use pellucid_record::RunDir;
use pellucid_record::owner::ProcessState;

/// How the dashboard was left.
pub(super) enum Left {
    /// Before there was a run.
    BeforeTheRun,
    /// The run that it showed, and what the user wants next.
    Run(Exit, RunDir),
}

/// Shows the run at the other end of `link`. `task` is that end; it has done its work when this returns.
pub(super) async fn watch((link, task): (Link, Task), options: Options) -> Result<Left, Failure> {
    let exit = pellucid_dashboard::run(link, options).await;
    // Commands that are still on the way are delivered first.
    let run = match task.await {
        Ok(run) => run,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => None,
    };
    match (exit?, run) {
        (Exit::Failed(reason), None) => Err(Failure::Failed(reason)),
        (_, None) => Ok(Left::BeforeTheRun),
        (exit, Some(run)) => Ok(Left::Run(exit, run)),
    }
}

/// Says where the run is and how to come back. The result is that of the training, as far as it was watched.
pub(super) fn farewell(exit: Exit, run: &RunDir) -> Result<Ending, Failure> {
    let back = format!("{} comes back", command_line("attach", run));
    let place = run.root().display();
    match exit {
        Exit::HungUp | Exit::Frontier => return Ok(Ending::Done),
        Exit::Failed(reason) => return Err(Failure::Failed(format!("{reason}; {}", resume_hint(run)))),
        Exit::Detached if goes_on(run) => console::note(&format!("{} goes on; {back}", run.name())),
        Exit::Detached => console::note(&format!("the run is in {place}; {back}")),
        Exit::Stopped | Exit::Ended(Outcome::Stopped) => {
            console::note(&format!("stopped; the run is in {place}; {}", resume_hint(run)));
        }
        Exit::Ended(outcome) => console::note(&format!("{}; the run is in {place}; {back}", outcome.word())),
    }
    Ok(match exit {
        Exit::Stopped | Exit::Ended(Outcome::Stopped) => Ending::Stopped,
        Exit::Ended(Outcome::Failed | Outcome::Died) => Ending::Failed,
        _ => Ending::Done,
    })
}

fn goes_on(run: &RunDir) -> bool {
    let place = run.worker_info().map(|info| info.state(run));
    matches!(place, Some(ProcessState::Running | ProcessState::Remote))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_training_ended_is_the_exit_code() {
        let run = RunDir::new("/nowhere/run");
        let code = |exit| match farewell(exit, &run) {
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
