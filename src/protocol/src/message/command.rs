//! What a screen asks of a worker, and the lines of the socket between them.

use serde::{Deserialize, Serialize};

use super::event::Record;
pub use super::subject::Subject;
use super::survey::SurveyRequest;
use super::weights::Weights;
use super::what_if::WhatIf;
use crate::explanation::Method;
use crate::explanation::check::Depth;
use crate::explanation::edit::WordEdit;
use crate::settings::LiveSetting;

/// One line from a client to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToWorker {
    /// Chosen by the client; its [`ToClient::Reply`] carries it back.
    pub id: u64,
    /// What is asked for.
    pub command: Command,
}

/// A request to the worker, which handles it between two training steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Pause training; explaining goes on.
    Pause,
    /// Resume training.
    Resume,
    /// Do one step while training is paused.
    Step,
    /// Change a setting of the running training.
    Set(SetRequest),
    /// Evaluate, write a checkpoint and end the run.
    Stop,
    /// End the run at once: no evaluation, no checkpoint.
    StopNow,
    /// Write a checkpoint and end run and worker within seconds: no evaluation. What SIGTERM asks for.
    Leave,
    /// Write a checkpoint.
    Checkpoint,
    /// Explain a text on a snapshot of the weights; replaces the explanation under way.
    Explain(ExplainRequest),
    /// Say what the model would answer if some words were different; comes before all explaining.
    WhatIf(WhatIf),
    /// Explain many samples while the worker has nothing else to explain.
    Survey(SurveyRequest),
    /// Cancel what is under way.
    Cancel(Cancel),
    /// Let the worker of an ended run exit.
    Release,
}

/// What can be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cancel {
    /// The last requested explanation; methods that are done are kept.
    Explaining,
    /// The survey; samples that are explained are kept.
    Survey,
}

/// A setting and its new value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SetRequest {
    /// The setting.
    pub key: LiveSetting,
    /// Its new value.
    pub value: f64,
}

/// What to explain and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainRequest {
    /// The text.
    pub subject: Subject,
    /// The methods, in the order in which they run.
    pub methods: Vec<Method>,
    /// The class to explain; the predicted one if none is named.
    pub target: Option<usize>,
    /// Words to change in the text before it is explained.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<WordEdit>,
    /// Which checks to make.
    #[serde(default)]
    pub checks: Depth,
    /// Which weights explain it.
    #[serde(default)]
    pub weights: Weights,
}

/// One line from the worker to a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToClient {
    /// First line: the client reads the log up to byte `offset` from the file; what follows comes here.
    Hello {
        /// Length of the event log in bytes.
        offset: u64,
    },
    /// An event, as appended to the log if it is recorded.
    Event {
        /// The event.
        record: Box<Record>,
    },
    /// The answer to a command.
    Reply {
        /// The id of the [`ToWorker`] line.
        id: u64,
        /// Why it was refused, if it was.
        error: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explanation::edit::Change;

    #[test]
    fn a_setting_is_named_as_in_its_event() {
        let line = serde_json::to_string(&Command::Set(SetRequest { key: LiveSetting::Lr, value: 1e-4 })).unwrap();
        assert_eq!(line, r#"{"set":{"key":"lr","value":0.0001}}"#);
    }

    #[test]
    fn a_request_of_an_older_screen_is_read() {
        let old = r#"{"explain":{"subject":{"sample":3},"methods":["lime"],"target":null}}"#;
        let Command::Explain(request) = serde_json::from_str(old).unwrap() else { panic!() };
        assert!(request.edits.is_empty() && request.subject == Subject::Sample(3));
    }

    #[test]
    fn commands_read_back() {
        let (subject, methods) = (Subject::Text("fine".into()), vec![Method::Lime]);
        let edits = vec![WordEdit { word: 0, change: Change::Retype("bad".into()) }];
        let request = ExplainRequest {
            subject: subject.clone(),
            methods: methods.clone(),
            target: Some(1),
            edits,
            checks: Depth::Gates,
            weights: Weights::OfStep(7),
        };
        let set = Command::Set(SetRequest { key: LiveSetting::KdAlpha, value: 0.1 });
        let edits = vec![WordEdit { word: 0, change: Change::Mask }];
        let what_if = Command::WhatIf(WhatIf { subject, edits, weights: Weights::Best });
        let survey = Command::Survey(SurveyRequest { samples: vec![3, 1], methods });
        let (pause, step, cancel) = (Command::Pause, Command::Step, Command::Cancel(Cancel::Survey));
        for command in [pause, Command::StopNow, step, set, Command::Explain(request), what_if, survey, cancel] {
            let line = serde_json::to_string(&ToWorker { id: 7, command: command.clone() }).unwrap();
            assert_eq!(serde_json::from_str::<ToWorker>(&line).unwrap().command, command);
        }
    }
}
