//! Evaluations of a run on its validation set.

use std::time::Instant;

use pellucid_evaluate::classification::accuracy;
use pellucid_evaluate::{Answers, measure};
use pellucid_protocol::event::{Alert, Eval};
use pellucid_protocol::{Metrics, Prediction, Watched};
use pellucid_record::{RunDir, run_dir};

use super::{Best, SAMPLES_KEPT, Trainer};
use crate::error::{Error, Result};
use crate::explain::alarm::Sight;
use crate::explain::probe::Moment;
use crate::train::{evaluate, masking};

impl Trainer {
    /// Evaluates on the validation set and writes the predictions to the run folder; `None` if that was done at this
    /// step already. Predictions that could not be written are left out, and why comes beside the evaluation.
    ///
    /// # Errors
    /// When libtorch refuses, or interrupted: it is then as if it had not begun.
    pub fn evaluate(&mut self) -> Result<Option<(Eval, Option<Error>)>> {
        if self.progress.evaluated == Some(self.progress.step) {
            return Ok(None);
        }
        let predictions = self.predict_valid()?;
        let mut metrics = self.scores(&predictions);
        metrics.extend(self.sparsity()?);
        if self.settings.masking > 0.0 {
            metrics.set("valid/masked_accuracy", self.masked_accuracy()?);
        }
        metrics.extend(self.probe(&predictions)?);
        self.progress.evaluated = Some(self.progress.step);
        let best = self.judge(&metrics);
        let (predictions, trouble) = match self.write_predictions(&predictions) {
            Ok(name) => (Some(name), None),
            Err(error) => (None, Some(error)),
        };
        Ok(Some((Eval { step: self.progress.step, epoch: self.epoch(), metrics, best, predictions }, trouble)))
    }

    /// What the probe set shows, and the share of the time so far that it took.
    fn probe(&mut self, predictions: &[Prediction]) -> Result<Metrics> {
        let begun = Instant::now();
        let moment = Moment { step: self.progress.step, tokens: self.progress.tokens, last: self.is_done() };
        let (mut metrics, settled) = self.probe.measure(moment, &self.model, self.teacher.as_ref(), &self.interrupt)?;
        if let Some(effect) = self.watch(predictions)? {
            metrics.set("explain/shortcut", effect);
        }
        self.seconds[1] += begun.elapsed().as_secs_f64();
        let [steps, probe] = self.seconds;
        if self.settings.probe > 0 && steps > 0.0 {
            metrics.set("speed/probe_share", probe / (steps + probe));
        }
        if let Some(since) = settled {
            let message = format!("the explanations of the probe set have not moved since step {since}");
            self.alerts.push(Alert::info(self.progress.step, message));
        }
        Ok(metrics)
    }

    /// Looks for shortcuts; gives the effect of the one that is used most.
    fn watch(&mut self, predictions: &[Prediction]) -> Result<Option<f64>> {
        let (step, Some(alarm)) = (self.progress.step, &mut self.alarm) else { return Ok(None) };
        let (model, encoder, labels, valid) = (&self.model, &self.encoder, &self.labels, &self.valid);
        let sight = Sight { model, encoder, labels, valid, predictions };
        let (effect, alerts) = alarm.look(step, sight)?;
        self.alerts.extend(alerts);
        let words = alarm.watched(sight)?;
        let answers: Vec<usize> = predictions.iter().map(Prediction::class).collect();
        let classes: Vec<usize> = valid.samples.iter().map(|sample| sample.label).collect();
        let accuracy = accuracy(&answers, &classes);
        self.watched = (!words.is_empty()).then_some(Watched { step, accuracy, words });
        Ok(Some(effect))
    }

    /// Accuracy on the validation set with words masked, the same ones at each evaluation.
    fn masked_accuracy(&self) -> Result<f64> {
        let all: Vec<usize> = (0..self.valid.samples.len()).collect();
        let mut draws = masking::generator(self.settings.seed, u64::MAX);
        let rows = masking::masked(&self.valid, &self.encoder, &all, &mut draws);
        let logits = evaluate::logits_unless(&self.model, &rows, &self.interrupt)?;
        let pairs = self.valid.samples.iter().zip(&logits);
        let predicted = pairs.map(|(sample, logits)| evaluate::prediction(logits, sample.label, None).class());
        let classes: Vec<usize> = self.valid.samples.iter().map(|sample| sample.label).collect();
        Ok(accuracy(&predicted.collect::<Vec<_>>(), &classes))
    }

    fn scores(&self, predictions: &[Prediction]) -> Metrics {
        let truth: Vec<usize> = self.valid.samples.iter().map(|sample| sample.label).collect();
        measure(&Answers { predictions, truth: &truth, classes: self.labels.len() })
    }

    /// Whether this is the best evaluation so far, by accuracy and then by loss; remembers it if it is.
    fn judge(&mut self, metrics: &Metrics) -> bool {
        let of = |name| metrics.get(name).unwrap_or(f64::NAN);
        let (accuracy, loss) = (of("valid/accuracy"), of("valid/loss"));
        let better = |best: &Best| accuracy > best.accuracy || (accuracy == best.accuracy && loss < best.loss);
        // Weights that were not trained yet are no candidate: a run always leaves a best checkpoint of its own.
        if self.progress.step == 0 {
            return false;
        }
        let best = self.progress.best.as_ref().is_none_or(better);
        if best {
            let metrics = metrics.clone();
            self.progress.best = Some(Best { step: self.progress.step, accuracy, loss, metrics });
            self.progress.waited = 0;
        } else {
            self.progress.waited += 1;
        }
        best
    }

    fn predict_valid(&mut self) -> Result<Vec<Prediction>> {
        let logits = evaluate::logits_unless(&self.model, &self.valid.encoded, &self.interrupt)?;
        let teacher = self.teacher.as_mut().map(|desk| desk.valid_logits(&self.interrupt)).transpose()?;
        let samples = self.valid.samples.iter().zip(&logits).enumerate();
        Ok(samples
            .map(|(index, (sample, logits))| {
                let theirs = teacher.as_ref().map(|rows| rows[index].as_slice());
                evaluate::prediction(logits, sample.label, theirs)
            })
            .collect())
    }

    fn write_predictions(&self, predictions: &[Prediction]) -> Result<String> {
        let name = RunDir::predictions_name(self.progress.step);
        let path = self.settings.run_dir.join(&name);
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
