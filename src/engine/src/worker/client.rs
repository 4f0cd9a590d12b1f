//! One attached client: events out, commands in.

use std::sync::mpsc;

use pellucid_protocol::{Command, ToClient, ToWorker};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{broadcast, mpsc as tokio_mpsc, oneshot};

use super::journal::Line;
use super::thread::Mail;
use crate::train::interrupt::{Interrupt, Urgency};

/// Longest line that a client may send, in bytes.
const LINE_LIMIT: usize = 1 << 20;

/// What a client needs of the hub.
pub struct Seat {
    /// Length of the log when the client was let in.
    pub offset: u64,
    /// Lines for every client that the log does not have yet, with their line breaks.
    pub waiting: Vec<Line>,
    /// Lines for every client from then on.
    pub lines: broadcast::Receiver<Line>,
    /// To the thread that owns the tensors.
    pub mail: mpsc::Sender<Mail>,
    /// Reaches training in the midst of an evaluation.
    pub interrupt: Interrupt,
    /// To the hub.
    pub ask: tokio_mpsc::UnboundedSender<Ask>,
}

/// What a client asks of the hub itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Let the worker of an ended run go.
    Release,
    /// Write a checkpoint and leave within seconds.
    Leave,
}

/// Serves a client until it goes, or falls so far behind that it has to read the file again.
pub async fn serve(stream: UnixStream, mut seat: Seat) {
    let (read, mut write) = stream.into_split();
    let mut requests = BufReader::new(read);
    let (replies, mut answered) = tokio_mpsc::unbounded_channel::<ToClient>();
    if send(&mut write, &ToClient::Hello { offset: seat.offset }).await.is_err() {
        return;
    }
    for line in std::mem::take(&mut seat.waiting) {
        if write.write_all(&line).await.is_err() {
            return;
        }
    }
    let mut line = Vec::new();
    loop {
        // What was read of a line before something else came counts as well.
        let mut limited = (&mut requests).take((LINE_LIMIT - line.len()) as u64);
        let sent = tokio::select! {
            biased;
            Some(reply) = answered.recv() => send(&mut write, &reply).await,
            event = seat.lines.recv() => match event {
                Ok(bytes) => write.write_all(&bytes).await,
                Err(_) => return,
            },
            read = limited.read_until(b'\n', &mut line) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) if line.ends_with(b"\n") => {
                    take(&line, &seat, replies.clone());
                    line.clear();
                    Ok(())
                }
                // Cut short by the limit or the end of the stream: nothing a client of ours would send.
                Ok(_) => return,
            },
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn send(write: &mut tokio::net::unix::OwnedWriteHalf, line: &ToClient) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    write.write_all(&bytes).await
}

/// Passes a command on; the reply comes when the thread has taken it up.
fn take(line: &[u8], seat: &Seat, replies: tokio_mpsc::UnboundedSender<ToClient>) {
    let Ok(ToWorker { id, command }) = serde_json::from_slice::<ToWorker>(line) else {
        let _ = replies.send(ToClient::Reply { id: 0, error: Some("not a command".to_owned()) });
        return;
    };
    let asked = match command {
        Command::Release => Some(Ask::Release),
        Command::Leave => Some(Ask::Leave),
        _ => None,
    };
    if let Some(asked) = asked {
        let _ = seat.ask.send(asked);
        let _ = replies.send(ToClient::Reply { id, error: None });
        return;
    }
    if command == Command::StopNow {
        seat.interrupt.raise(Urgency::Now);
    }
    let (answer, answered) = oneshot::channel();
    let gone = seat.mail.send(Mail { command, answer }).is_err();
    tokio::spawn(async move {
        let error = match answered.await {
            Ok(refusal) if !gone => refusal,
            _ => Some("the worker is ending".to_owned()),
        };
        let _ = replies.send(ToClient::Reply { id, error });
    });
}
