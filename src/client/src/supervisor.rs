//! The supervisor: a small process of its own that waits for the end of a worker and, if the worker crashed, records that
//! in the log of its run.

use std::io::{BufRead, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pellucid_files::regular::{self, Access};
use pellucid_protocol::event::{Ended, Outcome};
use pellucid_protocol::launch::LaunchLine;
use pellucid_protocol::work::Work;
use pellucid_protocol::{Event, Record};
use pellucid_record::lock::Lock;
use pellucid_record::log::writer::LogWriter;
use pellucid_record::owner::SUPERVISOR_VARIABLE;
use pellucid_record::{RunDir, RunSummary};
use tokio::process::Child;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::{Ending, Failure};
use crate::worker;

mod crash;

use crash::{Crash, OomKills};

/// Longest job that is read, in bytes.
const JOB: u64 = 16 << 20;
/// Bytes of what a worker has printed that are looked at.
const PRINTED: u64 = 64 << 10;
/// How long to wait for the lock of the run: another process that only tests it holds it for a moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// Starts the program `path` with the job from stdin, and waits for its end.
///
/// # Errors
/// When there is no job.
pub async fn supervise(path: PathBuf) -> Result<Ending, Failure> {
    // In a session of its own, as the worker is, so that it outlives the terminal.
    let _ = rustix::process::setsid();
    let cannot_listen = |error: std::io::Error| Failure::Failed(format!("cannot listen to signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot_listen)?;
    let _hang_up = signal(SignalKind::hangup()).map_err(cannot_listen)?;
    let mut job = Vec::new();
    let read = std::io::stdin().lock().take(JOB).read_until(b'\n', &mut job);
    let work: Work = read
        .map_err(serde_json::Error::io)
        .and_then(|_| serde_json::from_slice(&job))
        .map_err(|error| Failure::Usage(format!("stdin: not a job: {error}")))?;
    let supervised = Supervised::begin(run_of(&work));
    let mut command = worker::command(&path);
    let mut child = match command.env(SUPERVISOR_VARIABLE, std::process::id().to_string()).spawn() {
        Ok(child) => child,
        Err(error) => return cannot_start(&path, &error),
    };
    worker::send_job(&mut child, &work).await;
    let pid = child.id().unwrap_or(0);
    // Otherwise the readers of the worker's stdout and stderr would wait for the end of this process too.
    close_stdio();
    let status = wait(&mut child, &mut terminate).await;
    if let (Some(supervised), Some(status)) = (supervised, status) {
        supervised.record_crash(pid, status);
    }
    Ok(status.map_or(Ending::Failed, exit_like))
}

fn cannot_start(path: &Path, error: &std::io::Error) -> Result<Ending, Failure> {
    let message = worker::cannot_start(path, error).to_string();
    let line = serde_json::to_string(&LaunchLine::Failed { message }).map_err(std::io::Error::from)?;
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(Ending::Failed)
}

fn run_of(work: &Work) -> Option<RunDir> {
    match work {
        Work::Train(settings) => Some(RunDir::new(&settings.run_dir)),
        Work::Resume { run_dir } => Some(RunDir::new(run_dir)),
        _ => None,
    }
}

fn close_stdio() {
    if let Ok(nothing) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null") {
        // If one of these fails, the launcher waits a little longer.
        let _ = rustix::stdio::dup2_stdin(&nothing);
        let _ = rustix::stdio::dup2_stdout(&nothing);
        let _ = rustix::stdio::dup2_stderr(&nothing);
    }
}

/// Waits for the worker's end; passes SIGTERM on to it.
async fn wait(child: &mut Child, terminate: &mut Signal) -> Option<ExitStatus> {
    let pid = child.id();
    loop {
        tokio::select! {
            status = child.wait() => return status.ok(),
            _ = terminate.recv() => worker::send_signal(pid, rustix::process::Signal::TERM),
        }
    }
}

/// Ends this process in the same way as the worker, by the same signal if there was one.
fn exit_like(status: ExitStatus) -> Ending {
    use std::os::unix::process::ExitStatusExt;
    if let Some(number) = status.signal() {
        let _ = rustix::process::setrlimit(
            rustix::process::Resource::Core,
            rustix::process::Rlimit { current: Some(0), maximum: Some(0) },
        );
        if let Some(same) = rustix::process::Signal::from_named_raw(number) {
            let _ = rustix::process::kill_process(rustix::process::getpid(), same);
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    worker::ending(status)
}

/// A run whose worker is supervised, and what was known before the worker started.
struct Supervised {
    run: RunDir,
    oom_kills: OomKills,
    /// Length of `worker.log` before, in bytes.
    printed: u64,
}

impl Supervised {
    fn begin(run: Option<RunDir>) -> Option<Self> {
        let run = run?;
        let printed = std::fs::metadata(run.log()).map_or(0, |meta| meta.len());
        Some(Self { run, oom_kills: OomKills::now(), printed })
    }

    /// Records that the worker `pid` has crashed, unless its run had ended before.
    fn record_crash(&self, pid: u32, status: ExitStatus) {
        let owned = self.run.worker_info().is_some_and(|info| info.owner.pid == pid);
        // If another worker has the run already, its log belongs to that one.
        let Some(_lock) = owned.then(|| Lock::take(&self.run, PATIENCE).ok()).flatten() else { return };
        // A run that has ended stays as it ended, however its worker leaves.
        let Ok(summary) = RunSummary::read(&self.run) else { return };
        if summary.is_over() || summary.last_time.is_none() {
            return;
        }
        let best = RunSummary::read_whole(&self.run).map_or(summary.best, |whole| whole.best);
        let crash = Crash::of(pid, status, (&self.oom_kills, &OomKills::now()));
        let message = Some(crash.message(&self.printed_since()));
        let ended = Ended { step: summary.step, outcome: Outcome::Died, message, metrics: best };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
        let time = summary.last_time.map_or(now, |last| last.max(now));
        let Ok(mut log) = LogWriter::open(&self.run.events()) else { return };
        // A disk that is full has no room for the end; those who look see that the worker is gone.
        if log.append(&Record { time, event: Event::Ended(ended) }).is_ok() {
            let _ = log.sync();
        }
    }

    /// What the worker has printed to `worker.log`, at most the end of it.
    fn printed_since(&self) -> String {
        String::from_utf8_lossy(&tail(&self.run.log(), self.printed).unwrap_or_default()).into_owned()
    }
}

/// What stands in a file from byte `from` on, at most the last [`PRINTED`] bytes.
fn tail(path: &Path, from: u64) -> std::io::Result<Vec<u8>> {
    let mut file = regular::open(path, Access::Read)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(from.min(length).max(length.saturating_sub(PRINTED))))?;
    let mut bytes = Vec::new();
    file.take(PRINTED).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use pellucid_fixture as fixture;
    use pellucid_protocol::Metrics;
    use pellucid_protocol::event::Step;
    use pellucid_record::log::reader::LogReader;
    use pellucid_record::owner::Owner;
    use pellucid_record::worker_info::WorkerInfo;

    use super::*;

    fn step(step: u64) -> Record {
        let event = Event::Step(Step { step, epoch: 0.0, metrics: Metrics::default() });
        Record { time: 5e9, event }
    }

    /// A run that the worker `pid` has trained.
    fn run(pid: u32) -> (tempfile::TempDir, RunDir) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let mut log = LogWriter::open(&run.events()).unwrap();
        (1..4).for_each(|number| assert!(log.append(&step(number)).is_ok()));
        let owner = Owner { pid, ..Owner::of_this_process() };
        let info = WorkerInfo { owner, socket: "s".into(), supervisor: None };
        std::fs::write(run.worker(), serde_json::to_vec(&info).unwrap()).unwrap();
        (folder, run)
    }

    fn ends(run: &RunDir) -> Vec<(f64, Ended)> {
        let records = LogReader::new(&run.events()).read_new().unwrap();
        let end =
            |record: Record| if let Event::Ended(ended) = record.event { Some((record.time, ended)) } else { None };
        records.into_iter().filter_map(end).collect()
    }

    #[test]
    fn a_crash_is_the_last_record() {
        let (_folder, run) = run(7);
        std::fs::write(run.log(), "an old line\n").unwrap();
        let supervised = Supervised::begin(Some(run.clone())).unwrap();
        let mut log = std::fs::OpenOptions::new().append(true).open(run.log()).unwrap();
        log.write_all(b"terminate called\n  what():  bad index\n").unwrap();
        std::fs::OpenOptions::new().append(true).open(run.events()).unwrap().write_all(b"{\"torn").unwrap();
        supervised.record_crash(7, ExitStatus::from_raw(6));
        let ends = ends(&run);
        let [(time, ended)] = ends.as_slice() else { panic!("{ends:?}") };
        assert_eq!((ended.outcome, ended.step, *time), (Outcome::Died, 3, 5e9), "time does not go back");
        let message = ended.message.as_deref().unwrap();
        assert!(
            message.contains("SIGABRT") && message.contains("bad index") && !message.contains("old line"),
            "{message}"
        );
        supervised.record_crash(7, ExitStatus::from_raw(6));
        assert_eq!(super::tests::ends(&run).len(), 1, "once");
    }

    /// The worker of a run that has ended stays while somebody asks it for explanations, and then leaves in its way.
    #[test]
    fn an_end_is_not_undone_by_what_came_after_it() {
        let (_folder, run) = run(7);
        let supervised = Supervised::begin(Some(run.clone())).unwrap();
        let mut log = LogWriter::open(&run.events()).unwrap();
        log.append(&fixture::ended(3, Outcome::Finished, None)).unwrap();
        while log.length() < 2 << 20 {
            log.append(&fixture::explained(3, 9)).unwrap();
        }
        for raw in [0, 9] {
            supervised.record_crash(7, ExitStatus::from_raw(raw));
        }
        let ends = ends(&run);
        assert!(ends.len() == 1 && ends[0].1.outcome == Outcome::Finished, "{ends:?}");
    }

    #[test]
    fn of_what_a_worker_printed_only_the_end_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker.log");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"the end", (1 << 40) - 7).unwrap();
        let end = tail(&path, 5).unwrap();
        assert!(end.len() as u64 == PRINTED && end.ends_with(b"the end"));
        assert_eq!(tail(&path, (1 << 40) - 3).unwrap(), b"end");
        assert_eq!(tail(&path, u64::MAX).unwrap(), b"");
    }

    #[test]
    fn a_log_of_a_later_version_gets_no_end() {
        let (_folder, run) = run(7);
        let supervised = Supervised::begin(Some(run.clone())).unwrap();
        let line = b"{\"time\":1,\"event\":\"started\",\"log\":2}\n";
        std::fs::OpenOptions::new().append(true).open(run.events()).unwrap().write_all(line).unwrap();
        let before = std::fs::read(run.events()).unwrap();
        supervised.record_crash(7, ExitStatus::from_raw(9));
        assert_eq!(std::fs::read(run.events()).unwrap(), before);
    }

    #[test]
    fn a_run_of_somebody_else_is_left_alone() {
        let (_folder, run) = run(7);
        let supervised = Supervised::begin(Some(run.clone())).unwrap();
        supervised.record_crash(8, ExitStatus::from_raw(9));
        assert!(ends(&run).is_empty(), "another worker's");
        let lock = Lock::take(&run, Duration::ZERO).unwrap();
        supervised.record_crash(7, ExitStatus::from_raw(9));
        assert!(ends(&run).is_empty(), "taken up again");
        drop(lock);
        supervised.record_crash(7, ExitStatus::from_raw(9));
        assert_eq!(ends(&run).len(), 1);
    }
}
