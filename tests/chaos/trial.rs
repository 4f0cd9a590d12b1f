//! A program that is tried: it must end in time, by itself, without a panic, and say what failed in one line.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pellucid_tests::program;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// How many seconds a program may take before it counts as hanging; the variable PATIENCE has another number.
const PATIENCE: u64 = 20;
/// The variable by which the processes of a trial are found again, those that outlive their parents included.
const MARK: &str = "PELLUCID_CHAOS_TRIAL";
/// Between two looks at a process.
const PAUSE: Duration = Duration::from_millis(5);

/// Where the programs of one trial run, and by what their processes are known.
#[derive(Debug)]
pub(crate) struct Bench {
    /// Their working folder.
    pub(crate) folder: PathBuf,
    /// Where their output goes, and what is theirs alone: home and temporary folders.
    aside: PathBuf,
    mark: String,
}

/// How a program ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) hung: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Bench {
    /// A bench whose programs run in `folder` and keep what is theirs in `aside`.
    pub(crate) fn new(folder: &Path, aside: &Path) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        for part in ["home", "tmp"] {
            fs::create_dir_all(aside.join(part)).unwrap();
        }
        let mark = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self { folder: folder.to_owned(), aside: aside.to_owned(), mark }
    }

    fn variables(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            (MARK, PathBuf::from(&self.mark)),
            ("PELLUCID_WORKER", program("pellucid-worker")),
            ("HOME", self.aside.join("home")),
            ("XDG_CONFIG_HOME", self.aside.join("home")),
            ("XDG_RUNTIME_DIR", self.aside.join("tmp")),
            ("TMPDIR", self.aside.join("tmp")),
            ("RUST_BACKTRACE", PathBuf::from("0")),
        ]
    }

    /// Runs a program of this build to its end, or kills it when it hangs.
    pub(crate) fn run(&self, name: &str, args: &[String]) -> Ending {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Files and not pipes: a worker that stays must not keep anybody waiting.
        let [out, err] = ["out", "err"].map(|ending| self.aside.join(format!("{number}.{ending}")));
        let mut command = Command::new(program(name));
        command.args(args).current_dir(&self.folder).envs(self.variables()).stdin(Stdio::null());
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        let mut child = command.spawn().unwrap();
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if start.elapsed() > patience() {
                self.kill_all();
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            std::thread::sleep(PAUSE);
        };
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        Ending::of(status, read(&out), read(&err))
    }

    /// Runs `pellucid` on a terminal, and leaves it with its keys as soon as it has drawn something.
    pub(crate) fn look(&self, args: &[String]) -> Ending {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program("pellucid"));
        command.args(args);
        command.cwd(&self.folder);
        self.variables().into_iter().for_each(|(name, value)| command.env(name, value));
        command.env("TERM", "xterm-256color");
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut keys = pair.master.take_writer().unwrap();
        let mut screen = pair.master.try_clone_reader().unwrap();
        let reader = std::thread::spawn(move || {
            let (mut all, mut bytes) = (Vec::new(), [0; 4096]);
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                all.extend_from_slice(&bytes[..count]);
            }
            String::from_utf8_lossy(&all).into_owned()
        });
        let start = Instant::now();
        let code = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(i32::try_from(status.exit_code()).unwrap());
            }
            if start.elapsed() > patience() {
                self.kill_all();
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            std::thread::sleep(Duration::from_millis(60));
            // `q` leaves, and `d` is the answer of whom it asks about a worker.
            let _ = keys.write_all(b"q").and_then(|()| keys.write_all(b"d")).and_then(|()| keys.flush());
        };
        drop((keys, pair.master));
        // Whoever is left would hold the terminal, and the reader would wait for more.
        self.kill_all();
        let screen = reader.join().unwrap_or_default();
        Ending { code, signal: None, hung: code.is_none(), out: String::new(), err: screen }
    }

    /// Waits until every process of this bench is gone. Those that stay are killed, and `false` is returned.
    pub(crate) fn wait_until_quiet(&self) -> bool {
        let start = Instant::now();
        while !self.processes().is_empty() {
            if start.elapsed() > patience() {
                self.kill_all();
                return false;
            }
            std::thread::sleep(PAUSE * 2);
        }
        true
    }

    pub(crate) fn kill_all(&self) {
        for pid in self.processes() {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }

    /// The processes that have this bench's mark in their environment and have not ended.
    fn processes(&self) -> Vec<rustix::process::Pid> {
        let wanted = format!("{MARK}={}", self.mark);
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let is_ours = |pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|variable| variable == wanted.as_bytes())
        };
        pids.filter(is_ours).filter_map(rustix::process::Pid::from_raw).collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.kill_all();
    }
}

fn patience() -> Duration {
    let asked = std::env::var("PATIENCE").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(asked.unwrap_or(PATIENCE))
}

impl Ending {
    fn of(status: Option<ExitStatus>, out: String, err: String) -> Self {
        let (code, signal) = (status.and_then(|end| end.code()), status.and_then(|end| end.signal()));
        Self { code, signal, hung: status.is_none(), out, err }
    }

    pub(crate) fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// What no command may do, whatever lies in the folders that it is given.
    pub(crate) fn wrong(&self) -> Option<String> {
        if self.hung {
            return Some("hangs".to_owned());
        }
        if let Some(at) = self.err.find("panicked").or_else(|| self.err.find("This is a bug in pellucid")) {
            let start = self.err[..at].rfind('\n').map_or(0, |line| line + 1);
            return Some(format!("panics: {}", first_letters(&self.err[start..])));
        }
        match (self.signal, self.code) {
            (Some(signal), _) => Some(format!("ends by signal {signal}")),
            (_, Some(0 | 1 | 2 | 130)) => None,
            (_, code) => Some(format!("ends with exit code {code:?}: {}", first_letters(self.last_line()))),
        }
    }

    /// Whether a failure is told in one line, as of a command that prints nothing else.
    pub(crate) fn is_one_error(&self) -> bool {
        let lines: Vec<&str> = self.err.lines().collect();
        let errors = lines.iter().filter(|line| line.starts_with("error: ")).count();
        // The help after a wrong flag is what clap prints, and stands after its error.
        let is_usage = self.code == Some(2) && self.err.contains("For more information");
        errors == 1 && (is_usage || lines.last().is_some_and(|line| line.starts_with("error: ")))
    }

    pub(crate) fn last_line(&self) -> &str {
        self.err.lines().last().unwrap_or_default()
    }
}

/// The begin of a text, as much as fits a line.
pub(crate) fn first_letters(text: &str) -> String {
    text.chars().take(300).collect::<String>().replace('\n', " / ")
}
