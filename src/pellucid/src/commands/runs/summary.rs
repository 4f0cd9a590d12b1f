//! A run in one line of the list of runs.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pellucid_protocol::event::Outcome;
use pellucid_protocol::{Event, Metrics, Record, metric};
use pellucid_record::owner::Whereabouts;
use pellucid_record::{RunDir, RunState, RunSummary};
use serde::Serialize;

use pellucid_client::handle::resume_hint;
use pellucid_dashboard::picker::{CURVE, Entry};
use pellucid_dashboard::{Tone, outcome_state, text};

/// A run in a few words.
#[derive(Debug, Serialize)]
pub(in super::super) struct Summary {
    pub(in super::super) name: String,
    /// Short, for people to type.
    id: String,
    path: PathBuf,
    state: State,
    /// The worker, while it is there.
    owner: Option<Worker>,
    step: u64,
    total_steps: Option<u64>,
    started: Option<f64>,
    /// Seconds since something was recorded last.
    age: Option<f64>,
    /// Of the best evaluation that is known.
    metrics: Metrics,
    /// The metric that decides which evaluation is the best.
    #[serde(skip)]
    primary_metric: String,
    /// Why it ended, where that was said.
    message: Option<String>,
    /// How it is taken up again, if it ended before it was finished.
    resume: Option<String>,
}

/// Who trains a run.
#[derive(Debug, Serialize)]
struct Worker {
    pid: u32,
    host: String,
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Running,
    Paused,
    /// Its worker is on another machine.
    Elsewhere,
    /// It has ended; a run whose worker is gone without a word has died.
    #[serde(untagged)]
    Ended(Outcome),
}

impl Summary {
    /// The summary of `run`; what cannot be read is left out.
    pub(in super::super) fn of(run: &RunDir) -> Self {
        let known = RunSummary::read(run).unwrap_or_default();
        let state = State::of(&known, run);
        let owner = run.worker_info().filter(|_| state.has_worker()).map(|info| info.owner);
        Summary {
            name: run.name(),
            id: run.id(),
            path: run.root().to_owned(),
            state,
            owner: owner.map(|owner| Worker { pid: owner.pid, host: owner.host }),
            step: known.step,
            total_steps: known.total_steps(),
            started: known.started.as_ref().map(|(time, _)| *time),
            age: known.last_time.map(|time| (now() - time).max(0.0)),
            message: known.ended().and_then(|ended| ended.message.clone()),
            primary_metric: known.primary_metric().to_owned(),
            metrics: known.best,
            resume: state.is_resumable().then(|| resume_hint(run)),
        }
    }

    /// With a shorter id.
    pub(in super::super) fn with_id(self, id: String) -> Self {
        Self { id, ..self }
    }

    /// The summary as an entry of the list to choose from.
    pub(in super::super) fn entry(self, run: &RunDir) -> Entry {
        let state = match self.state {
            State::Running => (Tone::Good, "● running"),
            State::Paused => (Tone::Warn, "Ⅱ paused"),
            State::Elsewhere => (Tone::Plain, "… elsewhere"),
            State::Ended(outcome) => outcome_state(outcome),
        };
        Entry {
            state,
            curve: curve(run, usize::from(CURVE)).unwrap_or_default(),
            best: self.best(),
            steps: (self.step, self.total_steps),
            started: self.started.map_or("-".to_owned(), local_time),
            name: self.name,
        }
    }

    /// The summary as a row of a table whose names are `width` wide, and why it ended below, unless it is as it should.
    pub(in super::super) fn row(&self, width: usize) -> Vec<String> {
        let why = self.resume.as_ref().map(|resume| {
            let message = self.message.as_ref().map_or_else(String::new, |message| format!("{message}; "));
            format!("    {message}{resume}")
        });
        [self.line(width)].into_iter().chain(why.filter(|_| self.state != State::Ended(Outcome::Stopped))).collect()
    }

    /// The value of the primary metric in the best evaluation.
    fn best(&self) -> Option<f64> {
        self.metrics.get(&self.primary_metric)
    }

    fn line(&self, width: usize) -> String {
        let state = self.state.word();
        let steps = self.total_steps.map_or_else(|| self.step.to_string(), |total| format!("{}/{total}", self.step));
        let (metric, best) = (metric::short(&self.primary_metric), self.best());
        let best = best.map_or("-".to_owned(), |value| format!("{value:.3}"));
        let age = self.age.map_or("-".to_owned(), |age| format!("{} ago", text::duration(age)));
        let owner =
            self.owner.as_ref().map_or_else(String::new, |owner| format!("  pid {} on {}", owner.pid, owner.host));
        let (name, id) = (&self.name, &self.id);
        format!("{name:width$}  {id:4}  {state:9}  step {steps:13}  {metric} {best:5}  {age}{owner}")
    }
}

impl State {
    fn of(known: &RunSummary, run: &RunDir) -> Self {
        if let Some(outcome) = known.outcome() {
            return State::Ended(outcome);
        }
        match run.worker_info().map(|info| info.whereabouts(run)) {
            Some(Whereabouts::Elsewhere) => State::Elsewhere,
            Some(Whereabouts::Here) if known.state == RunState::Paused => State::Paused,
            Some(Whereabouts::Here) => State::Running,
            Some(Whereabouts::Gone | Whereabouts::Restarted) | None => State::Ended(Outcome::Died),
        }
    }

    fn word(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Paused => "paused",
            State::Elsewhere => "elsewhere",
            State::Ended(outcome) => outcome.word(),
        }
    }

    fn has_worker(self) -> bool {
        !matches!(self, State::Ended(_))
    }

    fn is_resumable(self) -> bool {
        matches!(self, State::Ended(Outcome::Stopped | Outcome::Failed | Outcome::Died))
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Bytes at each place of a log at which a step is looked for.
const GLANCE: u64 = 8 * 1024;

/// The loss at `count` places of the log, evenly far apart; NaN where none is found. Little of it is read.
fn curve(run: &RunDir, count: usize) -> io::Result<Vec<f64>> {
    let mut file = File::open(run.events())?;
    let length = file.metadata()?.len();
    let mut values = Vec::with_capacity(count);
    for index in 0..count as u64 {
        file.seek(SeekFrom::Start(length.saturating_sub(GLANCE) * index / count.saturating_sub(1).max(1) as u64))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(GLANCE).read_to_end(&mut bytes)?;
        let records = bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice::<Record>(line).ok());
        let loss =
            |record: Record| if let Event::Step(step) = record.event { step.metrics.get("loss/total") } else { None };
        values.push(records.rev().find_map(loss).unwrap_or(f64::NAN));
    }
    Ok(values)
}

fn local_time(seconds: f64) -> String {
    let time = jiff::SignedDuration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|time| jiff::Timestamp::from_duration(time).ok());
    time.map_or("-".to_owned(), |time| {
        time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pellucid_protocol::event::{Ended, Eval, Step};
    use pellucid_record::log_writer::LogWriter;
    use pellucid_record::owner::{Lock, Owner};
    use pellucid_record::run_dir::WorkerInfo;

    use super::*;

    fn run_with(events: Vec<Event>) -> (tempfile::TempDir, RunDir) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let mut log = LogWriter::open(&run.events()).unwrap();
        for event in events {
            log.append(&Record { time: 1.0, event }).unwrap();
        }
        (folder, run)
    }

    fn accuracy(value: f64) -> Metrics {
        let mut metrics = Metrics::default();
        metrics.set("valid/accuracy", value);
        metrics
    }

    fn step(step: u64) -> Event {
        Event::Step(Step { step, epoch: 0.0, metrics: Metrics::default() })
    }

    #[test]
    fn an_ended_run_shows_its_outcome_and_best_accuracy() {
        let ended = Ended { step: 7, outcome: Outcome::Finished, message: None, metrics: accuracy(0.875) };
        let (_folder, run) = run_with(vec![step(6), Event::Ended(ended)]);
        let rows = Summary::of(&run).row(3);
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert!(row.contains("finished") && row.contains("step 7 ") && row.contains("accuracy 0.875"), "{row}");
    }

    #[test]
    fn a_death_is_told_with_its_last_words_and_what_to_do() {
        let message = Some("the worker was ended by signal 9 (SIGKILL)".to_owned());
        let ended = Ended { step: 7, outcome: Outcome::Died, message, metrics: Metrics::default() };
        let eval = Eval { step: 3, epoch: 0.0, metrics: accuracy(0.5), best: true, predictions: None };
        let (_folder, run) = run_with(vec![Event::Eval(eval), step(7), Event::Ended(ended)]);
        let rows = Summary::of(&run).row(3);
        assert!(rows[0].contains("died") && rows[0].contains("accuracy 0.500"), "{rows:?}");
        assert!(rows[1].contains("(SIGKILL); `pellucid resume"), "{rows:?}");
    }

    #[test]
    fn a_run_that_was_taken_up_again_is_what_its_worker_is() {
        let ended = Ended { step: 7, outcome: Outcome::Stopped, message: None, metrics: Metrics::default() };
        let (_folder, run) = run_with(vec![Event::Ended(ended), started(), step(8)]);
        assert_eq!(Summary::of(&run).state, State::Ended(Outcome::Died));
        let info = WorkerInfo { owner: Owner::of_this_process(), socket: "s".into(), keeper: None };
        std::fs::write(run.worker(), serde_json::to_vec(&info).unwrap()).unwrap();
        assert_eq!(
            Summary::of(&run).state,
            State::Ended(Outcome::Died),
            "whoever does not hold the run is not its worker"
        );
        let _lock = Lock::take(&run, Duration::ZERO).unwrap();
        let rows = Summary::of(&run).row(3);
        assert!(rows[0].contains("running") && rows[0].contains(&format!("pid {}", std::process::id())), "{rows:?}");
    }

    fn started() -> Event {
        pellucid_fixture::started(9).event
    }

    #[test]
    fn a_run_whose_worker_is_gone_without_a_word_has_died() {
        let eval = Eval { step: 3, epoch: 0.0, metrics: accuracy(0.5), best: true, predictions: None };
        let (_folder, run) = run_with(vec![Event::Eval(eval), step(4)]);
        let summary = Summary::of(&run);
        assert_eq!(
            (summary.state, summary.step, summary.metrics.get("valid/accuracy")),
            (State::Ended(Outcome::Died), 4, Some(0.5))
        );
    }

    #[test]
    fn a_run_with_a_living_worker_is_running() {
        let (_folder, run) = run_with(vec![step(4)]);
        let info = WorkerInfo { owner: Owner::of_this_process(), socket: "s".into(), keeper: None };
        std::fs::write(run.worker(), serde_json::to_vec(&info).unwrap()).unwrap();
        assert_eq!(
            Summary::of(&run).state,
            State::Ended(Outcome::Died),
            "whoever does not hold the run is not its worker"
        );
        let _lock = Lock::take(&run, Duration::ZERO).unwrap();
        assert_eq!(Summary::of(&run).state, State::Running);
    }

    #[test]
    fn the_curve_of_a_long_log_goes_from_its_start_to_its_end() {
        let falling = |number: u64| {
            let mut metrics = Metrics::default();
            metrics.set("loss/total", 1.0 / (number + 1) as f64);
            Event::Step(Step { step: number, epoch: 0.0, metrics })
        };
        let (_folder, run) = run_with((0..5000).map(falling).collect());
        let curve = curve(&run, 20).unwrap();
        assert!(curve.len() == 20 && curve.windows(2).all(|two| two[1] < two[0]), "{curve:?}");
        assert_eq!(curve.last(), Some(&(1.0 / 5000.0)));
        let (_folder, empty) = run_with(Vec::new());
        assert!(super::curve(&empty, 20).unwrap().iter().all(|value| value.is_nan()));
    }

    #[test]
    fn a_finished_run_that_was_explained_a_lot_is_finished() {
        let ended = Ended { step: 7, outcome: Outcome::Finished, message: None, metrics: accuracy(0.875) };
        let explained = pellucid_fixture::explained(7, 9).event;
        let after = std::iter::repeat_n(explained, 100);
        let (_folder, run) = run_with([started(), step(7), Event::Ended(ended)].into_iter().chain(after).collect());
        assert!(std::fs::metadata(run.events()).unwrap().len() > 512 << 10);
        let summary = Summary::of(&run);
        assert_eq!((summary.state, summary.step, summary.resume), (State::Ended(Outcome::Finished), 7, None));
    }
}
