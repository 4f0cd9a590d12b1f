//! A text with some of its words masked, deleted or retyped, and where its words are afterwards.

use serde::{Deserialize, Serialize};

use super::span::Span;

/// What is done to a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// All its pieces become the mask token; the text keeps its length.
    Mask,
    /// It is removed, with the blank beside it.
    Delete,
    /// This replaces it; nothing but blanks is the same as [`Change::Delete`].
    Retype(String),
}

/// One changed word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordEdit {
    /// The word, counted from 0 among those that the model sees.
    pub word: usize,
    /// What is done to it.
    pub change: Change,
}

/// A text after its words were changed. Masked words are still in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The text.
    pub text: String,
    /// Where each word of the original text is now, in characters; `None` for a deleted one.
    pub places: Vec<Option<Span>>,
    /// Where each character of the original text is now, and the end of the text.
    at: Vec<usize>,
}

/// Changes `words`, spans of characters of `text`. Edits of missing words change nothing; of two edits of one word the
/// later one counts.
#[must_use]
pub fn edit(text: &str, words: &[Span], edits: &[WordEdit]) -> Edited {
    let mut draft = Draft::new(text);
    let mut changes: Vec<Option<&Change>> = vec![None; words.len()];
    for edit in edits {
        if let Some(change) = changes.get_mut(edit.word) {
            *change = Some(&edit.change);
        }
    }
    for (span, change) in words.iter().zip(&changes) {
        match change {
            Some(Change::Delete) => draft.delete(*span),
            Some(Change::Retype(new)) if new.trim().is_empty() => draft.delete(*span),
            Some(Change::Retype(new)) => draft.replace(*span, new.trim()),
            Some(Change::Mask) | None => {}
        }
    }
    let (text, at) = draft.finish();
    let place = |span: &Span| Span { start: at[span.start.min(at.len() - 1)], end: at[span.end.min(at.len() - 1)] };
    let places = words.iter().map(place).map(|place| (place.start < place.end).then_some(place)).collect();
    Edited { text, places, at }
}

impl Edited {
    /// Where character `before` of the original text is now; the end of the text for one beyond it.
    #[must_use]
    pub fn position(&self, before: usize) -> usize {
        self.at[before.min(self.at.len() - 1)]
    }

    /// The scores of the changed text's words as scores of the original words: an original word has the sum of those
    /// that replaced it. `None` for a word that was deleted or has no score.
    #[must_use]
    pub fn gather(&self, words: &[Span], scores: &[f64]) -> Vec<Option<f64>> {
        let inside = |place: &Span| {
            let own = words.iter().zip(scores).filter(|(word, _)| word.overlaps(*place)).map(|(_, score)| *score);
            own.fold(None, |sum: Option<f64>, score| Some(sum.unwrap_or(0.0) + score))
        };
        self.places.iter().map(|place| place.as_ref().and_then(inside)).collect()
    }
}

/// A text while it is changed, character by character.
struct Draft {
    characters: Vec<char>,
    removed: Vec<bool>,
    put: Vec<(usize, String)>,
}

impl Draft {
    fn new(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        Self { removed: vec![false; characters.len()], characters, put: Vec::new() }
    }

    fn remove(&mut self, span: Span) {
        let length = self.removed.len();
        self.removed[span.start.min(length)..span.end.min(length)].fill(true);
    }

    fn replace(&mut self, span: Span, new: &str) {
        self.remove(span);
        self.put.push((span.start, new.to_owned()));
    }

    /// Also removes the blanks after it, or at the end of a line those before it. A line break stays: it may separate
    /// the two texts of a pair.
    fn delete(&mut self, span: Span) {
        self.remove(span);
        let is_blank = |at: &usize| self.characters[*at].is_whitespace() && self.characters[*at] != '\n';
        let after: Vec<usize> = (span.end..self.characters.len()).take_while(is_blank).collect();
        let next = self.characters.get(span.end + after.len());
        let blanks = if !after.is_empty() && next.is_some_and(|next| *next != '\n') {
            after
        } else {
            let back = (0..span.start.min(self.characters.len())).rev();
            back.take_while(|at| self.removed[*at] || is_blank(at)).collect()
        };
        blanks.into_iter().for_each(|at| self.removed[at] = true);
    }

    fn finish(self) -> (String, Vec<usize>) {
        let (mut text, mut length, mut at) = (String::new(), 0, Vec::with_capacity(self.characters.len() + 1));
        for (index, c) in self.characters.iter().enumerate() {
            at.push(length);
            for (_, new) in self.put.iter().filter(|(place, _)| *place == index) {
                text.push_str(new);
                length += new.chars().count();
            }
            if !self.removed[index] {
                text.push(*c);
                length += 1;
            }
        }
        at.push(length);
        (text, at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<Span> {
        let characters: Vec<char> = text.chars().collect();
        let mut start = 0;
        let runs = characters.chunk_by(|a, b| a.is_whitespace() == b.is_whitespace());
        let spans = runs.filter_map(|run| {
            let span = Span { start, end: start + run.len() };
            start = span.end;
            (!run[0].is_whitespace()).then_some(span)
        });
        spans.collect()
    }

    fn edited(text: &str, edits: &[(usize, Change)]) -> Edited {
        let edits: Vec<_> =
            edits.iter().map(|(word, change)| WordEdit { word: *word, change: change.clone() }).collect();
        edit(text, &words(text), &edits)
    }

    fn retype(new: &str) -> Change {
        Change::Retype(new.to_owned())
    }

    #[test]
    fn words_are_left_out_with_one_blank() {
        for (gone, left) in [(&[0][..], "b c"), (&[1], "a c"), (&[2], "a b"), (&[1, 2], "a"), (&[0, 1, 2], "")] {
            let edits: Vec<_> = gone.iter().map(|&word| (word, Change::Delete)).collect();
            assert_eq!(edited("a b c", &edits).text, left, "{gone:?}");
        }
        assert_eq!(edited("a b c", &[(1, retype("  "))]).text, "a c", "nothing in its place");
    }

    #[test]
    fn a_pair_stays_a_pair() {
        for (gone, left) in [(1, "a\n\nc d"), (2, "a b\n\nd"), (3, "a b\n\nc")] {
            let made = edited("a b\n\nc d", &[(gone, Change::Delete)]);
            assert_eq!(made.text, left, "{gone}");
            let break_at = made.position(3);
            assert_eq!(made.text.chars().skip(break_at).take(2).collect::<String>(), "\n\n");
        }
    }

    #[test]
    fn places_follow_their_words() {
        let made = edited("é one two", &[(1, retype(" twenty one ")), (0, Change::Mask), (7, Change::Delete)]);
        assert_eq!(made.text, "é twenty one two");
        let places = [(0, 1), (2, 12), (13, 16)].map(Span::from);
        assert_eq!(made.places, places.map(Some));
        let gathered = made.gather(&words(&made.text), &[0.5, 1.0, 2.0, -4.0]);
        assert_eq!(gathered, [Some(0.5), Some(3.0), Some(-4.0)], "two words in the place of one count together");
        let made = edited("a b", &[(0, Change::Delete)]);
        assert_eq!(made.gather(&words("b"), &[0.25]), [None, Some(0.25)]);
    }

    proptest! {
        #[test]
        fn what_is_not_changed_stays(
            text in "[ab é\n]{0,16}",
            gone in prop::collection::vec((0..6_usize, prop::option::of("[x y]{0,3}")), 0..5),
        ) {
            let known = words(&text);
            let change = |new: &Option<String>| new.clone().map_or(Change::Delete, Change::Retype);
            let edits: Vec<_> = gone.iter().map(|(word, new)| WordEdit { word: *word, change: change(new) }).collect();
            let made = edit(&text, &known, &edits);
            let cut = |text: &str, span: &Span| text.chars().skip(span.start).take(span.end - span.start).collect::<String>();
            for (index, (word, place)) in known.iter().zip(&made.places).enumerate() {
                if edits.iter().all(|edit| edit.word != index) {
                    prop_assert_eq!(place.map(|place| cut(&made.text, &place)), Some(cut(&text, word)));
                }
            }
            prop_assert_eq!(made.position(text.chars().count()), made.text.chars().count());
            let lines = |text: &str| text.matches('\n').count();
            prop_assert_eq!(lines(&made.text), lines(&text));
        }
    }
}
