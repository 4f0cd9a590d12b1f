//! One connection to a worker's socket: lines in, commands out, answers matched to commands.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use pellucid_protocol::{Command, ToClient, ToWorker};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
    next_id: u64,
    unanswered: BTreeMap<u64, Command>,
}

impl Connection {
    pub(super) async fn open(socket: &Path) -> io::Result<Self> {
        let (read, write) = UnixStream::connect(socket).await?.into_split();
        Ok(Self { lines: BufReader::new(read).lines(), write, next_id: 1, unanswered: BTreeMap::new() })
    }

    /// The next line; `None` when the connection is lost. May be dropped while it waits.
    pub(super) async fn next(&mut self) -> Option<ToClient> {
        loop {
            let line = self.lines.next_line().await.ok().flatten()?;
            // A line of a newer worker that says nothing to us is passed over.
            if let Ok(message) = serde_json::from_str(&line) {
                return Some(message);
            }
        }
    }

    /// Sends a command. Should the connection be lost, the command stays among the unanswered ones.
    pub(super) async fn send(&mut self, command: Command) {
        let id = self.next_id;
        self.next_id += 1;
        self.unanswered.insert(id, command.clone());
        if let Ok(mut line) = serde_json::to_vec(&ToWorker { id, command }) {
            line.push(b'\n');
            // The reading side is told when the connection is lost.
            let _ = self.write.write_all(&line).await;
        }
    }

    /// The command that the answer `id` belongs to.
    pub(super) fn answered(&mut self, id: u64) -> Option<Command> {
        self.unanswered.remove(&id)
    }

    /// Waits until every command has its answer, or the connection is lost.
    pub(super) async fn settle(&mut self) {
        while !self.unanswered.is_empty() {
            match self.next().await {
                Some(ToClient::Reply { id, .. }) => drop(self.answered(id)),
                Some(_) => {}
                None => return,
            }
        }
    }

    /// The commands that will have no answer, now that the connection is lost.
    pub(super) fn into_unanswered(self) -> impl Iterator<Item = Command> {
        self.unanswered.into_values()
    }
}
