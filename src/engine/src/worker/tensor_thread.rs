//! The thread that owns every tensor of a run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

use pellucid_protocol::event::{Alert, Ended, Outcome};
use pellucid_protocol::{Event, Metrics, Settings};
use pellucid_record::RunDir;
use tokio::sync::oneshot;

use super::message::{Report, Reports, Request};
use super::run_folder;
use super::scheduler::Scheduler;
use super::system::SystemMeter;
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::panic_guard::{guarded, panic_text};
use crate::train::log_sync::LogSync;
use crate::train::prepare::prepare;
use crate::train::{Trainer, resume, run};

/// Starts the thread. It ends when nobody can send it requests any more.
///
/// # Errors
/// When the system has no thread to give.
pub fn spawn(start: Start, channels: Channels) -> std::io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("pellucid-tensors".to_owned()).spawn(move || work(start, channels))
}

/// The thread's ends of the channels to the server.
pub struct Channels {
    /// Where its reports go.
    pub reports: Reports,
    /// Where requests come from.
    pub requests: mpsc::Receiver<Request>,
    /// Ends long work.
    pub interrupt: Interrupt,
}

/// Which run a worker is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// A new run.
    New(Box<Settings>),
    /// The run in this folder, from its last whole checkpoint.
    Again(RunDir),
    /// The run in this folder, which has ended: nothing is trained, but its last weights can be explained.
    Ended(RunDir),
}

fn work(start: Start, channels: Channels) {
    let Channels { reports, requests, interrupt } = channels;
    // If nobody takes reports any more, the process is ending.
    let tell = |message| drop(reports.blocking_send(message));
    let ended = matches!(start, Start::Ended(_));
    let mut trainer = match guarded(|| open(start, &reports)) {
        Ok((trainer, run)) => {
            tell(Report::Opened(run));
            trainer
        }
        Err(error) => return tell(Report::Failed(error.to_string())),
    };
    trainer.set_interrupt(interrupt);
    trainer.set_log_sync(log_sync(reports.clone()));
    let mut scheduler = Scheduler::new(requests, reports.clone());
    if ended {
        tell(Report::AlreadyEnded);
    } else {
        train(&mut trainer, &mut scheduler, &tell);
    }
    // A failure after the end does not change the outcome of the run.
    let mut serve = || {
        scheduler.serve_until_closed(&mut trainer);
        Ok(())
    };
    while guarded(&mut serve).is_err() {}
}

/// Trains to the end and reports everything.
fn train(trainer: &mut Trainer, scheduler: &mut Scheduler, tell: &dyn Fn(Report)) {
    let mut meter = SystemMeter::new(trainer.device());
    let mut emit = |mut event| {
        if let Event::Step(step) = &mut event {
            step.metrics.extend(meter.measure().unwrap_or_default());
        }
        tell(Report::Event(event));
    };
    let done = catch_unwind(AssertUnwindSafe(|| run(trainer, &mut emit, scheduler)));
    if let Err(panic) = done {
        let (step, message) = (trainer.step_count(), panic_text(&*panic));
        tell(Report::Event(Event::Alert(Alert::error(step, message.clone()))));
        let ended = Ended { step, outcome: Outcome::Failed, message: Some(message), metrics: Metrics::default() };
        tell(Report::Event(Event::Ended(ended)));
    }
}

/// The event log, which the server keeps.
fn log_sync(reports: Reports) -> LogSync {
    LogSync::new(move || {
        let (answer, synced) = oneshot::channel();
        reports.blocking_send(Report::Sync(answer)).ok()?;
        synced.blocking_recv().ok()
    })
}

fn open(start: Start, reports: &Reports) -> Result<(Trainer, RunDir)> {
    let mut phase = |text| drop(reports.blocking_send(Report::Phase(text)));
    match start {
        Start::New(settings) => {
            use_threads(&settings);
            let trainer = Trainer::new(prepare(*settings, &mut phase)?);
            phase("trying to save the model".to_owned());
            trainer.try_saving()?;
            let run = run_folder::create(&trainer)?;
            Ok((trainer, run))
        }
        Start::Again(run) => {
            let settings = resume::settings(&run)?;
            use_threads(&settings);
            let trainer = resume::trainer(settings, &run, &mut phase)?;
            trainer.try_saving()?;
            Ok((trainer, run))
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
