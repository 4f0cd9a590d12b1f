//! The test of a run: once, at its end, by the weights that are kept as the best.

use pellucid_protocol::event::Alert;
use pellucid_protocol::{Metrics, Prediction};
use pellucid_record::{RunDir, run_dir};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Trainer;
use crate::data::examples::Examples;
use crate::error::{Error, Result};
use crate::model::answers;
use crate::model::pretrained::load_classifier;
use crate::train::checkpoints::Checkpoints;

/// The answer to a test row, as the run folder keeps it: by its place and name, without its text.
#[derive(Debug, Serialize)]
struct TestAnswer<'a> {
    file: String,
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    gold: &'a str,
    label: &'a str,
    probabilities: Map<String, Value>,
}

impl Trainer {
    /// Measures the test rows, if there are any, by the weights of the best checkpoint, and writes the answers to the run
    /// folder; what there is to tell. What cannot be measured or written is told as well, and no failure of the run.
    ///
    /// # Errors
    /// When interrupted.
    pub fn test(&mut self) -> Result<Vec<Alert>> {
        let (Some(test), Some(best)) = (&self.setup.data.test, self.best_step()) else { return Ok(Vec::new()) };
        let step = self.progress.step;
        let failed = |error: Error| vec![Alert::error(step, format!("the test rows were not measured: {error}"))];
        let predictions = match self.predict_test(test, best) {
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => return Ok(failed(error)),
            Ok(predictions) => predictions,
        };
        let truth: Vec<usize> = (0..test.len()).map(|example| test.class(example)).collect();
        let scores = self.setup.task.scores(&predictions, &truth);
        let mut tested = Metrics::default();
        for (name, value) in scores.iter() {
            name.strip_prefix("valid/").into_iter().for_each(|name| tested.set(format!("test/{name}"), value));
        }
        let figures = tested.iter().map(|(name, value)| format!("{} {value:.4}", &name["test/".len()..]));
        let figures = figures.collect::<Vec<_>>().join(", ");
        let written = self.write_test(test, best, &predictions);
        let mut told = format!("test: {figures} on {} rows, by the weights of step {best}", test.len());
        if let Ok(name) = &written {
            told.push_str(&format!("; {name} has each answer"));
        }
        self.tested = tested;
        let not_written = written.err().map(|error| Alert::error(step, format!("test answers not written: {error}")));
        Ok([Alert::info(step, told)].into_iter().chain(not_written).collect())
    }

    /// What the test measured; empty before that.
    #[must_use]
    pub fn tested(&self) -> &Metrics {
        &self.tested
    }

    /// The answers of the weights that are saved as those of `step`.
    fn predict_test(&self, test: &Examples, step: u64) -> Result<Vec<Prediction>> {
        let folder = Checkpoints::of(&RunDir::new(&self.settings().run_dir)).path(step);
        let (model, ..) = load_classifier(&folder, self.encoder().limit())?;
        let answers = answers::each(&model.to_device(self.setup.device), &*test.tokens, &self.interrupt)?;
        let logits = answers::all(answers, "the test, text")?;
        let prediction = |(index, own): (usize, &Vec<f32>)| self.setup.task.predict(test.class(index), own, None);
        Ok(logits.iter().enumerate().map(prediction).collect())
    }

    /// Writes the answers; the name of their file in the run folder.
    fn write_test(&self, test: &Examples, step: u64, predictions: &[Prediction]) -> Result<String> {
        let name = RunDir::test_name(step);
        let path = self.settings().run_dir.join(&name);
        let classes = self.labels().names();
        let answer = |(example, prediction): (usize, &Prediction)| {
            let named = classes.iter().zip(&prediction.probabilities);
            let (file, line) = test.rows().place(example);
            TestAnswer {
                file: file.display().to_string(),
                line,
                id: test.rows().id(example),
                gold: &classes[test.class(example)],
                label: &classes[prediction.class()],
                probabilities: named.map(|(name, share)| (name.clone(), json!(share))).collect(),
            }
        };
        let answers: Vec<TestAnswer<'_>> = predictions.iter().enumerate().map(answer).collect();
        let write = || {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            run_dir::write_lines(&path, &answers)
        };
        write().map_err(|error| Error::file(&path, error))?;
        Ok(name)
    }
}
