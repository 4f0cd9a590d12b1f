//! A fixed set of validation samples, explained again at each evaluation: faithfulness, fidelity, drift.

use pellucid_explain::drift::drift;
use pellucid_explain::probe;
use pellucid_protocol::Metrics;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::oracle::ModelOracle;
use super::subject::Subject;
use crate::data::tokenise::TextEncoder;
use crate::error::{Error, Result};
use crate::model::classifier::Classifier;
use crate::train::interrupt::Interrupt;
use crate::train::prepare::Examples;

/// The probe set and the maps of the previous evaluation.
#[derive(Debug)]
pub struct Probe {
    samples: Vec<usize>,
    seed: u64,
    before: Vec<Option<Vec<f64>>>,
}

/// What a probe is measured on.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The model.
    pub model: &'a Classifier,
    /// Its tokenizer.
    pub encoder: &'a TextEncoder,
    /// The validation set that the probe was chosen from.
    pub valid: &'a Examples,
    /// May wish for the end.
    pub interrupt: &'a Interrupt,
}

impl Probe {
    /// Chooses `count` samples by seed from the shortest tenth, because the cost of the bounds grows with length.
    #[must_use]
    pub fn choose(valid: &Examples, count: usize, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..valid.samples.len()).collect();
        order.sort_by_key(|&index| valid.encoded[index].ids.len());
        order.truncate(valid.samples.len().div_ceil(10).max(count));
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        order.truncate(count);
        Self { before: vec![None; order.len()], samples: order, seed }
    }

    /// The maps of the previous evaluation, as far as there was one.
    #[must_use]
    pub fn maps(&self) -> &[Option<Vec<f64>>] {
        &self.before
    }

    /// Takes over maps of an evaluation of the same probe set.
    pub fn restore(&mut self, maps: Vec<Option<Vec<f64>>>) {
        if maps.len() == self.before.len() {
            self.before = maps;
        }
    }

    /// Explains the right class of each probe sample on the model as it is.
    ///
    /// # Errors
    /// When libtorch refuses, or interrupted; the maps are then as they were.
    pub fn measure(&mut self, asked: Asked<'_>) -> Result<Metrics> {
        let Asked { model, encoder, valid, interrupt } = asked;
        let (mut faithfulness, mut fidelity, mut moved) = (Vec::new(), Vec::new(), Vec::new());
        let mut maps = self.before.clone();
        for (place, &index) in self.samples.iter().enumerate() {
            interrupt.check()?;
            let sample = &valid.samples[index];
            let subject = Subject::new(encoder, &sample.text, sample.pair.as_deref())?;
            let mut oracle = ModelOracle { model, subject: &subject, target: sample.label };
            let found = probe(&mut oracle, self.seed).map_err(|error| Error::Torch(format!("probe: {error}")))?;
            faithfulness.extend(found.faithfulness);
            fidelity.extend(found.fidelity);
            moved.extend(self.before[place].as_ref().and_then(|before| drift(before, &found.scores)));
            maps[place] = Some(found.scores);
        }
        self.before = maps;
        let mut metrics = Metrics::default();
        for (name, values) in
            [("explain/faithfulness", faithfulness), ("explain/fidelity", fidelity), ("explain/drift", moved)]
        {
            if !values.is_empty() {
                metrics.set(name, values.iter().sum::<f64>() / values.len() as f64);
            }
        }
        Ok(metrics)
    }
}
