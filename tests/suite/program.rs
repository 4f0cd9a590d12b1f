//! Finding and running the real programs, with runs in a folder of the test's own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use pellucid_protocol::{Event, Record};
use pellucid_record::log::reader::LogReader;
use pellucid_record::{RunDir, runs};
pub(crate) use pellucid_tests::program;
use tempfile::TempDir;

/// How long anything may take before a test gives up: long enough for a slow, busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The folder with the data sets and models: that of the checkout, or as `PELLUCID_DATA` says.
pub(crate) fn data() -> PathBuf {
    std::env::var_os("PELLUCID_DATA").map_or_else(|| checkout().join("data"), PathBuf::from)
}

/// The top of the repository.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A place for runs. Workers that a failing test left behind are ended with it.
pub(crate) struct Workplace {
    folder: TempDir,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.path().join("runs")
    }

    /// The run folder that `train` was told to use.
    pub(crate) fn run(&self) -> RunDir {
        RunDir::new(self.runs().join("test"))
    }

    /// `pellucid` with these arguments, in this place.
    pub(crate) fn pellucid<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new(program("pellucid"));
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command
    }

    /// What the programs need to know of the environment, whatever the developer's own is.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![("PELLUCID_WORKER", program("pellucid-worker")), ("PELLUCID_DATA", data())]
    }

    /// Arguments of a small training on the triage set, into [`Workplace::run`].
    pub(crate) fn train(&self, more: &[&str]) -> Vec<String> {
        let data = crate::program::data();
        let place = |name: &str| data.join(name).display().to_string();
        let run = self.run().root().display().to_string();
        let mut args = vec!["train".to_owned()];
        for (flag, value) in [
            ("--model", place("models/student")),
            ("--train", place("triage/train.jsonl")),
            ("--valid", place("triage/valid.jsonl")),
            ("--run-dir", run),
            ("--batch-size", "8".to_owned()),
            ("--threads", "1".to_owned()),
        ] {
            // What a test says itself comes later and alone.
            if !more.contains(&flag) {
                args.extend([flag.to_owned(), value]);
            }
        }
        args.extend(more.iter().map(|&arg| arg.to_owned()));
        args
    }

    pub(crate) fn output<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Output {
        self.pellucid(args).output().unwrap()
    }

    /// Waits until the log of [`Workplace::run`] has an event for which `wanted` holds.
    pub(crate) fn wait_for_event(&self, what: &str, wanted: impl Fn(&Event) -> bool) -> Vec<Record> {
        let mut log = LogReader::new(&self.run().events());
        let mut seen = Vec::new();
        wait_until(what, || {
            seen.extend(log.read_new().unwrap());
            seen.iter().any(|record: &Record| wanted(&record.event))
        });
        seen
    }

    /// Waits until the run's worker is gone, and whoever watches over it.
    pub(crate) fn wait_for_worker_to_leave(&self) {
        wait_until("the worker to leave", || {
            self.run()
                .worker_info()
                .is_none_or(|info| !is_alive(info.owner.pid) && !info.supervisor.is_some_and(is_alive))
        });
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        let runs = runs::list(&self.runs()).unwrap_or_default();
        for info in runs.iter().filter_map(RunDir::worker_info) {
            signal("KILL", info.owner.pid);
        }
    }
}

/// Sends a signal to a process, if it is still there.
pub(crate) fn signal(name: &str, pid: u32) {
    let _ = Command::new("kill").args([format!("-{name}"), pid.to_string()]).stderr(Stdio::null()).status();
}

/// Whether a process runs; one that ended and was not waited for does not.
pub(crate) fn is_alive(pid: u32) -> bool {
    let known = Command::new("kill").args(["-0", &pid.to_string()]).stderr(Stdio::null()).status().unwrap().success();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    known && !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// Waits until `holds`.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Whether the event says that the state of the run is `state`.
pub(crate) fn is_state(event: &Event, state: &str) -> bool {
    matches!(event, Event::Setting(setting) if setting.key == "state" && setting.value == state)
}

pub(crate) fn is_step(event: &Event) -> bool {
    matches!(event, Event::Step(_))
}

pub(crate) fn is_end(event: &Event) -> bool {
    matches!(event, Event::Ended(_))
}
