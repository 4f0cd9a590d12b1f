//! The events of a run as lines for people: its start, evaluations, checkpoints, alerts and its end.

use pellucid_protocol::event::{CheckpointKind, Ended, Eval, Level, Outcome, Started};
use pellucid_protocol::readable::duration;
use pellucid_protocol::{Event, Metrics, Record};
use pellucid_record::RunSummary;

/// Writes the lines of a run, and remembers what later lines need.
#[derive(Debug, Default)]
pub(super) struct RunLines {
    summary: RunSummary,
}

impl RunLines {
    /// The id of the run, if it has one.
    pub(super) fn id(&self) -> Option<String> {
        self.summary.started.as_ref().map(|(_, started)| started.id.clone()).filter(|id| !id.is_empty())
    }

    /// The line for `record`, if there is one for its kind of event.
    pub(super) fn line(&mut self, record: &Record) -> Option<String> {
        self.summary.take(record);
        match &record.event {
            Event::Started(begun) => Some(started(begun)),
            Event::Eval(eval) => Some(self.eval(eval)),
            Event::Checkpoint(checkpoint) if checkpoint.kind == CheckpointKind::Last => None,
            Event::Checkpoint(checkpoint) => {
                Some(format!("checkpoint at step {}: {}", checkpoint.step, checkpoint.path))
            }
            Event::Setting(setting) => {
                let value = setting.value.as_str().map_or_else(|| setting.value.to_string(), str::to_owned);
                Some(format!("{} is now {value} at step {}", setting.key, setting.step))
            }
            Event::Alert(alert) => Some(format!("{} at step {}: {}", level(alert.level), alert.step, alert.message)),
            Event::Ended(ended) => Some(self.ended(ended, record.time)),
            Event::Step(_)
            | Event::Explained(_)
            | Event::WhatIf(_)
            | Event::Watched(_)
            | Event::Survey(_)
            | Event::Unknown => None,
        }
    }

    fn eval(&self, eval: &Eval) -> String {
        let best = if eval.best { "  best so far" } else { "" };
        format!(
            "step {}/{}  epoch {:.2}  {}{best}",
            eval.step,
            self.summary.total_steps().unwrap_or_default(),
            eval.epoch,
            eval_metrics(&eval.metrics)
        )
    }

    fn ended(&self, ended: &Ended, time: f64) -> String {
        let began = self.summary.started.as_ref().map_or(time, |(began, _)| *began);
        let after = format!("at step {} after {}", ended.step, duration(time - began));
        let figures = eval_metrics(&ended.metrics);
        let best = if figures.is_empty() { String::new() } else { format!("; best: {figures}") };
        let figures = shown(&ended.metrics, &[("test/loss", "loss"), ("test/accuracy", "accuracy"), ("test/f1", "f1")]);
        let test = if figures.is_empty() { String::new() } else { format!("; test: {figures}") };
        let why = ended.reason().map_or_else(String::new, |reason| format!(": {reason}"));
        let word = ended.outcome.word();
        match ended.outcome {
            Outcome::Finished | Outcome::Stopped => format!("{word} {after}{why}{best}{test}"),
            Outcome::Failed | Outcome::Died => format!("error: the run {word} {after}{why}"),
        }
    }
}

/// The metrics of a step, for the bar.
pub(super) fn step_metrics(metrics: &Metrics) -> String {
    shown(metrics, &[("loss/total", "loss"), ("train/accuracy", "accuracy"), ("sparsity/exact", "sparsity")])
}

fn eval_metrics(metrics: &Metrics) -> String {
    let titles = [
        ("valid/loss", "loss"),
        ("valid/accuracy", "accuracy"),
        ("valid/f1", "f1"),
        ("sparsity/exact", "sparsity"),
        ("kd/kl", "kd gap"),
    ];
    shown(metrics, &titles)
}

fn shown(metrics: &Metrics, titles: &[(&str, &str)]) -> String {
    let known = titles.iter().filter_map(|(name, title)| Some(format!("{title} {:.3}", metrics.get(name)?)));
    known.collect::<Vec<_>>().join("  ")
}

fn started(begun: &Started) -> String {
    let teacher = begun.teacher.as_ref().map_or_else(String::new, |card| format!(", teacher {}", card.path));
    format!(
        "{} began: {} with {} layers and {} parameters{teacher}; {} training and {} validation examples, {} steps on {}",
        begun.run,
        begun.model.family,
        begun.model.layers,
        begun.model.parameters,
        begun.train_examples,
        begun.valid_examples,
        begun.total_steps,
        begun.device
    )
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Info => "note",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use pellucid_protocol::event::{Alert, Checkpoint, Step};

    use super::*;

    fn metrics(values: &[(&str, f64)]) -> Metrics {
        let mut metrics = Metrics::default();
        values.iter().for_each(|&(name, value)| metrics.set(name, value));
        metrics
    }

    fn line(lines: &mut RunLines, time: f64, event: Event) -> Option<String> {
        lines.line(&Record { time, event })
    }

    #[test]
    fn a_run_is_told_in_lines() {
        let mut lines = RunLines::default();
        line(&mut lines, 10.0, pellucid_fixture::started(40).event).unwrap();
        let step = Step { step: 1, epoch: 0.1, metrics: metrics(&[("loss/total", 0.5)]) };
        assert_eq!(line(&mut lines, 11.0, Event::Step(step)), None);
        let values = metrics(&[("valid/accuracy", 0.875), ("valid/loss", 0.25), ("sparsity/exact", 0.5)]);
        let eval = Eval { step: 20, epoch: 0.5, metrics: values.clone(), best: true, predictions: None };
        assert_eq!(
            line(&mut lines, 12.0, Event::Eval(eval)).unwrap(),
            "step 20/40  epoch 0.50  loss 0.250  accuracy 0.875  sparsity 0.500  best so far"
        );
        let checkpoint = Checkpoint { step: 20, kind: CheckpointKind::Best, path: "checkpoints/best".into() };
        assert_eq!(
            line(&mut lines, 12.0, Event::Checkpoint(checkpoint)).unwrap(),
            "checkpoint at step 20: checkpoints/best"
        );
        let alert = Alert::warning(21, "slow");
        assert_eq!(line(&mut lines, 13.0, Event::Alert(alert)).unwrap(), "warning at step 21: slow");
        let ended = Ended { step: 40, outcome: Outcome::Finished, message: None, metrics: values };
        assert_eq!(
            line(&mut lines, 82.0, Event::Ended(ended)).unwrap(),
            "finished at step 40 after 1 m 12 s; best: loss 0.250  accuracy 0.875  sparsity 0.500"
        );
    }

    #[test]
    fn a_failure_says_why() {
        let ended = Ended {
            step: 4,
            outcome: Outcome::Failed,
            message: Some("loss/kd became NaN".into()),
            metrics: Metrics::default(),
        };
        let mut lines = RunLines::default();
        line(&mut lines, 0.0, pellucid_fixture::started(40).event).unwrap();
        let told = line(&mut lines, 5.0, Event::Ended(ended)).unwrap();
        assert_eq!(told, "error: the run failed at step 4 after 5 s: loss/kd became NaN");
    }
}
