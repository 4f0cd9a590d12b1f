//! The answer: the probability of each class, now and over the run.

use pellucid_protocol::Explanation;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
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
    /// why: routine    student  teacher
    /// ▸✔ urgent   ▆▆▆▆▆▆··  0.91  0.88
    ///    routine  ▆·······  0.09  0.12
    /// right
    /// teacher says urgent too
    /// ```
    /// `▸` marks the answer, of the changed text where words are changed; the class that is explained is underlined, and
    /// named where it is another.
    pub(super) fn render_answer(&self, current: &Explanation, area: Rect, buf: &mut Buffer) {
        let answer = self.answer(current);
        let title = match current.label {
            Some(_) if area.width >= 40 => "the answer (✔ marked by a person)",
            Some(_) => "answer, ✔ is right",
            None => "the answer",
        };
        let inside = inset(Panel::new(title, self.styles).draw(area, buf));
        let names: Vec<_> = (0..answer.bars.len()).map(|class| self.run.label(class)).collect();
        let name_width = names.iter().map(|name| text::width(name)).max().unwrap_or(0).min(14) as u16;
        let digits = if inside.width < 32 { 2 } else { 3 };
        let given = highest(answer.bars);
        let free = inside.width.saturating_sub(answer.heading.len() as u16 + 1);
        if given != current.target {
            let why = format!("why: {}", self.run.label(current.target));
            buf.put(to(row(inside, 0), free), &text::clip(&why, usize::from(free)), self.styles.muted);
        }
        buf.put_spans_right(row(inside, 0), &[Span::styled(answer.heading, self.styles.muted)]);
        for (class, name) in names.iter().enumerate() {
            let probabilities = |shares: &[f64]| shares.get(class).copied();
            let line = ClassLine {
                name,
                name_width,
                kind: ClassKind {
                    explained: class == current.target,
                    given: class == given,
                    right: current.label == Some(class),
                },
                bar: answer.bars[class],
                first: probabilities(answer.first).unwrap_or(f64::NAN),
                second: answer.second.and_then(probabilities),
                digits,
                styles: self.styles,
            };
            line.render(row(inside, class as u16 + 1), buf);
        }
        for (y, told) in (names.len() as u16 + 1..).zip(self.judgement(current)) {
            buf.put_spans(row(inside, y), &[told]);
        }
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

    /// Whether the answer is right, and what the teacher says; where words are changed, what became of the answer.
    fn judgement(&self, current: &Explanation) -> Vec<Span<'static>> {
        let styles = self.styles;
        if self.screen.draft.is_changed() {
            return self.judgement_as_changed(current);
        }
        let given = highest(&current.probabilities);
        let judged = current.label.map(|label| match label == given {
            true => Span::styled("right", styles.good),
            false => Span::styled(format!("wrong: a person marked {}", self.run.label(label)), styles.bad),
        });
        let teacher = current.teacher_probabilities.as_deref().map(|teacher| {
            let said = highest(teacher);
            let too = if said == given { " too" } else { "" };
            Span::styled(format!("teacher says {}{too}", self.run.label(said)), styles.muted)
        });
        judged.into_iter().chain(teacher).collect()
    }

    fn judgement_as_changed(&self, current: &Explanation) -> Vec<Span<'static>> {
        let styles = self.styles;
        let Some(answer) = self.screen.draft.answer() else {
            return vec![Span::styled("changed: asking …", styles.muted)];
        };
        let (was, is) = (highest(&answer.before), highest(&answer.after));
        let judged = current.label.map(|label| match label == is {
            true => Span::styled("changed: right", styles.good),
            false => Span::styled("changed: wrong", styles.bad),
        });
        let moved = if was == is { "the answer stays".to_owned() } else { format!("it was {}", self.run.label(was)) };
        judged.into_iter().chain([Span::styled(moved, styles.muted)]).collect()
    }
}

/// What a class is in an explanation.
#[derive(Debug, Clone, Copy)]
struct ClassKind {
    /// It is the class that is explained.
    explained: bool,
    /// It is the answer.
    given: bool,
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
            if kind.given { ("▸", styles.strong, styles.accent) } else { (" ", styles.text, styles.muted) };
        let plain = if kind.explained { plain.add_modifier(Modifier::UNDERLINED) } else { plain };
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
