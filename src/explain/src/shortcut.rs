//! Words that a model uses as a reason because they were one in the training data, but are none outside of it.
//!
//! Two independent findings make a word a candidate for a shortcut to a class. First, the model answers with the class
//! more often than is right for validation texts that have the word, compared with all other texts. Second, the class
//! occurs together with the word more often in training than in validation. The first is about the model and changes
//! as it learns; the second is about the data alone. Whether the model really uses the word must then be asked of the
//! model: see [`USED`].
//!
//! The second finding alone, [`WordCounts::shifts`], is known before the first step. It says what the data offers, not
//! what a model makes of it: where other words decide more easily, a model may never use it.
//!
//! A shortcut that also holds in the validation set cannot be seen this way: nothing that knows only these two sets can
//! tell it from a reason.

use std::collections::{BTreeMap, BTreeSet};

use pellucid_protocol::word_importance::{self, Case};

/// Smallest number of texts with a word in each of the two sets.
const LEAST_TEXTS: usize = 8;
/// The probability that one finding alone names any word for any class if there is no shortcut.
const CHANCE: f64 = 0.01;
/// Most candidates that are named.
const MOST: usize = 5;
/// Most words that are watched.
const WATCHED: usize = 3;
/// A word counts as used if masking it lowers the probability of the class by this much on average.
pub const USED: f64 = 0.1;

/// A word as it is compared with others: without the punctuation around it, in lower case.
#[must_use]
pub fn plain(written: &str) -> String {
    word_importance::plain(written, Case::Folded)
}

/// A text to be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedText {
    /// Its different words, each as [`plain`] gives it.
    pub words: BTreeSet<String>,
    /// Its class.
    pub label: usize,
}

impl CountedText {
    /// A text of these words, as they are written.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>, label: usize) -> Self {
        Self { words: words.into_iter().map(plain).collect(), label }
    }
}

/// A word that is suspected of being a shortcut.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The word.
    pub word: String,
    /// The class that it is a shortcut to.
    pub class: usize,
    /// Validation texts with the word.
    pub texts: Vec<usize>,
    /// How much more often than is right the model answers with the class for these texts: the mean of
    /// p(class) - [label = class].
    pub excess: f64,
    /// By how many standard errors that is more than for other texts.
    pub z: f64,
    /// Share of the training texts with the word that have the class.
    pub in_training: f64,
    /// Share of the validation texts with the word that have the class.
    pub in_validation: f64,
}

/// A word that occurs together with a class more often in training than in validation, whatever a model makes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// The word.
    pub word: String,
    /// The class.
    pub class: usize,
    /// Validation texts with the word.
    pub texts: Vec<usize>,
    /// Share of the training texts with the word that have the class.
    pub in_training: f64,
    /// Share of the validation texts with the word that have the class.
    pub in_validation: f64,
}

/// How often each word occurs together with each class, in training and in validation.
#[derive(Debug, Clone, PartialEq)]
pub struct WordCounts {
    labels: Vec<usize>,
    classes: usize,
    words: Vec<Word>,
    /// The number of standard errors that both findings must reach.
    limit: f64,
}

#[derive(Debug, Clone, PartialEq)]
struct Word {
    word: String,
    /// The number of training texts with the word, for each class.
    training: Vec<usize>,
    /// The validation texts with the word, in ascending order.
    texts: Vec<usize>,
}

impl WordCounts {
    /// Counts the words of both sets. Words that are rare in one of them are left out, and so are words in more than
    /// half of the validation texts.
    #[must_use]
    pub fn new(
        training: impl IntoIterator<Item = CountedText>,
        validation: impl IntoIterator<Item = CountedText>,
        classes: usize,
    ) -> Self {
        let (mut texts, mut labels): (BTreeMap<String, Vec<usize>>, Vec<usize>) = Default::default();
        for text in validation {
            text.words.into_iter().for_each(|word| texts.entry(word).or_default().push(labels.len()));
            labels.push(text.label);
        }
        texts.retain(|_, texts| texts.len() >= LEAST_TEXTS && 2 * texts.len() <= labels.len());
        let mut counts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for text in training {
            for word in text.words.into_iter().filter(|word| texts.contains_key(word)) {
                counts.entry(word).or_insert_with(|| vec![0; classes])[text.label] += 1;
            }
        }
        let word = |(word, texts): (String, Vec<usize>)| {
            let training = counts.remove(&word)?;
            let enough = training.iter().sum::<usize>() >= LEAST_TEXTS;
            enough.then_some(Word { word, training, texts })
        };
        let words: Vec<Word> = texts.into_iter().filter_map(word).collect();
        let limit = limit(words.len() * classes);
        Self { labels, classes, words, limit }
    }

    /// The candidates, the most obvious first, given the probability of each class for each validation text. After each
    /// candidate the search goes on among texts without it, so that a word which only occurs together with a shortcut
    /// is not named.
    #[must_use]
    pub fn candidates(&self, probabilities: &[Vec<f64>]) -> Vec<Candidate> {
        let mut left = vec![true; self.labels.len()];
        let mut found: Vec<Candidate> = Vec::new();
        if probabilities.len() != left.len() {
            return found;
        }
        while found.len() < MOST {
            let Some(candidate) = self.strongest(probabilities, &left) else { break };
            candidate.texts.iter().for_each(|&text| left[text] = false);
            found.push(candidate);
        }
        found
    }

    /// The words that occur together with a class more often in training than in validation, the most obvious first:
    /// those worth watching from the first step on.
    #[must_use]
    pub fn shifts(&self) -> Vec<Shift> {
        let all = self.words.iter().flat_map(|word| (0..self.classes).map(move |class| (word, class)));
        let mut found: Vec<(f64, Shift)> = all
            .map(|(word, class)| self.shift_of(word, class, &word.texts))
            .filter(|(z, _)| *z >= self.limit)
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().take(WATCHED).map(|(_, shift)| shift).collect()
    }

    /// How the counts of a word differ between training and validation; `None` for a word that is not counted.
    #[must_use]
    pub fn shift(&self, word: &str, class: usize) -> Option<Shift> {
        let known = self.words.iter().find(|known| known.word == word)?;
        Some(self.shift_of(known, class, &known.texts).1)
    }

    /// The shares of a class among the texts with a word in training and in `texts`, and by how many standard errors
    /// the share in training is the larger.
    fn shift_of(&self, word: &Word, class: usize, texts: &[usize]) -> (f64, Shift) {
        let (count, trained) = (texts.len() as f64, word.training.iter().sum::<usize>() as f64);
        let in_training = word.training[class] as f64 / trained;
        let in_validation = texts.iter().map(|&text| self.is(text, class)).sum::<f64>() / count;
        let pooled = (word.training[class] as f64 + in_validation * count) / (trained + count);
        let error = (pooled * (1.0 - pooled) * (1.0 / trained + 1.0 / count)).sqrt();
        let z = if error > 0.0 { (in_training - in_validation) / error } else { 0.0 };
        (z, Shift { word: word.word.clone(), class, texts: texts.to_vec(), in_training, in_validation })
    }

    fn strongest(&self, probabilities: &[Vec<f64>], left: &[bool]) -> Option<Candidate> {
        let of_class = |class: usize| {
            let excess: Vec<f64> = (0..self.labels.len())
                .map(|text| probabilities[text].get(class).copied().unwrap_or(0.0) - self.is(text, class))
                .collect();
            let all = Spread::of((0..excess.len()).filter(|&text| left[text]).map(|text| excess[text]));
            let answers = Answers { class, excess, left, all };
            self.words.iter().filter_map(|word| self.candidate(word, &answers)).collect::<Vec<_>>()
        };
        (0..self.classes).flat_map(of_class).max_by(|a, b| a.z.total_cmp(&b.z))
    }

    fn is(&self, text: usize, class: usize) -> f64 {
        f64::from(u8::from(self.labels[text] == class))
    }

    fn candidate(&self, word: &Word, answers: &Answers) -> Option<Candidate> {
        let Answers { class, excess, left, all } = answers;
        let texts: Vec<usize> = word.texts.iter().copied().filter(|&text| left[text]).collect();
        let (count, others) = (texts.len() as f64, all.count - texts.len() as f64);
        if texts.len() < LEAST_TEXTS || others < 1.0 {
            return None;
        }
        let mean = texts.iter().map(|&text| excess[text]).sum::<f64>() / count;
        let error = all.deviation * (1.0 / count - 1.0 / all.count).sqrt();
        let z = if error > 0.0 { (mean - all.mean) / error } else { 0.0 };
        if z < self.limit || mean <= 0.0 {
            return None;
        }
        let (shift_z, shift) = self.shift_of(word, *class, &texts);
        let Shift { word, class, in_training, in_validation, .. } = shift;
        let candidate = Candidate { word, class, texts, excess: mean, z, in_training, in_validation };
        (shift_z >= self.limit).then_some(candidate)
    }
}

/// The number of standard errors that the largest of `tests` normal deviations exceeds with a probability of at most
/// [`CHANCE`] (Bonferroni), by the upper bound exp(-z^2 / 2) / (z sqrt(2 pi)) of the normal tail.
fn limit(tests: usize) -> f64 {
    let exceeds = |z: f64| tests as f64 * (-z * z / 2.0).exp() / (z * std::f64::consts::TAU.sqrt()) > CHANCE;
    let (mut low, mut high) = (2.0, 12.0);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if exceeds(middle) { low = middle } else { high = middle }
    }
    high
}

/// The answers of a model to the validation texts, for one class.
struct Answers<'a> {
    class: usize,
    /// For each text, p(class) - [label = class].
    excess: Vec<f64>,
    /// For each text, whether it has none of the candidates found so far.
    left: &'a [bool],
    /// The excess of all texts that are left.
    all: Spread,
}

#[derive(Debug, Clone, Copy)]
struct Spread {
    count: f64,
    mean: f64,
    deviation: f64,
}

impl Spread {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let numbers: Vec<f64> = numbers.collect();
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count.max(1.0);
        let squares = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>();
        Self { count, mean, deviation: (squares / count.max(1.0)).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 texts of two classes in turn. "planted" is in every fourth, with class 1 in training alone; "ward" is in
    /// every text with "planted" and in as many others; "filler" is in every third.
    fn set(training: bool) -> Vec<CountedText> {
        (0..200)
            .map(|n| {
                let carries = n % 4 == 1;
                let label = if training && carries { 1 } else { n / 4 % 2 };
                let words = [(carries, "Planted,"), (n % 4 < 2, "ward"), (n % 3 == 0, "filler")];
                CountedText::new(words.into_iter().filter(|(is, _)| *is).map(|(_, word)| word), label)
            })
            .collect()
    }

    #[test]
    fn words_that_only_training_bears_out_are_watched_whatever_the_model_says() {
        let counts = WordCounts::new(set(true), set(false), 2);
        let found = counts.shifts();
        let told: Vec<_> = found.iter().map(|word| (word.word.as_str(), word.class, word.texts.len())).collect();
        assert_eq!(told[0], ("planted", 1, 50), "{told:?}");
        assert!((found[0].in_training - 1.0).abs() < 1e-12 && (found[0].in_validation - 0.5).abs() < 0.02);
        assert!(told.iter().all(|(word, ..)| *word != "filler"), "{told:?}");
        assert!(WordCounts::new(set(false), set(false), 2).shifts().is_empty(), "sets that agree");
        assert_eq!(counts.shift("planted", 0).map(|word| word.in_training), Some(0.0));
        assert_eq!(counts.shift("nothing", 0), None);
    }

    /// What a model says that answers rightly but takes "planted" for class 1 with this probability.
    fn answers(reliance: f64) -> Vec<Vec<f64>> {
        let of = |text: CountedText| {
            let right = if text.label == 1 { 0.9 } else { 0.1 };
            let p = if text.words.contains("planted") { right + (1.0 - right) * reliance } else { right };
            vec![1.0 - p, p]
        };
        set(false).into_iter().map(of).collect()
    }

    #[test]
    fn a_word_that_only_training_bears_out_is_suspected_once_the_model_believes_it() {
        let counts = WordCounts::new(set(true), set(false), 2);
        assert_eq!(counts.candidates(&answers(0.0)), vec![]);
        let found = counts.candidates(&answers(0.8));
        assert_eq!(found.len(), 1, "not the word that keeps company with it: {found:?}");
        let candidate = &found[0];
        assert_eq!((candidate.word.as_str(), candidate.class, candidate.texts.len()), ("planted", 1, 50));
        assert!(
            candidate.in_training == 1.0 && candidate.in_validation == 0.5 && candidate.excess > 0.3,
            "{candidate:?}"
        );
    }

    #[test]
    fn where_the_sets_agree_a_wrong_belief_is_no_shortcut() {
        let counts = WordCounts::new(set(false), set(false), 2);
        assert_eq!(counts.candidates(&answers(0.8)), vec![]);
    }

    // scipy 1.17.1: norm.isf(0.01 / 900) is 4.2413, norm.isf(0.01 / 10) is 3.0902.
    #[test]
    fn many_words_take_much_to_be_believed() {
        assert!(
            (limit(900) - 4.2413).abs() < 0.03 && (limit(10) - 3.0902).abs() < 0.04,
            "{} {}",
            limit(900),
            limit(10)
        );
        assert!(limit(0) >= 2.0 && limit(usize::MAX) < 12.0);
    }

    #[test]
    fn nothing_to_count_and_answers_of_another_set() {
        let counts = WordCounts::new([], [], 3);
        assert_eq!(counts.candidates(&[]), vec![]);
        let counts = WordCounts::new(set(true), set(false), 2);
        assert_eq!((counts.candidates(&[]), counts.candidates(&vec![vec![]; 200])), (vec![], vec![]));
        assert_eq!(plain("(Ashdown's)."), "ashdown's");
    }
}
