//! A worker process as the dashboard starts it, and a client that hears all that it says.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pellucid_protocol::launch::LaunchLine;
use pellucid_protocol::work::Work;
use pellucid_protocol::{Command as Asked, Event, Record, ToClient, ToWorker};
use pellucid_record::RunDir;
use pellucid_record::log::reader::LogReader;
use pellucid_tests::program;

/// How long a worker may take for anything before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(90);

/// A worker at work. It is killed when this is dropped.
pub(crate) struct Worker {
    child: Child,
    out: Option<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts a worker on `work`; what it prints goes to the file `stderr`.
    pub(crate) fn start(work: &Work, stderr: &Path, variables: &[(&str, String)]) -> Self {
        let mut command = Command::new(program("pellucid-worker"));
        command.arg("work").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(stderr).unwrap());
        command.env("GOMP_SPINCOUNT", "5000").env("RUST_BACKTRACE", "1");
        let mut child = command.envs(variables.iter().map(|(name, value)| (name, value))).spawn().unwrap();
        let job = serde_json::to_string(work).unwrap() + "\n";
        child.stdin.take().unwrap().write_all(job.as_bytes()).unwrap();
        let out = child.stdout.take().map(BufReader::new);
        Self { child, out }
    }

    /// Waits until the run stands.
    ///
    /// # Errors
    /// Why it does not.
    pub(crate) fn wait_until_ready(&mut self) -> Result<(), String> {
        for line in self.out.take().unwrap().lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(LaunchLine::Ready { .. }) => return Ok(()),
                Ok(LaunchLine::Failed { message }) => return Err(message),
                _ => {}
            }
        }
        Err("it ended without a word".to_owned())
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end; `None` if it hangs.
    pub(crate) fn wait(&mut self) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            if start.elapsed() > PATIENCE {
                self.kill();
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Hears the records that the worker of `run` sends until it is gone; lets it go when the run has ended.
    pub(crate) fn listen(&self, run: &RunDir) -> JoinHandle<Vec<Record>> {
        let stream = run.worker_info().and_then(|info| UnixStream::connect(info.socket).ok());
        let run = run.clone();
        std::thread::spawn(move || stream.map(|stream| hear(stream, &run)).unwrap_or_default())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hear(mut stream: UnixStream, run: &RunDir) -> Vec<Record> {
    let mut heard = Vec::new();
    for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
        let ended = match serde_json::from_str(&line) {
            // What was before stands in the log alone.
            Ok(ToClient::Hello { .. }) => has_ended(run),
            Ok(ToClient::Event { record }) => {
                let ended = matches!(record.event, Event::Ended(_));
                heard.push(*record);
                ended
            }
            _ => false,
        };
        if ended {
            let release = serde_json::to_string(&ToWorker { id: 1, command: Asked::Release }).unwrap();
            let _ = writeln!(stream, "{release}");
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
    }
    heard
}

/// Whether the last word of the log is that the run has ended.
fn has_ended(run: &RunDir) -> bool {
    let records = LogReader::new(&run.events()).read_new().unwrap_or_default();
    let word = records.iter().rev().find(|record| matches!(record.event, Event::Ended(_) | Event::Started(_)));
    word.is_some_and(|record| matches!(record.event, Event::Ended(_)))
}

/// What a worker printed of a panic, if there was one.
pub(crate) fn panics(files: &[&Path]) -> Option<String> {
    let texts = files.iter().filter_map(|file| fs::read(file).ok());
    let mut texts = texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    texts.find_map(|text| Some(text[text.find("panicked")?..].chars().take(300).collect()))
}
