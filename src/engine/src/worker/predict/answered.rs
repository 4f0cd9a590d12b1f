//! The answer to a row, and how well the answers agree with the labels.

use std::borrow::Cow;

use pellucid_evaluate::classification::{accuracy, macro_f1};
use pellucid_intake::labels::Labels;
use pellucid_intake::rows::Rows;
use pellucid_protocol::settings::Switch;

use crate::data::windows::TextLimit;
use crate::model::classifier::Classifier;
use crate::task::classification::prediction;
use crate::task::output_of;
use crate::worker::texts::note;

/// What the label of a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gold {
    /// A class of the model.
    Class(usize),
    /// A label that the model does not know, by its number among these.
    Unknown(usize),
}

/// The answer to a row.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) row: usize,
    pub(super) logits: Vec<f32>,
    pub(super) probabilities: Vec<f64>,
    /// The predicted class.
    pub(super) class: usize,
    /// What its label stands for, if it has one.
    pub(super) gold: Option<Gold>,
    /// Words of the text that are not read.
    pub(super) cut_words: usize,
    /// Windows in which the text is read.
    pub(super) windows: usize,
}

impl Answered {
    pub(super) fn new(model: &Classifier, row: usize, logits: Vec<f32>, gold: Option<Gold>) -> Self {
        let probabilities = output_of(model).probabilities(&logits);
        let class = prediction(&logits, 0, None).class();
        Self { row, logits, probabilities, class, gold, cut_words: 0, windows: 1 }
    }
}

/// What is written as the text of a row; nothing of a private one.
pub(super) fn text(rows: &Rows, row: usize, private: Switch) -> Option<&str> {
    (!private.is_on()).then(|| rows.text(row))
}

/// What is written as the id of a row: of a private one that has none, its line, for its text is not there to know it by.
pub(super) fn id(rows: &Rows, row: usize, private: Switch) -> Option<Cow<'_, str>> {
    let id = rows.id(row).map(Cow::Borrowed);
    if private.is_on() { id.or_else(|| Some(Cow::Owned(rows.name(row)))) } else { id }
}

/// What is written as its second text.
pub(super) fn pair(rows: &Rows, row: usize, private: Switch) -> Option<&str> {
    rows.pair(row).filter(|_| !private.is_on())
}

/// The label of a row as the data has it.
pub(super) fn gold(rows: &Rows, row: usize) -> Option<&str> {
    rows.label(row).map(|label| rows.labels()[label].name.as_str())
}

/// How well answers agree with the labels.
#[derive(Debug, Default)]
pub(super) struct Scores {
    predicted: Vec<usize>,
    truth: Vec<usize>,
    /// Classes and labels that no class has.
    classes: usize,
    /// Rows that were cut, and the words of them that are not read.
    cut: (usize, usize),
    /// Rows that were read in several windows.
    windowed: usize,
}

impl Scores {
    pub(super) fn add(&mut self, answered: &Answered, labels: &Labels) {
        self.windowed += usize::from(answered.windows > 1);
        if answered.cut_words > 0 {
            self.cut = (self.cut.0 + 1, self.cut.1 + answered.cut_words);
        }
        let truth = match answered.gold {
            None => return,
            Some(Gold::Class(class)) => class,
            // A class of its own, which is never predicted.
            Some(Gold::Unknown(number)) => labels.len() + number,
        };
        self.classes = self.classes.max(truth + 1).max(labels.len());
        self.predicted.push(answered.class);
        self.truth.push(truth);
    }

    /// Says on stderr how texts were read that are too long.
    pub(super) fn tell_windows(&self, limit: TextLimit, rows: usize) {
        if let Some(windows) = limit.windows.filter(|_| self.windowed > 0) {
            note(&format!("{} of {rows} texts were {}", self.windowed, limit.told(windows)));
        }
    }

    /// Says on stderr what was cut, and how well the answers agree with the labels, if there are any.
    pub(super) fn tell(&self, labels: &Labels, rows: &Rows) {
        let (cut, words) = self.cut;
        if cut > 0 {
            note(&format!("{cut} of {} texts were cut: {words} words are not read", rows.len()));
        }
        if self.truth.is_empty() {
            return;
        }
        let (accuracy, f1) =
            (accuracy(&self.predicted, &self.truth), macro_f1(&self.predicted, &self.truth, self.classes));
        let wrong = self.truth.iter().filter(|truth| **truth >= labels.len()).count();
        if wrong == self.truth.len() {
            note(&format!("no label is a class of the model: there is no accuracy of {wrong} rows"));
            return;
        }
        let unknown = if wrong > 0 { format!(", {wrong} of them with unknown labels") } else { String::new() };
        note(&format!(
            "accuracy {accuracy:.4}, F1 {f1:.4} on {} labelled rows of {}{unknown}",
            self.truth.len(),
            rows.len()
        ));
    }
}
