//! Launching against scripts that play a starting worker.

use std::os::unix::fs::PermissionsExt;

use pellucid_protocol::RawSettings;
use tokio::sync::{Mutex, MutexGuard};

use super::*;

/// A script must not be written while another test forks: the child would hold it open for writing.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

struct Script {
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Script {
    async fn new(body: &str) -> Self {
        let turn = ONE_AT_A_TIME.lock().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker");
        std::fs::write(&path, format!("#!/bin/sh\nread job\ncd {}\n{body}\n", folder.path().display())).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, _turn: turn }
    }

    fn launch(&self) -> (Link, Task) {
        let raw = RawSettings {
            model: Some("m".into()),
            train: Some("t".into()),
            valid: Some("v".into()),
            ..RawSettings::default()
        };
        launch(self.folder.path().join("worker"), raw.check().unwrap())
    }
}

async fn failure(link: &mut Link) -> String {
    until(link, |message| if let FromRun::Failed(reason) = message { Some(reason) } else { None }).await
}

#[tokio::test]
async fn phases_come_first_then_the_run() {
    let script = Script::new(
        r#"echo "$job" > job; echo '{"launch":"phase","text":"reading"}'; echo noise
        mkdir run; : > run/events.jsonl; echo "{\"launch\":\"ready\",\"run_dir\":\"$PWD/run\",\"log_length\":0}""#,
    )
    .await;
    let (mut link, task) = script.launch();
    assert_eq!(link.incoming.recv().await, Some(FromRun::Phase("reading".into())));
    let Some(FromRun::Opened(run)) = link.incoming.recv().await else { panic!("no run") };
    assert_eq!(run.name(), "run");
    assert!(view_only(&mut link).await.contains("no worker"));
    let job = std::fs::read_to_string(script.folder.path().join("job")).unwrap();
    assert!(matches!(serde_json::from_str(&job).unwrap(), pellucid_protocol::work::Work::Train(_)));
    drop(link);
    assert!(task.await.unwrap().is_some());
}

/// Between the look at the log and the start of the worker the run was removed and another one began there.
#[tokio::test]
async fn a_run_that_came_into_the_folder_meanwhile_is_followed_from_its_own_start() {
    let script = Script::new(
        r#"cp new run/events.jsonl; echo "{\"launch\":\"ready\",\"run_dir\":\"$PWD/run\",\"log_length\":0}""#,
    )
    .await;
    let run = RunDir::new(script.folder.path().join("run"));
    std::fs::create_dir(run.root()).unwrap();
    let write = |path: &std::path::Path, steps: std::ops::Range<u64>| {
        let mut log = LogWriter::open(path).unwrap();
        steps.for_each(|number| assert!(log.append(&fixture::step(number)).is_ok()));
    };
    write(&run.events(), 0..50);
    write(&script.folder.path().join("new"), 7..9);
    let (mut link, _task) = resume(script.folder.path().join("worker"), &run, History::Skip);
    assert_eq!(records_until(&mut link, 2).await, [fixture::step(7), fixture::step(8)]);
}

#[tokio::test]
async fn a_refusal_is_told_as_it_is() {
    let script = Script::new(r#"echo '{"launch":"failed","message":"t.csv:3: no label"}'; exit 1"#).await;
    let (mut link, task) = script.launch();
    assert_eq!(link.incoming.recv().await, Some(FromRun::Failed("t.csv:3: no label".into())));
    assert_eq!(task.await.unwrap(), None);
}

#[tokio::test]
async fn a_worker_that_dies_is_told_with_its_last_words() {
    let script = Script::new(
        r#"echo '{"launch":"phase","text":"loading the model"}'; echo 'no libc10.so' >&2; echo 'note: hm' >&2; exit 127"#,
    )
    .await;
    let (mut link, _task) = script.launch();
    let message = failure(&mut link).await;
    for part in ["exit code 127", "while loading the model", "saying: no libc10.so", "pellucid doctor"] {
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn a_worker_that_is_killed_is_told_with_its_signal() {
    let script = Script::new("kill -9 $$").await;
    let (mut link, _task) = script.launch();
    let message = failure(&mut link).await;
    assert!(message.contains("by signal 9") && message.contains("while starting"), "{message}");
}

#[tokio::test]
async fn a_worker_that_cannot_be_started_is_named() {
    let script = Script::new("").await;
    let path = script.folder.path().join("worker");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (mut link, _task) = script.launch();
    let message = failure(&mut link).await;
    assert!(message.contains("cannot start") && message.contains("/worker"), "{message}");
}

/// Waits until the script has said who it is.
async fn pid_of(link: &mut Link) -> u32 {
    until(link, |message| if let FromRun::Phase(pid) = message { pid.parse().ok() } else { None }).await
}

const WAITS: &str = r#"echo "{\"launch\":\"phase\",\"text\":\"$$\"}"; exec sleep 600"#;

#[tokio::test]
async fn leaving_before_the_run_begins_ends_the_worker() {
    let script = Script::new(WAITS).await;
    let (mut link, task) = script.launch();
    let pid = pid_of(&mut link).await;
    drop(link);
    assert_eq!(task.await.unwrap(), None);
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn stopping_before_the_run_begins_ends_the_worker() {
    let script = Script::new(WAITS).await;
    let (mut link, task) = script.launch();
    let pid = pid_of(&mut link).await;
    link.commands.send(Command::Stop).unwrap();
    assert!(failure(&mut link).await.contains("before the run began"));
    assert_eq!(task.await.unwrap(), None);
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn early_commands_reach_the_worker_once_it_answers() {
    let worker = FakeWorker::new();
    let root = worker.run.root().display();
    let script = Script::new(&format!(
        r#"echo '{{"launch":"phase","text":"wait"}}'; while [ ! -e go ]; do sleep 0.01; done
        echo '{{"launch":"ready","run_dir":"{root}","log_length":0}}'"#
    ))
    .await;
    let (mut link, _task) = script.launch();
    until(&mut link, |message| (message == FromRun::Phase("wait".into())).then_some(())).await;
    link.commands.send(Command::Pause).unwrap();
    // The link has a turn to take the command before the worker is ready.
    tokio::task::yield_now().await;
    std::fs::write(script.folder.path().join("go"), "").unwrap();
    let mut stream = worker.accept().await;
    put(&mut stream, &[worker.hello()]).await;
    assert_eq!(command_on(&mut stream).await.command, Command::Pause);
}

#[tokio::test]
async fn a_terminal_that_goes_before_the_run_begins_does_not_end_it() {
    let script = Script::new(WAITS).await;
    let (mut link, task) = script.launch();
    let pid = pid_of(&mut link).await;
    link.close_reason.hang_up();
    drop(link);
    assert_eq!(task.await.unwrap(), None);
    assert!(is_alive(pid));
    worker::send_signal(Some(pid), rustix::process::Signal::KILL);
}
