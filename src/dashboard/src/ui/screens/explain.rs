//! What one answer is based on, by several methods, each with its checks.

mod findings;
mod panels;
mod words;

use pellucid_protocol::explanation::Method;
use pellucid_protocol::{Attribution, ExplainRequest, Explanation, Subject};
use ratatui::layout::Rect;

use crate::ui::keymap::Action;
use crate::ui::state::run::Run;
use crate::ui::widgets::paper::{Paper, below, from, to};

/// Explanations that are kept.
const SHELF: usize = 400;

/// The screen.
#[derive(Debug, Clone)]
pub struct Explain {
    /// Whether the weights have moved on since the last request.
    pub is_stale: bool,
    shelf: Vec<Explanation>,
    shown: Option<usize>,
    wanted: Option<ExplainRequest>,
    wait: Wait,
    method: Method,
    scroll: usize,
}

/// Whether an explanation is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wait {
    Nothing,
    Asked,
    Refused(String),
}

impl Default for Explain {
    fn default() -> Self {
        Self {
            is_stale: false,
            shelf: Vec::new(),
            shown: None,
            wanted: None,
            wait: Wait::Nothing,
            method: Method::ALL[0],
            scroll: 0,
        }
    }
}

/// Whether two explanations are of the same text.
fn same_text(a: &Explanation, b: &Explanation) -> bool {
    a.sample == b.sample && a.text == b.text
}

impl Explain {
    /// Takes an explanation in: in the place of its earlier part, if there is one. The screen follows
    /// unless an older one is being looked at.
    pub fn take(&mut self, explanation: &Explanation) {
        let follows = self.shown.is_none_or(|shown| shown + 1 == self.shelf.len());
        let earlier = self.shelf.last_mut().filter(|last| {
            last.request == explanation.request && last.step == explanation.step && same_text(last, explanation)
        });
        match earlier {
            Some(earlier) => *earlier = explanation.clone(),
            None => self.shelf.push(explanation.clone()),
        }
        if self.shelf.len() > SHELF {
            self.shelf.remove(0);
            self.shown = self.shown.map(|shown| shown.saturating_sub(1));
        }
        if follows || self.is_wanted(explanation) {
            self.shown = Some(self.shelf.len() - 1);
            self.wait = Wait::Nothing;
        }
    }

    fn is_wanted(&self, explanation: &Explanation) -> bool {
        self.wait == Wait::Asked
            && match self.wanted.as_ref().map(|wanted| &wanted.subject) {
                Some(Subject::Sample(index)) => explanation.sample == Some(*index),
                Some(Subject::Text(text)) => explanation.text == *text,
                None => false,
            }
    }

    /// Whether an explanation that was asked for is not here yet, or not whole.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let partial = self.shelf.last().is_some_and(|last| last.partial);
        self.wait == Wait::Asked || (partial && self.wait == Wait::Nothing)
    }

    /// The worker's answer to the request.
    pub fn answered(&mut self, refusal: Option<&str>) {
        if let Some(why) = refusal {
            self.wait = Wait::Refused(why.to_owned());
        }
    }

    fn want(&mut self, subject: Subject, target: Option<usize>, methods: &[Method]) -> ExplainRequest {
        let request = ExplainRequest { subject, methods: methods.to_vec(), target };
        self.wanted = Some(request.clone());
        self.wait = Wait::Asked;
        self.scroll = 0;
        self.is_stale = false;
        request
    }

    /// The request for a validation sample.
    pub fn want_sample(&mut self, index: usize) -> ExplainRequest {
        self.want(Subject::Sample(index), None, &Method::ALL)
    }

    /// The request for a typed text.
    pub fn want_text(&mut self, text: &str) -> ExplainRequest {
        self.want(Subject::Text(text.to_owned()), None, &Method::ALL)
    }

    /// The request for what is on the screen, by the weights of now.
    pub fn again(&mut self) -> Option<ExplainRequest> {
        self.repeat(&Method::ALL)
    }

    /// The same, to be repeated while the run goes on: for the usual methods and the one that is looked at.
    pub fn follow(&mut self) -> Option<ExplainRequest> {
        let mut methods = Method::USUAL.to_vec();
        if !methods.contains(&self.method) {
            methods.insert(0, self.method);
        }
        self.repeat(&methods)
    }

    fn repeat(&mut self, methods: &[Method]) -> Option<ExplainRequest> {
        let (subject, target) = match (&self.wanted, self.current()) {
            (Some(wanted), _) => (wanted.subject.clone(), wanted.target),
            (None, Some(current)) => (subject(current), None),
            (None, None) => return None,
        };
        Some(self.want(subject, target, methods))
    }

    /// The request for the next class of what is on the screen.
    pub fn next_class(&mut self) -> Option<ExplainRequest> {
        let current = self.current()?;
        let (subject, classes) = (subject(current), current.probabilities.len().max(1));
        let target = (current.target + 1) % classes;
        Some(self.want(subject, Some(target), &Method::ALL))
    }

    /// The text that was typed last.
    #[must_use]
    pub fn typed(&self) -> &str {
        match self.wanted.as_ref().map(|wanted| &wanted.subject) {
            Some(Subject::Text(text)) => text,
            _ => "",
        }
    }

    /// Shows the latest explanation of a sample; whether there is one.
    pub fn show_sample(&mut self, index: usize) -> bool {
        let found = self.shelf.iter().rposition(|known| known.sample == Some(index));
        self.shown = found.or(self.shown);
        found.is_some()
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action) {
        let last = self.shelf.len().saturating_sub(1);
        match action {
            Action::NextMethod => self.step_method(1),
            Action::PreviousMethod => self.step_method(Method::ALL.len() - 1),
            Action::Older => self.shown = self.shown.map(|shown| shown.saturating_sub(1)),
            Action::Newer => self.shown = self.shown.map(|shown| (shown + 1).min(last)),
            Action::PageUp => self.scroll = self.scroll.saturating_sub(3),
            Action::PageDown => self.scroll = self.scroll.saturating_add(3),
            _ => {}
        }
    }

    fn step_method(&mut self, by: usize) {
        let at = Method::ALL.iter().position(|&method| method == self.method).unwrap_or(0);
        self.method = Method::ALL[(at + by) % Method::ALL.len()];
    }

    fn current(&self) -> Option<&Explanation> {
        self.shelf.get(self.shown?)
    }

    /// The explanation whose map is shown: while a new one has not come to the chosen method yet, or has not
    /// checked it, the one before it of the same text, so that the map does not flicker.
    fn mapped(&self) -> Option<(&Explanation, &Attribution)> {
        let shown = self.shown?;
        let current = self.shelf.get(shown)?;
        let older = self.shelf[..shown]
            .iter()
            .rev()
            .filter(|older| same_text(older, current) && older.target == current.target);
        let candidates = std::iter::once(current).chain(older.take(usize::from(current.partial)));
        let mut found = candidates.filter_map(|known| Some((known, attribution(known, self.method)?)));
        let first = found.next()?;
        if first.1.is_checked() { Some(first) } else { found.find(|(_, made)| made.is_checked()).or(Some(first)) }
    }

    /// ```text
    /// ╭ sample 12, as of step 1200 ──────────────────╮╭ answer ────────────╮
    /// │ text with strengths behind and under words   ││ class  bar  share  │
    /// ╰──────────────────────────────────────────────╯╰────────────────────╯
    /// ╭ methods ─────────────────────────────────────╮╭ surrogate ─────────╮
    /// │ method   faithful  random   own check        ││ word   bar  value  │
    /// ╰──────────────────────────────────────────────╯╰────────────────────╯
    /// ```
    /// Below 110 columns the text has the whole width; large screens add the map over time.
    pub fn draw(&self, run: &Run, paper: &mut Paper, area: Rect) {
        let Some(current) = self.current() else { return self.invite(run, paper, area) };
        if area.width >= 110 && area.height >= 20 {
            self.draw_wide(run, current, paper, area);
        } else {
            self.draw_narrow(run, current, paper, area);
        }
    }

    fn draw_wide(&self, run: &Run, current: &Explanation, paper: &mut Paper, area: Rect) {
        let side = (area.width * 2 / 5).clamp(44, 72);
        let (main, right) = (to(area, area.width - side), from(area, area.width - side));
        let heat = self.text_rows(run, current, main.width).max(9).min(area.height / 2);
        let [text, rest] = split(main, heat);
        let [checks, rest] = split(rest, panels::methods_height(area).min(rest.height));
        let maps = self.related().count() as u16 + 3;
        let [history, trust] = split(rest, if rest.height >= maps.max(6) + 10 { maps.max(6) } else { rest.height });
        self.draw_text(run, current, paper, text);
        self.draw_methods(current, paper, checks);
        words::over_time(self, paper, history);
        super::train::explanations(run, paper, trust);
        let [answer, rest] = split(right, (current.probabilities.len() as u16 + 4).min(area.height / 2));
        let fitted = current.words.len() as u16 + 4;
        let [surrogate, course] = split(rest, if rest.height >= fitted + 10 { fitted } else { rest.height });
        panels::answer(run, current, paper, answer);
        findings::findings(current, self.method, paper, surrogate);
        panels::course(self, run, paper, course);
    }

    fn draw_narrow(&self, run: &Run, current: &Explanation, paper: &mut Paper, area: Rect) {
        let methods = panels::methods_height(area);
        let heat = area.height.saturating_sub(methods).max(5);
        let [text, lower] = split(area, heat);
        self.draw_text(run, current, paper, text);
        if area.width < 76 {
            return self.draw_methods(current, paper, lower);
        }
        let [checks, side] = [to(lower, 53), from(lower, 53)];
        self.draw_methods(current, paper, checks);
        if findings::has_findings(self.method) {
            findings::findings(current, self.method, paper, side);
        } else {
            panels::answer(run, current, paper, side);
        }
    }

    /// The explanations of the text and the class on the screen, oldest first.
    fn related(&self) -> impl Iterator<Item = &Explanation> {
        let current = self.current();
        self.shelf.iter().filter(move |known| {
            current.is_some_and(|current| same_text(known, current) && known.target == current.target)
        })
    }

    fn invite(&self, run: &Run, paper: &mut Paper, area: Rect) {
        let inside = paper.boxed(area, "explain");
        let words = match &self.wait {
            Wait::Asked => "under way: it comes between two training steps".to_owned(),
            Wait::Refused(why) => format!("refused: {why}"),
            Wait::Nothing if run.answers() => {
                "See what an answer is based on: press 3, choose a sample, press e. Or press t and type a text."
                    .to_owned()
            }
            Wait::Nothing => "Nothing was explained in this run.".to_owned(),
        };
        let muted = paper.styles.muted;
        paper.middle(inside, &words, muted);
    }
}

/// What an explanation is of.
fn subject(explanation: &Explanation) -> Subject {
    explanation.sample.map_or_else(|| Subject::Text(explanation.text.clone()), Subject::Sample)
}

/// The scores of one method.
fn attribution(explanation: &Explanation, method: Method) -> Option<&Attribution> {
    explanation.attributions.iter().find(|attribution| attribution.method == method)
}

fn split(area: Rect, rows: u16) -> [Rect; 2] {
    [Rect { height: rows.min(area.height), ..area }, below(area, rows)]
}
