//! How far a run is, or how it ended: the one place that folds its events into that.

mod at_end;

use std::io;

use pellucid_protocol::event::{Ended, Event, Outcome, Record, Started};
use pellucid_protocol::metric::Metrics;
use pellucid_protocol::task::Task;

use crate::log::reader::{LogReader, Piece};
use crate::log::step_block::StepBlock;
use crate::run_dir::RunDir;

/// A run in short, as far as its log goes.
///
/// The end of a run stays its outcome, whatever is recorded after it (explanations, alerts, settings), until a worker
/// takes the run up again: that begins with [`Event::Started`], and at the latest a step says so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunSummary {
    /// When the run began, in seconds since 1970, and what is fixed for it.
    pub started: Option<(f64, Box<Started>)>,
    /// When the last event was recorded, in seconds since 1970.
    pub last_time: Option<f64>,
    /// Steps done.
    pub step: u64,
    /// What the run does, or how it ended.
    pub state: RunState,
    /// The metrics of the best evaluation.
    pub best: Metrics,
}

/// What the log says that a run does. Whether its worker lives is another question, see
/// [`crate::worker_info::WorkerInfo::state`].
#[derive(Debug, Clone, Default, PartialEq)]
pub enum RunState {
    /// It trains.
    #[default]
    Running,
    /// It is paused.
    Paused,
    /// It has ended.
    Ended(Ended),
}

impl RunState {
    /// Takes in the next event of the log.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Started(_) => *self = Self::Running,
            Event::Step(_) => self.take_step(),
            Event::Setting(setting) if setting.key == "state" && !self.is_over() => {
                *self = if setting.value == "paused" { Self::Paused } else { Self::Running };
            }
            Event::Ended(ended) => *self = Self::Ended(ended.clone()),
            _ => {}
        }
    }

    /// Takes in a step. A paused run does the single steps that it is asked for and stays paused; one that has ended
    /// does none, so that it was taken up again.
    pub fn take_step(&mut self) {
        if self.is_over() {
            *self = Self::Running;
        }
    }

    fn is_over(&self) -> bool {
        matches!(self, Self::Ended(_))
    }
}

impl RunSummary {
    /// The summary of `run`, from the first line of its log and as much of its end as it takes: the cost grows with
    /// what was recorded after the last step, not with the run. The best evaluation of a run that did not name it at its
    /// end, and the pause of one that goes on, are looked for in the last 4 MiB before its last step; `best` is empty if
    /// no evaluation is there, and the run counts as running if no pause is there.
    ///
    /// # Errors
    /// What the file system says; a run without a log has an empty summary.
    pub fn read(run: &RunDir) -> io::Result<Self> {
        let mut summary = Self::default();
        at_end::deciding_records(&run.events())?.iter().for_each(|record| summary.take(record));
        Ok(summary)
    }

    /// The summary of `run`, from all of its log.
    ///
    /// # Errors
    /// As [`RunSummary::read`].
    pub fn read_whole(run: &RunDir) -> io::Result<Self> {
        let mut summary = Self::default();
        LogReader::new(&run.events()).read_in_chunks(&mut |piece| summary.take_piece(&piece))?;
        Ok(summary)
    }

    /// Takes in the next event of the log.
    pub fn take(&mut self, record: &Record) {
        self.last_time = Some(record.time);
        self.state.take(&record.event);
        match &record.event {
            Event::Started(started) => {
                self.step = started.resumed.unwrap_or(0);
                if self.step == 0 {
                    // It begins anew: what was measured before is not of these weights.
                    self.best = Metrics::default();
                }
                self.started.get_or_insert_with(|| (record.time, started.clone()));
            }
            Event::Step(step) => self.step = step.step,
            Event::Eval(eval) if eval.best => self.best = eval.metrics.clone(),
            Event::Ended(ended) => {
                self.step = ended.step;
                if ended.metrics != Metrics::default() {
                    self.best = ended.metrics.clone();
                }
            }
            _ => {}
        }
    }

    /// Takes in what the log has next.
    pub fn take_piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Record(record) => self.take(record),
            Piece::Steps(block) => self.take_steps(block),
        }
    }

    /// Takes in steps that follow each other.
    fn take_steps(&mut self, block: &StepBlock) {
        if let Some(last) = block.rows().last() {
            self.last_time = Some(last.time);
            self.step = last.step;
            self.state.take_step();
        }
    }

    /// Whether the run has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state.is_over()
    }

    /// How the run ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<&Ended> {
        if let RunState::Ended(ended) = &self.state { Some(ended) } else { None }
    }

    /// In which way the run ended, if it has.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.ended().map(|ended| ended.outcome)
    }

    /// Steps that the run is to do in all, if it has begun.
    #[must_use]
    pub fn total_steps(&self) -> Option<u64> {
        self.started.as_ref().map(|(_, started)| started.total_steps)
    }

    /// The name of the metric that decides which evaluation is the best.
    #[must_use]
    pub fn primary_metric(&self) -> &str {
        self.started.as_ref().map_or(Task::default().primary_metric(), |(_, started)| &started.primary_metric)
    }
}

#[cfg(test)]
mod tests;
