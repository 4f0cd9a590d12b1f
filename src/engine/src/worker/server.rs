//! The server of a run: appends each event to the event log first, then sends it to the attached clients.

mod shutdown;

use std::borrow::Cow;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use pellucid_protocol::event::{Alert, Ended, Level, MOVED, Outcome, Setting};
use pellucid_protocol::scrub::scrub;
use pellucid_protocol::{Command, Event, Record, ToClient};
use pellucid_record::lock::Lock;
use pellucid_record::log::line::encode;
use pellucid_record::{RunDir, RunSummary};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{broadcast, mpsc as tokio_mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

use self::shutdown::Shutdown;
use super::client::{Outgoing, Priority, ServerRequest, Subscription, serve};
use super::clock::Clock;
use super::event_log::{EventLog, Line, LogNews, LogPlace};
use super::message::{Report, Request};
use super::run_files::RunFiles;
use crate::error::{Error, Result};
use crate::interrupt::{Interrupt, Urgency};
use crate::train::log_sync::Synced;

/// How many events a client may be behind before it has to read the file again.
const BACKLOG: usize = 4096;
/// How often the server checks that the folder is there and retries what the disk refused.
const MAINTENANCE: Duration = Duration::from_secs(1);

/// The server of one run.
pub struct Server {
    files: RunFiles,
    log: EventLog,
    clock: Clock,
    lines: broadcast::Sender<Outgoing>,
    requests: mpsc::Sender<Request>,
    interrupt: Interrupt,
    shutdown: Shutdown,
    /// What the log says of the run.
    summary: RunSummary,
    /// Warnings to give once the run has started.
    notes: Vec<String>,
    /// Why a removed folder could not be made again, once that was reported.
    unrestored: Option<String>,
}

/// How the server reaches the thread that owns the tensors.
pub struct Controls {
    /// Commands for it.
    pub requests: mpsc::Sender<Request>,
    /// Ends long work.
    pub interrupt: Interrupt,
}

/// The signals that a worker handles.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// The terminal that started the run may go; the run stays.
    hang_up: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(|error| Error::system("signals", error));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }
}

impl Server {
    /// Opens the log and the socket of `run`, which `lock` owns, and writes the address into its folder.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(run: RunDir, lock: Lock, controls: Controls) -> Result<Self> {
        let unreadable = |error| Error::file(&run.events(), error);
        let log = EventLog::open(&run).map_err(unreadable)?;
        let summary = RunSummary::read(&run).map_err(unreadable)?;
        let torn = log.torn();
        let cut = format!("the last record was torn: its {torn} bytes were cut off, the record is whole up to there");
        let Controls { requests, interrupt } = controls;
        Ok(Self {
            files: RunFiles::open(run, lock)?,
            log,
            clock: Clock::default(),
            lines: broadcast::channel(BACKLOG).0,
            requests,
            interrupt,
            shutdown: Shutdown::default(),
            summary,
            notes: if torn > 0 { vec![cut] } else { Vec::new() },
            unrestored: None,
        })
    }

    /// Bytes of the event log.
    #[must_use]
    pub fn log_length(&self) -> u64 {
        self.log.length()
    }

    /// Serves until the run has ended and nobody needs the worker any more.
    ///
    /// # Errors
    /// When signals cannot be received.
    pub async fn serve(mut self, mut events: tokio_mpsc::Receiver<Report>) -> Result<()> {
        let (server_requests, mut server_requested) = tokio_mpsc::unbounded_channel();
        let (gone, mut leaving) = tokio_mpsc::unbounded_channel::<()>();
        let mut signals = Signals::new()?;
        let mut maintain = interval(MAINTENANCE);
        maintain.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.shutdown.is_over(self.log.waiting().len()) {
            let wake = self.shutdown.wake(self.log.waiting().len());
            tokio::select! {
                biased;
                Some(()) = leaving.recv() => self.shutdown.client_left(),
                Some(request) = server_requested.recv() => self.handle(request),
                Ok((stream, _)) = self.files.listener().accept() => {
                    if is_own(&stream) {
                        self.shutdown.client_came();
                        let (subscription, gone) = (self.subscription(server_requests.clone()), gone.clone());
                        tokio::spawn(async move {
                            serve(stream, subscription).await;
                            let _ = gone.send(());
                        });
                    }
                }
                _ = signals.terminate.recv() => self.handle(ServerRequest::Leave),
                _ = signals.interrupt.recv() => self.stop(),
                _ = signals.hang_up.recv() => {}
                _ = maintain.tick() => self.maintain(),
                // Last, because events may come without a pause and everything above is rare.
                message = events.recv() => match message {
                    Some(Report::Event(event)) => self.record(event),
                    Some(Report::AlreadyEnded) => self.shutdown.ended(),
                    Some(Report::Sync(answer)) => drop(self.sync_all().map(|synced| answer.send(synced))),
                    Some(_) => {}
                    None => {
                        self.thread_is_gone();
                        break;
                    }
                },
                () = async { tokio::time::sleep_until(wake.unwrap_or_else(far_off)).await }, if wake.is_some() => self.expire(),
            }
        }
        self.close();
        Ok(())
    }

    /// The subscription of a client that attaches now: the log up to here, the lines that wait for the disk, and all lines
    /// from here on.
    fn subscription(&self, server_requests: tokio_mpsc::UnboundedSender<ServerRequest>) -> Subscription {
        Subscription {
            offset: self.log.length(),
            waiting: self.log.waiting().map(for_client).collect(),
            lines: self.lines.subscribe(),
            requests: self.requests.clone(),
            interrupt: self.interrupt.clone(),
            server_requests,
        }
    }

    fn record(&mut self, event: Event) {
        let (time, back) = self.clock.now();
        let record = Record { time, event };
        self.summary.take(&record);
        self.shutdown.heed(&record.event);
        let priority = if matches!(record.event, Event::Step(_)) { Priority::Batched } else { Priority::Now };
        if record.event.is_recorded() {
            let kept = record.recordable();
            match self.log.take(&kept) {
                Ok((line, news)) => {
                    // Who looks on now sees the text that the log must not have.
                    let line =
                        if matches!(kept, Cow::Owned(_)) { encode(&record).map_or(line, Arc::new) } else { line };
                    // Nobody attached is no failure: the log has it.
                    let _ = self.lines.send(Outgoing { line: for_client(&line), priority });
                    self.sync_after(&record.event);
                    self.tell(news);
                }
                Err(error) => note(&format!("an event could not be written as a line: {error}")),
            }
        } else if let Ok(mut line) = serde_json::to_vec(&ToClient::Event { record: Box::new(record) }) {
            line.push(b'\n');
            let _ = self.lines.send(Outgoing { line: Arc::new(line), priority });
        }
        // Behind the start, which is always first.
        if let Some(note) = self.notes.pop() {
            self.alert(Level::Warning, note);
        }
        if let Some(seconds) = back {
            let told =
                format!("the clock was set back by {seconds:.0} s; times in the record go on from where they were");
            self.alert(Level::Warning, told);
        }
    }

    fn alert(&mut self, level: Level, message: String) {
        note(&message);
        self.record(Event::Alert(Alert::new(self.summary.step, level, message)));
    }

    fn tell(&mut self, news: Option<LogNews>) {
        let log = self.files.run().events();
        let log = log.display();
        match news {
            None => {}
            Some(LogNews::Failing(why)) => self.alert(
                Level::Error,
                format!("{log}: {why}; training goes on, and what happens is kept in memory until it can be written"),
            ),
            Some(LogNews::Recovered(written, 0)) => {
                self.alert(Level::Info, format!("{log}: written again; the {written} events that waited are in it"));
            }
            Some(LogNews::Recovered(written, lost)) => self.alert(
                Level::Error,
                format!("{log}: written again; {written} events that waited are in it, {lost} older ones are lost"),
            ),
        }
    }

    /// Events that a run is judged by or resumed from are on the disk before anything else happens.
    fn sync_after(&mut self, event: &Event) {
        if matches!(event, Event::Eval(_) | Event::Checkpoint(_) | Event::Ended(_)) {
            self.sync();
        }
    }

    fn sync(&mut self) {
        if let Err(error) = self.log.sync() {
            note(&format!("{}: {error}; the disk may not have all of it", self.files.run().events().display()));
        }
    }

    /// Writes everything to the disk, as far as the disk takes it; gives the log with what still waits. `None` if the folder
    /// is another run's, or gone.
    fn sync_all(&mut self) -> Option<Synced> {
        self.maintain();
        self.sync();
        let length = self.log.length() + self.log.size() as u64;
        let folder = Some(self.files.run().root().to_owned());
        (!self.shutdown.is_abandoned()).then_some(Synced { length, folder })
    }

    /// Follows the folder if it was moved, makes it again if it was removed, and writes what waits.
    fn maintain(&mut self) {
        match self.log.place(self.files.run()) {
            LogPlace::InFolder => {
                let news = self.log.write();
                self.tell(news);
            }
            LogPlace::Moved(folder) if self.files.hold_lock_in(&folder) => self.follow(folder),
            _ if self.files.are_taken_over() => self.give_way(),
            _ if self.shutdown.is_going() => self.restore(),
            // Once the run has ended, whoever removes its folder means it.
            _ => self.shutdown.abandon(),
        }
    }

    /// Goes on in `folder`, to which the run folder was moved.
    fn follow(&mut self, folder: PathBuf) {
        let before = self.files.run().root().display().to_string();
        let to = folder.display().to_string();
        match self.files.move_to(folder) {
            Ok(()) => {
                let setting = Setting { step: self.summary.step, key: MOVED.to_owned(), value: to.clone().into() };
                self.record(Event::Setting(setting));
                self.alert(Level::Warning, format!("{before} was moved to {to}: the run goes on there"));
            }
            Err(error) => {
                let told = format!("{before} was moved to {to}, where this run cannot be reached: {error}");
                self.alert(Level::Error, told);
            }
        }
    }

    /// Ends the run at once: its folder is that of another run now, which must not get its checkpoints.
    fn give_way(&mut self) {
        note(&format!("{} is another run's now: this one ends", self.files.run().root().display()));
        self.interrupt.raise(Urgency::Now);
        self.shutdown.abandon();
    }

    fn restore(&mut self) {
        let folder = self.files.run().root().display().to_string();
        match self.make_again() {
            Ok(()) => {
                self.unrestored = None;
                let told =
                    format!("{folder} was removed while the run went on: it was made again, with the whole record");
                self.alert(Level::Error, told);
            }
            Err(error) => {
                let told = format!("{folder} was removed and cannot be made again yet: {error}; training goes on");
                if self.unrestored.replace(told.clone()).as_ref() != Some(&told) {
                    self.alert(Level::Error, told);
                }
            }
        }
    }

    fn make_again(&mut self) -> Result<()> {
        self.files.claim_again()?;
        self.log.restore(self.files.run()).map_err(|error| Error::file(self.files.run().root(), error))?;
        self.files.restore()
    }

    fn handle(&mut self, request: ServerRequest) {
        match request {
            ServerRequest::Release => self.shutdown.release(),
            ServerRequest::Leave => {
                self.interrupt.raise(Urgency::Leave);
                self.shutdown.leave();
            }
        }
    }

    /// SIGINT: the first one stops the training gently, the second at once.
    fn stop(&mut self) {
        if self.shutdown.stop_again() {
            self.interrupt.raise(Urgency::Now);
            return self.shutdown.leave();
        }
        let _ = self.requests.send(Request { command: Command::Stop, answer: oneshot::channel().0 });
    }

    /// The time has run out in which something had to happen.
    fn expire(&mut self) {
        if !self.shutdown.expire() {
            return;
        }
        let saved = self.files.run().newest_checkpoint();
        let saved = saved.map_or_else(
            || "there is no checkpoint".to_owned(),
            |step| format!("the last checkpoint is that of step {step}"),
        );
        let message = format!("told to leave in the midst of a step that took too long; {saved}");
        self.record_end(Outcome::Stopped, message);
    }

    fn thread_is_gone(&mut self) {
        // The thread may be gone before it has said that it serves a run that has ended.
        if self.shutdown.is_going() && !self.summary.is_over() {
            self.record_end(Outcome::Failed, "the thread that trains is gone; worker.log may say why".to_owned());
        }
    }

    /// Records the end of a run whose thread cannot say it.
    fn record_end(&mut self, outcome: Outcome, message: String) {
        let (step, metrics) = (self.summary.step, self.summary.best.clone());
        self.record(Event::Ended(Ended { step, outcome, message: Some(message), metrics }));
    }

    fn close(&mut self) {
        // What cannot be written now is lost; stderr may still have room to say so.
        let _ = self.log.write();
        let _ = self.log.sync();
        let left = self.log.waiting().len();
        if left > 0 {
            note(&format!("{}: the last {left} events could not be written", self.files.run().events().display()));
        }
    }
}

/// Prints a line. `eprintln` would panic when the worker's own log is on the full disk.
fn note(message: &str) {
    let _ = writeln!(std::io::stderr(), "{}", scrub(message));
}

/// A line of the log as clients get it.
fn for_client(line: &Line) -> Line {
    let record = line.strip_suffix(b"\n").unwrap_or(line);
    Arc::new([b"{\"kind\":\"event\",\"record\":".as_slice(), record, b"}\n"].concat())
}

fn far_off() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_secs(3600)
}

/// Whether the client runs as the same user.
fn is_own(stream: &tokio::net::UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::getuid().as_raw())
}

#[cfg(test)]
mod tests {
    use pellucid_record::log::line::encode;

    use super::*;

    #[test]
    fn a_client_gets_the_record_that_the_log_has() {
        let record = Record { time: 2.0, event: Event::Alert(Alert::info(1, "a")) };
        let line = for_client(&Arc::new(encode(&record).unwrap()));
        let read: ToClient = serde_json::from_slice(&line).unwrap();
        assert_eq!(read, ToClient::Event { record: Box::new(record) });
        assert!(line.ends_with(b"}}\n") || line.ends_with(b"\"}}\n"));
    }
}
