//! The words of all explained samples, by what a method says of them in the mean.

mod view;

use pellucid_protocol::explanation::Sign;
use pellucid_protocol::word_importance::{Case, Question, Vocabulary, word_importance};
use ratatui::layout::Rect;

pub(super) use self::view::{TinyWords, WordsView};
use super::explained::ExplainedSamples;
use crate::input::keymap::Action;
use crate::run::Run;
use crate::text;
use crate::widgets::inner;

/// Samples that a word must come in to be shown, at first.
const LEAST: usize = 3;

/// The order of the words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Order {
    #[default]
    Strongest,
    For,
    Against,
    Frequent,
}

impl Order {
    const ALL: [Order; 4] = [Order::Strongest, Order::For, Order::Against, Order::Frequent];

    fn title(self) -> &'static str {
        match self {
            Order::Strongest => "strongest first",
            Order::For => "most for it first",
            Order::Against => "most against it first",
            Order::Frequent => "most frequent first",
        }
    }
}

/// The view.
#[derive(Debug, Clone)]
pub(super) struct Words {
    class: usize,
    case: Case,
    least: usize,
    order: Order,
    cursor: usize,
    vocabulary: Vocabulary,
}

impl Default for Words {
    fn default() -> Self {
        let (order, vocabulary) = (Order::default(), Vocabulary::default());
        Self { class: 0, case: Case::Folded, least: LEAST, order, cursor: 0, vocabulary }
    }
}

impl Words {
    /// It is opened: at a class that something is known of.
    pub(super) fn begin(&mut self, explained: &ExplainedSamples) {
        if !classes(explained).contains(&self.class) {
            self.class = classes(explained).first().copied().unwrap_or(0);
        }
        self.count(explained);
    }

    /// Counts anew. The cursor stays on its word.
    pub(super) fn count(&mut self, explained: &ExplainedSamples) {
        let marked = self.vocabulary.words.get(self.cursor).map(|word| word.word.clone());
        let question = Question { method: explained.method(), class: self.class, case: self.case, least: self.least };
        self.vocabulary = word_importance(explained.all().map(|(_, explanation)| explanation), &question);
        self.arrange();
        let place = self.vocabulary.words.iter().position(|word| Some(&word.word) == marked.as_ref());
        self.cursor = place.unwrap_or(0);
    }

    fn arrange(&mut self) {
        let words = &mut self.vocabulary.words;
        match self.order {
            Order::Strongest => words.sort_by(|a, b| b.mean.abs().total_cmp(&a.mean.abs())),
            Order::For => words.sort_by(|a, b| b.mean.total_cmp(&a.mean)),
            Order::Against => words.sort_by(|a, b| a.mean.total_cmp(&b.mean)),
            Order::Frequent => words.sort_by_key(|word| std::cmp::Reverse(word.texts.len())),
        }
    }

    /// Does what a key asks for.
    pub(super) fn act(&mut self, action: Action, explained: &ExplainedSamples, body: Rect) {
        let (page, last) = (rows(inner(body)), self.vocabulary.words.len().saturating_sub(1));
        match action {
            Action::Up => self.cursor = self.cursor.saturating_sub(1),
            Action::Down => self.cursor = (self.cursor + 1).min(last),
            Action::PageUp => self.cursor = self.cursor.saturating_sub(page),
            Action::PageDown => self.cursor = (self.cursor + page).min(last),
            Action::First => self.cursor = 0,
            Action::Last => self.cursor = last,
            Action::NextClass => {
                let known = classes(explained);
                let later = known.iter().find(|class| **class > self.class).or(known.first());
                self.class = later.copied().unwrap_or(0);
                self.count(explained);
                self.cursor = 0;
            }
            Action::Case => {
                self.case = if self.case == Case::Folded { Case::Kept } else { Case::Folded };
                self.count(explained);
            }
            Action::More => self.leave_out(self.least + 1, explained),
            Action::Less => self.leave_out(self.least.saturating_sub(1).max(1), explained),
            Action::Sort => {
                let at = Order::ALL.iter().position(|&order| order == self.order).unwrap_or(0);
                self.order = Order::ALL[(at + 1) % Order::ALL.len()];
                self.arrange();
                self.cursor = 0;
            }
            _ => {}
        }
    }

    fn leave_out(&mut self, least: usize, explained: &ExplainedSamples) {
        self.least = least;
        self.count(explained);
    }

    /// The marked word and the samples that have it, those in which it counts most first.
    pub(super) fn examples(&self, explained: &ExplainedSamples) -> Option<(String, Vec<usize>)> {
        let word = self.vocabulary.words.get(self.cursor)?;
        let samples: Vec<usize> = explained.all().map(|(sample, _)| sample).collect();
        let places = word.texts.iter().filter_map(|(place, _)| samples.get(*place).copied());
        Some((word.word.clone(), places.collect()))
    }

    fn largest(&self) -> f64 {
        let sizes = self.vocabulary.words.iter().map(|word| word.mean.abs());
        sizes.fold(f64::MIN_POSITIVE, f64::max)
    }

    fn status(&self, run: &Run, explained: &ExplainedSamples, width: usize) -> String {
        let scale = explained.scale(self.largest());
        let method = format!("{}, {}", explained.method().title(), scale.unit.told());
        let of = match scale.sign {
            Sign::ForOrAgainst => format!("for {} · {method}", run.label(self.class)),
            Sign::None => format!("{} · {method}, no direction", run.label(self.class)),
        };
        let least = format!(" · in {} or more", text::plural(self.least, "sample"));
        let case = if self.case == Case::Kept { " · case kept" } else { "" };
        let parts = [format!("{of}{least}{case} · {}", self.order.title()), format!("{of}{least}{case}"), of];
        let fits = |words: &&String| text::width(words) + 14 <= width;
        parts.iter().find(fits).unwrap_or(&parts[2]).clone()
    }

    /// What the words are taken from.
    fn counted(&self, explained: &ExplainedSamples) -> String {
        let Vocabulary { counted, failed, rare, .. } = &self.vocabulary;
        let failed =
            if *failed == 0 { String::new() } else { format!("; {failed} left out: their maps are not to be trusted") };
        let rare = if *rare == 0 { String::new() } else { format!("; {rare} rarer words") };
        format!("{counted} of {} explained samples count{failed}{rare}. Grey: within 2 ± of zero", explained.len())
    }

    fn nothing(&self, explained: &ExplainedSamples) -> String {
        if explained.is_empty() {
            return "no sample is explained yet: a explains all of them in the background".to_owned();
        }
        format!(
            "no word of this class comes in {} or more by this method; - shows rarer ones, m another method, x another class",
            text::plural(self.least, "sample")
        )
    }
}

/// Classes that explanations are of.
fn classes(explained: &ExplainedSamples) -> Vec<usize> {
    let mut known: Vec<usize> = explained.all().map(|(_, explanation)| explanation.target).collect();
    known.sort_unstable();
    known.dedup();
    known
}

/// Words on a screen with this inside: a heading above, a note below.
fn rows(inside: Rect) -> usize {
    usize::from(inside.height.saturating_sub(2).max(1))
}
