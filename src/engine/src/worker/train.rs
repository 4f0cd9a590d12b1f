//! Starts a run: launch lines on stdout until it stands, then on its own.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use pellucid_protocol::launch::LaunchLine;
use pellucid_record::RunDir;
use pellucid_record::owner::Lock;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc as tokio_mpsc;

use super::hub::{Hub, Lines};
use super::run_folder::{keep_private, own};
use super::thread::{Ends, FromThread, Start, spawn};
use crate::error::{Error, Result};
use crate::train::interrupt::{Interrupt, Urgency};

/// Messages that the tensor thread may be ahead of the hub.
const AHEAD: usize = 1024;

/// How long the thread may take to end, and the last lines to reach those who are attached.
const FAREWELL: Duration = Duration::from_secs(1);
/// A limit on the size of files is a full disk like any other: not heard, it would end the process.
const FILE_TOO_LARGE: SignalKind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());

/// Trains and serves the run until nobody needs it any more.
#[must_use]
pub fn train(start: Start) -> ExitCode {
    // A session of its own: the run outlives the terminal. Failing means it already leads one.
    let _ = rustix::process::setsid();
    keep_private();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(|error| Error::Torch(error.to_string())).and_then(|runtime| runtime.block_on(lead(start))) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// Leads the thread that owns the tensors, from its start to its end.
async fn lead(start: Start) -> Result<ExitCode> {
    // The terminal may go while the run is still being prepared.
    let _heard = [SignalKind::hangup(), FILE_TOO_LARGE].map(signal);
    let (hub, events) = tokio_mpsc::channel(AHEAD);
    let (mail, mailbox) = mpsc::channel();
    let interrupt = Interrupt::default();
    // A run that is there already is taken before anything is read, a new one when its folder stands.
    let taken = if let Start::Again(run) | Start::Ended(run) = &start { Some(own(run)?) } else { None };
    let ends = Ends { hub, mailbox, interrupt: interrupt.clone() };
    let thread = spawn(start, ends).map_err(|error| Error::Torch(error.to_string()))?;
    let code = match serve(taken, Lines { mail, interrupt: interrupt.clone() }, events).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            interrupt.raise(Urgency::Now);
            fail(&error)
        }
    };
    // Its mailbox is closed, and so it ends, unless it is in the midst of something long. What libtorch has of its own
    // goes with the process, and must not be taken from under a thread that computes.
    let joined = tokio::task::spawn_blocking(move || thread.join());
    let farewell = if code == ExitCode::SUCCESS { FAREWELL } else { FAREWELL * 10 };
    if tokio::time::timeout(farewell, joined).await.is_err() {
        std::process::exit(i32::from(code != ExitCode::SUCCESS));
    }
    Ok(code)
}

/// Opens the hub once the run stands, and serves until it is over.
async fn serve(taken: Option<Lock>, lines: Lines, mut events: tokio_mpsc::Receiver<FromThread>) -> Result<()> {
    let run = opened(&mut events).await?;
    let lock = taken.map_or_else(|| own(&run), Ok)?;
    let hub = Hub::open(run.clone(), lock, lines)?;
    say(&LaunchLine::Ready { run_dir: run.root().to_owned() });
    leave_terminal(&run)?;
    hub.serve(events).await
}

fn fail(error: &Error) -> ExitCode {
    say(&LaunchLine::Failed { message: error.to_string() });
    ExitCode::from(1)
}

/// Passes phases on until the run folder stands.
async fn opened(events: &mut tokio_mpsc::Receiver<FromThread>) -> Result<RunDir> {
    loop {
        match events.recv().await {
            Some(FromThread::Phase(text)) => say(&LaunchLine::Phase { text }),
            Some(FromThread::Opened(run)) => return Ok(run),
            Some(FromThread::Failed(message)) => return Err(Error::Refused(message)),
            Some(FromThread::Over | FromThread::Event(_) | FromThread::Settle(_)) | None => {
                return Err(Error::Torch("the worker thread is gone".to_owned()));
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
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(run.log()).map_err(told)?;
    rustix::stdio::dup2_stdout(&log).map_err(|error| told(error.into()))?;
    rustix::stdio::dup2_stderr(&log).map_err(|error| told(error.into()))?;
    let nothing = std::fs::File::open("/dev/null").map_err(told)?;
    rustix::stdio::dup2_stdin(&nothing).map_err(|error| told(error.into()))
}
