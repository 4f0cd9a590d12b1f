//! A connection to a worker's socket: reads messages, sends commands, and matches answers to commands.

use std::collections::BTreeMap;
use std::io;

use pellucid_protocol::{Command, ToClient, ToWorker};
use pellucid_record::worker_info::WorkerInfo;
use rustix::process::geteuid;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf, UCred};

use super::lines::Lines;

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
    next_id: u64,
    unanswered: BTreeMap<u64, Command>,
}

impl Connection {
    /// Connects to the worker of `info`. The process that listens must be that worker, and belong to this user.
    pub(super) async fn open(info: &WorkerInfo) -> io::Result<Self> {
        let stream = UnixStream::connect(&info.socket).await?;
        check(info, &stream.peer_cred()?)?;
        let (read, write) = stream.into_split();
        Ok(Self { lines: Lines::new(BufReader::new(read)), write, next_id: 1, unanswered: BTreeMap::new() })
    }

    /// The next message; `None` if the connection is lost. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<ToClient> {
        loop {
            let line = self.lines.next().await?;
            // A line that cannot be read is of a newer worker, and is skipped.
            if let Ok(message) = serde_json::from_slice(&line) {
                return Some(message);
            }
        }
    }

    /// Sends a command. If the connection is lost, the command stays among the unanswered ones.
    pub(super) async fn send(&mut self, command: Command) {
        let id = self.next_id;
        self.next_id += 1;
        self.unanswered.insert(id, command.clone());
        if let Ok(mut line) = serde_json::to_vec(&ToWorker { id, command }) {
            line.push(b'\n');
            // If the connection is lost, reading from it says so.
            let _ = self.write.write_all(&line).await;
        }
    }

    /// The command to which the answer `id` belongs.
    pub(super) fn answered(&mut self, id: u64) -> Option<Command> {
        self.unanswered.remove(&id)
    }

    /// Waits until every command has its answer, or the connection is lost.
    pub(super) async fn wait_for_answers(&mut self) {
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

/// Fails if the peer is not the worker of `info`: a run folder may come from anywhere and name any socket.
fn check(info: &WorkerInfo, peer: &UCred) -> io::Result<()> {
    let refuse = |message| Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    if peer.uid() != geteuid().as_raw() {
        return refuse("its socket belongs to another user");
    }
    match peer.pid().map(u32::try_from) {
        Some(Ok(pid)) if pid != info.owner.pid => refuse("its socket belongs to another process"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use pellucid_record::owner::Owner;

    use super::*;

    #[tokio::test]
    async fn a_socket_of_another_process_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let _listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let owner = |pid| Owner { pid, ..Owner::of_this_process() };
        let info = |pid| WorkerInfo { owner: owner(pid), socket: socket.clone(), supervisor: None };
        assert!(Connection::open(&info(std::process::id())).await.is_ok());
        let error = Connection::open(&info(1)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
