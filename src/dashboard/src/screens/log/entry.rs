//! One line of the log: what happened, or what the worker printed.

use pellucid_protocol::event::{CheckpointKind, Ended, Level};
use pellucid_protocol::explanation::Asker;
use pellucid_protocol::{Event, Metrics, Record, SurveyState};

use crate::run::health::outcome_state;
use crate::text;
use crate::text::clock;
use crate::theme::Tone;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// When it happened, and at which step; not known of what was printed.
    pub(super) at: Option<(f64, u64)>,
    pub(super) level: Level,
    pub(super) tone: Tone,
    pub(super) sign: &'static str,
    pub(super) words: String,
}

impl Entry {
    /// Of a record, if it is worth a line; `reached` is the last step before it.
    pub(super) fn of(record: &Record, reached: u64) -> Option<Self> {
        let (tone, sign, words) = entry(&record.event)?;
        let level = match (&record.event, tone) {
            (Event::Alert(alert), _) => alert.level,
            (_, Tone::Bad) => Level::Error,
            (_, Tone::Warn) => Level::Warning,
            (_, Tone::Good | Tone::Plain) => Level::Info,
        };
        Some(Self { at: Some((record.time, step(&record.event).unwrap_or(reached))), level, tone, sign, words })
    }

    /// Of a line that the worker printed. How bad it is it says itself, if at all.
    pub(super) fn printed(line: String) -> Self {
        let lower = line.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let (level, tone) = if has(&["error", "panicked", "fatal", "terminate called", "[e "]) {
            (Level::Error, Tone::Bad)
        } else if has(&["warn", "[w"]) {
            (Level::Warning, Tone::Warn)
        } else {
            (Level::Info, Tone::Plain)
        };
        Self { at: None, level, tone, sign: "", words: line }
    }

    /// What stands before the sign.
    pub(super) fn head(&self) -> String {
        self.at.map(|(time, step)| format!("{}{step:>7} ", clock::show(time, "%H:%M:%S"))).unwrap_or_default()
    }

    /// The line as it is copied: time, step and words between tabs.
    pub(super) fn copied(&self) -> String {
        let known = self.at.map(|(time, step)| format!("{}\t{step}\t", clock::show(time, "%H:%M:%S")));
        format!("{}{}", known.unwrap_or_default(), self.words)
    }
}

fn step(event: &Event) -> Option<u64> {
    match event {
        Event::Started(_) => Some(0),
        Event::Step(step) => Some(step.step),
        Event::Eval(eval) => Some(eval.step),
        Event::Checkpoint(checkpoint) => Some(checkpoint.step),
        Event::Setting(setting) => Some(setting.step),
        Event::Alert(alert) => Some(alert.step),
        Event::Explained(explanation) => Some(explanation.step),
        Event::WhatIf(answer) => Some(answer.step),
        Event::Watched(watched) => Some(watched.step),
        Event::Survey(survey) => Some(survey.step),
        Event::Ended(ended) => Some(ended.step),
        Event::Unknown => None,
    }
}

fn entry(event: &Event) -> Option<(Tone, &'static str, String)> {
    Some(match event {
        Event::Started(started) => (
            Tone::Plain,
            "▸",
            format!("started: {} training and {} validation examples", started.train_examples, started.valid_examples),
        ),
        Event::Eval(eval) => (
            if eval.best { Tone::Good } else { Tone::Plain },
            if eval.best { "★" } else { "·" },
            format!("evaluated: {}{}", measures(&eval.metrics), if eval.best { ", the best so far" } else { "" }),
        ),
        Event::Checkpoint(checkpoint) => {
            let kind = match checkpoint.kind {
                CheckpointKind::Best => "best checkpoint",
                CheckpointKind::Last => "last checkpoint",
                CheckpointKind::Requested => "checkpoint as asked",
            };
            (Tone::Good, "✔", format!("{kind}: {}", checkpoint.path))
        }
        Event::Setting(setting) => {
            (Tone::Plain, "▸", format!("{} is now {}", setting.key, plain_value(&setting.value)))
        }
        Event::Alert(alert) => (
            match alert.level {
                Level::Info => Tone::Plain,
                Level::Warning => Tone::Warn,
                Level::Error => Tone::Bad,
            },
            match alert.level {
                Level::Info => "·",
                Level::Warning => "⚠",
                Level::Error => "✖",
            },
            alert.message.clone(),
        ),
        Event::Survey(survey) if survey.state != SurveyState::Going => {
            let tone = if survey.state == SurveyState::Done { Tone::Good } else { Tone::Warn };
            (tone, "·", format!("explained {} of {} samples", survey.done, survey.total))
        }
        // Those of a survey are told of at its end.
        Event::Explained(explanation) if !explanation.partial && explanation.asker == Asker::Person => {
            let subject = explanation.sample.map_or_else(|| "a text".to_owned(), |index| format!("sample {index}"));
            (Tone::Plain, "·", format!("explained {subject}"))
        }
        Event::Ended(known) => ended(known),
        Event::Step(_)
        | Event::Explained(_)
        | Event::WhatIf(_)
        | Event::Watched(_)
        | Event::Survey(_)
        | Event::Unknown => return None,
    })
}

fn ended(ended: &Ended) -> (Tone, &'static str, String) {
    let (tone, state) = outcome_state(ended.outcome);
    let (sign, word) = state.split_once(' ').unwrap_or(("", state));
    (tone, sign, ended.reason().map_or_else(|| word.to_owned(), |reason| format!("{word}: {reason}")))
}

fn measures(metrics: &Metrics) -> String {
    let named = [("valid/accuracy", "accuracy"), ("valid/loss", "loss"), ("valid/f1", "F1")];
    let shown =
        named.iter().filter_map(|(metric, name)| Some(format!("{name} {}", text::number(metrics.get(metric)?))));
    shown.collect::<Vec<_>>().join(", ")
}

fn plain_value(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_printed_says_how_bad_it_is() {
        let level = |line: &str| Entry::printed(line.to_owned()).level;
        assert_eq!(level("[W1124 init.cpp:7] Warning: slow path"), Level::Warning);
        assert_eq!(level("thread 'tensors' panicked at src/a.rs:3:1"), Level::Error);
        assert_eq!(level("terminate called after throwing"), Level::Error);
        assert_eq!(level("loaded"), Level::Info);
    }
}
