//! A run as the list of runs shows it.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pellucid_client::handle::resume_hint;
use pellucid_dashboard::picker::{CURVE, Entry};
use pellucid_dashboard::{Tone, outcome_state, text};
use pellucid_protocol::event::Outcome;
use pellucid_protocol::{Metrics, metric};
use pellucid_record::owner::ProcessState;
use pellucid_record::{RunDir, RunState, RunSummary};
use serde::Serialize;

use super::loss_curve::loss_curve;

/// A run as the list of runs shows it.
#[derive(Debug, Serialize)]
pub(in super::super) struct ListedRun {
    pub(in super::super) name: String,
    /// A short id, for people to type.
    id: String,
    path: PathBuf,
    state: State,
    /// Its worker, while there is one.
    owner: Option<Worker>,
    step: u64,
    total_steps: Option<u64>,
    started: Option<f64>,
    /// Seconds since the last record.
    age: Option<f64>,
    /// The metrics of the best evaluation so far.
    metrics: Metrics,
    /// The metric that decides which evaluation is the best.
    #[serde(skip)]
    primary_metric: String,
    /// Why it ended, if the record says so.
    message: Option<String>,
    /// How to resume it, if it ended before it was finished.
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

impl ListedRun {
    /// Reads the record of `run`; what cannot be read is left out.
    pub(in super::super) fn of(run: &RunDir) -> Self {
        let known = RunSummary::read(run).unwrap_or_default();
        let state = State::of(&known, run);
        let owner = run.worker_info().filter(|_| state.has_worker()).map(|info| info.owner);
        ListedRun {
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

    /// The same run under a shorter id.
    pub(in super::super) fn with_id(self, id: String) -> Self {
        Self { id, ..self }
    }

    /// The run as an entry of the list to choose from.
    pub(in super::super) fn entry(self, run: &RunDir) -> Entry {
        let state = match self.state {
            State::Running => (Tone::Good, "● running"),
            State::Paused => (Tone::Warn, "Ⅱ paused"),
            State::Elsewhere => (Tone::Plain, "… elsewhere"),
            State::Ended(outcome) => outcome_state(outcome),
        };
        Entry {
            state,
            curve: loss_curve(run, usize::from(CURVE)).unwrap_or_default(),
            best: self.best(),
            steps: (self.step, self.total_steps),
            started: self.started.map_or("-".to_owned(), local_time),
            name: self.name,
        }
    }

    /// The run as a row of a table whose names are `width` wide. If it ended too early, a second line says why, and how
    /// to resume it.
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
        match run.worker_info().map(|info| info.state(run)) {
            Some(ProcessState::Remote) => State::Elsewhere,
            Some(ProcessState::Running) if known.state == RunState::Paused => State::Paused,
            Some(ProcessState::Running) => State::Running,
            Some(ProcessState::Gone | ProcessState::Rebooted) | None => State::Ended(Outcome::Died),
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

    use pellucid_protocol::Event;
    use pellucid_protocol::event::{Ended, Eval, Step};
    use pellucid_record::lock::Lock;
    use pellucid_record::owner::Owner;
    use pellucid_record::worker_info::WorkerInfo;

    use super::super::tests::run_with;
    use super::*;

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
        let rows = ListedRun::of(&run).row(3);
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert!(row.contains("finished") && row.contains("step 7 ") && row.contains("accuracy 0.875"), "{row}");
    }

    #[test]
    fn a_death_is_told_with_its_last_words_and_what_to_do() {
        let message = Some("the worker was ended by signal 9 (SIGKILL)".to_owned());
        let ended = Ended { step: 7, outcome: Outcome::Died, message, metrics: Metrics::default() };
        let eval = Eval { step: 3, epoch: 0.0, metrics: accuracy(0.5), best: true, predictions: None };
        let (_folder, run) = run_with(vec![Event::Eval(eval), step(7), Event::Ended(ended)]);
        let rows = ListedRun::of(&run).row(3);
        assert!(rows[0].contains("died") && rows[0].contains("accuracy 0.500"), "{rows:?}");
        assert!(rows[1].contains("(SIGKILL); `pellucid resume"), "{rows:?}");
    }

    #[test]
    fn a_run_that_was_taken_up_again_is_what_its_worker_is() {
        let ended = Ended { step: 7, outcome: Outcome::Stopped, message: None, metrics: Metrics::default() };
        let (_folder, run) = run_with(vec![Event::Ended(ended), started(), step(8)]);
        assert_eq!(ListedRun::of(&run).state, State::Ended(Outcome::Died));
        let info = WorkerInfo { owner: Owner::of_this_process(), socket: "s".into(), supervisor: None };
        std::fs::write(run.worker(), serde_json::to_vec(&info).unwrap()).unwrap();
        assert_eq!(
            ListedRun::of(&run).state,
            State::Ended(Outcome::Died),
            "whoever does not hold the run is not its worker"
        );
        let _lock = Lock::take(&run, Duration::ZERO).unwrap();
        let rows = ListedRun::of(&run).row(3);
        assert!(rows[0].contains("running") && rows[0].contains(&format!("pid {}", std::process::id())), "{rows:?}");
    }

    fn started() -> Event {
        pellucid_fixture::started(9).event
    }

    #[test]
    fn a_run_whose_worker_is_gone_without_a_word_has_died() {
        let eval = Eval { step: 3, epoch: 0.0, metrics: accuracy(0.5), best: true, predictions: None };
        let (_folder, run) = run_with(vec![Event::Eval(eval), step(4)]);
        let summary = ListedRun::of(&run);
        assert_eq!(
            (summary.state, summary.step, summary.metrics.get("valid/accuracy")),
            (State::Ended(Outcome::Died), 4, Some(0.5))
        );
    }

    #[test]
    fn a_run_with_a_living_worker_is_running() {
        let (_folder, run) = run_with(vec![step(4)]);
        let info = WorkerInfo { owner: Owner::of_this_process(), socket: "s".into(), supervisor: None };
        std::fs::write(run.worker(), serde_json::to_vec(&info).unwrap()).unwrap();
        assert_eq!(
            ListedRun::of(&run).state,
            State::Ended(Outcome::Died),
            "whoever does not hold the run is not its worker"
        );
        let _lock = Lock::take(&run, Duration::ZERO).unwrap();
        assert_eq!(ListedRun::of(&run).state, State::Running);
    }

    #[test]
    fn a_finished_run_that_was_explained_a_lot_is_finished() {
        let ended = Ended { step: 7, outcome: Outcome::Finished, message: None, metrics: accuracy(0.875) };
        let explained = pellucid_fixture::explained(7, 9).event;
        let after = std::iter::repeat_n(explained, 100);
        let (_folder, run) = run_with([started(), step(7), Event::Ended(ended)].into_iter().chain(after).collect());
        assert!(std::fs::metadata(run.events()).unwrap().len() > 512 << 10);
        let summary = ListedRun::of(&run);
        assert_eq!((summary.state, summary.step, summary.resume), (State::Ended(Outcome::Finished), 7, None));
    }
}
