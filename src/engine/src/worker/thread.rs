//! The thread that owns every tensor of a run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

use pellucid_protocol::event::{Alert, Ended, Outcome};
use pellucid_protocol::{Command, Event, Metrics, Settings};
use pellucid_record::RunDir;
use tokio::sync::{mpsc as tokio_mpsc, oneshot};

use super::desk::Desk;
use super::run_folder;
use super::system::SystemMeter;
use crate::error::{Error, Result};
use crate::train::interrupt::Interrupt;
use crate::train::ledger::Ledger;
use crate::train::prepare::prepare;
use crate::train::{Trainer, resume, run};

/// A command on its way to the thread, with the way back for the answer: `None` if done, else why not.
#[derive(Debug)]
pub struct Mail {
    /// What is asked for.
    pub command: Command,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Option<String>>,
}

/// What the thread tells the hub, in order: phases, then either a failure, or the folder and events.
#[derive(Debug)]
pub enum FromThread {
    /// What is being done before the start.
    Phase(String),
    /// The run cannot start; nothing was written.
    Failed(String),
    /// The run folder stands.
    Opened(RunDir),
    /// The run has ended before, and nothing is trained.
    Over,
    /// Something happened.
    Event(Event),
    /// All before is to be on the disk; the answer is the length of the record with it, in bytes.
    Settle(oneshot::Sender<u64>),
}

/// Where the thread's messages go. Waits when the hub is behind: the record is complete.
pub type ToHub = tokio_mpsc::Sender<FromThread>;

/// Starts the thread. It ends when the mailbox is closed.
///
/// # Errors
/// When the system has no thread to give.
pub fn spawn(start: Start, ends: Ends) -> std::io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("pellucid-tensors".to_owned()).spawn(move || work(start, ends))
}

/// The thread's ends of the lines to the hub.
pub struct Ends {
    /// Where its messages go.
    pub hub: ToHub,
    /// Where commands come from.
    pub mailbox: mpsc::Receiver<Mail>,
    /// The wish to end.
    pub interrupt: Interrupt,
}

/// What a worker trains, or has trained.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// A new run.
    New(Box<Settings>),
    /// The run in this folder, from its last whole checkpoint.
    Again(RunDir),
    /// The run in this folder, which has ended: nothing is trained, but its last weights can be asked.
    Ended(RunDir),
}

fn work(start: Start, ends: Ends) {
    let Ends { hub, mailbox, interrupt } = ends;
    // A hub that is gone means the process is ending.
    let tell = |message| drop(hub.blocking_send(message));
    let ended = matches!(start, Start::Ended(_));
    let mut trainer = match guarded(|| open(start, &hub)) {
        Ok((trainer, run)) => {
            tell(FromThread::Opened(run));
            trainer
        }
        Err(error) => return tell(FromThread::Failed(error.to_string())),
    };
    trainer.heed(interrupt);
    trainer.keep_to(ledger(hub.clone()));
    let mut desk = Desk::new(mailbox, hub.clone());
    if ended {
        tell(FromThread::Over);
    } else {
        train(&mut trainer, &mut desk, &tell);
    }
    // What goes wrong after the end is no matter of the run.
    let mut serve = || {
        desk.serve_until_closed(&mut trainer);
        Ok(())
    };
    while guarded(&mut serve).is_err() {}
}

/// Trains to the end, and tells of everything.
fn train(trainer: &mut Trainer, desk: &mut Desk, tell: &dyn Fn(FromThread)) {
    let mut meter = SystemMeter::new(trainer.device());
    let mut emit = |mut event| {
        if let Event::Step(step) = &mut event {
            step.metrics.extend(meter.measure().unwrap_or_default());
        }
        tell(FromThread::Event(event));
    };
    let done = catch_unwind(AssertUnwindSafe(|| run(trainer, &mut emit, desk)));
    if let Err(panic) = done {
        let (step, message) = (trainer.step_count(), panic_text(&*panic));
        tell(FromThread::Event(Event::Alert(Alert::error(step, message.clone()))));
        let ended = Ended { step, outcome: Outcome::Failed, message: Some(message), metrics: Metrics::default() };
        tell(FromThread::Event(Event::Ended(ended)));
    }
}

/// The record as the hub keeps it.
fn ledger(hub: ToHub) -> Ledger {
    Ledger::new(move || {
        let (answer, settled) = oneshot::channel();
        hub.blocking_send(FromThread::Settle(answer)).ok()?;
        settled.blocking_recv().ok()
    })
}

/// Does `work`; what libtorch or a mistake of ours throws becomes an error.
///
/// # Errors
/// That of `work`, or what was thrown.
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Error::Torch(panic_text(&*panic))))
}

fn open(start: Start, hub: &ToHub) -> Result<(Trainer, RunDir)> {
    let mut phase = |text| drop(hub.blocking_send(FromThread::Phase(text)));
    match start {
        Start::New(settings) => {
            use_threads(&settings);
            let trainer = Trainer::new(prepare(*settings, &mut phase)?);
            let run = run_folder::create(trainer.settings(), trainer.samples())?;
            Ok((trainer, run))
        }
        Start::Again(run) => {
            let settings = resume::settings(&run)?;
            use_threads(&settings);
            Ok((resume::trainer(settings, &run, &mut phase)?, run))
        }
        Start::Ended(run) => {
            let settings = resume::settings(&run)?;
            use_threads(&settings);
            Ok((resume::at_its_end(settings, &run, &mut phase)?, run))
        }
    }
}

fn use_threads(settings: &Settings) {
    if settings.threads > 0 {
        tch::set_num_threads(settings.threads as i32);
    }
}

/// The first line of what a panic said; of an exception of libtorch, that of the exception.
#[must_use]
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.and_then(|text| text.lines().next()).unwrap_or("the worker thread panicked");
    // tch unwraps its errors, and what was thrown stands there quoted, with where it came from behind it.
    let thrown = line.split_once("`Err` value: Torch(\"").map(|(_, thrown)| thrown);
    let thrown = thrown.map(|thrown| thrown.split("\\n").next().unwrap_or(thrown).trim_end_matches("\")"));
    thrown.map_or_else(|| line.to_owned(), |thrown| format!("libtorch: {thrown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libtorch_threw_is_told_without_what_surrounds_it() {
        let said = |text: &str| panic_text(&text.to_owned());
        let torch = "called `Result::unwrap()` on an `Err` value: Torch(";
        assert_eq!(
            said(&format!("{torch}\"could not create a primitive\")")),
            "libtorch: could not create a primitive"
        );
        assert_eq!(said(&format!("{torch}\"out of memory\\nframe #0\")")), "libtorch: out of memory");
        assert_eq!((said("index 3\nmore"), panic_text(&7)), ("index 3".into(), "the worker thread panicked".into()));
    }
}
