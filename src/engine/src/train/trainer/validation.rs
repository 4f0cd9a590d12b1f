//! Evaluations of a run on its validation set.

use pellucid_protocol::event::Eval;
use pellucid_protocol::{Metrics, Prediction, RunDir, run_dir};

use super::{Best, SAMPLES_KEPT, Trainer};
use crate::error::{Error, Result};
use crate::explain::probe::Asked;
use crate::train::{evaluate, score};

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
        metrics.extend(self.sparsity());
        let (model, encoder, valid, interrupt) = (&self.model, &self.encoder, &self.valid, &self.interrupt);
        metrics.extend(self.probe.measure(Asked { model, encoder, valid, interrupt })?);
        self.progress.evaluated = Some(self.progress.step);
        let best = self.judge(&metrics);
        let (predictions, trouble) = match self.write_predictions(&predictions) {
            Ok(name) => (Some(name), None),
            Err(error) => (None, Some(error)),
        };
        Ok(Some((Eval { step: self.progress.step, epoch: self.epoch(), metrics, best, predictions }, trouble)))
    }

    fn scores(&self, predictions: &[Prediction]) -> Metrics {
        let classes: Vec<usize> = self.valid.samples.iter().map(|sample| sample.label).collect();
        let predicted: Vec<usize> = predictions.iter().map(Prediction::class).collect();
        let accuracy = score::accuracy(&predicted, &classes);
        let mut metrics = Metrics::default();
        let loss = predictions.iter().map(|p| f64::from(p.loss)).sum::<f64>() / predictions.len().max(1) as f64;
        metrics.set("valid/loss", loss);
        metrics.set("valid/accuracy", accuracy);
        metrics.set("valid/f1", score::macro_f1(&predicted, &classes, self.labels.len()));
        if let Some((divergence, agreement)) = score::gap(predictions) {
            let teacher: Vec<usize> = predictions.iter().filter_map(Prediction::teacher_class).collect();
            metrics.set("kd/kl", divergence);
            metrics.set("kd/agreement", agreement);
            metrics.set("kd/accuracy_gap", score::accuracy(&teacher, &classes) - accuracy);
        }
        metrics
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
