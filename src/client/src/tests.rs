//! The link against a worker of worker: a log and a socket that the test plays itself.

use std::time::Duration;

use pellucid_fixture as fixture;
use pellucid_protocol::event::{Ended, Outcome, Step};
use pellucid_protocol::{Event, Metrics, Record, ToClient, ToWorker};
use pellucid_record::Piece;
use pellucid_record::lock::Lock;
use pellucid_record::log::writer::LogWriter;
use pellucid_record::owner::{Owner, host_name, is_alive};
use pellucid_record::worker_info::WorkerInfo;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::*;

mod launching;

/// A run whose worker is the test itself.
struct FakeWorker {
    run: RunDir,
    log: LogWriter,
    listener: UnixListener,
    written: Vec<Record>,
    _lock: Lock,
    _folder: TempDir,
}

impl FakeWorker {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let socket = folder.path().join("s");
        let listener = UnixListener::bind(&socket).unwrap();
        let log = LogWriter::open(&run.events()).unwrap();
        let _lock = Lock::take(&run, Duration::ZERO).unwrap();
        let worker = Self { run, log, listener, written: Vec::new(), _lock, _folder: folder };
        worker.write_info(std::process::id(), &host_name());
        worker
    }

    /// Writes which process is the run's worker.
    fn write_info(&self, pid: u32, host: &str) {
        let owner = Owner { pid, host: host.to_owned(), boot: String::new(), start_time: 0 };
        let info = WorkerInfo { owner, socket: self.run.root().join("s"), supervisor: None };
        std::fs::write(self.run.worker(), serde_json::to_vec(&info).unwrap()).unwrap();
    }

    fn append(&mut self, event: Event) -> ToClient {
        let record = Record { time: 1.0, event };
        self.log.append(&record).unwrap();
        self.written.push(record.clone());
        ToClient::Event { record: Box::new(record) }
    }

    fn step(&mut self) -> ToClient {
        let step = self.written.len() as u64;
        self.append(Event::Step(Step { step, epoch: 0.0, metrics: Metrics::default() }))
    }

    fn end(&mut self) -> ToClient {
        let ended = Ended { step: 0, outcome: Outcome::Finished, message: None, metrics: Metrics::default() };
        self.append(Event::Ended(ended))
    }

    fn hello(&self) -> ToClient {
        ToClient::Hello { offset: self.log.length() }
    }

    async fn accept(&self) -> UnixStream {
        self.listener.accept().await.unwrap().0
    }
}

fn text(messages: &[ToClient]) -> Vec<u8> {
    let line = |message: &ToClient| serde_json::to_string(message).unwrap() + "\n";
    messages.iter().map(line).collect::<String>().into_bytes()
}

async fn put(stream: &mut UnixStream, messages: &[ToClient]) {
    stream.write_all(&text(messages)).await.unwrap();
}

async fn command_on(stream: &mut UnixStream) -> ToWorker {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.unwrap();
    serde_json::from_str(&line).unwrap()
}

/// Receives until `last` of the records has come, and gives all of them.
async fn records_until(link: &mut Link, number: usize) -> Vec<Record> {
    let mut seen = Vec::new();
    while seen.len() < number {
        match link.incoming.recv().await.unwrap() {
            FromRun::Records(records) => seen.extend(records),
            FromRun::Logged(pieces) => seen.extend(pieces.into_iter().flat_map(Piece::into_records)),
            FromRun::ViewOnly(reason) => panic!("view only: {reason}"),
            _ => {}
        }
    }
    seen
}

/// Receives until a message for which `wanted` gives something.
async fn until<T>(link: &mut Link, mut wanted: impl FnMut(FromRun) -> Option<T>) -> T {
    loop {
        if let Some(found) = wanted(link.incoming.recv().await.unwrap()) {
            return found;
        }
    }
}

async fn view_only(link: &mut Link) -> String {
    until(link, |message| if let FromRun::ViewOnly(reason) = message { Some(reason) } else { None }).await
}

async fn connected(link: &mut Link) {
    until(link, |message| (message == FromRun::Connected).then_some(())).await;
}

async fn answer(link: &mut Link) -> (Command, Option<String>) {
    until(link, |message| if let FromRun::Answered(c, reason) = message { Some((c, reason)) } else { None }).await
}

#[tokio::test]
async fn a_connection_lost_at_any_byte_loses_and_doubles_nothing() {
    let mut worker = FakeWorker::new();
    worker.step();
    let (mut link, _task) = attach(worker.run.clone());
    for cut in (0..400).step_by(9) {
        // What is said on this connection, as far as it comes.
        let mut said = vec![worker.hello()];
        said.extend([worker.step(), worker.step(), worker.step()]);
        let said = text(&said);
        let mut stream = worker.accept().await;
        stream.write_all(&said[..cut.min(said.len())]).await.unwrap();
        drop(stream);
        // What only the log has.
        worker.step();
    }
    let mut stream = worker.accept().await;
    let hello = worker.hello();
    let last = worker.end();
    put(&mut stream, &[hello, last]).await;
    assert_eq!(records_until(&mut link, worker.written.len()).await, worker.written);
}

#[tokio::test]
async fn what_comes_over_the_socket_follows_the_log_in_order() {
    let mut worker = FakeWorker::new();
    (0..3).for_each(|_| drop(worker.step()));
    let (mut link, _task) = attach(worker.run.clone());
    assert_eq!(link.incoming.recv().await, Some(FromRun::Opened(worker.run.clone())));
    let mut stream = worker.accept().await;
    put(&mut stream, &[worker.hello()]).await;
    assert_eq!(link.incoming.recv().await, Some(FromRun::Records(worker.written.clone())));
    assert_eq!(link.incoming.recv().await, Some(FromRun::Connected));
    let event = worker.step();
    put(&mut stream, &[event]).await;
    assert_eq!(link.incoming.recv().await, Some(FromRun::Records(worker.written[3..].to_vec())));
}

#[tokio::test]
async fn what_is_not_recorded_is_shown_and_nothing_else_is_lost_for_it() {
    let mut worker = FakeWorker::new();
    let (mut link, _task) = attach(worker.run.clone());
    let mut explanation = fixture::explanation("a text", None, 7, 1);
    explanation.attributions[0].checks.clear();
    let passing = Record { time: 1.0, event: Event::Explained(Box::new(explanation)) };
    let mut stream = worker.accept().await;
    let said = [worker.hello(), worker.step(), ToClient::Event { record: Box::new(passing.clone()) }, worker.step()];
    put(&mut stream, &said).await;
    let [first, second] = [worker.written[0].clone(), worker.written[1].clone()];
    assert_eq!(records_until(&mut link, 3).await, [first, passing, second]);
    drop(stream);
    worker.step();
    let mut stream = worker.accept().await;
    put(&mut stream, &[worker.hello()]).await;
    assert_eq!(records_until(&mut link, 1).await, worker.written[2..]);
}

#[tokio::test]
async fn commands_are_answered_or_said_to_be_lost() {
    let worker = FakeWorker::new();
    let (mut link, _task) = attach(worker.run.clone());
    let mut stream = worker.accept().await;
    put(&mut stream, &[worker.hello()]).await;
    connected(&mut link).await;
    for (command, error) in [(Command::Pause, None), (Command::Checkpoint, Some("no space left".to_owned()))] {
        link.commands.send(command.clone()).unwrap();
        let request = command_on(&mut stream).await;
        assert_eq!(request.command, command);
        put(&mut stream, &[ToClient::Reply { id: request.id, error: error.clone() }]).await;
        assert_eq!(answer(&mut link).await, (command, error));
    }
    link.commands.send(Command::Resume).unwrap();
    command_on(&mut stream).await;
    drop(stream);
    let (command, error) = answer(&mut link).await;
    assert!(command == Command::Resume && error.unwrap().contains("lost"));
}

#[tokio::test]
async fn a_command_before_the_greeting_waits_for_it() {
    let worker = FakeWorker::new();
    let (link, _task) = attach(worker.run.clone());
    link.commands.send(Command::Pause).unwrap();
    drop(worker.accept().await);
    let mut stream = worker.accept().await;
    put(&mut stream, &[worker.hello()]).await;
    assert_eq!(command_on(&mut stream).await.command, Command::Pause);
}

#[tokio::test]
async fn the_last_command_is_delivered_after_the_screen_has_left() {
    let worker = FakeWorker::new();
    let (mut link, task) = attach(worker.run.clone());
    let mut stream = worker.accept().await;
    put(&mut stream, &[worker.hello()]).await;
    connected(&mut link).await;
    link.commands.send(Command::Release).unwrap();
    drop(link);
    let request = command_on(&mut stream).await;
    assert_eq!(request.command, Command::Release);
    put(&mut stream, &[ToClient::Reply { id: request.id, error: None }]).await;
    assert_eq!(task.await.unwrap(), Some(worker.run));
}

#[tokio::test]
async fn a_screen_that_leaves_in_the_midst_of_events_is_no_obstacle() {
    let mut worker = FakeWorker::new();
    let (mut link, task) = attach(worker.run.clone());
    let mut stream = worker.accept().await;
    put(&mut stream, &[worker.hello()]).await;
    connected(&mut link).await;
    link.commands.send(Command::Release).unwrap();
    drop(link);
    let event = worker.step();
    put(&mut stream, &[event]).await;
    assert_eq!(command_on(&mut stream).await.command, Command::Release);
    drop(stream);
    task.await.unwrap();
}

/// An id that no system gives to a process.
const NO_PROCESS: u32 = 0x3fff_fffe;

#[tokio::test]
async fn a_worker_that_died_leaves_a_record_to_look_at() {
    let mut worker = FakeWorker::new();
    let (mut link, _task) = attach(worker.run.clone());
    let mut stream = worker.accept().await;
    let hello = worker.hello();
    let event = worker.step();
    put(&mut stream, &[hello, event]).await;
    assert_eq!(records_until(&mut link, 1).await, worker.written);
    worker.step();
    worker.write_info(NO_PROCESS, &host_name());
    drop(stream);
    assert_eq!(link.incoming.recv().await, Some(FromRun::Records(worker.written[1..].to_vec())));
    assert!(view_only(&mut link).await.contains("is gone"));
    link.commands.send(Command::Pause).unwrap();
    assert!(answer(&mut link).await.1.unwrap().contains("is gone"));
}

#[tokio::test]
async fn a_worker_that_left_after_the_end_is_no_loss() {
    let mut worker = FakeWorker::new();
    worker.end();
    worker.write_info(NO_PROCESS, &host_name());
    let (mut link, _task) = attach(worker.run.clone());
    until(&mut link, |message| (message == FromRun::Asleep).then_some(())).await;
    link.commands.send(Command::Pause).unwrap();
    let why = until(&mut link, |message| if let FromRun::Answered(_, why) = message { why } else { None }).await;
    assert_eq!(why, "the run has ended and its worker has left", "only a question starts it again");
    let (mut link, _task) = control(&worker.run);
    assert_eq!(view_only(&mut link).await, why, "what reads no record starts no worker");
}

#[tokio::test]
async fn a_worker_elsewhere_is_followed_by_its_log() {
    let mut worker = FakeWorker::new();
    worker.step();
    worker.write_info(1, "another-machine");
    let (mut link, _task) = attach(worker.run.clone());
    assert_eq!(records_until(&mut link, 1).await, worker.written);
    assert!(view_only(&mut link).await.contains("another-machine"));
    worker.step();
    assert_eq!(records_until(&mut link, 1).await, worker.written[1..]);
}

#[tokio::test]
async fn a_replay_reads_the_record_and_touches_no_worker() {
    let mut worker = FakeWorker::new();
    worker.step();
    worker.end();
    let (mut link, task) = replay(worker.run.clone(), None);
    assert_eq!(records_until(&mut link, 2).await, worker.written);
    assert!(view_only(&mut link).await.contains("record"));
    link.play.as_ref().unwrap().send(Play::Steps(-1)).unwrap();
    until(&mut link, |message| (message == FromRun::Rewound).then_some(())).await;
    assert_eq!(records_until(&mut link, 1).await, worker.written[..1]);
    let motion = until(
        &mut link,
        |message| if let FromRun::Playback(playback) = message { Some(playback.motion) } else { None },
    );
    assert_eq!(motion.await, Motion::Held);
    drop(link);
    assert_eq!(task.await.unwrap(), Some(worker.run));
}

#[tokio::test]
async fn damage_in_the_record_is_told_and_the_rest_is_read() {
    let mut worker = FakeWorker::new();
    (0..3).for_each(|_| drop(worker.step()));
    let mut bytes = std::fs::read(worker.run.events()).unwrap();
    let second = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 5;
    bytes[second] ^= 1;
    bytes.extend(b"{\"time\":1.0,\"eve");
    std::fs::write(worker.run.events(), bytes).unwrap();
    worker.write_info(NO_PROCESS, &host_name());
    let (mut link, _task) = attach(worker.run.clone());
    assert_eq!(records_until(&mut link, 2).await, [worker.written[0].clone(), worker.written[2].clone()]);
    let told = async |link: &mut Link| {
        until(link, |message| if let FromRun::Damaged(told) = message { Some(told) } else { None }).await
    };
    assert!(told(&mut link).await.contains("events.jsonl:2: 1 record is damaged"));
    assert!(told(&mut link).await.contains("last record is torn, its 16 bytes"));
}
