//! The hub of a run: appends every event that is recorded to the log first, then passes it on to whoever is
//! attached.

mod end;

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use pellucid_protocol::event::{Alert, Ended, Level, Outcome};
use pellucid_protocol::scrub::scrub;
use pellucid_protocol::{Command, Event, Record, ToClient};
use pellucid_record::owner::Lock;
use pellucid_record::{RunDir, RunSummary};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{broadcast, mpsc as tokio_mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

use self::end::End;
use super::client::{Ask, Haste, Seat, Told, serve};
use super::clock::Clock;
use super::journal::{Journal, Line, News};
use super::place::Place;
use super::thread::{FromThread, Mail};
use crate::error::{Error, Result};
use crate::train::interrupt::{Interrupt, Urgency};

/// Events that a client may be behind before it has to read the file again.
const BACKLOG: usize = 4096;
/// Between two looks at whether the folder is still there and the disk takes what it did not.
const TEND: Duration = Duration::from_secs(1);

/// The hub of one run.
pub struct Hub {
    place: Place,
    journal: Journal,
    clock: Clock,
    lines: broadcast::Sender<Told>,
    mail: mpsc::Sender<Mail>,
    interrupt: Interrupt,
    end: End,
    /// What the log says of the run.
    summary: RunSummary,
    /// What is to be said once the run has started.
    notes: Vec<String>,
    /// Why a removed folder could not be made again, once that was said.
    unrestored: Option<String>,
}

/// How the hub is reached, and reaches the thread that owns the tensors.
pub struct Lines {
    /// Commands.
    pub mail: mpsc::Sender<Mail>,
    /// The wish to end.
    pub interrupt: Interrupt,
}

/// Signals that end or do not end a worker.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// The terminal that started the run may go; the run stays.
    hang_up: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(|error| Error::Torch(format!("signals: {error}")));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }
}

impl Hub {
    /// Opens log and socket of `run`, owned by `lock`, and says in the folder where they are.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(run: RunDir, lock: Lock, lines: Lines) -> Result<Self> {
        let unreadable = |error| Error::file(&run.events(), error);
        let journal = Journal::open(&run).map_err(unreadable)?;
        let summary = RunSummary::read(&run).map_err(unreadable)?;
        let torn = journal.torn();
        let cut = format!("the last record was torn: its {torn} bytes were cut off, the record is whole up to there");
        let Lines { mail, interrupt } = lines;
        Ok(Self {
            place: Place::open(run, lock)?,
            journal,
            clock: Clock::default(),
            lines: broadcast::channel(BACKLOG).0,
            mail,
            interrupt,
            end: End::default(),
            summary,
            notes: if torn > 0 { vec![cut] } else { Vec::new() },
            unrestored: None,
        })
    }

    /// Serves until the run has ended and nobody needs the worker any more.
    ///
    /// # Errors
    /// When signals cannot be received.
    pub async fn serve(mut self, mut events: tokio_mpsc::Receiver<FromThread>) -> Result<()> {
        let (ask, mut asked) = tokio_mpsc::unbounded_channel();
        let (gone, mut leaving) = tokio_mpsc::unbounded_channel::<()>();
        let mut signals = Signals::new()?;
        let mut tend = interval(TEND);
        tend.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.end.is_over(self.journal.waiting().len()) {
            let wake = self.end.wake(self.journal.waiting().len());
            tokio::select! {
                biased;
                Some(()) = leaving.recv() => self.end.client_left(),
                Some(asked) = asked.recv() => self.heed(asked),
                Ok((stream, _)) = self.place.listener().accept() => {
                    if is_own(&stream) {
                        self.end.client_came();
                        let (seat, gone) = (self.seat(ask.clone()), gone.clone());
                        tokio::spawn(async move {
                            serve(stream, seat).await;
                            let _ = gone.send(());
                        });
                    }
                }
                _ = signals.terminate.recv() => self.heed(Ask::Leave),
                _ = signals.interrupt.recv() => self.stop(),
                _ = signals.hang_up.recv() => {}
                _ = tend.tick() => self.tend(),
                // Behind all that is rare: events may come without a pause.
                message = events.recv() => match message {
                    Some(FromThread::Event(event)) => self.record(event),
                    Some(FromThread::Over) => self.end.ended(),
                    Some(FromThread::Settle(answer)) => drop(answer.send(self.settle())),
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

    /// A seat for a client that is let in now: the log up to here, what waits for the disk, the lines from here.
    fn seat(&self, ask: tokio_mpsc::UnboundedSender<Ask>) -> Seat {
        Seat {
            offset: self.journal.length(),
            waiting: self.journal.waiting().map(for_client).collect(),
            lines: self.lines.subscribe(),
            mail: self.mail.clone(),
            interrupt: self.interrupt.clone(),
            ask,
        }
    }

    fn record(&mut self, event: Event) {
        let (time, back) = self.clock.now();
        let record = Record { time, event };
        self.summary.take(&record);
        if matches!(record.event, Event::Ended(_)) {
            self.end.ended();
        }
        let haste = if matches!(record.event, Event::Step(_)) { Haste::WithOthers } else { Haste::Now };
        if record.event.is_recorded() {
            match self.journal.take(&record) {
                Ok((line, news)) => {
                    // Nobody attached is no failure: the log has it.
                    let _ = self.lines.send(Told { line: for_client(&line), haste });
                    self.sync_after(&record.event);
                    self.tell(news);
                }
                Err(error) => note(&format!("an event could not be written as a line: {error}")),
            }
        } else if let Ok(mut line) = serde_json::to_vec(&ToClient::Event { record: Box::new(record) }) {
            line.push(b'\n');
            let _ = self.lines.send(Told { line: Arc::new(line), haste });
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

    fn tell(&mut self, news: Option<News>) {
        let log = self.place.run().events();
        let log = log.display();
        match news {
            None => {}
            Some(News::Failing(why)) => self.alert(
                Level::Error,
                format!("{log}: {why}; training goes on, and what happens is kept in memory until it can be written"),
            ),
            Some(News::Recovered(written, 0)) => {
                self.alert(Level::Info, format!("{log}: written again; the {written} events that waited are in it"));
            }
            Some(News::Recovered(written, lost)) => self.alert(
                Level::Error,
                format!("{log}: written again; {written} events that waited are in it, {lost} older ones are lost"),
            ),
        }
    }

    /// What a run is judged or taken up by is on the disk before more is done.
    fn sync_after(&mut self, event: &Event) {
        if matches!(event, Event::Eval(_) | Event::Checkpoint(_) | Event::Ended(_)) {
            self.sync();
        }
    }

    fn sync(&mut self) {
        if let Err(error) = self.journal.sync() {
            note(&format!("{}: {error}; the disk may not have all of it", self.place.run().events().display()));
        }
    }

    /// Brings the record to the disk as far as the disk takes it; the bytes that it has with all that waits.
    fn settle(&mut self) -> u64 {
        let news = self.journal.write();
        self.tell(news);
        self.sync();
        self.journal.length() + self.journal.size() as u64
    }

    /// Looks after the folder: makes it again if it was removed, and writes what waits.
    fn tend(&mut self) {
        if self.journal.is_removed(self.place.run()) {
            return self.restore();
        }
        let news = self.journal.write();
        self.tell(news);
    }

    fn restore(&mut self) {
        let folder = self.place.run().root().display().to_string();
        let journal =
            self.journal.restore(self.place.run()).map_err(|error| Error::file(self.place.run().root(), error));
        match journal.and_then(|()| self.place.restore()) {
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

    fn heed(&mut self, asked: Ask) {
        match asked {
            Ask::Release => self.end.release(),
            Ask::Leave => {
                self.interrupt.raise(Urgency::Leave);
                self.end.leave();
            }
        }
    }

    /// SIGINT: first gently, then at once.
    fn stop(&mut self) {
        if self.end.stop_again() {
            self.interrupt.raise(Urgency::Now);
            return self.end.leave();
        }
        let _ = self.mail.send(Mail { command: Command::Stop, answer: oneshot::channel().0 });
    }

    /// The time is over in which something had to happen.
    fn expire(&mut self) {
        if !self.end.expire() {
            return;
        }
        let saved = self.place.run().newest_checkpoint();
        let saved = saved.map_or_else(
            || "there is no checkpoint".to_owned(),
            |step| format!("the last checkpoint is that of step {step}"),
        );
        let message = format!("told to leave in the midst of a step that took too long; {saved}");
        self.record_end(Outcome::Stopped, message);
    }

    fn thread_is_gone(&mut self) {
        // The thread may be gone before it has said that it serves a run that has ended.
        if self.end.is_going() && !self.summary.is_over() {
            self.record_end(Outcome::Failed, "the thread that trains is gone; worker.log may say why".to_owned());
        }
    }

    /// Records the end of a run whose thread cannot say it.
    fn record_end(&mut self, outcome: Outcome, message: String) {
        let (step, metrics) = (self.summary.step, self.summary.best.clone());
        self.record(Event::Ended(Ended { step, outcome, message: Some(message), metrics }));
    }

    fn close(&mut self) {
        // What cannot be written now is lost, and that is said where there may still be room.
        let _ = self.journal.write();
        let _ = self.journal.sync();
        let left = self.journal.waiting().len();
        if left > 0 {
            note(&format!("{}: the last {left} events could not be written", self.place.run().events().display()));
        }
    }
}

/// Prints a line. Not `eprintln`, which panics when the disk that is full is that of the worker's log.
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

/// Whether the process at the other end runs as this user.
fn is_own(stream: &tokio::net::UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::getuid().as_raw())
}

#[cfg(test)]
mod tests {
    use pellucid_record::log_line::seal;

    use super::*;

    #[test]
    fn a_client_gets_the_record_that_the_log_has() {
        let record = Record { time: 2.0, event: Event::Alert(Alert::info(1, "a")) };
        let line = for_client(&Arc::new(seal(&record).unwrap()));
        let read: ToClient = serde_json::from_slice(&line).unwrap();
        assert_eq!(read, ToClient::Event { record: Box::new(record) });
        assert!(line.ends_with(b"}}\n") || line.ends_with(b"\"}}\n"));
    }
}
