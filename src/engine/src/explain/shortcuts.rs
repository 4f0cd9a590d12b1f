//! Watches for shortcuts, in two stages. The first evaluation names the words that the data makes a shortcut: in training
//! they go with a class that they do not go with in validation, whether or not the model uses them. Every later one names
//! the words that the model uses although only the training data supports them. [`pellucid_explain::shortcut`] says what
//! that means and what it cannot see.

mod word;

use pellucid_explain::shortcut::{Candidate, CountedText, Shift, USED, WordCounts};
use pellucid_protocol::event::{Alert, AlertKind};
use pellucid_protocol::{Prediction, WatchedWord};
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
    counts: WordCounts,
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
    candidate: Candidate,
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

/// The texts of `examples` as they are counted, one by one.
fn counted(examples: &Examples) -> impl ExactSizeIterator<Item = CountedText> {
    (0..examples.len()).map(|example| {
        let pair = examples.pair(example).into_iter().flat_map(str::split_whitespace);
        CountedText::new(examples.text(example).split_whitespace().chain(pair), examples.class(example))
    })
}

impl ShortcutMonitor {
    /// Counts the words of both sets.
    #[must_use]
    pub fn new(train: &Examples, valid: &Examples, classes: usize) -> Self {
        let counts = WordCounts::new(counted(train), counted(valid), classes);
        Self { counts, reported: Vec::new(), data: DataReport::Due }
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
        let mut found = self.counts.shifts();
        for reported in &self.reported {
            if !found.iter().any(|shift| reported.is(&shift.word, shift.class)) {
                found.extend(self.counts.shift(&reported.word, reported.class));
            }
        }
        found.iter().map(|shift| word::look(shift, self.reported_at(shift), evaluated)).collect()
    }

    /// The step at which a shortcut was reported.
    fn reported_at(&self, shift: &Shift) -> Option<u64> {
        self.reported.iter().find(|reported| reported.is(&shift.word, shift.class)).map(|reported| reported.step)
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
            let Candidate { word, class, .. } = &found.candidate;
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
        for candidate in self.counts.candidates(&probabilities) {
            let effect = effect(&candidate, evaluated)?;
            used.extend((effect >= USED).then_some(Used { candidate, effect }));
        }
        Ok(used)
    }

    /// Once, a message about each word that the data makes a shortcut and the model does not use.
    fn of_data(&mut self, used: &[Used], labels: &Labels) -> Vec<String> {
        if std::mem::replace(&mut self.data, DataReport::Done) == DataReport::Done {
            return Vec::new();
        }
        let is_used = |shift: &Shift| used.iter().any(|found| found.candidate.word == shift.word);
        self.counts.shifts().iter().filter(|shift| !is_used(shift)).map(|shift| unused_message(shift, labels)).collect()
    }
}

fn label(labels: &Labels, class: usize) -> &str {
    labels.names().get(class).map_or("?", String::as_str)
}

/// The message about a word that the data makes a shortcut and the model does not use.
fn unused_message(shift: &Shift, labels: &Labels) -> String {
    let Shift { word, class, texts, in_training, in_validation } = shift;
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
        let Candidate { word, class, texts, excess, in_training, in_validation, .. } = &self.candidate;
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
fn effect(candidate: &Candidate, evaluated: Evaluated<'_>) -> Result<f64> {
    let texts = &candidate.texts[..candidate.texts.len().min(MASKED)];
    let shares = word::answers_without(&candidate.word, texts, evaluated)?;
    let lost = texts.iter().zip(&shares).map(|(&text, without)| {
        f64::from(evaluated.predictions[text].probabilities[candidate.class]) - f64::from(without[candidate.class])
    });
    Ok(lost.sum::<f64>() / texts.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(count: usize, planted: usize) -> Vec<CountedText> {
        let of = |n: usize| {
            CountedText::new(
                if n % 4 == 1 { ["halden"] } else { ["client"] },
                if n % 4 == 1 && n < planted { 1 } else { n / 4 % 2 },
            )
        };
        (0..count).map(of).collect()
    }

    fn monitor(planted: usize) -> ShortcutMonitor {
        let counts = WordCounts::new(counted(200, planted), counted(200, 0), 2);
        ShortcutMonitor { counts, reported: Vec::new(), data: DataReport::Due }
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
        let candidate = Candidate {
            word: "halden".into(),
            class: 1,
            texts: vec![1],
            excess: 0.4,
            z: 9.0,
            in_training: 1.0,
            in_validation: 0.5,
        };
        assert!(monitor(200).of_data(&[Used { candidate, effect: 0.5 }], &labels).is_empty(), "it is told as used");
    }
}
