//! Changed words of the text on the screen, and the model's answer to them.

use pellucid_protocol::Weights;
use pellucid_protocol::edit::{Edited, edit};
use pellucid_protocol::explanation::Span;
use pellucid_protocol::{Attribution, Change, Explanation, Method, WhatIf, WhatIfAnswer, WordEdit};

use super::subject;
use crate::widgets::heat_text::Changed;

/// The marked word and the changes. They are of one text and go with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    of: Option<(Option<usize>, String)>,
    /// The marked word.
    pub cursor: Option<usize>,
    edits: Vec<WordEdit>,
    answer: Option<WhatIfAnswer>,
    map: Option<Explanation>,
    wait: Wait,
}

/// Whether the explanation of the changed text is under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Wait {
    #[default]
    Nothing,
    Asked,
}

/// A text as it is shown: with the words that were retyped, and all others where they were.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// The text.
    pub text: String,
    /// Its words, one for each word of the text as it was.
    pub words: Vec<Span>,
    /// What was done to each.
    pub changed: Vec<Changed>,
    edited: Edited,
}

impl Draft {
    /// Belongs to `current` from now on. If that is another text, no word is changed or marked.
    pub(super) fn settle(&mut self, current: Option<&Explanation>) {
        let of = current.map(|current| (current.sample, current.text.clone()));
        if self.of != of {
            *self = Self { of, ..Self::default() };
        }
    }

    /// Whether a word is changed.
    pub(super) fn is_changed(&self) -> bool {
        !self.edits.is_empty()
    }

    /// How many words are changed.
    pub(super) fn changes(&self) -> usize {
        self.edits.len()
    }

    /// Whether an answer or a map of the changed text is still to come.
    pub(super) fn is_busy(&self) -> bool {
        let partial = self.map.as_ref().is_some_and(|map| map.partial);
        self.is_changed() && (self.answer().is_none() || self.wait == Wait::Asked || partial)
    }

    /// Marks the word `by` words further, of `count`; at first the one at `start`.
    pub(super) fn go(&mut self, by: isize, count: usize, start: usize) {
        let last = count.checked_sub(1);
        self.cursor = last.map(|last| self.cursor.map_or(start, |at| at.saturating_add_signed(by)).min(last));
    }

    /// What is done to a word.
    pub(super) fn change(&self, word: usize) -> Option<&Change> {
        self.edits.iter().find(|edit| edit.word == word).map(|edit| &edit.change)
    }

    /// Makes this change to the marked word, or takes it back if it is made already.
    pub(super) fn turn(&mut self, change: Change) {
        let Some(word) = self.cursor else { return };
        let known = self.change(word) == Some(&change);
        self.restore();
        if !known {
            self.edits.push(WordEdit { word, change });
            self.edits.sort_by_key(|edit| edit.word);
        }
    }

    /// Masks these words and no others; the first of them is marked.
    pub(super) fn mask(&mut self, words: &[usize]) {
        self.cursor = words.first().copied().or(self.cursor);
        self.edits = words.iter().map(|&word| WordEdit { word, change: Change::Mask }).collect();
        self.forget();
    }

    /// The marked word as it was.
    pub(super) fn restore(&mut self) {
        let cursor = self.cursor;
        self.edits.retain(|edit| Some(edit.word) != cursor);
        self.forget();
    }

    /// All words as they were.
    pub(super) fn undo(&mut self) {
        self.edits.clear();
        self.forget();
    }

    /// Drops what belongs to earlier changes. The probabilities stay until new ones come.
    fn forget(&mut self) {
        (self.map, self.wait) = (None, Wait::Nothing);
        if self.edits.is_empty() {
            self.answer = None;
        }
    }

    /// What is to be asked; nothing where no word is changed.
    pub(super) fn question(&self, current: &Explanation) -> Option<WhatIf> {
        self.is_changed().then(|| WhatIf {
            subject: subject(current),
            edits: self.edits.clone(),
            weights: Weights::OfStep(current.step),
        })
    }

    /// Takes an answer in; whether it is to the question of now.
    pub(super) fn take_answer(&mut self, answer: &WhatIfAnswer, current: &Explanation) -> bool {
        let fits = self.question(current).as_ref() == Some(&answer.question);
        if fits {
            self.answer = Some(answer.clone());
        }
        fits
    }

    /// Takes the explanation of a changed text in, if it is this one.
    pub(super) fn take_map(&mut self, explanation: &Explanation, current: &Explanation) {
        let fits = explanation.edits == self.edits
            && explanation.target == current.target
            && explanation.sample == current.sample
            && explanation.text == edit(&current.text, &current.words, &self.edits).text;
        if fits {
            self.map = Some(explanation.clone());
            self.wait = Wait::Nothing;
        }
    }

    /// The map is asked for, of the class `target`.
    pub(super) fn asked(&mut self) {
        (self.map, self.wait) = (None, Wait::Asked);
    }

    /// It will not come.
    pub(super) fn refused(&mut self) {
        self.wait = Wait::Nothing;
    }

    /// Whether the map of the changed text is still to be asked for.
    pub(super) fn lacks_map(&self, target: usize) -> bool {
        let known = self.map.as_ref().is_some_and(|map| map.target == target);
        self.answer().is_some() && !known && self.wait == Wait::Nothing
    }

    /// What was said last, whatever was changed since.
    pub(super) fn last_answer(&self) -> Option<&WhatIfAnswer> {
        self.answer.as_ref().filter(|_| self.is_changed())
    }

    /// What is said of the changes of now.
    pub(super) fn answer(&self) -> Option<&WhatIfAnswer> {
        self.last_answer().filter(|answer| answer.question.edits == self.edits)
    }

    /// The explanation of the changed text, as far as it has come.
    pub(super) fn map(&self) -> Option<&Explanation> {
        self.map.as_ref()
    }

    /// The marked word in the explanation that is looked at: that of `current`, or of the changed text. `None`
    /// for one that was left out there.
    pub(super) fn cursor_in(&self, current: &Explanation) -> Option<usize> {
        let word = self.cursor?;
        let Some(map) = &self.map else { return Some(word) };
        let place = edit(&current.text, &current.words, &self.edits).places.get(word).copied().flatten()?;
        map.words.iter().position(|span| span.overlaps(place))
    }

    /// The words that are changed.
    pub(super) fn edits(&self) -> &[WordEdit] {
        &self.edits
    }

    /// The text as it is shown.
    pub(super) fn shown(&self, current: &Explanation) -> Shown {
        let retyped: Vec<WordEdit> = self.edits.iter().filter_map(retyping).collect();
        let written = edit(&current.text, &current.words, &retyped);
        let words = written.places.iter().map(|place| place.unwrap_or(Span { start: 0, end: 0 })).collect();
        let mut changed = vec![Changed::Not; current.words.len()];
        for edit in &self.edits {
            if let Some(known) = changed.get_mut(edit.word) {
                *known = kind(&edit.change);
            }
        }
        let edited = edit(&current.text, &current.words, &self.edits);
        Shown { text: written.text, words, changed, edited }
    }
}

/// What is written into the text that is shown: nothing but what stands in another word's place.
fn retyping(edit: &WordEdit) -> Option<WordEdit> {
    (kind(&edit.change) == Changed::Retyped).then(|| edit.clone())
}

fn kind(change: &Change) -> Changed {
    match change {
        Change::Mask => Changed::Masked,
        Change::Delete => Changed::Deleted,
        Change::Retype(new) if new.trim().is_empty() => Changed::Deleted,
        Change::Retype(_) => Changed::Retyped,
    }
}

impl Shown {
    /// A score for each word as it is shown: those of `scores`, which are of the words of `map`, the
    /// explanation of the changed text or of the text as it was.
    pub(super) fn scores(&self, map: &Explanation, scores: &Attribution) -> Vec<f64> {
        if map.edits.is_empty() {
            return scores.scores.clone();
        }
        let gathered = self.edited.gather(&map.words, &scores.scores);
        let here = |(word, score): (usize, Option<f64>)| score.filter(|_| self.gone(word).is_none()).unwrap_or(0.0);
        gathered.into_iter().enumerate().map(here).collect()
    }

    /// How a word went that is no longer in the text; it has no score then.
    pub(super) fn gone(&self, word: usize) -> Option<&'static str> {
        match self.changed.get(word)? {
            Changed::Masked => Some("masked"),
            Changed::Deleted => Some("left out"),
            Changed::Not | Changed::Retyped => None,
        }
    }
}

/// Methods for a changed text: the one that is looked at first.
pub(super) fn methods(looked_at: Method) -> Vec<Method> {
    let others = Method::USUAL.into_iter().filter(|method| *method != looked_at);
    std::iter::once(looked_at).chain(others).collect()
}
