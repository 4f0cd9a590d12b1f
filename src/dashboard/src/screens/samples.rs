//! The validation samples and the answers to them.

mod explained;
mod shortcuts;
mod tiny;
mod view;
mod words;

use pellucid_protocol::{
    Cancel, Command, Explanation, Method, Prediction, Sample, SurveyProgress, SurveyRequest, SurveyState, Watched,
};
use ratatui::layout::{Rect, Size};

use self::explained::ExplainedSamples;
pub use self::shortcuts::Masking;
use self::shortcuts::Shortcuts;
pub(crate) use self::tiny::TinySamples;
pub(crate) use self::view::SamplesView;
use self::words::Words;
use crate::geometry;
use crate::input::keymap::Action;
use crate::run::Run;
use crate::theme::Styles;

/// The order of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sort {
    #[default]
    AsRead,
    Loss,
    Errors,
    Teacher,
    Trust,
    Plausibility,
    Disagreement,
}

impl Sort {
    const ALL: [Sort; 7] =
        [Sort::AsRead, Sort::Loss, Sort::Errors, Sort::Teacher, Sort::Trust, Sort::Plausibility, Sort::Disagreement];

    fn title(self) -> &'static str {
        match self {
            Sort::AsRead => "as read",
            Sort::Loss => "highest loss first",
            Sort::Errors => "errors first",
            Sort::Teacher => "unlike the teacher first",
            Sort::Trust => "least trusted first",
            Sort::Plausibility => "least plausible first",
            Sort::Disagreement => "methods apart first",
        }
    }

    /// Whether it is by what explanations say.
    fn is_explained(self) -> bool {
        matches!(self, Sort::Trust | Sort::Plausibility | Sort::Disagreement)
    }
}

/// What is shown of the samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum View {
    /// The samples.
    #[default]
    Table,
    /// The words of all that are explained.
    Words,
    /// Words that may be shortcuts.
    Suspects,
}

/// The samples that have a word.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Examples {
    word: String,
    samples: Vec<usize>,
}

/// The screen.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    samples: Vec<Sample>,
    answers: Vec<Prediction>,
    step: u64,
    order: Vec<usize>,
    cursor: usize,
    sort: Sort,
    filter: String,
    trouble: Option<String>,
    explained: ExplainedSamples,
    survey: Option<SurveyProgress>,
    view: View,
    words: Words,
    shortcuts: Shortcuts,
    examples: Option<Examples>,
}

impl Samples {
    /// The screen as a widget.
    #[must_use]
    pub(crate) fn view<'a>(&'a self, run: &'a Run, styles: &'a Styles) -> SamplesView<'a> {
        SamplesView { samples: self, run, styles }
    }

    /// Whether no samples were read yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The text under the cursor.
    #[must_use]
    pub fn copied(&self) -> Option<String> {
        let sample = self.samples.get(self.selected()?)?;
        Some(sample.pair.as_ref().map_or_else(|| sample.text.clone(), |pair| format!("{}\t{pair}", sample.text)))
    }

    /// The samples were read.
    pub fn set_samples(&mut self, samples: Vec<Sample>) {
        self.samples = samples;
        self.trouble = None;
        self.arrange();
    }

    /// The answers of `step` were read.
    pub fn set_predictions(&mut self, step: u64, answers: Vec<Prediction>) {
        // Files may be read out of order.
        if step >= self.step {
            self.answers = answers;
            self.step = step;
            self.arrange();
        }
    }

    /// The answers to come may be earlier ones.
    pub fn rewind(&mut self) {
        self.step = 0;
    }

    /// A file could not be read.
    pub fn set_trouble(&mut self, why: String) {
        self.trouble = Some(why);
    }

    /// The filter.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Only samples with `filter` in their text or label are shown.
    pub fn set_filter(&mut self, filter: &str) {
        self.filter = filter.trim().to_owned();
        self.arrange();
    }

    /// Index of the sample under the cursor.
    #[must_use]
    pub fn selected(&self) -> Option<usize> {
        self.order.get(self.cursor).copied()
    }

    /// Whether the words are shown.
    #[must_use]
    pub fn shows_words(&self) -> bool {
        self.view == View::Words
    }

    /// Whether the words that may be shortcuts are shown.
    #[must_use]
    pub fn shows_suspects(&self) -> bool {
        self.view == View::Suspects
    }

    /// Shows the words that may be shortcuts.
    pub fn show_suspects(&mut self) {
        self.view = View::Suspects;
    }

    /// An evaluation has looked at words that may be shortcuts.
    pub fn take_watched(&mut self, watched: &Watched) {
        self.shortcuts.take(watched);
    }

    /// The list of words that may be shortcuts was clicked; on an example, it is to be explained.
    pub fn click(&mut self, y: u16, run: &Run, size: Size) -> Option<Masking> {
        self.shortcuts.click(y, geometry::body(size), run, &self.samples)
    }

    /// An example of the word that may be a shortcut, to be explained without it.
    #[must_use]
    pub fn masking(&self) -> Option<Masking> {
        self.shortcuts.masking(&self.samples)
    }

    /// What was explained of a sample last.
    #[must_use]
    pub fn explanation(&self, index: usize) -> Option<&Explanation> {
        self.explained.explanation(index)
    }

    /// Takes an explanation in.
    pub fn take(&mut self, explanation: &Explanation) {
        if self.explained.take(explanation) {
            self.refresh();
        }
    }

    /// A survey has come further.
    pub fn set_survey(&mut self, progress: &SurveyProgress) {
        self.survey = Some(progress.clone());
    }

    /// Whether a survey is under way.
    #[must_use]
    pub fn is_surveyed(&self) -> bool {
        self.survey.as_ref().is_some_and(|survey| survey.state == SurveyState::Going)
    }

    /// What explains all samples that are shown, or gives that up.
    #[must_use]
    pub fn survey(&self) -> Option<Command> {
        if self.is_surveyed() {
            return Some(Command::Cancel(Cancel::Survey));
        }
        let request = SurveyRequest { samples: self.order.clone(), methods: Method::USUAL.to_vec() };
        (!request.samples.is_empty()).then_some(Command::Survey(request))
    }

    /// What depends on explanations, after they or the way they are looked at have changed.
    fn refresh(&mut self) {
        if self.sort.is_explained() {
            self.arrange();
        }
        if self.view == View::Words {
            self.words.count(&self.explained);
        }
    }

    /// Filters and sorts; the cursor stays on its sample.
    fn arrange(&mut self) {
        let selected = self.selected();
        let wanted = self.filter.to_lowercase();
        let matches = |sample: &Sample| {
            let pair = sample.pair.as_deref().unwrap_or("");
            wanted.is_empty() || sample.text.to_lowercase().contains(&wanted) || pair.to_lowercase().contains(&wanted)
        };
        let all: Vec<usize> = match &self.examples {
            Some(examples) => examples.samples.iter().copied().filter(|&index| index < self.samples.len()).collect(),
            None => (0..self.samples.len()).collect(),
        };
        let mut order: Vec<usize> = all.into_iter().filter(|&index| matches(&self.samples[index])).collect();
        if self.examples.is_none() {
            let weights: Vec<f32> = (0..self.samples.len()).map(|index| self.weight(index)).collect();
            order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then(a.cmp(&b)));
        }
        self.cursor = selected.and_then(|wanted| order.iter().position(|&index| index == wanted)).unwrap_or(0);
        self.order = order;
    }

    /// What comes first has more.
    fn weight(&self, index: usize) -> f32 {
        if self.sort.is_explained() {
            return self.explained_weight(index).map_or(f32::NEG_INFINITY, |weight| weight as f32);
        }
        let Some(answer) = self.answers.get(index) else { return f32::NEG_INFINITY };
        let loss = if answer.loss.is_nan() { f32::INFINITY } else { answer.loss };
        let first = |holds: bool| if holds { 1e6 + loss.min(1e5) } else { loss.min(1e5) };
        match self.sort {
            Sort::AsRead | Sort::Trust | Sort::Plausibility | Sort::Disagreement => 0.0,
            Sort::Loss => loss,
            Sort::Errors => first(answer.class() != self.samples[index].label),
            Sort::Teacher => distance(answer),
        }
    }

    /// `None` for what is not explained: it comes last.
    fn explained_weight(&self, index: usize) -> Option<f64> {
        match self.sort {
            Sort::Trust => self.explained.correlation(index).map(|value| -value),
            Sort::Plausibility => self.explained.plausibility(index).map(|value| -value),
            _ => self.explained.disagreement(index),
        }
    }

    /// The next order that there is something to sort by for.
    fn next_sort(&self) -> Sort {
        let at = Sort::ALL.iter().position(|&sort| sort == self.sort).unwrap_or(0);
        let fits = |sort: &Sort| match sort {
            Sort::Trust | Sort::Disagreement => !self.explained.is_empty(),
            Sort::Plausibility => {
                !self.explained.is_empty() && self.samples.iter().any(|known| !known.rationale.is_empty())
            }
            _ => true,
        };
        let later = Sort::ALL.iter().cycle().skip(at + 1);
        later.copied().find(fits).unwrap_or_default()
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, size: Size) {
        match self.view {
            View::Words => return self.act_on_words(action, size),
            View::Suspects => return self.act_on_suspects(action),
            View::Table => {}
        }
        let (page, last) = (rows(geometry::body(size)), self.order.len().saturating_sub(1));
        match action {
            Action::Sort => {
                self.sort = self.next_sort();
                self.examples = None;
                self.arrange();
                self.cursor = 0;
            }
            Action::View => {
                self.view = View::Words;
                self.words.begin(&self.explained);
            }
            Action::NextMethod => {
                self.explained.next_method();
                self.refresh();
            }
            Action::Close => {
                self.examples = None;
                self.arrange();
            }
            Action::Up => self.cursor = self.cursor.saturating_sub(1),
            Action::Down => self.cursor = (self.cursor + 1).min(last),
            Action::PageUp => self.cursor = self.cursor.saturating_sub(page),
            Action::PageDown => self.cursor = (self.cursor + page).min(last),
            Action::First => self.cursor = 0,
            Action::Last => self.cursor = last,
            _ => {}
        }
    }

    fn show_examples(&mut self, found: Option<(String, Vec<usize>)>) {
        if let Some((word, samples)) = found {
            self.examples = Some(Examples { word, samples });
            (self.view, self.cursor) = (View::Table, 0);
            self.order.clear();
            self.arrange();
        }
    }

    fn act_on_suspects(&mut self, action: Action) {
        match action {
            Action::View | Action::Close => self.view = View::Table,
            Action::Accept => self.show_examples(self.shortcuts.examples()),
            other => self.shortcuts.act(other),
        }
    }

    fn act_on_words(&mut self, action: Action, size: Size) {
        match action {
            Action::View | Action::Close => self.view = View::Table,
            Action::Accept => self.show_examples(self.words.examples(&self.explained)),
            Action::NextMethod => {
                self.explained.next_method();
                self.refresh();
            }
            other => self.words.act(other, &self.explained, geometry::body(size)),
        }
    }
}

/// How far the student is from the teacher: half the sum of the differences of their shares.
fn distance(answer: &Prediction) -> f32 {
    let Some(teacher) = &answer.teacher else { return 0.0 };
    let apart: f32 = answer.probabilities.iter().zip(teacher).map(|(a, b)| (a - b).abs()).sum();
    let other = answer.teacher_class().is_some_and(|class| class != answer.class());
    apart / 2.0 + if other { 1.0 } else { 0.0 }
}

fn detail_height(area: Rect) -> u16 {
    if area.height >= 18 { (area.height / 4).clamp(5, 10) } else { 0 }
}

fn rows_inside(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(1).max(1))
}

/// Rows of the table on a screen with this body.
fn rows(area: Rect) -> usize {
    let table = Rect { height: area.height - detail_height(area), ..area };
    rows_inside(crate::widgets::inner(table))
}
