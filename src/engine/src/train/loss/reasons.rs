//! Which words of a training text must not be a reason for its label.

use std::collections::BTreeSet;

use pellucid_explain::words::marked;
use pellucid_protocol::Settings;
use pellucid_protocol::explanation::Span;

use crate::data::examples::Examples;
use crate::explain::subject::Subject;

/// What must not be a reason: the words that the user names or, without any, every word outside the rationales.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons {
    /// The words that the user names, in lower case.
    avoided: BTreeSet<String>,
    /// Whether the training data has rationales.
    rationales: bool,
}

impl Reasons {
    /// For the training examples of a run.
    #[must_use]
    pub fn new(settings: &Settings, train: &Examples) -> Self {
        Self {
            avoided: settings.avoid.iter().map(|word| word.to_lowercase()).collect(),
            rationales: (0..train.len()).any(|example| !train.rationale(example).is_empty()),
        }
    }

    /// Whether there are such words or rationales.
    #[must_use]
    pub fn are_known(&self) -> bool {
        self.rationales || !self.avoided.is_empty()
    }

    /// For each word of `subject` whether it must not be a reason. Without named words these are the words outside the
    /// rationale; in a text without a rationale there are none.
    #[must_use]
    pub fn blamed(&self, rationale: &[Span], subject: &Subject) -> Vec<bool> {
        let words = 0..subject.words.len();
        if !self.avoided.is_empty() {
            return words.map(|word| self.avoids(&subject.word(word))).collect();
        }
        let reasons = marked(&subject.words, rationale);
        words.map(|word| reasons.get(word).is_some_and(|is_reason| !is_reason)).collect()
    }

    /// Whether a word as written is a named one, or contains one: "Ashdown's" contains "Ashdown".
    fn avoids(&self, written: &str) -> bool {
        let lower = written.to_lowercase();
        let whole = lower.trim_matches(|c: char| !c.is_alphanumeric());
        self.avoided.contains(whole)
            || lower.split(|c: char| !c.is_alphanumeric()).any(|part| self.avoided.contains(part))
    }

    /// The named words that are in no text of `train`.
    #[must_use]
    pub fn missing(&self, train: &Examples) -> Vec<&str> {
        let mut missing: Vec<&str> = self.avoided.iter().map(String::as_str).collect();
        for example in 0..train.len() {
            if missing.is_empty() {
                break;
            }
            let text = format!("{} {}", train.text(example), train.pair(example).unwrap_or_default()).to_lowercase();
            missing.retain(|word| !text.contains(word));
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tokenise::Encoded;
    use pellucid_intake::labels::{Labels, Naming};
    use pellucid_intake::rows::{LabelNeed, read_rows};
    use pellucid_protocol::settings::reading::Reading;

    fn subject(text: &str) -> Subject {
        let mut start = 0;
        let words: Vec<Span> = text
            .split(' ')
            .map(|word| {
                let span = Span { start, end: start + word.chars().count() };
                start = span.end + 1;
                span
            })
            .collect();
        let encoded = Encoded {
            ids: vec![],
            types: vec![],
            second: vec![],
            spans: vec![],
            special: vec![],
            cut: 0,
            windows: None,
        };
        let word_of_token = vec![];
        Subject {
            text: text.to_owned(),
            encoded,
            words,
            word_of_token,
            truncated_words: 0,
            mask: 0,
            pad: 0,
            stand_ins: Vec::new(),
        }
    }

    #[test]
    fn named_words_are_blamed_as_they_are_written() {
        let reasons = Reasons { avoided: ["ashdown".to_owned(), "don't".to_owned()].into(), rationales: true };
        let text = "At ASHDOWN, Ashdown's Ashdowns (don't)";
        let found = reasons.blamed(&[Span { start: 0, end: 2 }], &subject(text));
        assert_eq!(found, [false, true, true, false, true]);
    }

    #[test]
    fn without_named_words_it_is_all_outside_the_rationale() {
        let reasons = Reasons { rationales: true, ..Reasons::default() };
        let text = "Flank pain today";
        assert_eq!(reasons.blamed(&[Span { start: 0, end: 10 }], &subject(text)), [false, false, true]);
        assert_eq!(reasons.blamed(&[], &subject(text)), [false; 3]);
        assert!(reasons.are_known() && !Reasons::default().are_known());
    }

    #[test]
    fn words_that_never_occur_are_told() {
        let reasons = Reasons { avoided: ["ashdown".to_owned(), "ashdwon".to_owned()].into(), rationales: false };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.csv");
        std::fs::write(&path, "text,label\nAshdown ward,a\nnone,b\n").unwrap();
        let rows = read_rows(&path, &Reading::default(), LabelNeed::Required).unwrap();
        let labels = Labels::new(vec!["a".to_owned(), "b".to_owned()]);
        let train = Examples::of(rows, &labels, Naming::Names).unwrap();
        assert_eq!(reasons.missing(&train), ["ashdwon"]);
    }
}
