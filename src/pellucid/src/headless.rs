//! A run without a dashboard: a progress bar or plain lines on stderr, JSON lines on stdout.

use std::path::PathBuf;

use pellucid_protocol::event::{Ended, Outcome};
use pellucid_protocol::work::Output;
use pellucid_protocol::{Command, Event, Record, Settings};
use pellucid_record::{Piece, RunDir};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedSender;

use pellucid_client::failure::{Ending, Failure};
use pellucid_client::handle::{handle, resume_hint};
use pellucid_client::{FromRun, Link, Past, Task};

mod copy;
mod face;
mod report;

use copy::LogCopy;
use face::Face;
use report::Report;

/// Trains on `settings` and tells how it goes until the run has ended.
///
/// # Errors
/// When the run could not start, or its worker was lost.
pub(crate) async fn train(worker: PathBuf, settings: Settings, output: Output) -> Result<Ending, Failure> {
    watch(pellucid_client::launch(worker, settings), Watcher::new(output)).await
}

/// Takes `run` up again and tells how it goes until it has ended. What was recorded before is not told again.
///
/// # Errors
/// As [`train`].
pub(crate) async fn resume(worker: PathBuf, run: &RunDir, output: Output) -> Result<Ending, Failure> {
    let told = std::fs::metadata(run.events()).map_or(0, |meta| meta.len());
    let watcher = Watcher { told, ..Watcher::new(output) };
    watch(pellucid_client::resume(worker, run, Past::Left), watcher).await
}

async fn watch((mut link, task): (Link, Task), mut watcher: Watcher) -> Result<Ending, Failure> {
    let mut signals = Signals::new()?;
    let outcome = loop {
        let step = tokio::select! {
            message = link.incoming.recv() => watcher.hear(message, &link.commands),
            asked = signals.recv() => match asked {
                Asked::Interrupt => watcher.interrupt(&link.commands),
                Asked::Terminate => watcher.terminate(&link.commands),
            },
        };
        match step {
            Ok(Next::Wait) => {}
            Ok(Next::End(ending)) => break Ok(ending),
            Err(failure) => break Err(failure),
        }
    };
    // The far end delivers the last commands, and gives up a run that has not begun.
    drop(link);
    let _ = task.await;
    watcher.face.clear();
    if outcome == Err(Failure::Closed) {
        watcher.face.say(&watcher.goes_on());
    }
    outcome
}

/// Requests to stop: Ctrl-C, and the SIGTERM of batch systems. A SIGHUP ends this program alone, or nothing under nohup.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::Failed(format!("cannot listen to signals: {error}")));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn recv(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = self.terminate.recv() => Asked::Terminate,
        }
    }
}

/// Which of them came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Interrupt,
    Terminate,
}

/// What follows a message.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Wait,
    End(Ending),
}

/// How urgently the user wants the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    GoOn,
    Stop,
    StopNow,
}

struct Watcher {
    output: Output,
    report: Report,
    face: Face,
    copy: Option<LogCopy>,
    run: Option<RunDir>,
    wish: Wish,
    /// Bytes of the log that are not told.
    told: u64,
}

impl Watcher {
    fn new(output: Output) -> Self {
        let (report, face) = (Report::default(), Face::for_stderr());
        Self { output, report, face, copy: None, run: None, wish: Wish::GoOn, told: 0 }
    }

    fn hear(&mut self, message: Option<FromRun>, commands: &UnboundedSender<Command>) -> Result<Next, Failure> {
        match message {
            Some(FromRun::Phase(text)) => self.face.say(&text),
            Some(FromRun::Failed(reason)) => return Err(Failure::Failed(reason)),
            Some(FromRun::Opened(run)) => self.open(run),
            Some(FromRun::Damaged(told)) => self.face.say(&format!("warning: {told}")),
            Some(FromRun::Records(records)) => return self.take(&records, commands),
            Some(FromRun::Logged(pieces)) => {
                let records: Vec<_> = pieces.into_iter().flat_map(Piece::into_records).collect();
                return self.take(&records, commands);
            }
            Some(FromRun::Answered(command, Some(reason))) if self.wish != Wish::GoOn => {
                self.face.say(&format!("{command:?} was refused: {reason}"));
            }
            Some(FromRun::Connected | FromRun::Answered(..) | FromRun::Rewound | FromRun::Playback(_)) => {}
            Some(FromRun::Asleep) => {
                return Err(Failure::Failed(self.lost("the run has ended and its worker has left")));
            }
            Some(FromRun::ViewOnly(reason)) => return Err(Failure::Failed(self.lost(&reason))),
            None => return Err(Failure::Failed(self.lost("the line to the worker broke"))),
        }
        Ok(Next::Wait)
    }

    fn open(&mut self, run: RunDir) {
        if self.output == Output::Json {
            self.copy = Some(LogCopy::beyond(&run.events(), self.told));
        }
        self.run = Some(run);
    }

    fn take(&mut self, records: &[Record], commands: &UnboundedSender<Command>) -> Result<Next, Failure> {
        if let Some(copy) = &mut self.copy {
            copy.copy_new(&mut std::io::stdout().lock())?;
        }
        for record in records {
            self.face.step(&record.event);
            if let Some(line) = self.report.line(record) {
                self.face.say(&line);
            }
            if let Event::Ended(ended) = &record.event {
                // Nobody is left to ask for explanations.
                let _ = commands.send(Command::Release);
                return Ok(Next::End(self.end(ended)));
            }
        }
        Ok(Next::Wait)
    }

    fn end(&self, ended: &Ended) -> Ending {
        if let Some(run) = &self.run {
            let place = run.root().display();
            let next = match ended.outcome {
                Outcome::Finished => format!("`pellucid replay {}` shows it", handle(run)),
                Outcome::Stopped | Outcome::Failed | Outcome::Died => resume_hint(run),
            };
            self.face.say(&format!("the run is in {place}; {next}"));
        }
        match ended.outcome {
            Outcome::Finished => Ending::Done,
            Outcome::Stopped => Ending::Stopped,
            Outcome::Failed | Outcome::Died => Ending::Failed,
        }
    }

    /// SIGTERM, as batch systems send it: there are seconds for a checkpoint and no more.
    fn terminate(&mut self, commands: &UnboundedSender<Command>) -> Result<Next, Failure> {
        if self.run.is_none() {
            return self.interrupt(commands);
        }
        self.face.say("told to leave: a checkpoint, then the end");
        self.wish = self.wish.max(Wish::Stop);
        let _ = commands.send(Command::Leave);
        Ok(Next::Wait)
    }

    /// Ctrl-C: first gently, then at once, then without waiting.
    fn interrupt(&mut self, commands: &UnboundedSender<Command>) -> Result<Next, Failure> {
        let command = match (self.wish, &self.run) {
            (Wish::GoOn, None) => {
                self.face.say("stopped before the run began; nothing was written");
                return Ok(Next::End(Ending::Stopped));
            }
            (Wish::GoOn, Some(_)) => {
                self.face.say("stopping after a checkpoint; Ctrl-C again stops at once");
                self.wish = Wish::Stop;
                Command::Stop
            }
            (Wish::Stop, _) => {
                self.face.say("stopping at once; Ctrl-C again leaves without waiting");
                self.wish = Wish::StopNow;
                Command::StopNow
            }
            (Wish::StopNow, _) => return Ok(Next::End(Ending::Stopped)),
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
        let name = self.run.as_ref().map(handle).unwrap_or_default();
        format!("stdout was closed; the run goes on, `pellucid attach {name}` shows it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watcher(run: Option<RunDir>) -> Watcher {
        Watcher { run, face: Face::silent(), ..Watcher::new(Output::Plain) }
    }

    fn ended(outcome: Outcome) -> FromRun {
        let ended = Ended { step: 3, outcome, message: None, metrics: pellucid_protocol::Metrics::default() };
        FromRun::Records(vec![Record { time: 0.0, event: Event::Ended(ended) }])
    }

    #[test]
    fn the_outcome_is_the_exit_code_and_the_worker_is_let_go() {
        for (outcome, code) in [(Outcome::Finished, 0), (Outcome::Failed, 1), (Outcome::Stopped, 130)] {
            let (commands, mut sent) = tokio::sync::mpsc::unbounded_channel();
            let next = watcher(None).hear(Some(ended(outcome)), &commands).unwrap();
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
        let lost = watcher.hear(Some(FromRun::ViewOnly("the worker (pid 7) is gone".into())), &commands);
        let message = lost.unwrap_err().to_string();
        assert!(message.contains("pid 7") && message.contains("runs/x/worker.log"), "{message}");
    }
}
