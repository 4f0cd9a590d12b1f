//! The hub of a run: appends every event that is recorded to the log first, then passes it on to whoever is
//! attached.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pellucid_protocol::log_writer::LogWriter;
use pellucid_protocol::run_dir::{WorkerInfo, write_whole};
use pellucid_protocol::scrub::scrub;
use pellucid_protocol::{Command, Event, Record, RunDir, ToClient};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{broadcast, mpsc as tokio_mpsc, oneshot};

use super::client::{Seat, serve};
use super::run_folder::{listen, socket_path};
use super::thread::{FromThread, Mail};
use crate::error::{Error, Result};

/// Events that a client may be behind before it has to read the file again.
const BACKLOG: usize = 4096;
/// How long the worker of an ended run waits for someone to attach.
const LINGER: Duration = Duration::from_secs(10);

/// The hub of one run.
pub struct Hub {
    run: RunDir,
    log: LogWriter,
    listener: UnixListener,
    socket: std::path::PathBuf,
    lines: broadcast::Sender<Arc<Vec<u8>>>,
    mail: mpsc::Sender<Mail>,
    clients: usize,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The run goes on.
    NotYet,
    /// It has ended; explanations may still be asked for.
    Ended,
    /// It has ended and a client has asked to let go.
    Released,
}

impl Hub {
    /// Opens log and socket of `run` and says in the folder where they are.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(run: RunDir, mail: mpsc::Sender<Mail>) -> Result<Self> {
        let log = LogWriter::open(&run.events()).map_err(|error| Error::file(&run.events(), error))?;
        let socket = socket_path(&run)?;
        let told = |error: std::io::Error| Error::file(&socket, error);
        let listener = listen(&socket).map_err(told)?;
        let info = WorkerInfo {
            pid: std::process::id(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            socket: socket.clone(),
        };
        let text = serde_json::to_vec(&info).map_err(|error| Error::file(&run.worker(), error))?;
        write_whole(&run.worker(), &text).map_err(|error| Error::file(&run.worker(), error))?;
        let (lines, _) = broadcast::channel(BACKLOG);
        Ok(Self { run, log, listener, socket, lines, mail, clients: 0, end: End::NotYet })
    }

    /// Serves until the run has ended and nobody needs the worker any more.
    ///
    /// # Errors
    /// When signals cannot be received.
    pub async fn serve(mut self, mut events: tokio_mpsc::Receiver<FromThread>) -> Result<()> {
        let (release, mut released) = tokio_mpsc::unbounded_channel();
        let (gone, mut leaving) = tokio_mpsc::unbounded_channel::<()>();
        let told = |error: std::io::Error| Error::Torch(format!("signals: {error}"));
        let mut terminate = signal(SignalKind::terminate()).map_err(told)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(told)?;
        // The terminal that started the run may go; the run stays.
        let mut hang_up = signal(SignalKind::hangup()).map_err(told)?;
        while !self.is_over() {
            tokio::select! {
                biased;
                message = events.recv() => match message {
                    Some(FromThread::Event(event)) => self.record(event),
                    Some(_) => {}
                    None => break,
                },
                Some(()) = leaving.recv() => self.clients -= 1,
                Some(()) = released.recv() => if self.end == End::Ended { self.end = End::Released },
                Ok((stream, _)) = self.listener.accept() => {
                    if is_own(&stream) {
                        self.clients += 1;
                        let seat = self.seat(release.clone());
                        let gone = gone.clone();
                        tokio::spawn(async move {
                            serve(stream, seat).await;
                            let _ = gone.send(());
                        });
                    }
                }
                _ = terminate.recv() => self.ask(Command::Stop),
                _ = interrupt.recv() => self.ask(Command::Stop),
                _ = hang_up.recv() => {}
                () = tokio::time::sleep(LINGER), if self.end == End::Ended && self.clients == 0 => self.end = End::Released,
            }
        }
        let _ = self.log.sync();
        let _ = std::fs::remove_file(&self.socket);
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.end == End::Released && self.clients == 0
    }

    /// A seat for a client that is let in now: the log up to here, the lines from here.
    fn seat(&self, release: tokio_mpsc::UnboundedSender<()>) -> Seat {
        Seat { offset: self.log.length(), lines: self.lines.subscribe(), mail: self.mail.clone(), release }
    }

    fn record(&mut self, event: Event) {
        let ended = matches!(event, Event::Ended(_));
        let record = Record { time: now(), event };
        if record.event.is_recorded()
            && let Err(error) = self.log.append(&record)
        {
            let message = format!("{}: {error}; the event is not in the log", self.run.events().display());
            // Not `eprintln`, which panics when the disk that is full is that of the worker's log.
            let _ = writeln!(std::io::stderr(), "{}", scrub(&message));
        }
        if ended {
            let _ = self.log.sync();
            self.end = End::Ended;
        }
        if let Ok(mut line) = serde_json::to_vec(&ToClient::Event { record: Box::new(record) }) {
            line.push(b'\n');
            // Nobody attached is no failure: the log has it.
            let _ = self.lines.send(Arc::new(line));
        }
    }

    fn ask(&mut self, command: Command) {
        if self.end != End::NotYet {
            self.end = End::Released;
            self.clients = 0;
            return;
        }
        let _ = self.mail.send(Mail { command, answer: oneshot::channel().0 });
    }
}

/// Whether the process at the other end runs as this user.
fn is_own(stream: &tokio::net::UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::getuid().as_raw())
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}
