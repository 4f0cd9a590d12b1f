//! `pellucid stop`: stops a run from another terminal; also releases the worker of a run that has ended.

use std::time::{Duration, Instant};

use pellucid_client::FromRun;
use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_client::handle::resume_hint;
use pellucid_protocol::event::{Ended, Outcome};
use pellucid_protocol::{Command, Event, Record};
use pellucid_record::RunDir;
use pellucid_record::owner::ProcessState;

use crate::cli::run::StopArgs;
use crate::runtime::block_on;

/// How long a worker may take to leave after it was released.
const PATIENCE: Duration = Duration::from_secs(5);

/// `pellucid stop`.
pub(super) async fn stop(run: RunDir, args: &StopArgs) -> Result<Ending, Failure> {
    let command = if args.now { Command::StopNow } else { Command::Stop };
    let (mut link, task) = pellucid_client::control(&run);
    let name = run.name();
    let done = loop {
        match link.incoming.recv().await {
            Some(FromRun::Connected) => {
                if link.commands.send(command.clone()).is_err() {
                    break Err(Failure::Failed(format!("{name}: the connection to the worker broke")));
                }
            }
            Some(FromRun::Answered(_, Some(why))) => break Err(Failure::Failed(format!("{name}: {why}"))),
            Some(FromRun::Answered(_, None)) if !args.now => {
                console::note(&format!("{name} evaluates and saves a checkpoint, then it ends"));
            }
            Some(FromRun::Records(records)) => {
                if let Some(ended) = end_of(&records) {
                    let _ = link.commands.send(Command::Release);
                    break Ok(report(&run, ended));
                }
            }
            Some(FromRun::ViewOnly(why)) => break Err(Failure::Failed(format!("{name} cannot be stopped: {why}"))),
            Some(_) => {}
            None => break Err(Failure::Failed(format!("{name}: the connection to the worker broke"))),
        }
    };
    drop(link);
    let _ = task.await;
    done
}

fn end_of(records: &[Record]) -> Option<&Ended> {
    records.iter().find_map(|record| if let Event::Ended(ended) = &record.event { Some(ended) } else { None })
}

fn report(run: &RunDir, ended: &Ended) -> Ending {
    let (name, step) = (run.name(), ended.step);
    match ended.outcome {
        Outcome::Finished => console::note(&format!("{name} had just finished, at step {step}")),
        Outcome::Stopped => console::note(&format!("{name} stopped at step {step}; {}", resume_hint(run))),
        Outcome::Failed | Outcome::Died => {
            let (word, why) = (ended.outcome.word(), ended.reason().unwrap_or_default());
            console::note(&format!("{name} {word} at step {step}: {why}"));
            return Ending::Failed;
        }
    }
    Ending::Done
}

/// Releases the worker of a run that has ended, and waits until it has left. Returns whether it has.
pub(super) fn release(run: &RunDir) -> bool {
    let Some(info) = run.worker_info() else { return true };
    if info.state(run) != ProcessState::Running {
        return true;
    }
    let asked = block_on(async { Ok(tokio::time::timeout(PATIENCE, pellucid_client::release(&info)).await) });
    let asked = asked.is_ok_and(|answered| matches!(answered, Ok(Ok(()))));
    let start = Instant::now();
    // A worker that does not answer may be leaving by itself.
    while info.owner.state() == ProcessState::Running {
        if start.elapsed() > PATIENCE || (!asked && start.elapsed() > PATIENCE / 5) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}
