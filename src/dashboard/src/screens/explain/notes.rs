//! What stands under the text: the marked word, what changes do, how far to trust the map, and what its numbers are.

use pellucid_protocol::check::Grade;
use pellucid_protocol::explanation::{Scalar, Scale, Sign, StandIn, Unit, WordGroup};
use pellucid_protocol::readable::percent;
use pellucid_protocol::word_importance::{Case, plain};
use pellucid_protocol::{Attribution, Explanation, Method};
use ratatui::style::Style;

use super::methods::trust_style;
use super::{Explain, highest};
use crate::run::Run;
use crate::text;
use crate::theme::Styles;

/// A line under the text.
pub(super) struct Note {
    pub(super) words: String,
    pub(super) style: Style,
}

/// How much room the lines have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// For all of them.
    Whole,
    /// For one of each kind.
    Short,
    /// For one.
    One,
}

impl Room {
    /// The room in `height` rows beside `lines` lines of text. It depends on nothing that comes later, so that nothing
    /// jumps while values come.
    pub(super) fn beside(lines: usize, height: u16) -> Self {
        match usize::from(height) {
            rows if rows >= 14.min(2 * lines + 5) => Room::Whole,
            rows if rows >= 5 => Room::Short,
            _ => Room::One,
        }
    }
}

/// The notes under a map.
pub(super) struct Notes<'a> {
    pub(super) screen: &'a Explain,
    pub(super) run: &'a Run,
    pub(super) styles: &'a Styles,
    /// The explanation that is painted, and the scores of the method that is looked at.
    pub(super) explanation: &'a Explanation,
    pub(super) made: Option<&'a Attribution>,
    pub(super) width: u16,
}

impl Notes<'_> {
    /// The lines. Their number depends on the text and on the room alone, not on what is known of it yet.
    pub(super) fn lines(&self, current: &Explanation, room: Room) -> Vec<Note> {
        let (change, word) = (self.change(current), self.word(current));
        let hint = || self.muted("←→ marks a word".to_owned());
        match room {
            Room::One => vec![change.or(word).unwrap_or_else(|| self.verdict(1).remove(0))],
            Room::Short => {
                let mut lines = vec![change.or(word).unwrap_or_else(hint)];
                lines.extend(self.verdict(1));
                lines.extend(self.limits(1));
                lines.push(self.legend());
                lines
            }
            Room::Whole => {
                let mut lines = vec![word.unwrap_or_else(hint)];
                lines.push(change.unwrap_or_else(|| self.muted(String::new())));
                lines.extend(self.verdict(2));
                lines.extend(self.limits(3));
                lines.push(self.legend());
                lines
            }
        }
    }

    fn muted(&self, words: String) -> Note {
        Note { words, style: self.styles.muted }
    }

    /// How far to trust the map and why, in so many rows.
    fn verdict(&self, rows: usize) -> Vec<Note> {
        let (words, style) = match self.made {
            None => (format!("{}: not done yet", self.screen.method().title()), self.styles.muted),
            Some(made) => {
                let [short, shorter] = made.short_reasons().map(|reason| lead(made) + &reason);
                let told = [format!("{}{}", verdict(made), self.others(made)), verdict(made), short];
                let fits = |words: &String| text::wrap(words, usize::from(self.width)).len() <= rows;
                (told.into_iter().find(fits).unwrap_or(shorter), trust_style(made, self.styles))
            }
        };
        self.rows(&words, rows, style)
    }

    /// That no other map is better, where the best one is not to be trusted.
    fn others(&self, made: &Attribution) -> &'static str {
        let all = &self.explanation.attributions;
        let none = made.grade() == Some(Grade::None) && all.len() > 1 && all.iter().all(Attribution::fails);
        if none { ". No other map of this text is better" } else { "" }
    }

    /// Exactly so many rows.
    fn rows(&self, words: &str, rows: usize, style: Style) -> Vec<Note> {
        let mut lines: Vec<String> = text::wrap(words, usize::from(self.width)).into_iter().take(rows).collect();
        lines.resize(rows, String::new());
        lines.into_iter().map(|words| Note { words, style }).collect()
    }

    /// What the model does not see of the text, and what it sees instead.
    fn limits(&self, most: usize) -> Vec<Note> {
        let (explanation, width) = (self.explanation, usize::from(self.width));
        let told = |made: &Attribution| {
            let both = [StandIn::told(&explanation.stand_ins, made), WordGroup::told(&made.groups)];
            both.into_iter().flatten().reduce(|first, second| format!("{first}; {second}"))
        };
        let needed = explanation.attributions.iter().filter_map(told).map(|told| text::wrap(&told, width).len());
        let rows = needed.max().unwrap_or(0).min(most);
        let mut lines = self.rows(&self.made.and_then(told).unwrap_or_default(), rows, self.styles.muted);
        if explanation.truncated_words > 0 {
            let lost = text::plural(explanation.truncated_words, "word");
            let seen = percent(explanation.seen());
            let words = format!("the model sees {seen} of the text; not read: {lost}");
            lines.push(self.muted(words));
        }
        lines
    }

    /// `▸ chest  +41 points ±1.1  word 3 of 40 · 2 places, together +48 points`.
    fn word(&self, current: &Explanation) -> Option<Note> {
        let word = self.screen.draft.cursor?;
        let mut words = format!("▸ {}", current.word(word));
        if let Some(made) = self.made {
            let shown = self.screen.draft.shown(current);
            let (scale, scores, gone) = (made.scale(), shown.scores(self.explanation, made), shown.gone(word));
            let score = scores.get(word).map_or_else(String::new, |score| scale.told(*score));
            words += &format!("  {}", gone.map_or(score, str::to_owned));
            let error = made
                .errors
                .get(word)
                .filter(|error| **error > 0.0 && self.explanation.edits.is_empty() && gone.is_none());
            words += &error.map_or_else(String::new, |error| format!(" {}", scale.error(*error)));
            words += &format!("  word {} of {}", word + 1, current.words.len());
            let sums = repeated(current, &scores, scale, word).filter(|_| gone.is_none());
            words += &sums.map_or_else(String::new, |sums| format!(" · {sums}"));
        } else {
            words += &format!("  word {} of {}", word + 1, current.words.len());
        }
        Some(Note { words, style: self.styles.strong })
    }

    /// `what if: urgent 0.931 → 0.412 (-52 points), the answer is routine then`.
    fn change(&self, current: &Explanation) -> Option<Note> {
        let (draft, run) = (&self.screen.draft, self.run);
        if !draft.is_changed() {
            return None;
        }
        let told = |answer: &pellucid_protocol::WhatIfAnswer| {
            let of = |shares: &[f64]| shares.get(current.target).copied().unwrap_or(f64::NAN);
            let (before, after) = (of(&answer.before), of(&answer.after));
            let (was, is) = (highest(&answer.before), highest(&answer.after));
            let then = if was == is { String::new() } else { format!("; the answer is {} then", run.label(is)) };
            let class = run.label(current.target);
            let moved = Scale::new(Method::Occlusion, Scalar::Probability, &[after - before]).told(after - before);
            format!("what if: {class} {before:.3} → {after:.3} ({moved}){then}")
        };
        let words = draft.answer().map_or_else(|| "what if: asking …".to_owned(), told);
        Some(Note { words, style: self.styles.strong })
    }

    /// What the numbers and the colours are.
    fn legend(&self) -> Note {
        let class = self.run.label(self.explanation.target);
        let Some(made) = self.made else { return self.muted(String::new()) };
        let scale = made.scale();
        let reason = if self.explanation.rationale.is_empty() { "" } else { " · underlined: marked by a person" };
        let (whole, short) = match (scale.sign, unit(made)) {
            (Sign::ForOrAgainst, Some((unit, darkest))) => (
                format!("+ for {class}, - against · {unit}, darkest {darkest}"),
                format!("+ for, - against · {unit}, darkest {darkest}"),
            ),
            (Sign::ForOrAgainst, None) => (
                format!("+ for {class}, - against · 9: strongest of this map, no unit"),
                "+ for, - against · 9: strongest, no unit".to_owned(),
            ),
            (Sign::None, _) if made.scalar == Scalar::Attention => (
                "share of attention, whatever the class · 9: most in this map · no direction, no unit".to_owned(),
                "attention · 9: most · no direction, no unit".to_owned(),
            ),
            (Sign::None, _) => (
                format!("sensitivity of {class} · 9: most in this map · no direction, no unit"),
                "9: most in this map · no direction, no unit".to_owned(),
            ),
        };
        let with_reason = format!("{whole}{reason}");
        let fits = |words: &String| text::width(words) <= usize::from(self.width);
        self.muted([with_reason, whole].into_iter().find(fits).unwrap_or(short))
    }
}

/// The unit of a map in words, and its darkest score.
fn unit(made: &Attribution) -> Option<(&'static str, &'static str)> {
    match (made.scale().unit, made.scalar) {
        (Unit::Points, _) => Some(("points of probability", "50")),
        (Unit::Logits, Scalar::Margin) => Some(("logits ahead of the next class", "2")),
        (Unit::Logits, _) => Some(("logits", "2")),
        (Unit::None, _) => None,
    }
}

/// A map's grade and the reason for it.
pub(super) fn verdict(made: &Attribution) -> String {
    format!("{}{}", lead(made), made.reason())
}

/// `●●● strong: `.
fn lead(made: &Attribution) -> String {
    let told = if made.fails() { "not to be trusted" } else { made.trust() };
    match made.grade() {
        // The reason says it whole.
        Some(Grade::Nothing) => format!("{} ", made.dots()),
        _ => format!("{} {told}: ", made.dots()),
    }
}

/// What a word adds in all its places: `3 places, together +21 points`; `None` for a word that comes once.
pub(super) fn repeated(explanation: &Explanation, scores: &[f64], scale: Scale, word: usize) -> Option<String> {
    let name = |word: usize| plain(&explanation.word(word), Case::Folded);
    let wanted = name(word);
    let places: Vec<usize> = (0..explanation.words.len()).filter(|&other| name(other) == wanted).collect();
    let sum: f64 = places.iter().filter_map(|&place| scores.get(place)).sum();
    (places.len() > 1).then(|| format!("{} places, together {}", places.len(), scale.told(sum)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_word_that_comes_twice_has_a_sum() {
        let explanation = fixture::explanation("Pain here, no pain.", None, 1300, Method::ALL.len());
        let scale = Scale::new(Method::Occlusion, Scalar::Probability, &[0.5]);
        let scores = [0.05, 0.3, -0.2, 0.16];
        assert_eq!(repeated(&explanation, &scores, scale, 3).as_deref(), Some("2 places, together +21 points"));
        assert_eq!(repeated(&explanation, &scores, scale, 1), None);
    }

    #[test]
    fn the_room_for_notes_grows_with_the_box_alone() {
        let rooms = |lines| [3, 4, 5, 8, 9, 14].map(|height| Room::beside(lines, height));
        let (one, short, whole) = (Room::One, Room::Short, Room::Whole);
        assert_eq!(rooms(2), [one, one, short, short, whole, whole]);
        assert_eq!(rooms(30), [one, one, short, short, short, whole]);
    }
}
