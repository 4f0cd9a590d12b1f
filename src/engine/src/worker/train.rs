//! Starts a run. Launch lines go to stdout until the run folder is there; then the run goes on by itself.

use std::io::Write;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use pellucid_files::regular::{self, Access};
use pellucid_protocol::launch::LaunchLine;
use pellucid_record::RunDir;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc as tokio_mpsc;

use super::claim::Claim;
use super::message::Report;
use super::run_folder::{keep_private, socket_path};
use super::server::{Controls, Server};
use super::tensor_thread::{Channels, Start, spawn};
use crate::error::{Error, Result};
use crate::interrupt::{Interrupt, Urgency};

/// How many reports the tensor thread may be ahead of the server.
const AHEAD: usize = 1024;

/// How long the thread may take to end, and the last lines to reach the clients.
const FAREWELL: Duration = Duration::from_secs(1);
/// The exit code of a worker that was told to leave before its run had begun.
const TERMINATED: i32 = 143;
/// The signal of a limit on the size of files. Unhandled, it would end the process; handled, it is like a full disk.
const FILE_TOO_LARGE: SignalKind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());

/// Trains and serves the run until nobody needs it any more.
#[must_use]
pub fn train(start: Start) -> ExitCode {
    // A session of its own: the run outlives the terminal. Failing means it already leads one.
    let _ = rustix::process::setsid();
    keep_private();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime
        .map_err(|error| Error::system("the event loop", error))
        .and_then(|runtime| runtime.block_on(lead(start)))
    {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// Leads the thread that owns the tensors, from its start to its end.
async fn lead(start: Start) -> Result<ExitCode> {
    // The terminal may go while the run is still being prepared.
    let _handled = [SignalKind::hangup(), FILE_TOO_LARGE].map(signal);
    let (reports, events) = tokio_mpsc::channel(AHEAD);
    let (sender, requests) = mpsc::channel();
    let interrupt = Interrupt::default();
    // Before anything is read or written.
    let claim = match &start {
        Start::New(settings) => Claim::of_new(&settings.run_dir)?,
        Start::Again(run) | Start::Ended(run) => Claim::of_existing(run)?,
    };
    socket_path(claim.run())?;
    let channels = Channels { reports, requests, interrupt: interrupt.clone() };
    let thread = spawn(start, channels).map_err(|error| Error::system("a thread for the tensors", error))?;
    let code = match serve(claim, Controls { requests: sender, interrupt: interrupt.clone() }, events).await {
        Ok(()) => ExitCode::SUCCESS,
        // The run has not begun, and nothing of it is left.
        Err(Error::Interrupted) => std::process::exit(TERMINATED),
        Err(error) => {
            interrupt.raise(Urgency::Now);
            fail(&error)
        }
    };
    // Nobody can send it requests any more, so it ends, unless it is in the middle of something long. What libtorch owns
    // goes with the process and must not be freed while the thread computes.
    let joined = tokio::task::spawn_blocking(move || thread.join());
    let farewell = if code == ExitCode::SUCCESS { FAREWELL } else { FAREWELL * 10 };
    if tokio::time::timeout(farewell, joined).await.is_err() {
        std::process::exit(i32::from(code != ExitCode::SUCCESS));
    }
    Ok(code)
}

/// Opens the server once the run folder is there, and serves until the run is over.
async fn serve(claim: Claim, controls: Controls, mut events: tokio_mpsc::Receiver<Report>) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| Error::system("signals", error))?;
    let run = tokio::select! {
        run = opened(&mut events) => run?,
        _ = terminate.recv() => return Err(Error::Interrupted),
    };
    let Some(lock) = claim.begun() else { return Err(Error::system("the lock of the run", "is gone")) };
    let server = Server::open(run.clone(), lock, controls)?;
    say(&LaunchLine::Ready { run_dir: run.root().to_owned(), log_length: server.log_length() });
    leave_terminal(&run)?;
    server.serve(events).await
}

fn fail(error: &Error) -> ExitCode {
    say(&LaunchLine::Failed { message: error.to_string() });
    ExitCode::from(1)
}

/// Passes phases on until the run folder is there.
async fn opened(events: &mut tokio_mpsc::Receiver<Report>) -> Result<RunDir> {
    loop {
        match events.recv().await {
            Some(Report::Phase(text)) => say(&LaunchLine::Phase { text }),
            Some(Report::Opened(run)) => return Ok(run),
            Some(Report::Failed(message)) => return Err(Error::Refused(message)),
            Some(Report::AlreadyEnded | Report::Event(_) | Report::Sync(_)) | None => {
                return Err(Error::system("the thread of the tensors", "is gone"));
            }
        }
    }
}

fn say(line: &LaunchLine) {
    if let Ok(text) = serde_json::to_string(line) {
        let mut out = std::io::stdout().lock();
        // Nobody may be listening any more; the run goes on.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }
}

/// From here on, whatever this process or libtorch prints goes to the run's log file.
fn leave_terminal(run: &RunDir) -> Result<()> {
    let told = |error: std::io::Error| Error::file(&run.log(), error);
    let log = regular::open(&run.log(), Access::AppendOrCreate).map_err(told)?;
    rustix::stdio::dup2_stdout(&log).map_err(|error| told(error.into()))?;
    rustix::stdio::dup2_stderr(&log).map_err(|error| told(error.into()))?;
    let nothing = std::fs::File::open("/dev/null").map_err(told)?;
    rustix::stdio::dup2_stdin(&nothing).map_err(|error| told(error.into()))
}
