//! The shortcut alarm: at each evaluation, words that the model takes for a reason although only the training data bears
//! them out. See [`pellucid_explain::shortcut`] for what that means and what it cannot see.

use pellucid_explain::shortcut::{Census, Counted, Shifted, Suspect, USED};
use pellucid_protocol::{Prediction, Sample, WatchedWord};
use serde::{Deserialize, Serialize};

use super::watched;
use crate::data::labels::Labels;
use crate::data::tokenise::TextEncoder;
use crate::error::Result;
use crate::model::classifier::Classifier;
use crate::train::prepare::Examples;

/// Texts with the word in which it is masked, at most.
const MASKED: usize = 16;
/// Samples that are named as examples.
const EXAMPLES: usize = 3;

/// What the alarm watches, and what it has told.
#[derive(Debug)]
pub struct Alarm {
    census: Census,
    told: Vec<Told>,
}

/// A shortcut that was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    word: String,
    class: usize,
    step: u64,
}

/// A shortcut that the model uses.
#[derive(Debug, Clone, PartialEq)]
struct Used {
    suspect: Suspect,
    /// Mean probability of the class that masking the word takes away.
    effect: f64,
}

/// The model and the validation set as of an evaluation.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The model.
    pub model: &'a Classifier,
    /// Its tokenizer.
    pub encoder: &'a TextEncoder,
    /// Class names.
    pub labels: &'a Labels,
    /// The validation set.
    pub valid: &'a Examples,
    /// The answers to it.
    pub predictions: &'a [Prediction],
}

impl Alarm {
    /// Counts the words of both sets.
    #[must_use]
    pub fn new(train: &Examples, valid: &Examples, classes: usize) -> Self {
        let counted = |sample: &Sample| {
            let words =
                sample.text.split_whitespace().chain(sample.pair.iter().flat_map(|pair| pair.split_whitespace()));
            Counted::new(words, sample.label)
        };
        let all = |examples: &Examples| examples.samples.iter().map(counted).collect::<Vec<_>>();
        Self { census: Census::new(&all(train), &all(valid), classes), told: Vec::new() }
    }

    /// What was told so far.
    #[must_use]
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// What the words say at this evaluation that training data and validation data do not agree about, and those that
    /// were told before.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn watched(&self, sight: Sight<'_>) -> Result<Vec<WatchedWord>> {
        let told = |word: &str, class: usize| self.told.iter().find(|told| told.word == word && told.class == class);
        let is_known = |found: &[Shifted], told: &Told| {
            found.iter().any(|shifted| shifted.word == told.word && shifted.class == told.class)
        };
        let mut found = self.census.shifted();
        for told in &self.told {
            if !is_known(&found, told) {
                found.extend(self.census.shift(&told.word, told.class));
            }
        }
        let look =
            |shifted: &Shifted| watched::look(shifted, told(&shifted.word, shifted.class).map(|told| told.step), sight);
        found.iter().map(look).collect()
    }

    /// Takes over what was told before.
    pub fn restore(&mut self, told: Vec<Told>) {
        self.told = told;
    }

    /// Looks at the answers as of step `step`: the effect of the shortcut that the model uses most (0 if it uses none),
    /// and a message about each that was not told before.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn look(&mut self, step: u64, sight: Sight<'_>) -> Result<(f64, Vec<String>)> {
        let wide = |prediction: &Prediction| prediction.probabilities.iter().map(|&p| f64::from(p)).collect();
        let probabilities: Vec<Vec<f64>> = sight.predictions.iter().map(wide).collect();
        let mut used = Vec::new();
        for suspect in self.census.suspects(&probabilities) {
            let effect = effect(&suspect, sight)?;
            used.extend((effect >= USED).then_some(Used { suspect, effect }));
        }
        let mut messages = Vec::new();
        for found in &used {
            let Suspect { word, class, .. } = &found.suspect;
            if !self.told.iter().any(|told| told.word == *word && told.class == *class) {
                self.told.push(Told { word: word.clone(), class: *class, step });
                messages.push(found.message(sight.labels));
            }
        }
        Ok((used.iter().map(|found| found.effect).fold(0.0, f64::max), messages))
    }
}

impl Used {
    fn message(&self, labels: &Labels) -> String {
        let Suspect { word, class, texts, excess, in_training, in_validation, .. } = &self.suspect;
        let label = labels.names().get(*class).map_or("?", String::as_str);
        let examples: Vec<String> = texts.iter().take(EXAMPLES).map(usize::to_string).collect();
        format!(
            "shortcut: `{word}` leads to {label}: {:.0} points too often in the {} validation texts with it; {:.0} % of \
             those are {label}, in training {:.0} %; masking it takes {:.2} away; e.g. samples {}",
            100.0 * excess,
            texts.len(),
            100.0 * in_validation,
            100.0 * in_training,
            self.effect,
            examples.join(", "),
        )
    }
}

/// Mean probability of the suspect's class that masking the word takes away, over the first texts that have it.
fn effect(suspect: &Suspect, sight: Sight<'_>) -> Result<f64> {
    let texts = &suspect.texts[..suspect.texts.len().min(MASKED)];
    let shares = watched::answers_without(&suspect.word, texts, sight)?;
    let lost = texts.iter().zip(&shares).map(|(&text, without)| {
        f64::from(sight.predictions[text].probabilities[suspect.class]) - f64::from(without[suspect.class])
    });
    Ok(lost.sum::<f64>() / texts.len().max(1) as f64)
}
