//! The worker program: where it is, and running it in the foreground.

use std::env;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use pellucid_protocol::message::job_progress::JobProgress;
use pellucid_protocol::work::Work;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStderr, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::stderr_lines::StderrLines;
use crate::console;
use crate::failure::{Ending, Failure};
use crate::stack;

/// The environment variable with the path of the worker program, if it is not beside this program.
pub const VARIABLE: &str = "PELLUCID_WORKER";
const NAME: &str = "pellucid-worker";

/// The worker program, which is about to be started: see [`locate`].
///
/// # Errors
/// When there is none, or the stacks that it would have are too small.
pub fn find() -> Result<PathBuf, Failure> {
    stack::check()?;
    locate()
}

/// Where the worker program is: as `PELLUCID_WORKER` says, else beside this program, else on `PATH`.
///
/// # Errors
/// When there is none.
pub fn locate() -> Result<PathBuf, Failure> {
    let beside = env::current_exe().and_then(|exe| exe.canonicalize()).ok();
    search(env::var_os(VARIABLE).map(PathBuf::from), beside.as_deref().and_then(Path::parent), &path_folders())
}

fn path_folders() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn search(named: Option<PathBuf>, beside: Option<&Path>, path: &[PathBuf]) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        let missing = || Failure::Failed(format!("{VARIABLE} is {}, which is no file; correct it", named.display()));
        return named.is_file().then(|| named.clone()).ok_or_else(missing);
    }
    let folders = beside.into_iter().chain(path.iter().map(PathBuf::as_path));
    let found = folders.map(|folder| folder.join(NAME)).find(|file| file.is_file());
    found.ok_or_else(|| {
        let place = beside.map_or_else(String::new, |folder| format!(" in {} or", folder.display()));
        Failure::Failed(format!("no {NAME}{place} on PATH; build it with `make build` or name it in {VARIABLE}"))
    })
}

/// How long a thread of libtorch spins at a barrier before it sleeps: about 0.1 ms. With the default of several
/// milliseconds small models are many times slower on a machine that has other work to do.
const SPIN_COUNT: (&str, &str) = ("GOMP_SPINCOUNT", "5000");

/// Makes the C library keep freed memory instead of returning it to the kernel and fetching it again page by page in the
/// next layer, which takes 4 % of a forward pass. Blocks of more than 32 MiB (weights) are still returned at once.
const ALLOCATOR: [(&str, &str); 2] = [("MALLOC_MMAP_THRESHOLD_", "33554432"), ("MALLOC_TRIM_THRESHOLD_", "268435456")];

/// The command that starts the worker under a supervisor, to read its job from stdin.
pub(super) fn supervised_command(worker: &Path) -> Command {
    let mut plain = command(worker);
    if let Some(supervisor) = supervisor_program() {
        let mut supervised = Command::new(supervisor);
        supervised.arg("keep").arg(worker).stdin(Stdio::piped());
        plain = supervised;
    }
    plain
}

/// This program, if it is `pellucid`: tests and programs of other names cannot be supervisors.
fn supervisor_program() -> Option<PathBuf> {
    env::current_exe().ok().filter(|exe| exe.file_name().is_some_and(|name| name == "pellucid") && exe.is_file())
}

/// The command that starts the worker, to read its job from stdin.
pub fn command(worker: &Path) -> Command {
    let mut command = Command::new(worker);
    command.arg("work").stdin(Stdio::piped());
    let chosen = [SPIN_COUNT.0, "OMP_WAIT_POLICY"].iter().any(|name| env::var_os(name).is_some());
    if !chosen {
        command.env(SPIN_COUNT.0, SPIN_COUNT.1);
    }
    if ALLOCATOR.iter().all(|(name, _)| env::var_os(name).is_none()) {
        command.envs(ALLOCATOR);
    }
    command
}

/// Runs the worker on `work` with this program's stdout, and returns its exit code. `tell` gets the lines of its stderr;
/// where this program's stderr is a terminal, [`JobProgress`] among them.
///
/// # Errors
/// When there is no worker or it cannot be started.
pub async fn run(work: &Work, tell: impl FnMut(&str) + Send + 'static) -> Result<Ending, Failure> {
    let worker = find()?;
    let cannot = |error: std::io::Error| cannot_start(&worker, &error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut child = telling(command(&worker)).stderr(Stdio::piped()).spawn().map_err(cannot)?;
    let forwarded = tokio::spawn(forward_stderr(child.stderr.take(), tell));
    send_job(&mut child, work).await;
    let pid = child.id();
    loop {
        tokio::select! {
            status = child.wait() => {
                // Its last lines come before any message about its end. A child process of it may keep stderr open.
                let _ = tokio::time::timeout(Duration::from_secs(1), forwarded).await;
                return Ok(ending(status.map_err(cannot)?));
            }
            _ = interrupt.recv() => send_signal(pid, Signal::INT),
            _ = terminate.recv() => send_signal(pid, Signal::TERM),
        }
    }
}

/// Has the worker say how far it is, where there is somebody to see it.
fn telling(mut command: Command) -> Command {
    if std::io::stderr().is_terminal() {
        command.env(JobProgress::ASKED_BY, "1");
    }
    command
}

/// Runs the worker on `work` and returns its stdout. `tell` gets the lines of its stderr, as in [`run`].
///
/// # Errors
/// When there is no worker, it cannot be started, or it fails.
pub async fn output(work: &Work, mut tell: impl FnMut(&str) + Send + 'static) -> Result<Vec<u8>, Failure> {
    let worker = find()?;
    let cannot = |error: std::io::Error| cannot_start(&worker, &error);
    let mut command = telling(command(&worker));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(cannot)?;
    let stderr = child.stderr.take();
    let said = tokio::spawn(async move { forward_all_but_last(stderr, &mut tell).await });
    send_job(&mut child, work).await;
    let output = child.wait_with_output().await.map_err(cannot)?;
    // A child process of it may keep stderr open.
    let last = tokio::time::timeout(Duration::from_secs(1), said).await.ok().and_then(Result::ok).flatten();
    if output.status.success() {
        last.iter().for_each(|line| console::note(line));
        return Ok(output.stdout);
    }
    Err(failure(&worker, output.status, last))
}

/// Why the worker failed: what it said last, where that is an error.
fn failure(worker: &Path, status: ExitStatus, last: Option<String>) -> Failure {
    match last.as_deref().and_then(|line| line.strip_prefix("error: ")) {
        Some(why) if status.code() == Some(2) => Failure::Usage(why.to_owned()),
        Some(why) => Failure::Failed(why.to_owned()),
        None => {
            last.iter().for_each(|line| console::note(line));
            Failure::Failed(format!("{} did not start rightly ({status})", worker.display()))
        }
    }
}

/// As [`forward_stderr`], but for the last line, which is returned. How far the work is does not count as one.
async fn forward_all_but_last(stderr: Option<ChildStderr>, tell: &mut (impl FnMut(&str) + Send)) -> Option<String> {
    let mut lines = StderrLines::new(stderr?);
    let mut last: Option<String> = None;
    while let Some(line) = lines.next().await {
        match JobProgress::of_line(&line) {
            Some(_) => tell(&line),
            None => last.replace(line).iter().for_each(|line| tell(line)),
        }
    }
    last
}

/// Passes the lines of the worker's stderr on.
async fn forward_stderr(stderr: Option<ChildStderr>, mut tell: impl FnMut(&str) + Send) {
    let Some(stderr) = stderr else { return };
    let mut lines = StderrLines::new(stderr);
    while let Some(line) = lines.next().await {
        tell(&line);
    }
}

/// Writes the job to the worker's stdin and closes it. Errors are ignored: a worker that fails to read says so itself.
pub async fn send_job(child: &mut Child, work: &Work) {
    if let Some(mut stdin) = child.stdin.take()
        && let Ok(mut line) = serde_json::to_vec(work)
    {
        line.push(b'\n');
        let _ = stdin.write_all(&line).await;
    }
}

pub(crate) fn cannot_start(worker: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("cannot start {}: {error}", worker.display()))
}

/// Sends a signal to a child process.
pub fn send_signal(pid: Option<u32>, signal: Signal) {
    if let Some(pid) = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
        // It may have ended meanwhile.
        let _ = kill_process(pid, signal);
    }
}

/// The ending of this program that corresponds to a worker's exit status.
pub fn ending(status: ExitStatus) -> Ending {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ending::Done,
        (Some(code), _) => Ending::Worker(u8::try_from(code).unwrap_or(1)),
        (None, Some(signal)) => Ending::Worker(u8::try_from(128 + signal).unwrap_or(1)),
        (None, None) => Ending::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_wins_then_the_neighbour_then_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            let sub = folder.path().join(name);
            std::fs::create_dir(&sub).unwrap();
            std::fs::write(sub.join(NAME), "").unwrap();
            sub
        };
        let (named, beside, path) = (place("named"), place("beside"), place("path"));
        let found = |named: Option<&Path>, beside: &Path| {
            search(named.map(|folder| folder.join(NAME)), Some(beside), std::slice::from_ref(&path)).unwrap()
        };
        assert_eq!(found(Some(&named), &beside), named.join(NAME));
        assert_eq!(found(None, &beside), beside.join(NAME));
        assert_eq!(found(None, folder.path()), path.join(NAME));
    }

    #[test]
    fn a_missing_worker_is_one_line_that_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let message = search(None, Some(folder.path()), &[]).unwrap_err().to_string();
        assert!(message.contains("make build") && !message.contains('\n'), "{message}");
        let message = search(Some("/nowhere/worker".into()), None, &[]).unwrap_err().to_string();
        assert_eq!(message, "PELLUCID_WORKER is /nowhere/worker, which is no file; correct it");
    }

    #[test]
    fn a_workers_end_is_passed_through() {
        use std::os::unix::process::ExitStatusExt;
        let cases = [(0, 0), (1 << 8, 1), (2 << 8, 2), (2, 130), (9, 137)];
        for (raw, code) in cases {
            assert_eq!(ending(ExitStatus::from_raw(raw)).code(), code);
        }
    }
}
