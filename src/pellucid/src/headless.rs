//! Watches a run without a dashboard: a progress bar or plain lines on stderr, JSON lines on stdout.

use std::path::PathBuf;

use pellucid_protocol::event::{Ended, MOVED, Outcome};
use pellucid_protocol::work::Output;
use pellucid_protocol::{Command, Event, Record, Settings};
use pellucid_record::{Piece, RunDir, RunSummary};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedSender;

use pellucid_client::failure::{Ending, Failure};
use pellucid_client::handle::{command_line, resume_hint};
use pellucid_client::{FromRun, History, Link, Task};

mod log_copy;
mod progress;
mod run_lines;

use log_copy::LogCopy;
use progress::Progress;
use run_lines::RunLines;

/// Trains with `settings` and reports progress until the run has ended.
///
/// # Errors
/// When the run could not start, or its worker was lost.
pub(crate) async fn train(worker: PathBuf, settings: Settings, output: Output) -> Result<Ending, Failure> {
    watch(pellucid_client::launch(worker, settings), Watcher::new(output)).await
}

/// Resumes `run` and reports progress until it has ended. What was recorded before is not printed again.
///
/// # Errors
/// As [`train`].
pub(crate) async fn resume(worker: PathBuf, run: &RunDir, output: Output) -> Result<Ending, Failure> {
    let printed = std::fs::metadata(run.events()).map_or(0, |meta| meta.len());
    let watcher = Watcher { printed, ..Watcher::new(output) };
    watch(pellucid_client::resume(worker, run, History::Skip), watcher).await
}

async fn watch((mut link, task): (Link, Task), mut watcher: Watcher) -> Result<Ending, Failure> {
    let mut signals = Signals::new()?;
    let outcome = loop {
        let step = tokio::select! {
            message = link.incoming.recv() => watcher.receive(message, &link.commands),
            signal = signals.recv() => match signal {
                StopSignal::Interrupt => watcher.interrupt(&link.commands),
                StopSignal::Terminate => watcher.terminate(&link.commands),
            },
        };
        match step {
            Ok(Next::Wait) => {}
            Ok(Next::End(ending)) => break Ok(ending),
            Err(failure) => break Err(failure),
        }
    };
    // The task delivers the last commands, and gives up a run that has not begun.
    drop(link);
    let _ = task.await;
    watcher.progress.clear();
    if outcome == Err(Failure::Closed) {
        watcher.progress.say(&watcher.goes_on());
    }
    outcome
}

/// Signals that ask to stop: Ctrl-C, and the SIGTERM of batch systems. SIGHUP ends only this program, and under nohup
/// nothing.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::Failed(format!("cannot listen to signals: {error}")));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn recv(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
        }
    }
}

/// A signal that asks to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StopSignal {
    Interrupt,
    Terminate,
}

/// What to do after a message.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Wait,
    End(Ending),
}

/// Whether the user has asked to stop, and how urgently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum StopRequest {
    None,
    Stop,
    StopNow,
}

struct Watcher {
    output: Output,
    lines: RunLines,
    progress: Progress,
    /// Copies the log to stdout, for `--json`.
    copy: Option<LogCopy>,
    run: Option<RunDir>,
    stop: StopRequest,
    /// Bytes at the start of the log that are not printed: what was recorded before.
    printed: u64,
}

impl Watcher {
    fn new(output: Output) -> Self {
        let (lines, progress) = (RunLines::default(), Progress::for_stderr());
        Self { output, lines, progress, copy: None, run: None, stop: StopRequest::None, printed: 0 }
    }

    fn receive(&mut self, message: Option<FromRun>, commands: &UnboundedSender<Command>) -> Result<Next, Failure> {
        match message {
            Some(FromRun::Phase(text)) => self.progress.say(&text),
            Some(FromRun::Failed(reason)) => return Err(Failure::Failed(reason)),
            Some(FromRun::Opened(run)) => self.open(run),
            Some(FromRun::Damaged(message)) => self.progress.say(&format!("warning: {message}")),
            Some(FromRun::Records(records)) => return self.process(&records, commands),
            Some(FromRun::Logged(pieces)) => {
                let records: Vec<_> = pieces.into_iter().flat_map(Piece::into_records).collect();
                return self.process(&records, commands);
            }
            Some(FromRun::Answered(command, Some(reason))) if self.stop != StopRequest::None => {
                self.progress.say(&format!("{command:?} was refused: {reason}"));
            }
            Some(FromRun::Connected | FromRun::Answered(..) | FromRun::Rewound | FromRun::Playback(_)) => {}
            Some(FromRun::Asleep) => {
                return Err(Failure::Failed(self.lost("the run has ended and its worker has left")));
            }
            Some(FromRun::ViewOnly(reason)) => return Err(Failure::Failed(self.lost(&reason))),
            None => return Err(Failure::Failed(self.lost("the connection to the worker broke"))),
        }
        Ok(Next::Wait)
    }

    fn open(&mut self, run: RunDir) {
        if self.output == Output::Json {
            self.copy = Some(LogCopy::from(&run.events(), self.printed));
        }
        self.run = Some(run);
    }

    fn process(&mut self, records: &[Record], commands: &UnboundedSender<Command>) -> Result<Next, Failure> {
        self.follow(records);
        // A folder that was moved is found again when its worker has said where it is.
        if let Some(copy) = self.copy.as_mut().filter(|copy| copy.is_there()) {
            copy.copy_new(&mut std::io::stdout().lock())?;
        }
        for record in records {
            self.progress.step(&record.event);
            if let Some(line) = self.lines.line(record) {
                self.progress.say(&line);
            }
            if let Event::Ended(ended) = &record.event {
                // This program is about to leave; nobody will ask for explanations.
                let _ = commands.send(Command::Release);
                return Ok(Next::End(self.farewell(ended)));
            }
        }
        Ok(Next::Wait)
    }

    /// Takes the run from where it was moved to, if it is there.
    fn follow(&mut self, records: &[Record]) {
        let moved = records.iter().rev().find_map(|record| match &record.event {
            Event::Setting(setting) if setting.key == MOVED => setting.value.as_str().map(RunDir::new),
            _ => None,
        });
        let id = |run: &RunDir| Some(RunSummary::read(run).ok()?.started?.1.id).filter(|id| !id.is_empty());
        if let Some(run) = moved.filter(|run| id(run).is_some() && id(run) == self.lines.id()) {
            if let Some(copy) = &mut self.copy {
                copy.move_to(&run.events());
            }
            self.run = Some(run);
        }
    }

    /// Says where the run is and what can be done with it.
    fn farewell(&self, ended: &Ended) -> Ending {
        if let Some(run) = &self.run {
            let place = run.root().display();
            let next = match ended.outcome {
                Outcome::Finished => format!("{} shows it", command_line("replay", run)),
                Outcome::Stopped | Outcome::Failed | Outcome::Died => resume_hint(run),
            };
            self.progress.say(&format!("the run is in {place}; {next}"));
        }
        match ended.outcome {
            Outcome::Finished => Ending::Done,
            Outcome::Stopped => Ending::Stopped,
            Outcome::Failed | Outcome::Died => Ending::Failed,
        }
    }

    /// Stops after a checkpoint. Batch systems send SIGTERM some seconds before they kill.
    fn terminate(&mut self, commands: &UnboundedSender<Command>) -> Result<Next, Failure> {
        if self.run.is_none() {
            return self.interrupt(commands);
        }
        self.progress.say("SIGTERM: stopping after a checkpoint");
        self.stop = self.stop.max(StopRequest::Stop);
        let _ = commands.send(Command::Leave);
        Ok(Next::Wait)
    }

    /// The first Ctrl-C stops after a checkpoint, the second stops at once, the third leaves without waiting.
    fn interrupt(&mut self, commands: &UnboundedSender<Command>) -> Result<Next, Failure> {
        let command = match (self.stop, &self.run) {
            (StopRequest::None, None) => {
                self.progress.say("stopped before the run began; nothing was written");
                return Ok(Next::End(Ending::Stopped));
            }
            (StopRequest::None, Some(_)) => {
                self.progress.say("stopping after a checkpoint; Ctrl-C again stops at once");
                self.stop = StopRequest::Stop;
                Command::Stop
            }
            (StopRequest::Stop, _) => {
                self.progress.say("stopping at once; Ctrl-C again leaves without waiting");
                self.stop = StopRequest::StopNow;
                Command::StopNow
            }
            (StopRequest::StopNow, _) => return Ok(Next::End(Ending::Stopped)),
        };
        let _ = commands.send(command);
        Ok(Next::Wait)
    }

    fn lost(&self, reason: &str) -> String {
        match &self.run {
            Some(run) => format!("{reason}; {} may say why", run.log().display()),
            None => reason.to_owned(),
        }
    }

    fn goes_on(&self) -> String {
        let command =
            self.run.as_ref().map_or_else(|| "`pellucid attach`".to_owned(), |run| command_line("attach", run));
        format!("stdout was closed; the run goes on, {command} shows it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watcher(run: Option<RunDir>) -> Watcher {
        Watcher { run, progress: Progress::silent(), ..Watcher::new(Output::Plain) }
    }

    fn ended(outcome: Outcome) -> FromRun {
        let ended = Ended { step: 3, outcome, message: None, metrics: pellucid_protocol::Metrics::default() };
        FromRun::Records(vec![Record { time: 0.0, event: Event::Ended(ended) }])
    }

    #[test]
    fn the_outcome_is_the_exit_code_and_the_worker_is_let_go() {
        for (outcome, code) in [(Outcome::Finished, 0), (Outcome::Failed, 1), (Outcome::Stopped, 130)] {
            let (commands, mut sent) = tokio::sync::mpsc::unbounded_channel();
            let next = watcher(None).receive(Some(ended(outcome)), &commands).unwrap();
            assert!(matches!(next, Next::End(ending) if ending.code() == code));
            assert_eq!(sent.try_recv(), Ok(Command::Release));
        }
    }

    #[test]
    fn the_first_interrupt_asks_the_second_insists_the_third_leaves() {
        let (commands, mut sent) = tokio::sync::mpsc::unbounded_channel();
        let mut watcher = watcher(Some(RunDir::new("runs/x")));
        assert_eq!(watcher.interrupt(&commands), Ok(Next::Wait));
        assert_eq!(watcher.interrupt(&commands), Ok(Next::Wait));
        assert_eq!(watcher.interrupt(&commands), Ok(Next::End(Ending::Stopped)));
        assert_eq!((sent.try_recv(), sent.try_recv()), (Ok(Command::Stop), Ok(Command::StopNow)));
    }

    #[test]
    fn before_the_run_stands_an_interrupt_is_the_end() {
        let (commands, _sent) = tokio::sync::mpsc::unbounded_channel();
        assert_eq!(watcher(None).interrupt(&commands), Ok(Next::End(Ending::Stopped)));
    }

    #[test]
    fn a_lost_worker_is_a_failure_that_names_its_log() {
        let (commands, _sent) = tokio::sync::mpsc::unbounded_channel();
        let mut watcher = watcher(Some(RunDir::new("runs/x")));
        let lost = watcher.receive(Some(FromRun::ViewOnly("the worker (pid 7) is gone".into())), &commands);
        let message = lost.unwrap_err().to_string();
        assert!(message.contains("pid 7") && message.contains("runs/x/worker.log"), "{message}");
    }
}
