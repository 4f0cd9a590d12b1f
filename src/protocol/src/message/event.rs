//! What happens in a run. The worker appends each event to the log first, then sends it to clients.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use super::alert::{Alert, AlertKind, Level};
use super::data_report::DataReport;
use super::survey::SurveyProgress;
use super::watched::Watched;
use super::what_if::WhatIfAnswer;
use crate::explanation::{Explanation, Privacy};
use crate::metric::Metrics;
use crate::settings::Settings;
use crate::task::Task;

/// One line of the event log: an event and when it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Seconds since 1970, UTC.
    pub time: f64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

impl Record {
    /// What of it may be written down.
    #[must_use]
    pub fn recordable(&self) -> Cow<'_, Self> {
        if let Event::Explained(explanation) = &self.event
            && let Cow::Owned(kept) = explanation.recordable()
        {
            return Cow::Owned(Self { time: self.time, event: Event::Explained(Box::new(kept)) });
        }
        Cow::Borrowed(self)
    }
}

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run has begun; always the first event.
    Started(Box<Started>),
    /// One optimiser step.
    Step(Step),
    /// The validation set was evaluated.
    Eval(Eval),
    /// A model folder was written.
    Checkpoint(Checkpoint),
    /// A setting has changed, or the state of the run.
    Setting(Setting),
    /// Something a person should know.
    Alert(Alert),
    /// A requested explanation was made.
    Explained(Box<Explanation>),
    /// What the model would answer if some words were different.
    WhatIf(Box<WhatIfAnswer>),
    /// What the last evaluation says about words that may be shortcuts.
    Watched(Watched),
    /// A survey has made progress or has ended.
    Survey(SurveyProgress),
    /// The last event: finished, stopped by the user, failed or died, and why.
    Ended(Ended),
    /// An event of a newer pellucid; skipped.
    #[serde(other)]
    Unknown,
}

impl Event {
    /// Whether the event is written to the log of a run. Explanations under way are only for screens that are open
    /// now, because the whole follows. So are answers about changed texts, typed texts of a private
    /// run, and surveys.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        match self {
            Event::Explained(explanation) => {
                let is_private_draft = explanation.privacy != Privacy::Public && explanation.sample.is_none();
                explanation.edits.is_empty() && !explanation.partial && !is_private_draft
            }
            Event::WhatIf(_) | Event::Survey(_) => false,
            _ => true,
        }
    }
}

/// What is fixed for the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// Version of the pellucid that trains.
    pub version: String,
    /// Format of the log from here on, see `line::FORMAT` of the record.
    #[serde(default)]
    pub log: u32,
    /// Name of the run: its folder's name.
    pub run: String,
    /// The run's id, which its checkpoints carry as well. Empty in runs of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Process id of the worker.
    pub pid: u32,
    /// Host name of the worker's machine.
    pub host: String,
    /// What computes: `cpu` with its threads, or the name of the GPU.
    pub device: String,
    /// What the model is trained to do.
    #[serde(default)]
    pub task: Task,
    /// The metric that decides which evaluation is the best.
    #[serde(default = "primary_metric_of_old")]
    pub primary_metric: String,
    /// The model in training.
    pub model: ModelCard,
    /// The teacher, if there is one.
    pub teacher: Option<ModelCard>,
    /// Class names by class index.
    pub labels: Vec<String>,
    /// What the data holds; `None` in runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<DataReport>>,
    /// Number of training examples.
    pub train_examples: usize,
    /// Number of validation examples.
    pub valid_examples: usize,
    /// Optimiser steps in one pass over the training data.
    pub steps_per_epoch: u64,
    /// Optimiser steps in all.
    pub total_steps: u64,
    /// Steps that the run had done when it was resumed; `None` for a new run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<u64>,
    /// All its settings.
    pub settings: Settings,
}

/// The metric of the only task there was before runs recorded it.
fn primary_metric_of_old() -> String {
    Task::default().primary_metric().to_owned()
}

impl Started {
    /// The value in `metrics` of the metric that decides which evaluation is the best.
    #[must_use]
    pub fn primary(&self, metrics: &Metrics) -> Option<f64> {
        metrics.get(&self.primary_metric)
    }
}

/// A model in a few numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Its folder.
    pub path: String,
    /// Its family, e.g. `bert`.
    pub family: String,
    /// Encoder layers.
    pub layers: usize,
    /// Hidden size.
    pub hidden: usize,
    /// Number of parameters.
    pub parameters: u64,
}

/// One optimiser step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Steps done, this one included.
    pub step: u64,
    /// Passes over the training data so far, as a fraction.
    pub epoch: f64,
    /// What was measured.
    pub metrics: Metrics,
}

/// An evaluation on the validation set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eval {
    /// Steps done before it.
    pub step: u64,
    /// Passes over the training data so far, as a fraction.
    pub epoch: f64,
    /// What was measured.
    pub metrics: Metrics,
    /// Whether it is the best one so far, by the primary metric and then by loss; never the one before the first step.
    pub best: bool,
    /// File of the predictions, relative to the run folder.
    pub predictions: Option<String>,
}

/// A model folder that is completely written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Steps done before it.
    pub step: u64,
    /// Why it was written.
    pub kind: CheckpointKind,
    /// The folder, relative to the run folder.
    pub path: String,
}

/// Why a checkpoint was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointKind {
    /// The best evaluation so far.
    Best,
    /// The latest evaluation, or the end of the run.
    Last,
    /// A person asked for it.
    Requested,
}

/// A changed setting. The key `state` has the values `running` and `paused`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Steps done before it.
    pub step: u64,
    /// What changed.
    pub key: String,
    /// Its new value.
    pub value: Value,
}

/// The key of the setting that says to which folder a run was moved while it went on.
pub const MOVED: &str = "run_dir";

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Steps done.
    pub step: u64,
    /// Finished, stopped or failed.
    pub outcome: Outcome,
    /// Why, if it failed or died; what was saved, if it had to leave at once.
    pub message: Option<String>,
    /// The metrics of the best evaluation, and those of the test.
    pub metrics: Metrics,
}

/// The ways in which a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All steps were done.
    Finished,
    /// The user stopped it.
    Stopped,
    /// It could not go on.
    Failed,
    /// Its worker was killed or crashed; the supervisor recorded it.
    Died,
}

impl Outcome {
    /// The outcome in one word, as it is written in the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Finished => "finished",
            Outcome::Stopped => "stopped",
            Outcome::Failed => "failed",
            Outcome::Died => "died",
        }
    }
}

impl Ended {
    /// Why the run ended, as far as that is known: a run that failed or died always has a reason, if only that none was
    /// given.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self.outcome {
            Outcome::Failed | Outcome::Died => Some(self.message.as_deref().unwrap_or("no reason given")),
            Outcome::Finished | Outcome::Stopped => self.message.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_line_is_as_documented() {
        let mut metrics = Metrics::default();
        metrics.set("loss/total", 0.61);
        let record = Record { time: 1.5, event: Event::Step(Step { step: 12, epoch: 0.25, metrics }) };
        let line = serde_json::to_string(&record).unwrap();
        assert_eq!(line, r#"{"time":1.5,"event":"step","step":12,"epoch":0.25,"metrics":{"loss/total":0.61}}"#);
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
    }

    #[test]
    fn the_word_of_an_outcome_is_that_of_the_log() {
        for outcome in [Outcome::Finished, Outcome::Stopped, Outcome::Failed, Outcome::Died] {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.word());
        }
    }

    #[test]
    fn what_is_under_way_is_not_recorded() {
        let explained = |partial: bool| {
            let text = format!(
                r#"{{"event":"explained","request":1,"step":9,"sample":null,"text":"a","words":[[0,1]],
                "probabilities":[1.0],"teacher_probabilities":null,"target":0,"label":null,"rationale":[],
                "truncated_words":0,"partial":{partial},"attributions":[{{"method":"lime","scalar":"probability",
                "scores":[0.5],"checks":[],"surrogate":null,"evaluations":2,"seed":1,"ms":3.0}}]}}"#
            );
            serde_json::from_str::<Event>(&text).unwrap()
        };
        assert!(!explained(true).is_recorded());
        assert!(explained(false).is_recorded() && Event::Unknown.is_recorded());
    }

    #[test]
    fn an_event_of_a_newer_version_is_unknown_not_an_error() {
        let record: Record = serde_json::from_str(r#"{"time":1,"event":"teleported","x":3}"#).unwrap();
        assert_eq!(record.event, Event::Unknown);
    }
}
