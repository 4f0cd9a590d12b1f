//! Candidates for shortcuts: words whose share of importance is watched over time, and the answers without them.

mod view;

use pellucid_protocol::explanation::Span;
use pellucid_protocol::{Sample, Watched, WatchedWord};
use ratatui::layout::Rect;

pub(super) use self::view::ShortcutsView;
use crate::input::keymap::Action;
use crate::run::Run;
use crate::text;
use crate::widgets::area::{below, inset};
use crate::widgets::inner;

/// A word and what each evaluation found out about it.
#[derive(Debug, Clone)]
struct Candidate {
    /// `None` for an evaluation that did not watch the word.
    seen: Vec<Option<WatchedWord>>,
}

impl Candidate {
    fn last(&self) -> Option<&WatchedWord> {
        self.seen.iter().rev().find_map(Option::as_ref)
    }

    /// The share of importance at each evaluation; NaN where it is not known.
    fn importance(&self) -> Vec<f64> {
        self.seen.iter().map(|seen| seen.as_ref().map_or(f64::NAN, |seen| seen.importance)).collect()
    }
}

/// A sample that is to be explained with a word masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masking {
    /// The sample.
    pub sample: usize,
    /// The word, as it is compared: see [`pellucid_protocol::word_importance::plain`].
    pub word: String,
}

/// The view.
#[derive(Debug, Clone, Default)]
pub(super) struct Shortcuts {
    /// Steps of the evaluations, and the accuracy at each.
    evals: Vec<(u64, f64)>,
    words: Vec<Candidate>,
    cursor: usize,
    /// Whether the answers without the marked word are shown.
    masked: bool,
}

impl Shortcuts {
    /// Takes an evaluation in; one that was seen before, and all after it, are replaced.
    pub(super) fn take(&mut self, watched: &Watched) {
        let kept = self.evals.iter().take_while(|(step, _)| *step < watched.step).count();
        self.evals.truncate(kept);
        self.words.iter_mut().for_each(|candidate| candidate.seen.truncate(kept));
        for found in &watched.words {
            let is_it = |candidate: &Candidate| {
                candidate.last().is_some_and(|known| known.word == found.word && known.class == found.class)
            };
            if !self.words.iter().any(is_it) {
                self.words.push(Candidate { seen: vec![None; kept] });
                // The next evaluation finds it by the name that this one gives.
                if let Some(new) = self.words.last_mut() {
                    new.seen.push(Some(found.clone()));
                }
            } else if let Some(known) = self.words.iter_mut().find(|candidate| is_it(candidate)) {
                known.seen.push(Some(found.clone()));
            }
        }
        self.words.iter_mut().for_each(|candidate| candidate.seen.resize(kept + 1, None));
        self.words.retain(|candidate| candidate.last().is_some());
        self.evals.push((watched.step, watched.accuracy));
        self.cursor = self.cursor.min(self.words.len().saturating_sub(1));
    }

    /// Does what a key asks for.
    pub(super) fn act(&mut self, action: Action) {
        let before = self.cursor;
        match action {
            Action::Up => self.cursor = self.cursor.saturating_sub(1),
            Action::Down => self.cursor = (self.cursor + 1).min(self.words.len().saturating_sub(1)),
            Action::Mask => self.masked = !self.masked && !self.words.is_empty(),
            _ => {}
        }
        self.masked &= self.cursor == before;
    }

    /// Takes a click at row `y` of a screen at `body`. On a line of the list its word is masked, or put back; on an
    /// example the answer is what to explain.
    pub(super) fn click(&mut self, y: u16, body: Rect, run: &Run, samples: &[Sample]) -> Option<Masking> {
        let line = y.checked_sub(inner(body).y + 1).map(usize::from).filter(|line| *line < self.words.len());
        if let Some(line) = line {
            (self.masked, self.cursor) = (line != self.cursor || !self.masked, line);
            return None;
        }
        let known = self.words.get(self.cursor)?.last()?;
        let inside = room(self.parts(body).1);
        let used: u16 = self.facts(run, known).lines.iter().map(|words| rows(words, inside)).sum();
        let line = usize::from(y.checked_sub(inside.y + used + 1).filter(|_| y < inside.bottom())?);
        let sample = known.examples.iter().copied().filter(|&index| index < samples.len()).nth(line)?;
        Some(Masking { sample, word: known.word.clone() })
    }

    /// The first example of the marked word, to be explained with the word masked.
    pub(super) fn masking(&self, samples: &[Sample]) -> Option<Masking> {
        let known = self.words.get(self.cursor)?.last()?;
        let sample = known.examples.iter().copied().find(|&index| index < samples.len())?;
        Some(Masking { sample, word: known.word.clone() })
    }

    /// The marked word and the samples that have it.
    pub(super) fn examples(&self) -> Option<(String, Vec<usize>)> {
        let known = self.words.get(self.cursor)?.last()?;
        Some((known.word.clone(), known.examples.clone()))
    }

    /// The places of the list, and of what is known about the marked word.
    fn parts(&self, area: Rect) -> (Rect, Rect) {
        let wanted = (self.words.len() as u16 + 3).min(area.height / 2).max(4);
        let height = if self.words.is_empty() { area.height } else { wanted.min(area.height) };
        (Rect { height, ..area }, below(area, height))
    }

    /// What is known about the marked word, or about the answers without it.
    fn facts(&self, run: &Run, known: &WatchedWord) -> Facts {
        if self.masked { self.without(run, known) } else { with(run, known) }
    }

    /// The answers without the word, as the last evaluation found them.
    fn without(&self, run: &Run, known: &WatchedWord) -> Facts {
        let accuracy = self.evals.last().map_or(f64::NAN, |(_, accuracy)| *accuracy);
        let class = run.label(known.class);
        let change = format!(
            "accuracy on the validation set {} → {} ({:+.1} points)",
            text::number(accuracy),
            text::number(known.masked_accuracy),
            100.0 * (known.masked_accuracy - accuracy)
        );
        let probability = format!(
            "mean probability of {class} in its {} {} → {}; {} of them are {class}",
            text::plural(known.texts, "text"),
            text::number(known.probability),
            text::number(known.masked_probability),
            text::percent(known.in_validation),
        );
        let hint = "Space puts it back; e masks it in one text. A model that was not trained on masked texts may answer them oddly: see masking.";
        let title = format!("what if `{}` were masked everywhere", known.word);
        Facts { title, lines: vec![change, probability, hint.to_owned()] }
    }

    fn nothing(&self, run: &Run) -> &'static str {
        match (self.evals.is_empty(), run.evals.is_empty()) {
            (true, true) => "words are watched from the first evaluation on",
            _ => {
                "no word goes with a class in training more often than in validation. A shortcut that holds in both sets \
                 cannot be seen here"
            }
        }
    }
}

/// A title and lines about a word.
struct Facts {
    title: String,
    lines: Vec<String>,
}

/// The inside of a box at `area`, with a margin.
fn room(area: Rect) -> Rect {
    inset(inner(area))
}

/// Rows that a paragraph takes.
fn rows(words: &str, area: Rect) -> u16 {
    text::wrap(words, usize::from(area.width.max(1))).len() as u16
}

fn with(run: &Run, known: &WatchedWord) -> Facts {
    let class = run.label(known.class);
    let named = known.named.map_or_else(
        || "the data offers it, the model does not use it: masking it changes little".to_owned(),
        |step| format!("named by the alarm at step {step}"),
    );
    let lines = vec![
        format!("{} of the importance in texts that have it; {named}", text::percent(known.importance)),
        format!(
            "{} of the training texts with it are {class}, of the validation texts {}; mean probability of {class} there {}",
            text::percent(known.in_training),
            text::percent(known.in_validation),
            text::number(known.probability)
        ),
        "share of importance: its part of the sum of |gradient x input| over the words of a text, mean over the texts below"
            .to_owned(),
    ];
    Facts { title: format!("`{}`", known.word), lines }
}

/// Where `word` stands in `text` as a word of its own, in bytes.
fn found(text: &str, word: &str) -> Option<Span> {
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, c.is_alphanumeric()) {
            (None, true) => start = Some(at),
            (Some(from), false) if text[from..at].to_lowercase() == word => return Some(Span { start: from, end: at }),
            (Some(_), false) => start = None,
            _ => {}
        }
    }
    None
}

/// At most `count` values, the last of each stretch.
fn thinned(values: &[f64], count: usize) -> Vec<f64> {
    let stretch = values.len().div_ceil(count.max(1)).max(1);
    values.rchunks(stretch).rev().filter_map(|part| part.last().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_word_keeps_its_past_and_gaps_stay_gaps() {
        let mut suspects = Shortcuts::default();
        for (step, words) in [(0, vec![]), (100, vec!["ward"]), (200, vec!["ward", "clinic"]), (300, vec!["clinic"])] {
            let words = words.into_iter().map(|word| fixture::watched_word(word, step)).collect();
            suspects.take(&Watched { step, accuracy: 0.9, words });
        }
        let known: Vec<Vec<bool>> =
            suspects.words.iter().map(|word| word.seen.iter().map(Option::is_some).collect()).collect();
        assert_eq!(known, [[false, true, true, false], [false, false, true, true]]);
        assert!(suspects.words[0].importance()[3].is_nan());
        // A run that is taken up again from step 200 does that evaluation anew.
        suspects.take(&Watched { step: 200, accuracy: 0.8, words: vec![fixture::watched_word("ward", 200)] });
        assert_eq!((suspects.words.len(), suspects.evals.len()), (1, 3));
        suspects.take(&Watched { step: 0, accuracy: 0.8, words: vec![] });
        assert_eq!((suspects.words.len(), suspects.evals.len()), (0, 1));
    }

    #[test]
    fn a_word_is_found_as_a_word_of_its_own() {
        let at = |text, word| found(text, word).map(|span| (span.start, span.end));
        assert_eq!(at("Wards of (Ward, the other", "ward"), Some((10, 14)));
        assert_eq!((at("wards", "ward"), at("", "ward"), at("ward", "ward")), (None, None, Some((0, 4))));
    }

    #[test]
    fn a_long_course_keeps_its_end() {
        assert_eq!(thinned(&[1.0, 2.0, 3.0, 4.0, 5.0], 2), [2.0, 5.0]);
        assert_eq!((thinned(&[], 5), thinned(&[1.0], 5)), (vec![], vec![1.0]));
    }
}
