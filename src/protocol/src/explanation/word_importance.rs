//! What a method says about each word over many explained texts.

use std::collections::BTreeMap;

use crate::explanation::method::Method;
use crate::explanation::{Attribution, Explanation, Privacy};

/// Which words count as the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Case {
    /// `The` and `the` are the same.
    #[default]
    Folded,
    /// `The` and `the` are two words.
    Kept,
}

/// Which scores to collect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The method.
    pub method: Method,
    /// The class: texts in which another one was explained do not count.
    pub class: usize,
    /// Which words count as the same.
    pub case: Case,
    /// Words that occur in fewer texts are left out: a mean of one or two says little.
    pub least: usize,
}

/// A word over all texts in which it occurs. A text counts once, with the mean score if the word occurs twice,
/// because the words of one text are not independent.
#[derive(Debug, Clone, PartialEq)]
pub struct WordImportance {
    /// The word, without the punctuation around it.
    pub word: String,
    /// Mean of the scores over texts, in the unit of the method; positive speaks for the class.
    pub mean: f64,
    /// Standard deviation over texts (n - 1); `None` for a single text.
    pub deviation: Option<f64>,
    /// Standard error of the mean, deviation / sqrt(texts); `None` for a single text.
    pub error: Option<f64>,
    /// The index of each text with the word, and the word's score in it: the strongest first.
    pub texts: Vec<(usize, f64)>,
    /// How often it occurs in all.
    pub occurrences: usize,
}

/// The words of all explanations, and what they were counted from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vocabulary {
    /// The words, by the size of their mean, the largest first; equal ones in alphabetical order.
    pub words: Vec<WordImportance>,
    /// Explanations that were counted.
    pub counted: usize,
    /// Explanations whose map has failed a gate: left out.
    pub failed: usize,
    /// Words that were left out because too few texts have them.
    pub rare: usize,
}

/// Collects the words of `explanations`. Maps that failed a gate, scores that are not finite and texts that were
/// changed by hand or are not there do not count.
#[must_use]
pub fn word_importance<'a>(explanations: impl IntoIterator<Item = &'a Explanation>, question: &Question) -> Vocabulary {
    let mut found = Vocabulary::default();
    let mut texts: BTreeMap<String, Vec<(usize, f64, usize)>> = BTreeMap::new();
    for (place, explanation) in explanations.into_iter().enumerate() {
        let made = explanation.by(question.method);
        let is_there = !matches!(explanation.privacy, Privacy::Masked(_));
        let fits = explanation.target == question.class && explanation.edits.is_empty() && is_there;
        let Some(made) = made.filter(|made| fits && made.is_checked()) else { continue };
        if made.fails() {
            found.failed += 1;
            continue;
        }
        found.counted += 1;
        for (word, (sum, times)) in of_text(explanation, made, question.case) {
            texts.entry(word).or_default().push((place, sum / times as f64, times));
        }
    }
    let total = texts.len();
    found.words = texts.into_iter().filter(|(_, texts)| texts.len() >= question.least.max(1)).map(summary).collect();
    found.rare = total - found.words.len();
    found.words.sort_by(|a, b| b.mean.abs().total_cmp(&a.mean.abs()).then_with(|| a.word.cmp(&b.word)));
    found
}

/// Sum of the scores and number of each word of one text.
fn of_text(explanation: &Explanation, made: &Attribution, case: Case) -> BTreeMap<String, (f64, usize)> {
    let mut words: BTreeMap<String, (f64, usize)> = BTreeMap::new();
    for (at, score) in made.scores.iter().enumerate().filter(|(_, score)| score.is_finite()) {
        if at < explanation.words.len() {
            let entry = words.entry(plain(&explanation.word(at), case)).or_default();
            *entry = (entry.0 + score, entry.1 + 1);
        }
    }
    words
}

/// A word without the punctuation around it; unchanged if it is nothing but punctuation.
#[must_use]
pub fn plain(word: &str, case: Case) -> String {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    let bare = if bare.is_empty() { word } else { bare };
    match case {
        Case::Folded => bare.to_lowercase(),
        Case::Kept => bare.to_owned(),
    }
}

fn summary((word, texts): (String, Vec<(usize, f64, usize)>)) -> WordImportance {
    let count = texts.len() as f64;
    let mean = texts.iter().map(|(_, score, _)| score).sum::<f64>() / count;
    let squares = texts.iter().map(|(_, score, _)| (score - mean).powi(2)).sum::<f64>();
    let deviation = (texts.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
    let occurrences = texts.iter().map(|(_, _, times)| times).sum();
    let mut texts: Vec<(usize, f64)> = texts.into_iter().map(|(place, score, _)| (place, score)).collect();
    texts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    WordImportance { word, mean, deviation, error: deviation.map(|spread| spread / count.sqrt()), texts, occurrences }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::explanation::Span;
    use crate::explanation::check::Check;

    const GOOD: Check = Check::Completeness { gap: 0.0, steps: 8 };

    fn explained(text: &str, scores: &[f64], check: Check) -> Explanation {
        let line = r#"{"request":1,"step":9,"sample":null,"text":"","words":[],"probabilities":[0.4,0.6],
            "teacher_probabilities":null,"target":1,"label":null,"rationale":[],"truncated_words":0,
            "attributions":[{"method":"ig","scalar":"logit","scores":[],"checks":[],"surrogate":null,
            "evaluations":1,"seed":null,"ms":1.0}],"partial":false}"#;
        let mut made: Explanation = serde_json::from_str(line).unwrap();
        let mut start = 0;
        for word in text.split(' ') {
            made.words.push(Span { start, end: start + word.chars().count() });
            start += word.chars().count() + 1;
        }
        made.text = text.to_owned();
        (made.attributions[0].scores, made.attributions[0].checks) = (scores.to_vec(), vec![check]);
        made
    }

    fn question(least: usize) -> Question {
        Question { method: Method::IntegratedGradients, class: 1, case: Case::Folded, least }
    }

    #[test]
    fn a_text_counts_once_whatever_comes_twice_in_it() {
        let texts = [explained("Pain, no pain!", &[1.0, -0.5, 3.0], GOOD), explained("pain é", &[4.0, 0.1], GOOD)];
        let found = word_importance(&texts, &question(1));
        let pain = &found.words[0];
        assert_eq!((pain.word.as_str(), pain.mean, pain.occurrences), ("pain", 3.0, 3));
        assert_eq!(pain.texts, [(1, 4.0), (0, 2.0)]);
        // Of 2 and 4: deviation sqrt 2, error 1.
        assert!((pain.deviation.unwrap() - 2f64.sqrt()).abs() < 1e-12 && (pain.error.unwrap() - 1.0).abs() < 1e-12);
        let names: Vec<_> = found.words.iter().map(|word| word.word.as_str()).collect();
        assert_eq!(names, ["pain", "no", "é"]);
        assert_eq!((found.words[1].deviation, found.words[1].error), (None, None), "one text has no spread");
    }

    #[test]
    fn what_is_not_to_be_trusted_does_not_count() {
        let bad = Check::Completeness { gap: 0.5, steps: 8 };
        let texts = [
            explained("a b", &[1.0, f64::NAN], GOOD),
            explained("a b", &[9.0, 9.0], bad),
            explained("a b", &[5.0, 5.0], Check::LeaveOneOut { tau: 1.0 }),
        ];
        let found = word_importance(&texts, &question(1));
        assert_eq!((found.counted, found.failed, found.words.len()), (1, 1, 1));
        assert_eq!((found.words[0].mean, found.words[0].word.as_str()), (1.0, "a"));
        let other = Question { class: 0, ..question(1) };
        assert_eq!(word_importance(&texts, &other), Vocabulary::default());
        let other = Question { method: Method::Lime, ..question(1) };
        assert_eq!(word_importance(&texts, &other), Vocabulary::default());
    }

    #[test]
    fn rare_words_and_case() {
        let texts = [explained("The a", &[1.0, 1.0], GOOD), explained("the", &[3.0], GOOD)];
        let found = word_importance(&texts, &question(2));
        assert_eq!((found.words.len(), found.rare, found.words[0].mean), (1, 1, 2.0));
        let kept = word_importance(&texts, &Question { case: Case::Kept, ..question(1) });
        assert_eq!(kept.words.len(), 3);
        assert_eq!(
            [plain("(GPU).", Case::Kept), plain("--", Case::Folded), plain("don't", Case::Folded)],
            ["GPU", "--", "don't"]
        );
    }

    proptest! {
        #[test]
        fn every_score_is_in_one_mean(rows in prop::collection::vec(prop::collection::vec(-3..4_i32, 3), 1..8)) {
            let scores = |row: &[i32]| row.iter().map(|score| f64::from(*score)).collect::<Vec<_>>();
            let texts: Vec<_> = rows.iter().map(|row| explained("a b c", &scores(row), GOOD)).collect();
            let found = word_importance(&texts, &question(1));
            let sum: f64 = found.words.iter().map(|word| word.mean * word.texts.len() as f64).sum();
            let whole: f64 = rows.iter().flatten().map(|score| f64::from(*score)).sum();
            prop_assert!((sum - whole).abs() < 1e-9);
            prop_assert!(found.words.windows(2).all(|pair| pair[0].mean.abs() >= pair[1].mean.abs()));
        }
    }
}
