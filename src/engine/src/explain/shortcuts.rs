//! Watches for shortcuts, in two stages. The first evaluation names the words that the data makes a shortcut: in training
//! they go with a class that they do not go with in validation, whether or not the model uses them. Every later one names
//! the words that the model uses although only the training data supports them. [`pellucid_explain::shortcut`] says what
//! that means and what it cannot see.

mod word;

use pellucid_explain::shortcut::{Census, Counted, Shifted, Suspect, USED};
use pellucid_protocol::event::{Alert, AlertKind};
use pellucid_protocol::{Prediction, Sample, WatchedWord};
use serde::{Deserialize, Serialize};

use crate::data::examples::Examples;
use crate::data::tokenise::TextEncoder;
use crate::error::Result;
use crate::model::classifier::Classifier;
use pellucid_intake::labels::Labels;

/// The most texts in which a word is masked to measure its effect.
const MASKED: usize = 16;
/// How many samples a message names as examples.
const EXAMPLES: usize = 3;

/// The candidates for shortcuts, and which of them were reported.
#[derive(Debug)]
pub struct ShortcutMonitor {
    candidates: Census,
    reported: Vec<ReportedShortcut>,
    data: DataReport,
}

/// Whether the shortcuts that the data alone makes were reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DataReport {
    Due,
    Done,
}

/// A shortcut that was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedShortcut {
    word: String,
    class: usize,
    step: u64,
}

/// A shortcut that the model uses.
#[derive(Debug, Clone, PartialEq)]
struct Used {
    suspect: Suspect,
    /// How much of the class's probability goes when the word is masked, on average.
    effect: f64,
}

/// What an evaluation found about the shortcuts that the model uses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShortcutReport {
    /// The effect of the shortcut that the model uses most; 0 if it uses none.
    pub effect: f64,
    /// An alert about each shortcut that was not reported before.
    pub alerts: Vec<Alert>,
}

/// The model and its answers to the validation set at an evaluation.
#[derive(Clone, Copy)]
pub struct Evaluated<'a> {
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

impl ReportedShortcut {
    fn is(&self, word: &str, class: usize) -> bool {
        self.word == word && self.class == class
    }
}

impl ShortcutMonitor {
    /// Counts the words of both sets.
    #[must_use]
    pub fn new(train: &Examples, valid: &Examples, classes: usize) -> Self {
        let counted = |sample: &Sample| {
            let words =
                sample.text.split_whitespace().chain(sample.pair.iter().flat_map(|pair| pair.split_whitespace()));
            Counted::new(words, sample.label)
        };
        let all = |examples: &Examples| examples.samples.iter().map(counted).collect::<Vec<_>>();
        let candidates = Census::new(&all(train), &all(valid), classes);
        Self { candidates, reported: Vec::new(), data: DataReport::Due }
    }

    /// The shortcuts that were reported so far.
    #[must_use]
    pub fn reported(&self) -> &[ReportedShortcut] {
        &self.reported
    }

    /// Takes over what was reported before the run was resumed.
    pub fn restore(&mut self, reported: Vec<ReportedShortcut>) {
        (self.reported, self.data) = (reported, DataReport::Done);
    }

    /// What this evaluation shows about the words on which training and validation data do not agree, and about those that
    /// were reported before.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn watched(&self, evaluated: Evaluated<'_>) -> Result<Vec<WatchedWord>> {
        let mut found = self.candidates.shifted();
        for reported in &self.reported {
            if !found.iter().any(|shifted| reported.is(&shifted.word, shifted.class)) {
                found.extend(self.candidates.shift(&reported.word, reported.class));
            }
        }
        found.iter().map(|shifted| word::look(shifted, self.reported_at(shifted), evaluated)).collect()
    }

    /// The step at which a shortcut was reported.
    fn reported_at(&self, shifted: &Shifted) -> Option<u64> {
        self.reported.iter().find(|reported| reported.is(&shifted.word, shifted.class)).map(|reported| reported.step)
    }

    /// Finds the shortcuts that the model uses as of step `step`.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn look(&mut self, step: u64, evaluated: Evaluated<'_>) -> Result<ShortcutReport> {
        let used = self.used(evaluated)?;
        let alert = |message, kind| Alert::warning(step, message).about(kind);
        let of_data = self.of_data(&used, evaluated.labels).into_iter();
        let mut alerts: Vec<Alert> = of_data.map(|message| alert(message, AlertKind::ShortcutInData)).collect();
        for found in &used {
            let Suspect { word, class, .. } = &found.suspect;
            if !self.reported.iter().any(|reported| reported.is(word, *class)) {
                self.reported.push(ReportedShortcut { word: word.clone(), class: *class, step });
                alerts.push(alert(found.message(evaluated.labels), AlertKind::Shortcut));
            }
        }
        Ok(ShortcutReport { effect: used.iter().map(|found| found.effect).fold(0.0, f64::max), alerts })
    }

    /// The candidates whose masking changes the answers enough.
    fn used(&self, evaluated: Evaluated<'_>) -> Result<Vec<Used>> {
        let wide = |prediction: &Prediction| prediction.probabilities.iter().map(|&p| f64::from(p)).collect();
        let probabilities: Vec<Vec<f64>> = evaluated.predictions.iter().map(wide).collect();
        let mut used = Vec::new();
        for suspect in self.candidates.suspects(&probabilities) {
            let effect = effect(&suspect, evaluated)?;
            used.extend((effect >= USED).then_some(Used { suspect, effect }));
        }
        Ok(used)
    }

    /// Once, a message about each word that the data makes a shortcut and the model does not use.
    fn of_data(&mut self, used: &[Used], labels: &Labels) -> Vec<String> {
        if std::mem::replace(&mut self.data, DataReport::Done) == DataReport::Done {
            return Vec::new();
        }
        let is_used = |shifted: &Shifted| used.iter().any(|found| found.suspect.word == shifted.word);
        self.candidates
            .shifted()
            .iter()
            .filter(|shifted| !is_used(shifted))
            .map(|shifted| unused_message(shifted, labels))
            .collect()
    }
}

fn label(labels: &Labels, class: usize) -> &str {
    labels.names().get(class).map_or("?", String::as_str)
}

/// The message about a word that the data makes a shortcut and the model does not use.
fn unused_message(shifted: &Shifted, labels: &Labels) -> String {
    let Shifted { word, class, texts, in_training, in_validation } = shifted;
    let examples: Vec<String> = texts.iter().take(EXAMPLES).map(usize::to_string).collect();
    format!(
        "shortcut in the data: {:.0} % of the training texts with `{word}` are {}, of the {} validation texts with it {:.0} \
         %; the model does not use it so far; e.g. samples {}",
        100.0 * in_training,
        label(labels, *class),
        texts.len(),
        100.0 * in_validation,
        examples.join(", "),
    )
}

impl Used {
    fn message(&self, labels: &Labels) -> String {
        let Suspect { word, class, texts, excess, in_training, in_validation, .. } = &self.suspect;
        let label = label(labels, *class);
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

/// How much of the class's probability goes when the word is masked, on average over the first texts that have it.
fn effect(suspect: &Suspect, evaluated: Evaluated<'_>) -> Result<f64> {
    let texts = &suspect.texts[..suspect.texts.len().min(MASKED)];
    let shares = word::answers_without(&suspect.word, texts, evaluated)?;
    let lost = texts.iter().zip(&shares).map(|(&text, without)| {
        f64::from(evaluated.predictions[text].probabilities[suspect.class]) - f64::from(without[suspect.class])
    });
    Ok(lost.sum::<f64>() / texts.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(count: usize, planted: usize) -> Vec<Counted> {
        let of = |n: usize| {
            Counted::new(
                if n % 4 == 1 { ["halden"] } else { ["client"] },
                if n % 4 == 1 && n < planted { 1 } else { n / 4 % 2 },
            )
        };
        (0..count).map(of).collect()
    }

    fn monitor(planted: usize) -> ShortcutMonitor {
        let candidates = Census::new(&counted(200, planted), &counted(200, 0), 2);
        ShortcutMonitor { candidates, reported: Vec::new(), data: DataReport::Due }
    }

    #[test]
    fn what_the_data_makes_a_shortcut_of_is_told_once() {
        let labels = Labels::new(vec!["payment".into(), "termination".into()]);
        let mut planted = monitor(200);
        let told = planted.of_data(&[], &labels);
        assert_eq!(
            told,
            [
                "shortcut in the data: 100 % of the training texts with `halden` are termination, of the 50 validation texts \
              with it 50 %; the model does not use it so far; e.g. samples 1, 5, 9"
            ]
        );
        assert!(planted.of_data(&[], &labels).is_empty(), "once");
        assert!(monitor(0).of_data(&[], &labels).is_empty(), "sets that agree");
        let mut again = monitor(200);
        again.restore(Vec::new());
        assert!(again.of_data(&[], &labels).is_empty(), "the run has told it before it was taken up again");
        let suspect = Suspect {
            word: "halden".into(),
            class: 1,
            texts: vec![1],
            excess: 0.4,
            z: 9.0,
            in_training: 1.0,
            in_validation: 0.5,
        };
        assert!(monitor(200).of_data(&[Used { suspect, effect: 0.5 }], &labels).is_empty(), "it is told as used");
    }
}
