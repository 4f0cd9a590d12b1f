//! One attached client: events out, commands in.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use pellucid_protocol::{Command, ToClient, ToWorker};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{broadcast, mpsc as tokio_mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use super::event_log::Line;
use super::message::Request;
use crate::interrupt::{Interrupt, Urgency};

/// The longest line that a client may send, in bytes.
const LINE_LIMIT: usize = 1 << 20;
/// How many commands of a client may wait for their answers; until then nothing more is read from it.
const UNANSWERED: usize = 256;
/// How long a client may leave a line unread. One that comes back later attaches again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a blank line is sent, which clients skip: it shows whether the client still reads when nothing happens.
const PULSE: Duration = Duration::from_secs(20);
/// How often lines that may wait are sent. A screen is not drawn more often, and each write takes a core from the training
/// for a moment.
const PACE: Duration = Duration::from_millis(200);
/// The most bytes that wait.
const FULL: usize = 64 << 10;
/// A blank line, so long that a dozen fill the buffer of a socket.
const BLANK: [u8; 16 << 10] = {
    let mut line = [b' '; 16 << 10];
    line[line.len() - 1] = b'\n';
    line
};

/// A line for every client.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The line, with its line break.
    pub line: Line,
    /// How soon it is sent.
    pub priority: Priority,
}

/// How soon a line is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// At once, behind those that wait.
    Now,
    /// Together with others that come soon.
    Batched,
}

/// What a client gets from the server.
pub struct Subscription {
    /// The length of the log when the client attached.
    pub offset: u64,
    /// Lines that the log does not have yet, with their line breaks.
    pub waiting: Vec<Line>,
    /// All lines from then on.
    pub lines: broadcast::Receiver<Outgoing>,
    /// Commands for the thread that owns the tensors.
    pub requests: mpsc::Sender<Request>,
    /// Reaches the training in the middle of an evaluation.
    pub interrupt: Interrupt,
    /// To the server.
    pub server_requests: tokio_mpsc::UnboundedSender<ServerRequest>,
}

/// What a client asks of the server itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerRequest {
    /// Let the worker of an ended run go.
    Release,
    /// Write a checkpoint and leave within seconds.
    Leave,
}

/// Serves a client until it goes, stops reading, or falls so far behind that it has to read the file again.
pub async fn serve(stream: UnixStream, mut subscription: Subscription) {
    let (read, write) = stream.into_split();
    let (mut requests, mut out) = (BufReader::new(read), Out::new(write));
    let (replies, mut answered) = tokio_mpsc::unbounded_channel::<ToClient>();
    if out.send(&ToClient::Hello { offset: subscription.offset }).await.is_err() {
        return;
    }
    for line in std::mem::take(&mut subscription.waiting) {
        if out.write(&line).await.is_err() {
            return;
        }
    }
    let (mut line, mut unanswered) = (Vec::new(), 0);
    let mut pulse = interval_at(Instant::now() + PULSE, PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // The limit includes the part of the line that was read before.
        let mut limited = (&mut requests).take((LINE_LIMIT - line.len()) as u64);
        let sent = tokio::select! {
            biased;
            Some(reply) = answered.recv() => {
                unanswered -= 1;
                out.send(&reply).await
            }
            () = sleep_until(out.due()), if out.has_more() => out.flush().await,
            event = subscription.lines.recv() => match event {
                Ok(outgoing) => out.take(&outgoing).await,
                Err(_) => return,
            },
            read = limited.read_until(b'\n', &mut line), if unanswered < UNANSWERED => match read {
                Ok(0) | Err(_) => return,
                Ok(_) if line.ends_with(b"\n") => {
                    unanswered += 1;
                    take(&line, &subscription, replies.clone());
                    line.clear();
                    Ok(())
                }
                // Cut short by the limit or the end of the stream: nothing a client of ours would send.
                Ok(_) => return,
            },
            _ = pulse.tick() => out.write(&BLANK).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// The way to a client, with the lines that wait.
struct Out {
    write: OwnedWriteHalf,
    /// Lines that wait for others.
    waiting: Vec<u8>,
    /// When something was last sent.
    written: Instant,
}

impl Out {
    fn new(write: OwnedWriteHalf) -> Self {
        Self { write, waiting: Vec::new(), written: Instant::now() }
    }

    fn has_more(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// When the lines that wait are to be sent.
    fn due(&self) -> Instant {
        self.written + PACE
    }

    async fn take(&mut self, outgoing: &Outgoing) -> io::Result<()> {
        self.waiting.extend_from_slice(&outgoing.line);
        let waits = outgoing.priority == Priority::Batched && self.waiting.len() < FULL && Instant::now() < self.due();
        if waits { Ok(()) } else { self.flush().await }
    }

    async fn send(&mut self, line: &ToClient) -> io::Result<()> {
        serde_json::to_writer(&mut self.waiting, line)?;
        self.waiting.push(b'\n');
        self.flush().await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        self.flush().await
    }

    /// Sends what waits.
    async fn flush(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.waiting);
        self.written = Instant::now();
        let written = timeout(PATIENCE, self.write.write_all(&bytes)).await;
        written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Passes a command on. Each gets one reply, when the thread has taken it up.
fn take(line: &[u8], subscription: &Subscription, replies: tokio_mpsc::UnboundedSender<ToClient>) {
    let Ok(ToWorker { id, command }) = serde_json::from_slice::<ToWorker>(line) else {
        let _ = replies.send(ToClient::Reply { id: 0, error: Some("not a command".to_owned()) });
        return;
    };
    let request = match command {
        Command::Release => Some(ServerRequest::Release),
        Command::Leave => Some(ServerRequest::Leave),
        _ => None,
    };
    if let Some(request) = request {
        let _ = subscription.server_requests.send(request);
        let _ = replies.send(ToClient::Reply { id, error: None });
        return;
    }
    if command == Command::StopNow {
        subscription.interrupt.raise(Urgency::Now);
    }
    let (answer, answered) = oneshot::channel();
    let gone = subscription.requests.send(Request { command, answer }).is_err();
    tokio::spawn(async move {
        let error = match answered.await {
            Ok(refusal) if !gone => refusal,
            _ => Some("the worker is ending".to_owned()),
        };
        let _ = replies.send(ToClient::Reply { id, error });
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn subscription(requests: mpsc::Sender<Request>) -> (Subscription, broadcast::Sender<Outgoing>) {
        let (lines, receiver) = broadcast::channel(16);
        let (server_requests, _) = tokio_mpsc::unbounded_channel();
        let interrupt = Interrupt::default();
        (Subscription { offset: 0, waiting: Vec::new(), lines: receiver, requests, interrupt, server_requests }, lines)
    }

    /// The clock goes forward as soon as everybody waits.
    fn paused() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
    }

    #[test]
    fn a_client_that_never_reads_is_let_go_though_nothing_happens() {
        paused().block_on(async {
            let (worker, _client) = UnixStream::pair().unwrap();
            let (subscription, _lines) = subscription(mpsc::channel().0);
            let start = Instant::now();
            serve(worker, subscription).await;
            assert!(start.elapsed() < Duration::from_secs(3600), "{:?}", start.elapsed());
        });
    }

    #[test]
    fn one_that_reads_stays_and_one_that_only_asks_is_not_listened_to_for_long() {
        paused().block_on(async {
            let (worker, client) = UnixStream::pair().unwrap();
            let (requests, requested) = mpsc::channel();
            let (subscription, lines) = subscription(requests);
            let served = tokio::spawn(serve(worker, subscription));
            let (read, mut write) = client.into_split();
            let line = serde_json::to_vec(&ToWorker { id: 1, command: Command::Pause }).unwrap();
            for _ in 0..2 * UNANSWERED {
                write.write_all(&[line.as_slice(), b"\n"].concat()).await.unwrap();
            }
            let mut heard = BufReader::new(read).lines();
            assert!(heard.next_line().await.unwrap().unwrap().contains("hello"));
            // A day without a word but blank lines.
            let mut blank = 0;
            while blank < 86_400 / PULSE.as_secs() {
                blank += u64::from(heard.next_line().await.unwrap().unwrap().trim().is_empty());
            }
            let asked = requested.try_iter().map(|request| drop(request.answer.send(None))).count();
            assert_eq!(asked, UNANSWERED, "nobody has answered");
            assert!(heard.next_line().await.unwrap().unwrap().contains("reply"));
            drop(lines);
            // What it has sent and nobody will read breaks the line.
            while let Ok(Some(_)) = heard.next_line().await {}
            served.await.unwrap();
        });
    }

    #[test]
    fn steps_come_together_and_in_order_and_nothing_else_waits() {
        paused().block_on(async {
            let (worker, client) = UnixStream::pair().unwrap();
            let (subscription, lines) = subscription(mpsc::channel().0);
            tokio::spawn(serve(worker, subscription));
            let mut heard = BufReader::new(client).lines();
            heard.next_line().await.unwrap();
            let start = Instant::now();
            let say = |text: &str, priority| {
                lines.send(Outgoing { line: Arc::new(format!("{text}\n").into_bytes()), priority }).unwrap()
            };
            let mut times = Vec::new();
            say("step 1", Priority::Batched);
            say("step 2", Priority::Batched);
            for expected in ["step 1", "step 2"] {
                assert_eq!(heard.next_line().await.unwrap().unwrap(), expected);
                times.push(start.elapsed());
            }
            say("step 3", Priority::Batched);
            say("eval", Priority::Now);
            for expected in ["step 3", "eval"] {
                assert_eq!(heard.next_line().await.unwrap().unwrap(), expected);
                times.push(start.elapsed());
            }
            // The clock of this runtime moves only when everybody waits.
            assert_eq!(times, [PACE, PACE, PACE, PACE]);
            tokio::time::sleep(PACE).await;
            say("step 4", Priority::Batched);
            assert_eq!(heard.next_line().await.unwrap().unwrap(), "step 4");
            assert_eq!(start.elapsed(), 2 * PACE, "after a pause a step does not wait");
        });
    }
}
