//! The probabilities that a classifier gave, with the true classes.

use super::confusion::Confusion;
use super::curves::Scored;

/// Answers to a set of examples. What is not valid cannot be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    classes: usize,
    /// Row by row, `[example, class]`.
    probabilities: Vec<f64>,
    truth: Vec<usize>,
}

/// Why answers are refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnswerError {
    /// A row has another number of probabilities than there are classes.
    #[error("row {row} has {found} probabilities, not one for each of the {classes} classes")]
    Width {
        /// The row, counted from 0.
        row: usize,
        /// How many it has.
        found: usize,
        /// How many there are to be.
        classes: usize,
    },
    /// A number is no probability, or those of a row do not add up to 1.
    #[error("the probabilities of row {row} are not numbers from 0 to 1 that add up to 1")]
    NotProbabilities {
        /// The row, counted from 0.
        row: usize,
    },
    /// A class that does not exist.
    #[error("row {row} is of class {class}, but there are {classes}")]
    NoSuchClass {
        /// The row, counted from 0.
        row: usize,
        /// Its class.
        class: usize,
        /// How many there are.
        classes: usize,
    },
}

/// How far the probabilities of a row may be from 1 in all: they are often rounded to four digits, or 32-bit floats.
const ROUNDING: f64 = 2e-3;

impl Answered {
    /// No answers yet, of a classifier with `classes` classes.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { classes, probabilities: Vec::new(), truth: Vec::new() }
    }

    /// Adds an answer to an example of class `truth`.
    ///
    /// # Errors
    /// When it is not valid.
    pub fn push(&mut self, probabilities: impl IntoIterator<Item = f64>, truth: usize) -> Result<(), AnswerError> {
        let (row, classes, before) = (self.truth.len(), self.classes, self.probabilities.len());
        self.probabilities.extend(probabilities);
        let found = self.probabilities.len() - before;
        let added = &self.probabilities[before..];
        let are_probabilities = added.iter().all(|p| (0.0..=1.0 + ROUNDING).contains(p))
            && (added.iter().sum::<f64>() - 1.0).abs() <= ROUNDING * classes as f64;
        let error = match () {
            () if found != classes => AnswerError::Width { row, found, classes },
            () if !are_probabilities => AnswerError::NotProbabilities { row },
            () if truth >= classes => AnswerError::NoSuchClass { row, class: truth, classes },
            () => {
                self.truth.push(truth);
                return Ok(());
            }
        };
        self.probabilities.truncate(before);
        Err(error)
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.truth.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.truth.is_empty()
    }

    /// The true class of each example.
    #[must_use]
    pub fn truth(&self) -> &[usize] {
        &self.truth
    }

    /// The probabilities of an example.
    #[must_use]
    pub fn of(&self, example: usize) -> &[f64] {
        &self.probabilities[example * self.classes..(example + 1) * self.classes]
    }

    /// The predicted class of an example: the first of the most probable.
    #[must_use]
    pub fn predicted(&self, example: usize) -> usize {
        let better =
            |best: usize, class: usize| if self.of(example)[class] > self.of(example)[best] { class } else { best };
        (0..self.classes).fold(0, better)
    }

    /// The confusion matrix of the most probable classes.
    #[must_use]
    pub fn confusion(&self) -> Confusion {
        let predicted: Vec<usize> = (0..self.len()).map(|example| self.predicted(example)).collect();
        Confusion::new(&predicted, &self.truth, self.classes)
    }

    /// The examples with their probabilities of one class.
    #[must_use]
    pub fn scored(&self, class: usize) -> Vec<Scored> {
        let of = |example: usize| Scored { score: self.of(example)[class], is_of_class: self.truth[example] == class };
        (0..self.len()).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_is_refused_and_leaves_nothing() {
        let mut answers = Answered::new(2);
        assert!(matches!(answers.push([0.5], 0), Err(AnswerError::Width { row: 0, found: 1, classes: 2 })));
        for wrong in [[f64::NAN, 1.0], [-0.1, 1.1], [0.5, 0.4], [1.2, 0.0]] {
            assert_eq!(answers.push(wrong, 0), Err(AnswerError::NotProbabilities { row: 0 }), "{wrong:?}");
        }
        assert!(matches!(answers.push([0.5, 0.5], 2), Err(AnswerError::NoSuchClass { class: 2, .. })));
        assert!(answers.is_empty());
        answers.push([0.3333, 0.6667], 0).unwrap();
        assert_eq!((answers.len(), answers.of(0), answers.predicted(0)), (1, [0.3333, 0.6667].as_slice(), 1));
    }
}
