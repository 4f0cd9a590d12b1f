//! Follows a run: the log up to where the socket takes over, the socket, and again after each loss.

use std::time::Duration;

use pellucid_protocol::work::Work;
use pellucid_protocol::{Command, Event, Record, ToClient};
use pellucid_record::owner::is_alive;
use pellucid_record::{Piece, RunDir, RunSummary};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::connection::Connection;
use super::feed::Feed;
use super::launch::{Miss, begin};
use super::speaker::{Away, Worker, worker_of};
use super::{Ends, FromRun, Gone, worker};

/// Steps in a row that are passed on as a block.
const BLOCK: usize = 64;
/// Chunks of the log that may wait to be passed on.
const AHEAD: usize = 2;
/// Attempts to reach a worker that lives but does not answer, before the log alone is shown.
const ATTEMPTS: u32 = 12;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Between two looks at a log that no socket speaks for.
const POLL: Duration = Duration::from_secs(1);
/// How long is waited for what is written down about a worker that has just died.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How long the last commands may take to be answered.
const FAREWELL: Duration = Duration::from_secs(2);

/// How to begin to follow.
#[derive(Debug, Default)]
pub(super) struct Begin {
    /// Commands that are sent as soon as the worker answers.
    pub(super) early: Vec<Command>,
    /// Bytes of the log that are passed over.
    pub(super) beyond: u64,
    /// What the bytes that are passed over say of the run.
    pub(super) summary: RunSummary,
    /// What a question to an ended run does.
    pub(super) sleep: Sleep,
}

/// What a question does to an ended run whose worker has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sleep {
    /// It starts a worker again.
    Light,
    /// Nothing.
    #[default]
    Deep,
}

/// How watching a log without a worker ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watched {
    /// The screen has let go.
    ToTheEnd,
    /// There is a worker again.
    Woken,
}

/// Follows `run` from `begin` on.
pub(super) async fn follow_with(run: RunDir, ends: Ends, begin: Begin) -> Option<RunDir> {
    let feed = Feed::beyond(&run, begin.beyond);
    let Begin { early, summary, sleep, .. } = begin;
    let mut follower = Follower { early, summary, sleep, feed, ..Follower::new(run.clone(), ends) };
    if follower.run().await.is_err() {
        follower.farewell().await;
    }
    Some(run)
}

/// Passes on all of the record of `run`, and gives the line back.
pub(super) async fn read_all(run: &RunDir, ends: Ends) -> Result<Ends, Gone> {
    let mut follower = Follower::new(run.clone(), ends);
    follower.ends.say(FromRun::Opened(run.clone())).await?;
    follower.read_on().await?;
    Ok(follower.ends)
}

/// Whether a command asks something of the weights, and changes nothing.
fn is_question(command: &Command) -> bool {
    matches!(command, Command::Explain(_) | Command::WhatIf(_) | Command::Survey(_))
}

/// Whether the worker spoke on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Heard,
    Missing,
}

struct Follower {
    run: RunDir,
    ends: Ends,
    feed: Feed,
    /// What was read of the log.
    summary: RunSummary,
    early: Vec<Command>,
    sleep: Sleep,
}

impl Follower {
    fn new(run: RunDir, ends: Ends) -> Self {
        let feed = Feed::new(&run);
        let (summary, early, sleep) = Default::default();
        Self { run, ends, feed, summary, early, sleep }
    }

    async fn run(&mut self) -> Result<(), Gone> {
        self.ends.say(FromRun::Opened(self.run.clone())).await?;
        let mut attempt = 0;
        while attempt < ATTEMPTS {
            let info = match worker_of(&self.run) {
                Worker::Here(info) => info,
                Worker::Away(away) => match self.watch(away).await? {
                    Watched::ToTheEnd => return Ok(()),
                    Watched::Woken => {
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
                    return self.watch(Away::OutOfReach(reason)).await.map(drop);
                }
                Err(_) => attempt += 1,
            }
            self.pause(attempt).await?;
        }
        let reason = "the worker does not answer on its socket; this is what it records".into();
        self.watch(Away::OutOfReach(reason)).await.map(drop)
    }

    /// Waits before the next attempt, as long as the screen is there.
    async fn pause(&self, attempt: u32) -> Result<(), Gone> {
        let pause = (SHORTEST_PAUSE * (1 << attempt.min(10))).min(LONGEST_PAUSE);
        tokio::select! {
            () = self.ends.out.closed() => Err(Gone),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }

    /// Passes on what the connection brings until it is lost.
    async fn serve(&mut self, mut connection: Connection) -> Result<Greeting, Gone> {
        let mut greeting = Greeting::Missing;
        loop {
            // Commands wait for the greeting: a socket that nobody serves must not swallow them.
            tokio::select! {
                message = connection.next() => match message {
                    Some(message) => {
                        if matches!(message, ToClient::Hello { .. }) {
                            greeting = Greeting::Heard;
                        }
                        if self.hear(message, &mut connection).await.is_err() {
                            return self.part(connection).await;
                        }
                    }
                    None => break,
                },
                command = self.ends.commands.recv(), if greeting == Greeting::Heard => match command {
                    Some(command) => connection.send(command).await,
                    None => return self.part(connection).await,
                },
                () = self.ends.out.closed(), if greeting == Greeting::Missing => return Err(Gone),
            }
        }
        self.lost(connection).await?;
        Ok(greeting)
    }

    async fn hear(&mut self, message: ToClient, connection: &mut Connection) -> Result<(), Gone> {
        match message {
            ToClient::Hello { offset } => {
                self.catch_up(offset).await?;
                self.ends.say(FromRun::Connected).await?;
                for command in self.early.drain(..) {
                    connection.send(command).await;
                }
                Ok(())
            }
            ToClient::Event { record } if record.event == Event::Unknown => Ok(()),
            ToClient::Event { record } => {
                if record.event.is_recorded() {
                    self.feed.heard_one();
                }
                self.pass_on(vec![*record]).await
            }
            ToClient::Reply { id, error } => match connection.answered(id) {
                Some(command) => self.ends.say(FromRun::Answered(command, error)).await,
                None => Ok(()),
            },
        }
    }

    async fn say_damage(&self, told: Option<String>) -> Result<(), Gone> {
        match told {
            Some(told) => self.ends.say(FromRun::Damaged(told)).await,
            None => Ok(()),
        }
    }

    /// Passes on what the first `end` bytes of the log have and was not seen.
    async fn catch_up(&mut self, end: u64) -> Result<(), Gone> {
        let read = self.read_to(end).await;
        let told = self.feed.damage();
        self.say_damage(told).await?;
        read
    }

    async fn read_to(&mut self, end: u64) -> Result<(), Gone> {
        if self.feed.is_at(end) {
            return Ok(());
        }
        let (out, mut chunks) = mpsc::channel(AHEAD);
        let mut feed = self.feed.clone();
        // Beside the screen, which goes on meanwhile, and ahead of it.
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

    async fn unreadable(&self, error: &std::io::Error) -> Result<(), Gone> {
        let path = self.run.events().display().to_string();
        self.ends.say(FromRun::ViewOnly(format!("cannot read {path}: {error}"))).await
    }

    async fn pass_on_all(&mut self, pieces: Vec<Piece>) -> Result<(), Gone> {
        if pieces.iter().all(|piece| piece.len() < BLOCK) {
            return self.pass_on(pieces.into_iter().flat_map(Piece::into_records).collect()).await;
        }
        pieces.iter().for_each(|piece| self.summary.take_piece(piece));
        self.ends.say(FromRun::Logged(pieces)).await
    }

    async fn pass_on(&mut self, records: Vec<Record>) -> Result<(), Gone> {
        records.iter().for_each(|record| self.summary.take(record));
        self.ends.say(FromRun::Records(records)).await
    }

    async fn lost(&mut self, connection: Connection) -> Result<(), Gone> {
        for command in connection.into_unanswered() {
            // Letting go is answered by going.
            let error =
                (command != Command::Release).then(|| "the connection was lost before an answer came".to_owned());
            self.ends.say(FromRun::Answered(command, error)).await?;
        }
        Ok(())
    }

    /// Waits for what is written down about a worker that has just died.
    async fn last_words(&mut self) -> Result<(), Gone> {
        let keeper = self.run.worker_info().and_then(|info| info.keeper);
        let start = tokio::time::Instant::now();
        while !self.summary.is_over() && keeper.is_some_and(is_alive) && start.elapsed() < LAST_WORDS {
            tokio::select! {
                () = self.ends.out.closed() => return Err(Gone),
                () = tokio::time::sleep(SHORTEST_PAUSE) => self.read_on().await?,
            }
        }
        self.read_on().await
    }

    /// Shows the log without a worker.
    async fn watch(&mut self, away: Away) -> Result<Watched, Gone> {
        self.read_on().await?;
        if let Away::None(_) = away {
            self.last_words().await?;
            self.say_damage(self.feed.torn()).await?;
        }
        // The end may have been among what was just read.
        let reason = away.reason(&self.summary);
        let asleep = matches!(away, Away::None(_)) && self.summary.is_over() && self.sleep == Sleep::Light;
        self.ends.say(if asleep { FromRun::Asleep } else { FromRun::ViewOnly(reason.clone()) }).await?;
        loop {
            let command = tokio::select! {
                () = tokio::time::sleep(POLL) => {
                    self.read_on().await?;
                    continue;
                }
                command = self.ends.commands.recv() => command,
            };
            let Some(command) = command else { return Ok(Watched::ToTheEnd) };
            let refused = match asleep && is_question(&command) {
                true => self.wake(&command).await?,
                false => Some(reason.clone()),
            };
            match refused {
                None => return Ok(Watched::Woken),
                Some(_) => self.ends.say(FromRun::Answered(command, refused)).await?,
            }
        }
    }

    /// Starts a worker that explains on the last weights, and keeps `command` for it; why there is none, otherwise.
    async fn wake(&mut self, command: &Command) -> Result<Option<String>, Gone> {
        let program = match worker::find() {
            Ok(program) => program,
            Err(error) => return Ok(Some(error.to_string())),
        };
        let work = Work::Serve { run_dir: self.run.root().to_owned() };
        let mut early = vec![command.clone()];
        let refused = match begin(&program, work, &mut self.ends, &mut early).await {
            Ok(_) => None,
            Err(Miss::Gone) => return Err(Gone),
            // Somebody else may have been faster.
            Err(Miss::Failed(_)) if matches!(worker_of(&self.run), Worker::Here(_)) => None,
            Err(Miss::Failed(why)) => Some(why),
        };
        if refused.is_none() {
            self.early.append(&mut early);
        }
        Ok(refused)
    }

    async fn read_on(&mut self) -> Result<(), Gone> {
        match self.feed.length() {
            Ok(length) => self.catch_up(length).await,
            Err(_) => Ok(()),
        }
    }

    /// Sends the commands that the screen left behind, over the connection that was in use.
    async fn part(&mut self, mut connection: Connection) -> Result<Greeting, Gone> {
        while let Ok(command) = self.ends.commands.try_recv() {
            connection.send(command).await;
        }
        let _ = tokio::time::timeout(FAREWELL, connection.settle()).await;
        Err(Gone)
    }

    /// Sends the commands that the screen left behind while there was no connection.
    async fn farewell(&mut self) {
        if self.ends.commands.is_empty() {
            return;
        }
        if let Worker::Here(info) = worker_of(&self.run)
            && let Ok(connection) = Connection::open(&info).await
        {
            let _ = self.part(connection).await;
        }
    }
}
