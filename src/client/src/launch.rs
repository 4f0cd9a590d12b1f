//! Starts a worker and waits until its run stands.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
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

use super::follow::Begin;
use super::lines::Lines;
use super::words::Words;
use super::worker::{cannot_start, hand_over, kept, pass_on};
use super::{Ends, FromRun, Gone, Parting, follow};

/// Lines of a worker's last words that are kept.
const LAST_WORDS: usize = 20;

/// How long a worker that is not wanted may take to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why no run came of it.
pub(super) enum Miss {
    /// It could not start, or was called off.
    Failed(String),
    /// The screen has let go.
    Gone,
}

impl From<Gone> for Miss {
    fn from(_: Gone) -> Self {
        Miss::Gone
    }
}

/// Starts `worker` on `work`, then follows the run beyond byte `beyond` of its log.
pub(super) async fn launch(worker: PathBuf, work: Work, beyond: u64, mut ends: Ends) -> Option<RunDir> {
    let mut early = Vec::new();
    match begin(&worker, work, &mut ends, &mut early).await {
        Ok(run) => follow::follow_with(run, ends, Begin { early, beyond, ..Begin::default() }).await,
        Err(Miss::Failed(message)) => {
            // Whether anybody hears it makes no difference: nothing was started.
            let _ = ends.say(FromRun::Failed(message)).await;
            None
        }
        Err(Miss::Gone) => None,
    }
}

/// Starts `worker` on `work` and waits until its run stands; commands that come meanwhile are put with the `early` ones.
pub(super) async fn begin(
    worker: &Path,
    work: Work,
    ends: &mut Ends,
    early: &mut Vec<Command>,
) -> Result<RunDir, Miss> {
    let mut child = start(worker).map_err(|error| Miss::Failed(cannot_start(worker, &error).to_string()))?;
    let words = LastWords::collect(child.stderr.take());
    hand_over(&mut child, &work).await;
    let outcome = match child.stdout.take() {
        Some(stdout) => wait(stdout, ends, early).await,
        None => Ok(Launch::Silent("starting".into())),
    };
    match outcome {
        Ok(Launch::Ready(run)) => {
            // Somebody must wait for it, or it would seem alive after its end. It is not killed with us.
            tokio::spawn(async move { child.wait().await });
            Ok(run)
        }
        Ok(Launch::Silent(phase)) => {
            let status = child.wait().await;
            Err(Miss::Failed(obituary(status.ok(), &phase, &words.take().await)))
        }
        // The terminal is gone, and nobody has said that the run is not wanted: it begins by itself.
        Err(Miss::Gone) if ends.parting.get() == Parting::HungUp => Err(Miss::Gone),
        Err(miss) => {
            end(&mut child).await;
            Err(miss)
        }
    }
}

fn start(worker: &Path) -> std::io::Result<Child> {
    // The worker begins a session of its own, which a leader of a process group could not.
    kept(worker).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// Ends a worker that is not ready: it has written nothing. Gently, since it is passed on by whoever watches over it.
async fn end(child: &mut Child) {
    pass_on(child.id(), rustix::process::Signal::TERM);
    if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// How a launch went on the worker's side.
enum Launch {
    Ready(RunDir),
    /// It closed its stdout with no last line, during this phase.
    Silent(String),
}

/// Passes on the phases until the last line. Commands that come early are kept for later.
async fn wait(stdout: ChildStdout, ends: &mut Ends, early: &mut Vec<Command>) -> Result<Launch, Miss> {
    let mut lines = Lines::new(BufReader::new(stdout));
    let mut phase = "starting".to_owned();
    loop {
        tokio::select! {
            line = lines.next() => {
                let Some(line) = line else { return Ok(Launch::Silent(phase)) };
                match serde_json::from_slice(&line) {
                    Ok(LaunchLine::Phase { text }) => {
                        phase.clone_from(&text);
                        ends.say(FromRun::Phase(text)).await?;
                    }
                    Ok(LaunchLine::Ready { run_dir }) => return Ok(Launch::Ready(RunDir::new(run_dir))),
                    Ok(LaunchLine::Failed { message }) => return Err(Miss::Failed(message)),
                    Err(_) => {} // Some library's print: it is no line of ours.
                }
            }
            command = ends.commands.recv() => match command {
                None => return Err(Miss::Gone),
                Some(Command::Stop | Command::StopNow) => {
                    return Err(Miss::Failed("stopped before the run began; nothing was written".into()));
                }
                Some(command) => early.push(command),
            },
        }
    }
}

/// The last lines of a worker's stderr.
struct LastWords {
    lines: Arc<Mutex<VecDeque<String>>>,
    reader: JoinHandle<()>,
}

impl LastWords {
    /// Reads on until the worker closes or redirects its stderr, so that it never waits for a reader.
    fn collect(stderr: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&lines);
        let reader = tokio::spawn(async move {
            let Some(stderr) = stderr else { return };
            let mut words = Words::new(stderr);
            while let Some(piece) = words.next().await {
                keep(&kept, piece);
            }
        });
        Self { lines, reader }
    }

    /// What a worker that has ended said last. Does not wait for a heir that keeps its stderr open.
    async fn take(self) -> Vec<String> {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.reader).await;
        self.lines.lock().map(|mut lines| lines.drain(..).collect()).unwrap_or_default()
    }
}

fn keep(lines: &Mutex<VecDeque<String>>, line: String) {
    if let Ok(mut lines) = lines.lock() {
        if lines.len() == LAST_WORDS {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// How a worker died that was to start: its end, what it was doing, and its last words.
fn obituary(status: Option<ExitStatus>, phase: &str, words: &[String]) -> String {
    use std::os::unix::process::ExitStatusExt;
    let end = match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => format!("with exit code {code}"),
        Some((None, Some(signal))) => format!("by signal {signal}"),
        _ => "in an unknown way".to_owned(),
    };
    // A panic's last line is advice on backtraces.
    let last = words.iter().rev().find(|line| !line.is_empty() && !line.starts_with("note:"));
    let said = last.map_or_else(String::new, |line| format!(", saying: {line}"));
    format!("the worker ended {end} before the run began, while {phase}{said}; `pellucid doctor` looks for causes")
}
