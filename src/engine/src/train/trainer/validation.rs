//! Evaluations of a run on its validation set.

use std::time::Instant;

use pellucid_protocol::event::{Alert, Eval};
use pellucid_protocol::{Metrics, Prediction, Watched};
use pellucid_record::{RunDir, run_dir};

use super::{Best, SAMPLES_KEPT, Trainer, masking};
use crate::data::tokens::TokenSource;
use crate::error::{Error, Result};
use crate::explain::probe::Moment;
use crate::explain::shortcuts::Evaluated;
use crate::model::answers;

/// Texts whose length says how long all are.
const SAMPLED: usize = 1000;

/// An evaluation as it was made.
pub struct Evaluation {
    /// What there is to tell.
    pub eval: Eval,
    /// Why the predictions are not in the run folder.
    pub not_written: Option<Error>,
}

impl Trainer {
    /// Evaluates on the validation set and writes the predictions to the run folder; `None` if that was done at this
    /// step already. Predictions that cannot be written are left out.
    ///
    /// # Errors
    /// When libtorch refuses, an answer is not a number, or interrupted: it is then as if it had not begun.
    pub fn evaluate(&mut self) -> Result<Option<Evaluation>> {
        let step = self.progress.step;
        if self.progress.evaluated == Some(step) {
            return Ok(None);
        }
        let predictions = self.predict_valid()?;
        let mut metrics = self.setup.task.scores(&predictions, &self.valid_labels());
        metrics.extend(self.sparsity()?);
        if self.settings().masking > 0.0 {
            metrics.set(self.setup.task.masked_metric(), self.masked_score()?);
        }
        let primary = metrics.get(self.setup.task.primary_metric()).unwrap_or(f64::NAN);
        metrics.extend(self.probe(&predictions, primary)?);
        self.progress.evaluated = Some(step);
        let best = self.judge(&metrics);
        let (predictions, not_written) = match self.write_predictions(&predictions) {
            Ok(name) => (Some(name), None),
            Err(error) => (None, Some(error)),
        };
        Ok(Some(Evaluation { eval: Eval { step, epoch: self.epoch(), metrics, best, predictions }, not_written }))
    }

    /// What the probe set and the search for shortcuts show, and their share of the time so far. `primary` is the primary
    /// metric of this evaluation.
    fn probe(&mut self, predictions: &[Prediction], primary: f64) -> Result<Metrics> {
        let begun = Instant::now();
        let (step, tokens) = (self.progress.step, self.progress.tokens);
        let moment = Moment { step, tokens, tokens_in_all: self.tokens_in_all(), last: self.is_done() };
        let teacher = self.references.teacher.as_ref();
        let measured = self.monitors.probe.measure(moment, &self.setup.model, teacher, &self.interrupt)?;
        let mut metrics = measured.metrics;
        if let Some(effect) = self.watch(predictions, primary)? {
            metrics.set("explain/shortcut", effect);
        }
        let share = self.throughput.of_probe(begun.elapsed().as_secs_f64());
        if let Some(share) = share.filter(|_| self.settings().probe > 0) {
            metrics.set("speed/probe_share", share);
        }
        if let Some(since) = measured.settled_since {
            let message = format!("the explanations of the probe set have not moved since step {since}");
            self.monitors.alerts.push(Alert::info(self.progress.step, message));
        }
        Ok(metrics)
    }

    /// About how many tokens the whole run trains on: by the length of the first texts.
    fn tokens_in_all(&self) -> u64 {
        let train = &self.setup.data.train;
        let sampled = train.len().min(SAMPLED);
        let length: usize = (0..sampled).map(|row| train.tokens.length(row)).sum();
        let rows = self.optimisation.schedule.total * self.settings().batch_size;
        rows * length as u64 / sampled.max(1) as u64
    }

    /// Looks for shortcuts; gives the effect of the one that the model uses most.
    fn watch(&mut self, predictions: &[Prediction], primary: f64) -> Result<Option<f64>> {
        let (step, Some(monitor)) = (self.progress.step, &mut self.monitors.shortcuts) else { return Ok(None) };
        let (model, data) = (&self.setup.model, &self.setup.data);
        let evaluated =
            Evaluated { model, encoder: &data.encoder, labels: &data.labels, valid: &data.valid, predictions };
        let report = monitor.look(step, evaluated)?;
        let words = monitor.watched(evaluated)?;
        self.monitors.alerts.extend(report.alerts);
        self.monitors.watched = (!words.is_empty()).then_some(Watched { step, accuracy: primary, words });
        Ok(Some(report.effect))
    }

    /// The primary metric on the validation set with words masked, the same ones at each evaluation.
    fn masked_score(&self) -> Result<f64> {
        let data = &self.setup.data;
        let all: Vec<usize> = (0..data.valid.len()).collect();
        let mut draws = masking::generator(self.settings().seed, u64::MAX);
        let rows = masking::masked(&data.valid, &data.encoder, &all, &mut draws)?;
        let predictions = self.predict(rows.as_slice(), None)?;
        let scores = self.setup.task.scores(&predictions, &self.valid_labels());
        Ok(scores.get(self.setup.task.primary_metric()).unwrap_or(f64::NAN))
    }

    /// Whether this is the best evaluation so far; remembers it if it is.
    fn judge(&mut self, metrics: &Metrics) -> bool {
        // Weights that were not trained yet are no candidate: a run always leaves a best checkpoint of its own.
        if self.progress.step == 0 {
            return false;
        }
        let task = &self.setup.task;
        let best = self.progress.best.as_ref().is_none_or(|best| task.is_better(metrics, &best.metrics));
        if best {
            self.progress.best = Some(Best { step: self.progress.step, metrics: metrics.clone() });
            self.progress.waited = 0;
        } else {
            self.progress.waited += 1;
        }
        best
    }

    fn predict_valid(&mut self) -> Result<Vec<Prediction>> {
        let teacher = self.references.teacher.as_mut();
        let teacher = teacher.map(|teacher| teacher.valid_logits(&self.interrupt)).transpose()?;
        self.predict(&*self.setup.data.valid.tokens, teacher.as_deref())
    }

    /// The model's predictions about the validation samples, read as `rows`, beside the teacher's logits.
    fn predict<S: TokenSource + ?Sized>(&self, rows: &S, teacher: Option<&[Vec<f32>]>) -> Result<Vec<Prediction>> {
        let answers = answers::each(&self.setup.model, rows, &self.interrupt)?;
        let logits = answers::all(answers, "the evaluation, validation text")?;
        let theirs = |index: usize| teacher.map(|rows| rows[index].as_slice());
        let prediction = |(index, own): (usize, &Vec<f32>)| {
            self.setup.task.predict(self.setup.data.valid.class(index), own, theirs(index))
        };
        Ok(logits.iter().enumerate().map(prediction).collect())
    }

    fn valid_labels(&self) -> Vec<usize> {
        let valid = &self.setup.data.valid;
        (0..valid.len()).map(|example| valid.class(example)).collect()
    }

    fn write_predictions(&mut self, predictions: &[Prediction]) -> Result<String> {
        self.synced_log()?;
        let name = RunDir::predictions_name(self.progress.step);
        let path = self.settings().run_dir.join(&name);
        let kept = &predictions[..predictions.len().min(SAMPLES_KEPT)];
        let write = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            run_dir::write_lines(&path, kept)
        };
        write().map_err(|error| Error::file(&path, error))?;
        Ok(name)
    }
}
