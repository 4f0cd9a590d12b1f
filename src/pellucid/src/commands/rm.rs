//! `pellucid rm`: removes runs that are not running, and only the files that pellucid has made.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use pellucid_client::console;
use pellucid_client::failure::{Ending, Failure};
use pellucid_client::handle::command_line;
use pellucid_protocol::scrub::scrub;
use pellucid_record::RunDir;
use pellucid_record::lock::Lock;
use pellucid_record::owner::ProcessState;

use super::{exact, stop};
use crate::cli::Global;
use crate::cli::run::RmArgs;
use crate::recorded;

mod parts;
mod removal;

/// How long to wait for the lock of a worker that is about to leave.
const PATIENCE: Duration = Duration::from_secs(2);

/// `pellucid rm`.
pub(super) fn rm(args: &RmArgs, global: &Global) -> Result<Ending, Failure> {
    let runs = exact::each(&args.removed, global)?;
    // All are checked, and locked, before the first is removed.
    runs.iter().try_for_each(check)?;
    if !args.yes && !confirmed(&runs)? {
        console::note("nothing was removed");
        return Ok(Ending::Done);
    }
    let locked: Vec<(RunDir, Lock)> =
        runs.into_iter().map(|run| Ok((run.clone(), locked(&run)?))).collect::<Result<_, Failure>>()?;
    locked.into_iter().try_for_each(|(run, lock)| remove(&run, lock))?;
    Ok(Ending::Done)
}

/// Checks that `run` may be removed.
fn check(run: &RunDir) -> Result<(), Failure> {
    let (name, failed) = (run.name(), |why: String| Err(Failure::Failed(why)));
    let root = run.root().display();
    if fs::symlink_metadata(run.root()).is_ok_and(|meta| meta.is_symlink()) {
        return failed(format!("{root} is a link to a folder elsewhere: remove the link itself, or name that folder"));
    }
    let Some(info) = run.worker_info() else { return Ok(()) };
    let (pid, host) = (info.owner.pid, &info.owner.host);
    match (info.state(run), recorded::is_over(run)) {
        (ProcessState::Running, false) => {
            failed(format!("{name} is running (pid {pid}); {} ends it first", command_line("stop", run)))
        }
        (ProcessState::Remote, false) => {
            failed(format!("{name} has its worker (pid {pid}) on {host}; remove it there"))
        }
        _ => Ok(()),
    }
}

/// Asks whether to remove `runs`, and shows how large they are.
fn confirmed(runs: &[RunDir]) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage("there is no terminal to ask on; --yes removes without asking".to_owned()));
    }
    let mut out = io::stderr().lock();
    for run in runs {
        let size = removal::measure(run).map_err(|error| cannot(run, &error))?.size;
        writeln!(out, "{}  {:.1} MB", scrub(&run.root().display().to_string()), size as f64 / 1e6)?;
    }
    write!(out, "Remove {}? [y/N] ", if runs.len() == 1 { "it" } else { "them" })?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn cannot(run: &RunDir, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot remove {}: {error}", run.root().display()))
}

/// Lets the worker of a run that has ended leave, and locks the run: nobody can resume it as long as the lock is held.
fn locked(run: &RunDir) -> Result<Lock, Failure> {
    let name = run.name();
    if !stop::release(run) {
        return Err(Failure::Failed(format!(
            "{name} has ended, but somebody is still attached to it; nothing was removed"
        )));
    }
    Lock::take(run, PATIENCE).map_err(|why| Failure::Failed(format!("{name}: {why}; nothing was removed")))
}

fn remove(run: &RunDir, lock: Lock) -> Result<(), Failure> {
    let name = run.name();
    let found = removal::remove(run).map_err(|error| cannot(run, &error))?;
    let mut is_gone = removal::remove_folder(run).map_err(|error| cannot(run, &error))?;
    drop(lock);
    // A supervisor that leaves at this moment looks for the lock, which makes its file again. Nobody else's is touched.
    if !is_gone
        && found.foreign.is_none()
        && let Ok(_lock) = Lock::take(run, PATIENCE)
        && !run.events().exists()
    {
        is_gone = removal::remove_folder(run).map_err(|error| cannot(run, &error))?;
    }
    if is_gone {
        console::note(&format!("removed {name}"));
    } else {
        let foreign = found.foreign.map_or_else(String::new, |path| format!(", such as {}", path.display()));
        console::note(&format!("removed {name}; its folder stays, because it holds other files{foreign}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_what_is_pellucids_goes_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("precious"), "x").unwrap();
        let run = RunDir::new(folder.path().join("run"));
        fs::create_dir_all(run.root().join("checkpoints/step-000001")).unwrap();
        symlink("step-000001", run.root().join("checkpoints/best")).unwrap();
        symlink(&outside, run.root().join("predictions")).unwrap();
        for name in ["events.jsonl", "run.toml", "worker.log", "events.jsonl.partial"] {
            fs::write(run.root().join(name), "").unwrap();
        }
        remove(&run, locked(&run).unwrap()).unwrap();
        assert!(!run.root().exists() && outside.join("precious").exists());

        fs::create_dir(run.root()).unwrap();
        fs::write(run.events(), "").unwrap();
        fs::write(run.root().join("notes.txt"), "mine").unwrap();
        remove(&run, locked(&run).unwrap()).unwrap();
        assert_eq!(fs::read_to_string(run.root().join("notes.txt")).unwrap(), "mine");
        assert!(!run.events().exists());
    }

    #[test]
    fn a_link_in_the_place_of_a_run_is_not_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        fs::create_dir(&real).unwrap();
        fs::write(real.join("events.jsonl"), "").unwrap();
        symlink(&real, folder.path().join("run")).unwrap();
        let refused = check(&RunDir::new(folder.path().join("run"))).unwrap_err().to_string();
        assert!(refused.contains("is a link"), "{refused}");
        assert!(check(&RunDir::new(real)).is_ok());
    }
}
