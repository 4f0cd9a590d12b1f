//! Starts a worker and waits until its run has begun.

use std::collections::VecDeque;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pellucid_protocol::Command;
use pellucid_protocol::launch::LaunchLine;
use pellucid_protocol::work::Work;
use pellucid_record::RunDir;
use tokio::io::{AsyncRead, BufReader};
use tokio::process::{Child, ChildStdout};
use tokio::task::JoinHandle;

use super::lines::Lines;
use super::link::{CloseReason, Closed, FromRun, TaskEnd};
use super::stderr_lines::StderrLines;
use super::worker::{cannot_start, send_job, send_signal, supervised_command};

/// Lines of a worker's stderr that are kept.
const STDERR_LINES: usize = 20;

/// How long a worker that is no longer wanted may take to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why no run has begun.
pub(super) enum LaunchError {
    /// The worker could not start, or the user has stopped it.
    Failed(String),
    /// The screen has dropped its link.
    Closed,
}

impl From<Closed> for LaunchError {
    fn from(_: Closed) -> Self {
        LaunchError::Closed
    }
}

/// Starts `worker` on `work` and waits until its run has begun. Commands that come meanwhile are added to `early`.
pub(super) async fn begin(
    worker: &Path,
    work: Work,
    task_end: &mut TaskEnd,
    early: &mut Vec<Command>,
) -> Result<Begun, LaunchError> {
    let mut child = start(worker).map_err(|error| LaunchError::Failed(cannot_start(worker, &error).to_string()))?;
    let stderr = StderrTail::collect(child.stderr.take());
    send_job(&mut child, &work).await;
    let outcome = match child.stdout.take() {
        Some(stdout) => wait(stdout, task_end, early).await,
        None => Ok(Launch::Silent("starting".into())),
    };
    match outcome {
        Ok(Launch::Ready(begun)) => {
            // Without this it would remain a zombie after its end. It is not killed when this program ends.
            tokio::spawn(async move { child.wait().await });
            Ok(begun)
        }
        Ok(Launch::Silent(phase)) => {
            let status = child.wait().await;
            Err(LaunchError::Failed(death_message(status.ok(), &phase, &stderr.take().await)))
        }
        // The terminal is gone, but the user did not ask to stop the run: it begins without us.
        Err(LaunchError::Closed) if task_end.close_reason.get() == CloseReason::HangUp => Err(LaunchError::Closed),
        Err(miss) => {
            end(&mut child).await;
            Err(miss)
        }
    }
}

fn start(worker: &Path) -> std::io::Result<Child> {
    // Not in a process group of its own: the leader of a group could not start a session.
    supervised_command(worker).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// Ends a worker whose run has not begun, which has written nothing. With SIGTERM first, which its supervisor passes on.
async fn end(child: &mut Child) {
    send_signal(child.id(), rustix::process::Signal::TERM);
    if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// A run that has begun.
pub(super) struct Begun {
    /// Its folder.
    pub(super) run: RunDir,
    /// Bytes of its log when it began.
    pub(super) log_length: u64,
}

/// How the worker's start went.
enum Launch {
    /// The run has begun.
    Ready(Begun),
    /// The worker closed its stdout without a result, during this phase.
    Silent(String),
}

/// Passes on the phases until the run has begun or failed. Commands that come meanwhile are added to `early`.
async fn wait(stdout: ChildStdout, task_end: &mut TaskEnd, early: &mut Vec<Command>) -> Result<Launch, LaunchError> {
    let mut lines = Lines::new(BufReader::new(stdout));
    let mut phase = "starting".to_owned();
    loop {
        tokio::select! {
            line = lines.next() => {
                let Some(line) = line else { return Ok(Launch::Silent(phase)) };
                match serde_json::from_slice(&line) {
                    Ok(LaunchLine::Phase { text }) => {
                        phase.clone_from(&text);
                        task_end.send(FromRun::Phase(text)).await?;
                    }
                    Ok(LaunchLine::Ready { run_dir, log_length }) => {
                        return Ok(Launch::Ready(Begun { run: RunDir::new(run_dir), log_length }));
                    }
                    Ok(LaunchLine::Failed { message }) => return Err(LaunchError::Failed(message)),
                    Err(_) => {} // Printed by some library.
                }
            }
            command = task_end.commands.recv() => match command {
                None => return Err(LaunchError::Closed),
                Some(Command::Stop | Command::StopNow) => {
                    return Err(LaunchError::Failed("stopped before the run began; nothing was written".into()));
                }
                Some(command) => early.push(command),
            },
        }
    }
}

/// The last lines of a worker's stderr.
struct StderrTail {
    lines: Arc<Mutex<VecDeque<String>>>,
    reader: JoinHandle<()>,
}

impl StderrTail {
    /// Reads until the worker closes or redirects its stderr, so that the worker never blocks on a full pipe.
    fn collect(stderr: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&lines);
        let reader = tokio::spawn(async move {
            let Some(stderr) = stderr else { return };
            let mut stderr = StderrLines::new(stderr);
            while let Some(line) = stderr.next().await {
                keep(&kept, line);
            }
        });
        Self { lines, reader }
    }

    /// The last lines of a worker that has ended. Does not wait long, since a child process of the worker may keep its
    /// stderr open.
    async fn take(self) -> Vec<String> {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.reader).await;
        self.lines.lock().map(|mut lines| lines.drain(..).collect()).unwrap_or_default()
    }
}

fn keep(lines: &Mutex<VecDeque<String>>, line: String) {
    if let Ok(mut lines) = lines.lock() {
        if lines.len() == STDERR_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// Why a worker ended before its run began: its exit status, its phase, and the last line of its stderr.
fn death_message(status: Option<ExitStatus>, phase: &str, stderr: &[String]) -> String {
    use std::os::unix::process::ExitStatusExt;
    let end = match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => format!("with exit code {code}"),
        Some((None, Some(signal))) => format!("by signal {signal}"),
        _ => "in an unknown way".to_owned(),
    };
    // A panic's last line is advice on backtraces.
    let last = stderr.iter().rev().find(|line| !line.is_empty() && !line.starts_with("note:"));
    let said = last.map_or_else(String::new, |line| format!(", saying: {line}"));
    format!("the worker ended {end} before the run began, while {phase}{said}; `pellucid doctor` looks for causes")
}
