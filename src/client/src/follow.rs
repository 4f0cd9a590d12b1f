//! Follows a run: reads the log up to where the socket begins, then the socket; and the same again whenever the
//! connection is lost.

use std::path::PathBuf;
use std::time::Duration;

use pellucid_protocol::work::Work;
use pellucid_protocol::{Command, Event, Record, ToClient};
use pellucid_record::owner::is_alive;
use pellucid_record::{Piece, RunDir, RunSummary};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::connection::Connection;
use super::feed::Feed;
use super::launch::{Begun, LaunchError, begin};
use super::link::{Closed, FromRun, TaskEnd};
use super::worker;
use super::worker_state::{Absence, Worker, find_worker};

/// Fewest consecutive steps that are passed on as a block.
const BLOCK: usize = 64;
/// Chunks of the log that may wait to be passed on.
const AHEAD: usize = 2;
/// Attempts to connect to a worker that runs but does not answer, before only the log is followed.
const ATTEMPTS: u32 = 12;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Between two reads of the log while there is no connection.
const POLL: Duration = Duration::from_secs(1);
/// How long to wait for the supervisor's record of a crash after the worker has died.
const CRASH_REPORT: Duration = Duration::from_secs(10);
/// How long to wait for the answers to the last commands.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Where following a run begins.
#[derive(Debug, Default)]
pub(super) struct Begin {
    /// Commands to send as soon as the worker answers.
    pub(super) early: Vec<Command>,
    /// Bytes of the log to skip.
    pub(super) offset: u64,
    /// The summary of the skipped part of the log.
    pub(super) summary: RunSummary,
    /// What happens when the user asks something of a run that has ended.
    pub(super) questions: Questions,
}

/// What happens when the user asks something of a run that has ended and whose worker has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Questions {
    /// A worker is started.
    StartWorker,
    /// The question is refused.
    #[default]
    Refuse,
}

/// Why following the log alone ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WatchEnd {
    /// The screen has dropped its link.
    Closed,
    /// There is a worker again.
    WorkerStarted,
}

/// Starts `worker` on `work`, then follows the run from byte `offset` of its log on.
pub(super) async fn launch_and_follow(
    worker: PathBuf,
    work: Work,
    offset: u64,
    mut task_end: TaskEnd,
) -> Option<RunDir> {
    let mut early = Vec::new();
    match begin(&worker, work, &mut task_end, &mut early).await {
        Ok(Begun { run, log_length }) => {
            // Another run may have come into the folder since the length was taken; a torn record was cut off.
            let offset = offset.min(log_length);
            follow_with(run, task_end, Begin { early, offset, ..Begin::default() }).await
        }
        Err(LaunchError::Failed(message)) => {
            // If the screen is gone, nobody needs this message.
            let _ = task_end.send(FromRun::Failed(message)).await;
            None
        }
        Err(LaunchError::Closed) => None,
    }
}

/// Follows `run` until the screen drops its link.
pub(super) async fn follow_with(run: RunDir, task_end: TaskEnd, begin: Begin) -> Option<RunDir> {
    let feed = Feed::from_offset(&run, begin.offset);
    let Begin { early, summary, questions, .. } = begin;
    let mut follower = Follower { early, summary, questions, feed, ..Follower::new(run.clone(), task_end) };
    if follower.run().await.is_err() {
        follower.send_unsent().await;
    }
    Some(run)
}

/// Passes on the whole log of `run`.
pub(super) async fn read_all(run: &RunDir, task_end: TaskEnd) -> Result<TaskEnd, Closed> {
    let mut follower = Follower::new(run.clone(), task_end);
    follower.task_end.send(FromRun::Opened(run.clone())).await?;
    follower.read_on().await?;
    Ok(follower.task_end)
}

/// Whether a command needs the weights and changes nothing.
fn is_question(command: &Command) -> bool {
    matches!(command, Command::Explain(_) | Command::WhatIf(_) | Command::Survey(_))
}

/// Whether the worker has sent its greeting on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Heard,
    Missing,
}

struct Follower {
    run: RunDir,
    task_end: TaskEnd,
    feed: Feed,
    /// The summary of the records so far.
    summary: RunSummary,
    early: Vec<Command>,
    questions: Questions,
}

impl Follower {
    fn new(run: RunDir, task_end: TaskEnd) -> Self {
        let feed = Feed::new(&run);
        let (summary, early, questions) = Default::default();
        Self { run, task_end, feed, summary, early, questions }
    }

    async fn run(&mut self) -> Result<(), Closed> {
        self.task_end.send(FromRun::Opened(self.run.clone())).await?;
        let mut attempt = 0;
        while attempt < ATTEMPTS {
            let info = match find_worker(&self.run) {
                Worker::Reachable(info) => info,
                Worker::Absent(absence) => match self.watch(absence).await? {
                    WatchEnd::Closed => return Ok(()),
                    WatchEnd::WorkerStarted => {
                        attempt = 0;
                        continue;
                    }
                },
            };
            match Connection::open(&info).await {
                Ok(connection) => match self.serve(connection).await? {
                    Greeting::Heard => attempt = 0,
                    Greeting::Missing => attempt += 1,
                },
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    let reason = format!("the worker is out of reach: {error}; this is what it records");
                    return self.watch(Absence::Unreachable(reason)).await.map(drop);
                }
                Err(_) => attempt += 1,
            }
            self.pause(attempt).await?;
        }
        let reason = "the worker does not answer on its socket; this is what it records".into();
        self.watch(Absence::Unreachable(reason)).await.map(drop)
    }

    /// Waits before the next attempt; ends early if the screen drops its link.
    async fn pause(&self, attempt: u32) -> Result<(), Closed> {
        let pause = (SHORTEST_PAUSE * (1 << attempt.min(10))).min(LONGEST_PAUSE);
        tokio::select! {
            () = self.task_end.messages.closed() => Err(Closed),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }

    /// Passes messages and commands on until the connection is lost.
    async fn serve(&mut self, mut connection: Connection) -> Result<Greeting, Closed> {
        let mut greeting = Greeting::Missing;
        loop {
            // Commands wait for the greeting: on a socket that nobody serves they would be lost.
            tokio::select! {
                message = connection.next() => match message {
                    Some(message) => {
                        if matches!(message, ToClient::Hello { .. }) {
                            greeting = Greeting::Heard;
                        }
                        if self.handle(message, &mut connection).await.is_err() {
                            return self.send_remaining(connection).await;
                        }
                    }
                    None => break,
                },
                command = self.task_end.commands.recv(), if greeting == Greeting::Heard => match command {
                    Some(command) => connection.send(command).await,
                    None => return self.send_remaining(connection).await,
                },
                () = self.task_end.messages.closed(), if greeting == Greeting::Missing => return Err(Closed),
            }
        }
        self.lost(connection).await?;
        Ok(greeting)
    }

    async fn handle(&mut self, message: ToClient, connection: &mut Connection) -> Result<(), Closed> {
        match message {
            ToClient::Hello { offset } => {
                self.catch_up(offset).await?;
                self.task_end.send(FromRun::Connected).await?;
                for command in self.early.drain(..) {
                    connection.send(command).await;
                }
                Ok(())
            }
            ToClient::Event { record } if record.event == Event::Unknown => Ok(()),
            ToClient::Event { record } => {
                if record.event.is_recorded() {
                    self.feed.skip_one();
                }
                self.pass_on(vec![*record]).await
            }
            ToClient::Reply { id, error } => match connection.answered(id) {
                Some(command) => self.task_end.send(FromRun::Answered(command, error)).await,
                None => Ok(()),
            },
        }
    }

    async fn report_damage(&self, message: Option<String>) -> Result<(), Closed> {
        match message {
            Some(message) => self.task_end.send(FromRun::Damaged(message)).await,
            None => Ok(()),
        }
    }

    /// Passes on the records in the first `end` bytes of the log that were not seen yet.
    async fn catch_up(&mut self, end: u64) -> Result<(), Closed> {
        let read = self.read_to(end).await;
        for message in [self.feed.later(), self.feed.damage()] {
            self.report_damage(message).await?;
        }
        read
    }

    async fn read_to(&mut self, end: u64) -> Result<(), Closed> {
        if self.feed.is_at(end) {
            return Ok(());
        }
        let (out, mut chunks) = mpsc::channel(AHEAD);
        let mut feed = self.feed.clone();
        // On a thread of its own, so that the screen is not blocked, and some chunks ahead of it.
        let reading = spawn_blocking(move || {
            while let Some(pieces) = feed.next_chunk(end)? {
                if out.blocking_send(pieces).is_err() {
                    break;
                }
            }
            Ok(feed)
        });
        while let Some(pieces) = chunks.recv().await {
            self.pass_on_all(pieces).await?;
        }
        match reading.await.unwrap_or_else(|lost| Err(lost.into())) {
            Ok(feed) => self.feed = feed,
            Err(error) => return self.unreadable(&error).await,
        }
        Ok(())
    }

    async fn unreadable(&self, error: &std::io::Error) -> Result<(), Closed> {
        let path = self.run.events().display().to_string();
        self.task_end.send(FromRun::ViewOnly(format!("cannot read {path}: {error}"))).await
    }

    async fn pass_on_all(&mut self, pieces: Vec<Piece>) -> Result<(), Closed> {
        if pieces.iter().all(|piece| piece.len() < BLOCK) {
            return self.pass_on(pieces.into_iter().flat_map(Piece::into_records).collect()).await;
        }
        pieces.iter().for_each(|piece| self.summary.take_piece(piece));
        self.task_end.send(FromRun::Logged(pieces)).await
    }

    async fn pass_on(&mut self, records: Vec<Record>) -> Result<(), Closed> {
        records.iter().for_each(|record| self.summary.take(record));
        self.task_end.send(FromRun::Records(records)).await
    }

    async fn lost(&mut self, connection: Connection) -> Result<(), Closed> {
        for command in connection.into_unanswered() {
            // The worker answers a release by closing the connection.
            let error =
                (command != Command::Release).then(|| "the connection was lost before an answer came".to_owned());
            self.task_end.send(FromRun::Answered(command, error)).await?;
        }
        Ok(())
    }

    /// After the worker has died: waits until its supervisor has recorded the crash.
    async fn wait_for_crash_report(&mut self) -> Result<(), Closed> {
        let supervisor = self.run.worker_info().and_then(|info| info.supervisor);
        let start = tokio::time::Instant::now();
        while !self.summary.is_over() && supervisor.is_some_and(is_alive) && start.elapsed() < CRASH_REPORT {
            tokio::select! {
                () = self.task_end.messages.closed() => return Err(Closed),
                () = tokio::time::sleep(SHORTEST_PAUSE) => self.read_on().await?,
            }
        }
        self.read_on().await
    }

    /// Follows the log alone, without a worker.
    async fn watch(&mut self, absence: Absence) -> Result<WatchEnd, Closed> {
        self.read_on().await?;
        if let Absence::NoWorker(_) = absence {
            self.wait_for_crash_report().await?;
            self.report_damage(self.feed.torn()).await?;
        }
        // The end of the run may be among the records that were just read.
        let reason = absence.reason(&self.summary);
        let asleep = matches!(absence, Absence::NoWorker(_))
            && self.summary.is_over()
            && self.questions == Questions::StartWorker;
        self.task_end.send(if asleep { FromRun::Asleep } else { FromRun::ViewOnly(reason.clone()) }).await?;
        loop {
            let command = tokio::select! {
                () = tokio::time::sleep(POLL) => {
                    self.read_on().await?;
                    continue;
                }
                command = self.task_end.commands.recv() => command,
            };
            let Some(command) = command else { return Ok(WatchEnd::Closed) };
            let refused = match asleep && is_question(&command) {
                true => self.start_worker(&command).await?,
                false => Some(reason.clone()),
            };
            match refused {
                None => return Ok(WatchEnd::WorkerStarted),
                Some(_) => self.task_end.send(FromRun::Answered(command, refused)).await?,
            }
        }
    }

    /// Starts a worker that explains with the last weights, and keeps `command` for it. Returns why that failed, or `None`.
    async fn start_worker(&mut self, command: &Command) -> Result<Option<String>, Closed> {
        let program = match worker::find() {
            Ok(program) => program,
            Err(error) => return Ok(Some(error.to_string())),
        };
        let work = Work::Serve { run_dir: self.run.root().to_owned() };
        let mut early = vec![command.clone()];
        let refused = match begin(&program, work, &mut self.task_end, &mut early).await {
            Ok(_) => None,
            Err(LaunchError::Closed) => return Err(Closed),
            // Another client may have started one.
            Err(LaunchError::Failed(_)) if matches!(find_worker(&self.run), Worker::Reachable(_)) => None,
            Err(LaunchError::Failed(why)) => Some(why),
        };
        if refused.is_none() {
            self.early.append(&mut early);
        }
        Ok(refused)
    }

    async fn read_on(&mut self) -> Result<(), Closed> {
        match self.feed.length() {
            Ok(length) => self.catch_up(length).await,
            Err(_) => Ok(()),
        }
    }

    /// After the screen has dropped its link: sends its last commands over the open connection.
    async fn send_remaining(&mut self, mut connection: Connection) -> Result<Greeting, Closed> {
        while let Ok(command) = self.task_end.commands.try_recv() {
            connection.send(command).await;
        }
        let _ = tokio::time::timeout(LAST_ANSWERS, connection.wait_for_answers()).await;
        Err(Closed)
    }

    /// After the screen has dropped its link while there was no connection: connects once more to send its last commands.
    async fn send_unsent(&mut self) {
        if self.task_end.commands.is_empty() {
            return;
        }
        if let Worker::Reachable(info) = find_worker(&self.run)
            && let Ok(connection) = Connection::open(&info).await
        {
            let _ = self.send_remaining(connection).await;
        }
    }
}
