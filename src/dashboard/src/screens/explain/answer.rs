//! The answer: the probability of each class, now and over the run.

use pellucid_protocol::Explanation;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::{Explain, ExplainView, highest};
use crate::chart::{Band, Chart, Domain, Focus, Line, LineStyle, MARKS, Scale};
use crate::history::Series;
use crate::run::Run;
use crate::text;
use crate::theme::Styles;
use crate::widgets::area::{from, inset, row, to};
use crate::widgets::bar::{Bar, Weight};
use crate::widgets::{Panel, PutText};

/// Probabilities in two columns: of student and teacher, or, where words are changed, before and after.
struct Answer<'a> {
    heading: &'static str,
    /// What the bars show.
    bars: &'a [f64],
    first: &'a [f64],
    second: Option<&'a [f64]>,
}

impl ExplainView<'_> {
    /// ```text
    ///            student        teacher
    /// ▸✔ urgent   ▆▆▆▆▆▆··  0.91  0.88
    ///    routine  ▆·······  0.09  0.12
    /// ```
    pub(super) fn render_answer(&self, current: &Explanation, area: Rect, buf: &mut Buffer) {
        let answer = self.answer(current);
        let title = if current.label.is_some() { "answer, ✔ is right" } else { "answer" };
        let inside = inset(Panel::new(title, self.styles).draw(area, buf));
        let names: Vec<_> = (0..answer.bars.len()).map(|class| self.run.label(class)).collect();
        let name_width = names.iter().map(|name| text::width(name)).max().unwrap_or(0).min(14) as u16;
        let digits = if inside.width < 32 { 2 } else { 3 };
        buf.put_spans_right(row(inside, 0), &[Span::styled(answer.heading, self.styles.muted)]);
        for (class, name) in names.iter().enumerate() {
            let probabilities = |shares: &[f64]| shares.get(class).copied();
            let line = ClassLine {
                name,
                name_width,
                kind: ClassKind { explained: class == current.target, right: current.label == Some(class) },
                bar: answer.bars[class],
                first: probabilities(answer.first).unwrap_or(f64::NAN),
                second: answer.second.and_then(probabilities),
                digits,
                styles: self.styles,
            };
            line.render(row(inside, class as u16 + 1), buf);
        }
        self.render_judgement(current, row(inside, names.len() as u16 + 1), buf);
    }

    fn answer<'a>(&'a self, current: &'a Explanation) -> Answer<'a> {
        let draft = &self.screen.draft;
        match draft.last_answer() {
            Some(said) => {
                let heading = if draft.answer().is_some() { "before  after" } else { "before  … " };
                Answer { heading, bars: &said.after, first: &said.before, second: Some(&said.after) }
            }
            None => {
                let shares = &current.probabilities;
                let second = current.teacher_probabilities.as_deref();
                let heading = if second.is_some() { "student teacher" } else { "student" };
                Answer { heading, bars: shares, first: shares, second }
            }
        }
    }

    /// Whether the answer is right, and whether the teacher gives the same one.
    fn render_judgement(&self, current: &Explanation, area: Rect, buf: &mut Buffer) {
        let (answer, styles) = (highest(&current.probabilities), self.styles);
        let judged = match current.label {
            Some(label) if label == answer => Span::styled("right", styles.good),
            Some(label) => Span::styled(format!("wrong: it is {}", self.run.label(label)), styles.bad),
            None => return,
        };
        let agrees = current.teacher_probabilities.as_deref().map(|teacher| highest(teacher) == answer);
        let teacher = match agrees {
            Some(true) => " · the teacher agrees",
            Some(false) => " · the teacher does not agree",
            None => "",
        };
        buf.put_spans(area, &[judged, Span::styled(teacher, styles.muted)]);
    }
}

/// What a class is in an explanation.
#[derive(Debug, Clone, Copy)]
struct ClassKind {
    /// It is the class that is explained.
    explained: bool,
    /// It is the right one.
    right: bool,
}

/// A class with its bar and its probabilities.
struct ClassLine<'a> {
    name: &'a str,
    name_width: u16,
    kind: ClassKind,
    bar: f64,
    first: f64,
    second: Option<f64>,
    /// Digits after the point.
    digits: usize,
    styles: &'a Styles,
}

impl Widget for ClassLine<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Self { name, name_width, kind, bar, first, second, digits, styles } = self;
        let (cursor, plain, style) =
            if kind.explained { ("▸", styles.strong, styles.accent) } else { (" ", styles.text, styles.muted) };
        let right = Span::styled(if kind.right { "✔ " } else { "  " }, styles.good);
        let spans = [Span::styled(cursor, styles.accent), right, Span::styled(name, plain)];
        buf.put_spans(to(area, name_width + 3), &spans);
        let first = format!("{first:>width$.digits$}", width = digits + 4);
        let second = second.map_or_else(String::new, |second| format!("{second:>width$.digits$}", width = digits + 5));
        let tail = (first.len() + second.len()) as u16;
        let place = to(from(area, name_width + 4), area.width.saturating_sub(name_width + 4 + tail));
        Bar { share: bar, weight: Weight::Full, style, styles }.render(place, buf);
        buf.put_spans_right(area, &[Span::styled(first, styles.strong), Span::styled(second, styles.text)]);
    }
}

/// The probability of each class over the run, as the explanations of this text so far had it.
pub(super) struct AnswerOverTime<'a> {
    pub(super) screen: &'a Explain,
    pub(super) run: &'a Run,
    pub(super) styles: &'a Styles,
}

impl Widget for AnswerOverTime<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Some(current) = self.screen.current().filter(|_| area.height >= 6) else { return };
        let classes = current.probabilities.len().min(MARKS.len());
        let mut series = vec![Series::default(); classes];
        for known in self.screen.related() {
            for (series, probability) in series.iter_mut().zip(&known.probabilities) {
                series.push(known.step, *probability);
            }
        }
        let names: Vec<_> = (0..classes).map(|class| self.run.label(class)).collect();
        let lines = series.iter().zip(&names).enumerate();
        let lines = lines.map(|(slot, (series, name))| Line {
            name,
            series,
            line_style: LineStyle::Joined,
            slot,
            timeline: None,
        });
        let chart = Chart {
            title: "this answer over the run",
            lines: lines.collect(),
            domain: Domain::steps((0, self.run.horizon())),
            scale: Scale::FromZero,
            band: Band::Shown,
            focus: Focus::Elsewhere,
            cursor: None,
            empty: "",
        };
        chart.view(self.styles).render(area, buf);
    }
}
