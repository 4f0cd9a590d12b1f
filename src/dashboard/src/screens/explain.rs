//! What one answer is based on, by several methods, each with its checks.

mod agreement;
mod answer;
mod copied;
mod draft;
mod findings;
mod heat_map;
mod methods;
mod notes;
mod requests;
mod scores_table;
mod strengths;
mod tiny;
mod view;
mod waterfall;

use pellucid_protocol::explanation::{Asker, Method};
use pellucid_protocol::{Attribution, ExplainRequest, Explanation, Subject, Weights};

use self::draft::Draft;
pub(crate) use self::tiny::TinyExplain;
use crate::input::keymap::Action;
use crate::run::Run;
use crate::screens::samples::Masking;
use crate::theme::Styles;

/// Explanations that are kept.
const KEPT: usize = 400;

/// The screen.
#[derive(Debug, Clone)]
pub struct Explain {
    /// Whether the weights have moved on since the last request.
    pub is_stale: bool,
    history: Vec<Explanation>,
    shown: Option<usize>,
    wanted: Option<ExplainRequest>,
    wait: Wait,
    /// The method that was chosen by hand; without one, the map to trust most is shown.
    chosen: Option<Method>,
    scroll: usize,
    draft: Draft,
    view: View,
    /// Which weights explain what is asked for next.
    weights: Weights,
    /// What is to be masked once the explanation of the sample is here.
    masking: Option<Masking>,
}

/// What is shown of an explanation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum View {
    /// The text, the methods and their checks.
    #[default]
    Map,
    /// Each word with its score by each method.
    Table,
    /// From the text with all words masked to the answer, word by word.
    Waterfall,
    /// How far the methods agree.
    Agreement,
}

impl View {
    const ALL: [View; 4] = [View::Map, View::Table, View::Waterfall, View::Agreement];

    fn next(self) -> Self {
        let at = Self::ALL.iter().position(|&view| view == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

/// Whether an explanation is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wait {
    Nothing,
    Asked,
    Refused(String),
    /// It was given up for a changed text, or by the user.
    Cut,
}

impl Default for Explain {
    fn default() -> Self {
        Self {
            is_stale: false,
            history: Vec::new(),
            shown: None,
            wanted: None,
            wait: Wait::Nothing,
            chosen: None,
            scroll: 0,
            draft: Draft::default(),
            view: View::Map,
            masking: None,
            weights: Weights::Latest,
        }
    }
}

/// Whether two explanations are of the same text.
fn same_text(a: &Explanation, b: &Explanation) -> bool {
    a.sample == b.sample && a.text == b.text
}

/// The Explain screen of a run.
///
/// ```text
/// ╭─ sample 12 · occlusion · step 1200 ──────────╮╭─ answer ───────────╮
/// │ text with strengths behind and under words   ││ class  bar  share  │
/// ╰──────────────────────────────────────────────╯╰────────────────────╯
/// ╭─ methods ────────────────────────────────────╮╭─ surrogate ────────╮
/// │ method       trust   r   own check           ││ word   bar  value  │
/// ╰──────────────────────────────────────────────╯╰────────────────────╯
/// ```
/// Below 110 columns the text has the whole width; large screens add the map over time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExplainView<'a> {
    screen: &'a Explain,
    run: &'a Run,
    styles: &'a Styles,
}

impl Explain {
    /// Takes an explanation in: in the place of its earlier part, if there is one. The screen follows
    /// unless an older one is being looked at. What a survey has found is not put on the screen.
    pub fn take(&mut self, explanation: &Explanation) {
        if !explanation.edits.is_empty() {
            if let Some(current) = self.shown.and_then(|shown| self.history.get(shown)) {
                self.draft.take_map(explanation, current);
            }
            return;
        }
        if explanation.asker == Asker::Person {
            self.keep(explanation);
        }
    }

    /// Keeps an explanation.
    pub fn keep(&mut self, explanation: &Explanation) {
        let follows = self.shown.is_none_or(|shown| shown + 1 == self.history.len());
        let is_same = |known: &Explanation| {
            known.request == explanation.request && known.step == explanation.step && same_text(known, explanation)
        };
        let explanation = &self.with_known_maps(explanation);
        if let Some(place) = self.history.iter().rposition(is_same) {
            let is_last = place + 1 == self.history.len();
            self.history[place] = explanation.clone();
            if !is_last {
                // The rest of one that another has followed.
                return;
            }
        } else {
            self.history.push(explanation.clone());
        }
        if self.history.len() > KEPT {
            self.history.remove(0);
            self.shown = self.shown.map(|shown| shown.saturating_sub(1));
        }
        if follows || self.is_wanted(explanation) {
            self.show(Some(self.history.len() - 1));
            self.wait = Wait::Nothing;
        }
    }

    /// The explanation with the maps that are known already: those of the same text, class and weights that it does not have,
    /// or has not tested yet. They are the same numbers.
    fn with_known_maps(&self, explanation: &Explanation) -> Explanation {
        let is_alike = |known: &&Explanation| {
            known.step == explanation.step && known.target == explanation.target && same_text(known, explanation)
        };
        let mut filled = explanation.clone();
        for known in self.history.iter().rev().filter(is_alike).flat_map(|known| &known.attributions) {
            match filled.attributions.iter_mut().find(|made| made.method == known.method) {
                None => filled.attributions.push(known.clone()),
                Some(made) if known.is_decided() && !made.is_decided() => *made = known.clone(),
                Some(_) => {}
            }
        }
        filled.left_out.retain(|left| filled.attributions.iter().all(|made| made.method != left.method));
        filled
    }

    /// Shows an explanation that a survey has found.
    pub fn put(&mut self, explanation: &Explanation) -> bool {
        self.keep(explanation);
        self.show(Some(self.history.len() - 1));
        true
    }

    /// Shows this one of the kept explanations; changed words stay changed while the text is the same.
    fn show(&mut self, place: Option<usize>) {
        self.shown = place;
        self.draft.settle(place.and_then(|place| self.history.get(place)));
    }

    fn is_wanted(&self, explanation: &Explanation) -> bool {
        self.wait == Wait::Asked
            && match self.wanted.as_ref().map(|wanted| &wanted.subject) {
                Some(Subject::Sample(index)) => explanation.sample == Some(*index),
                Some(Subject::Text(text)) => explanation.text == *text,
                None => false,
            }
    }

    /// Shows the latest explanation of a sample; whether there is one.
    pub fn show_sample(&mut self, index: usize) -> bool {
        let found = self.history.iter().rposition(|known| known.sample == Some(index));
        self.show(found.or(self.shown));
        found.is_some()
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action) {
        let last = self.history.len().saturating_sub(1);
        match action {
            Action::NextMethod => self.step_method(1),
            Action::PreviousMethod => self.step_method(Method::ALL.len() - 1),
            Action::Older => self.show(self.shown.map(|shown| shown.saturating_sub(1))),
            Action::Newer => self.show(self.shown.map(|shown| (shown + 1).min(last))),
            Action::CursorLeft => self.mark(-1),
            Action::CursorRight => self.mark(1),
            Action::View => self.view = self.view.next(),
            Action::PageUp => self.scroll = self.scroll.saturating_sub(3),
            Action::PageDown => self.scroll = self.scroll.saturating_add(3),
            _ => {}
        }
    }

    /// Marks the word before or after; at first the one with the largest score.
    fn mark(&mut self, by: isize) {
        let Some(current) = self.current() else { return };
        let scores = attribution(current, self.method()).map_or(&[][..], |made| &made.scores);
        let strongest = (0..scores.len().min(current.words.len()))
            .rev()
            .max_by(|&a, &b| scores[a].abs().total_cmp(&scores[b].abs()));
        let count = current.words.len();
        self.draft.go(by, count, strongest.unwrap_or(0));
    }

    fn step_method(&mut self, by: usize) {
        let (listed, shown) = (self.listed(), self.method());
        let at = listed.iter().position(|&method| method == shown).unwrap_or(0);
        self.chosen = listed.get((at + by) % listed.len().max(1)).copied();
    }

    /// The method that is looked at.
    fn method(&self) -> Method {
        self.chosen.or_else(|| self.best()).unwrap_or(Method::ALL[0])
    }

    /// The method whose map of the text on the screen is to be trusted most. While the text is explained again, that
    /// of the time before, so that the map does not change with every method that comes.
    fn best(&self) -> Option<Method> {
        let shown = self.shown?;
        let current = self.history.get(shown)?;
        let whole = |older: &&Explanation| {
            current.partial && !older.partial && same_text(older, current) && older.target == current.target
        };
        let judged = self.history[..shown].iter().rev().find(whole).unwrap_or(current);
        judged.best().map(|made| made.method)
    }

    /// The methods as they are listed: those that are done in order of trust, then the others.
    fn listed(&self) -> Vec<Method> {
        let done = self.current().map(|current| self.looked_at(current).by_trust()).unwrap_or_default();
        let mut listed: Vec<Method> = done.iter().map(|made| made.method).collect();
        let others: Vec<Method> = Method::ALL.iter().copied().filter(|method| !listed.contains(method)).collect();
        listed.extend(others);
        listed
    }

    fn current(&self) -> Option<&Explanation> {
        self.history.get(self.shown?)
    }

    /// The explanation whose map is shown: while a new one has not come to the chosen method yet, or has not
    /// checked it, the one before it of the same text, so that the map does not flicker.
    fn mapped(&self) -> Option<(&Explanation, &Attribution)> {
        let shown = self.shown?;
        let current = self.history.get(shown)?;
        let older = self.history[..shown]
            .iter()
            .rev()
            .filter(|older| same_text(older, current) && older.target == current.target);
        let candidates = std::iter::once(current).chain(older.take(usize::from(current.partial)));
        let mut found = candidates.filter_map(|known| Some((known, attribution(known, self.method())?)));
        let first = found.next()?;
        if first.1.is_checked() { Some(first) } else { found.find(|(_, made)| made.is_checked()).or(Some(first)) }
    }

    /// The screen as a widget.
    #[must_use]
    pub(crate) fn view<'a>(&'a self, run: &'a Run, styles: &'a Styles) -> ExplainView<'a> {
        ExplainView { screen: self, run, styles }
    }

    /// The explanation of the changed text where there is one, else that of the text as it is.
    fn looked_at<'a>(&'a self, current: &'a Explanation) -> &'a Explanation {
        self.draft.map().unwrap_or(current)
    }

    /// The explanations of the text and the class on the screen, oldest first.
    fn related(&self) -> impl Iterator<Item = &Explanation> {
        let current = self.current();
        self.history.iter().filter(move |known| {
            current.is_some_and(|current| same_text(known, current) && known.target == current.target)
        })
    }
}

/// What an explanation is of.
fn subject(explanation: &Explanation) -> Subject {
    explanation.sample.map_or_else(|| Subject::Text(explanation.text.clone()), Subject::Sample)
}

/// The scores of one method.
fn attribution(explanation: &Explanation, method: Method) -> Option<&Attribution> {
    explanation.by(method)
}

/// The first of the highest.
fn highest(values: &[f64]) -> usize {
    values.iter().enumerate().fold((0, f64::NEG_INFINITY), |best, (i, &v)| if v > best.1 { (i, v) } else { best }).0
}
