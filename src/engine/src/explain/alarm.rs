//! The shortcut alarm, in two stages. At the first evaluation it names the words that the data makes a shortcut of: in
//! training they go with a class that they do not go with in validation, whatever the model makes of that. At each one
//! after it, it names the words that the model takes for a reason although only the training data bears them out. See
//! [`pellucid_explain::shortcut`] for what that means and what it cannot see.

use pellucid_explain::shortcut::{Census, Counted, Shifted, Suspect, USED};
use pellucid_intake::labels::Labels;
use pellucid_protocol::event::{Alert, AlertKind};
use pellucid_protocol::{Prediction, Sample, WatchedWord};
use serde::{Deserialize, Serialize};

use super::watched;
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
    data: Data,
}

/// Whether what the data alone says was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Data {
    Untold,
    Told,
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
        Self { census: Census::new(&all(train), &all(valid), classes), told: Vec::new(), data: Data::Untold }
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

    /// Takes over what was told before, by a run that had begun.
    pub fn restore(&mut self, told: Vec<Told>) {
        (self.told, self.data) = (told, Data::Told);
    }

    /// Looks at the answers as of step `step`: the effect of the shortcut that the model uses most (0 if it uses none),
    /// and an alert about each that was not told before.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn look(&mut self, step: u64, sight: Sight<'_>) -> Result<(f64, Vec<Alert>)> {
        let wide = |prediction: &Prediction| prediction.probabilities.iter().map(|&p| f64::from(p)).collect();
        let probabilities: Vec<Vec<f64>> = sight.predictions.iter().map(wide).collect();
        let mut used = Vec::new();
        for suspect in self.census.suspects(&probabilities) {
            let effect = effect(&suspect, sight)?;
            used.extend((effect >= USED).then_some(Used { suspect, effect }));
        }
        let alert = |message, kind| Alert::warning(step, message).about(kind);
        let of_data = self.of_data(&used, sight.labels).into_iter();
        let mut alerts: Vec<Alert> = of_data.map(|message| alert(message, AlertKind::ShortcutInData)).collect();
        for found in &used {
            let Suspect { word, class, .. } = &found.suspect;
            if !self.told.iter().any(|told| told.word == *word && told.class == *class) {
                self.told.push(Told { word: word.clone(), class: *class, step });
                alerts.push(alert(found.message(sight.labels), AlertKind::Shortcut));
            }
        }
        Ok((used.iter().map(|found| found.effect).fold(0.0, f64::max), alerts))
    }

    /// A message about each word that the data makes a shortcut of, the first time; not about those that are used already.
    fn of_data(&mut self, used: &[Used], labels: &Labels) -> Vec<String> {
        if std::mem::replace(&mut self.data, Data::Told) == Data::Told {
            return Vec::new();
        }
        let is_used = |shifted: &Shifted| used.iter().any(|found| found.suspect.word == shifted.word);
        self.census
            .shifted()
            .iter()
            .filter(|shifted| !is_used(shifted))
            .map(|shifted| offered(shifted, labels))
            .collect()
    }
}

fn label(labels: &Labels, class: usize) -> &str {
    labels.names().get(class).map_or("?", String::as_str)
}

/// What is said of a word that the data makes a shortcut of.
fn offered(shifted: &Shifted, labels: &Labels) -> String {
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

/// Mean probability of the suspect's class that masking the word takes away, over the first texts that have it.
fn effect(suspect: &Suspect, sight: Sight<'_>) -> Result<f64> {
    let texts = &suspect.texts[..suspect.texts.len().min(MASKED)];
    let shares = watched::answers_without(&suspect.word, texts, sight)?;
    let lost = texts.iter().zip(&shares).map(|(&text, without)| {
        f64::from(sight.predictions[text].probabilities[suspect.class]) - f64::from(without[suspect.class])
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

    fn alarm(planted: usize) -> Alarm {
        Alarm { census: Census::new(&counted(200, planted), &counted(200, 0), 2), told: Vec::new(), data: Data::Untold }
    }

    #[test]
    fn what_the_data_makes_a_shortcut_of_is_told_once() {
        let labels = Labels::new(vec!["payment".into(), "termination".into()]);
        let mut planted = alarm(200);
        let told = planted.of_data(&[], &labels);
        assert_eq!(
            told,
            [
                "shortcut in the data: 100 % of the training texts with `halden` are termination, of the 50 validation texts \
              with it 50 %; the model does not use it so far; e.g. samples 1, 5, 9"
            ]
        );
        assert!(planted.of_data(&[], &labels).is_empty(), "once");
        assert!(alarm(0).of_data(&[], &labels).is_empty(), "sets that agree");
        let mut again = alarm(200);
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
        assert!(alarm(200).of_data(&[Used { suspect, effect: 0.5 }], &labels).is_empty(), "it is told as used");
    }
}
