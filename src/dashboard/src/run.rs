//! The state of a run, built from its records in order.

pub(crate) mod health;
pub(crate) mod live;

use std::collections::BTreeMap;

use pellucid_protocol::event::{Eval, Outcome, Setting, Started, Step};
use pellucid_protocol::{Event, LiveSetting, Metrics, Record};
use pellucid_record::{Piece, RunDir, RunState, StepBlock};

use crate::history::marks::Marks;
use crate::history::throughput::Throughput;
use crate::history::timeline::Timeline;
use crate::history::{MEMORY, Series};

/// How far a run has come.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// The worker is starting: what it says it does, and since when.
    Launching(String, f64),
    /// It trains.
    Running,
    /// It is paused.
    Paused,
    /// It has ended, and why when it failed.
    Ended(Outcome, Option<String>),
    /// It could not start.
    Failed(String),
}

/// Whether commands are possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Not known yet.
    Waiting,
    /// The worker answers.
    Live,
    /// It answers, but is only to be looked at.
    ReadOnly,
    /// The worker of the ended run has left; a question starts it again.
    Asleep,
    /// It is played from its record.
    Record,
    /// They are not, and why.
    ViewOnly(String),
}

/// A run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its folder.
    pub dir: Option<RunDir>,
    /// How far it has come.
    pub stage: Stage,
    /// Whether commands are possible.
    pub access: Access,
    /// What does not change while it runs.
    pub started: Option<Box<Started>>,
    /// Steps done.
    pub step: u64,
    /// Passes over the training data done.
    pub epoch: f64,
    /// Every metric by name.
    pub series: BTreeMap<String, Series>,
    /// The evaluations in order.
    pub evals: Vec<Eval>,
    /// How long its steps take.
    pub throughput: Throughput,
    /// When the last message came from it, by the clock of the dashboard.
    pub last_message: f64,
    /// Loss terms or norms of the last step that are not numbers.
    pub broken: Option<String>,
    /// When each step was.
    pub timeline: Timeline,
    /// What happened beside the steps.
    pub marks: Marks,
    /// What the log says that it does, as every other reader of the log sees it.
    state: RunState,
    /// Values that were changed since the start, by name.
    changed: BTreeMap<String, f64>,
    /// Share of the old value in the smoothed lines.
    memory: f64,
}

impl Run {
    /// A run about which nothing is known yet, at `now`.
    #[must_use]
    pub fn new(now: f64) -> Self {
        Self {
            dir: None,
            stage: Stage::Launching("connecting".to_owned(), now),
            access: Access::Waiting,
            started: None,
            step: 0,
            epoch: 0.0,
            series: BTreeMap::new(),
            evals: Vec::new(),
            throughput: Throughput::default(),
            last_message: now,
            broken: None,
            timeline: Timeline::default(),
            marks: Marks::default(),
            state: RunState::default(),
            changed: BTreeMap::new(),
            memory: MEMORY,
        }
    }

    /// The same run before its first record. Its folder, access and smoothing stay.
    #[must_use]
    pub fn rewound(&self, now: f64) -> Self {
        Self { dir: self.dir.clone(), access: self.access.clone(), memory: self.memory, ..Self::new(now) }
    }

    /// Applies a record.
    pub fn take(&mut self, record: &Record) {
        self.throughput.pass(record.time, self.stage == Stage::Running);
        self.marks.take(record);
        self.state.take(&record.event);
        match &record.event {
            Event::Started(started) => self.start(record.time, started),
            Event::Step(step) => {
                self.timeline.pass(step.step, record.time);
                self.step(step);
            }
            Event::Eval(eval) => self.eval(eval),
            Event::Setting(setting) => self.set(setting),
            Event::Ended(_) => self.update_stage(),
            Event::Checkpoint(_)
            | Event::Alert(_)
            | Event::Explained(_)
            | Event::WhatIf(_)
            | Event::Watched(_)
            | Event::Survey(_)
            | Event::Unknown => {}
        }
    }

    /// Applies a piece of a log.
    pub fn take_piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Record(record) => self.take(record),
            Piece::Steps(block) => self.take_steps(block),
        }
    }

    /// Applies a block of consecutive steps.
    pub fn take_steps(&mut self, block: &StepBlock) {
        let Some(Event::Step(last)) = block.len().checked_sub(1).and_then(|last| block.record(last)).map(|r| r.event)
        else {
            return;
        };
        for row in block.rows() {
            self.throughput.pass(row.time, self.stage == Stage::Running);
            self.throughput.mark(row.step);
            self.timeline.pass(row.step, row.time);
        }
        let even = block.rows().first().map(|row| row.step).zip(block.stride());
        for column in block.columns() {
            let series = self.series(column.name());
            match even.filter(|_| column.is_gapless()) {
                Some(even) => series.extend_evenly(even, column.values()),
                None => series.extend(block.points(column)),
            }
        }
        self.state.take_step();
        self.update_stage();
        self.reach(&last);
    }

    fn start(&mut self, time: f64, started: &Started) {
        self.timeline.begin(time, started.steps_per_epoch);
        self.started = Some(Box::new(started.clone()));
        // A resumed run has the values of its checkpoint.
        self.changed.clear();
        self.update_stage();
        self.throughput.restart();
    }

    fn step(&mut self, step: &Step) {
        self.throughput.mark(step.step);
        self.measure(step.step, &step.metrics);
        self.update_stage();
        self.reach(step);
    }

    /// Makes this step the last one.
    fn reach(&mut self, step: &Step) {
        self.step = step.step;
        self.epoch = step.epoch;
        let broken = step
            .metrics
            .iter()
            .find(|(name, value)| !value.is_finite() && (name.starts_with("loss/") || *name == "optim/grad_norm"));
        self.broken =
            broken.map(|(name, value)| format!("{name} is {}", if value.is_infinite() { "infinite" } else { "NaN" }));
    }

    fn eval(&mut self, eval: &Eval) {
        self.evals.retain(|known| known.step < eval.step);
        self.measure(eval.step, &eval.metrics);
        self.evals.push(eval.clone());
    }

    fn measure(&mut self, step: u64, metrics: &Metrics) {
        metrics.iter().for_each(|(name, value)| self.series(name).push(step, value));
    }

    fn series(&mut self, name: &str) -> &mut Series {
        if !self.series.contains_key(name) {
            let mut series = Series::default();
            series.smooth_by(self.memory);
            self.series.insert(name.to_owned(), series);
        }
        self.series.entry(name.to_owned()).or_default()
    }

    fn set(&mut self, setting: &Setting) {
        if setting.key == "state" {
            self.update_stage();
        } else if let Some(value) = setting.value.as_f64() {
            self.changed.insert(setting.key.clone(), value);
        }
    }

    fn update_stage(&mut self) {
        self.stage = match &self.state {
            RunState::Running => Stage::Running,
            RunState::Paused => Stage::Paused,
            RunState::Ended(ended) => Stage::Ended(ended.outcome, ended.message.clone()),
        };
    }

    /// The value of a setting that can be changed.
    #[must_use]
    pub fn setting(&self, key: LiveSetting) -> Option<f64> {
        let begun = || Some(key.of(&self.started.as_ref()?.settings));
        self.changed.get(key.key()).copied().or_else(begun)
    }

    /// Smooths all series again.
    pub fn smooth_by(&mut self, memory: f64) {
        self.memory = memory;
        self.series.values_mut().for_each(|series| series.smooth_by(memory));
    }

    /// Whether training goes on; it may be paused.
    #[must_use]
    pub fn is_going(&self) -> bool {
        matches!(self.stage, Stage::Running | Stage::Paused)
    }

    /// Whether commands are possible.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.access == Access::Live
    }

    /// Whether the model can be asked, if necessary by starting the worker again.
    #[must_use]
    pub fn explains(&self) -> bool {
        matches!(self.access, Access::Live | Access::Asleep)
    }

    /// Total number of steps; the steps done so far if the total is unknown.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.started.as_ref().map_or(0, |started| started.total_steps).max(self.step)
    }

    /// The share of the steps that is done.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.step as f64 / self.total().max(1) as f64
    }

    /// Seconds to go at the present throughput.
    #[must_use]
    pub fn remaining(&self) -> Option<f64> {
        self.is_going().then(|| self.throughput.seconds_a_step())?.map(|pace| pace * (self.total() - self.step) as f64)
    }

    /// The last step shown. While the run grows it moves in jumps, so that curves do not move with every step.
    #[must_use]
    pub fn horizon(&self) -> u64 {
        if self.is_going() { jump(self.step, self.total()) } else { self.step.max(1) }
    }

    /// The last value of a metric.
    #[must_use]
    pub fn latest(&self, name: &str) -> Option<f64> {
        self.series.get(name)?.last().map(|(_, value)| value)
    }

    /// The best evaluation.
    #[must_use]
    pub fn best(&self) -> Option<&Eval> {
        self.evals.iter().rev().find(|eval| eval.best)
    }

    /// The name of class `index`, or its number.
    #[must_use]
    pub fn label(&self, index: usize) -> String {
        let known = self.started.as_ref().and_then(|started| started.labels.get(index));
        known.cloned().unwrap_or_else(|| format!("class {index}"))
    }

    /// The name of the run.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.started, &self.dir) {
            (Some(started), _) => started.run.clone(),
            (None, Some(dir)) => dir.name(),
            (None, None) => "new run".to_owned(),
        }
    }
}

/// The end of the steps shown: doubles from 50 until it is `total`.
fn jump(step: u64, total: u64) -> u64 {
    let mut end = 50u64;
    while end < step {
        end = end.saturating_mul(2);
    }
    // The last stretch is not worth a jump of its own.
    if total > 0 && end.saturating_mul(4) >= total.saturating_mul(3) { total } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_run_stays_paused_over_a_single_step() {
        let mut run = Run::new(0.0);
        let records = [pellucid_fixture::started(9), pellucid_fixture::setting(3, "paused"), pellucid_fixture::step(4)];
        records.iter().for_each(|record| run.take(record));
        assert_eq!((run.stage.clone(), run.step), (Stage::Paused, 4));
        run.take(&pellucid_fixture::setting(4, "running"));
        assert_eq!(run.stage, Stage::Running);
    }

    #[test]
    fn an_ended_run_stays_ended_until_it_is_taken_up_again() {
        let mut run = Run::new(0.0);
        let end = pellucid_fixture::ended(9, Outcome::Finished, None);
        for record in [pellucid_fixture::started(9), end, pellucid_fixture::setting(9, "running")] {
            run.take(&record);
        }
        assert_eq!(run.stage, Stage::Ended(Outcome::Finished, None));
        run.take(&pellucid_fixture::started(18));
        assert_eq!(run.stage, Stage::Running);
    }

    #[test]
    fn the_shown_steps_grow_in_few_jumps() {
        let mut ends: Vec<_> = (0..=3000).map(|step| jump(step, 3000)).collect();
        assert!(ends.iter().zip(0..).all(|(&end, step)| end >= step));
        ends.dedup();
        assert_eq!(ends, [50, 100, 200, 400, 800, 1600, 3000]);
        assert_eq!((jump(0, 0), jump(7, 20), jump(60, 0)), (50, 20, 100));
    }
}
