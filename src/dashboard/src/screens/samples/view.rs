//! The Samples screen as a widget: a table, and the text of the sample under the cursor.

use pellucid_protocol::{Prediction, Sample};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use ratatui::widgets::{HighlightSpacing, Row, StatefulWidget, Table, TableState, Widget};

use super::shortcuts::ShortcutsView;
use super::words::WordsView;
use super::{Samples, Sort, View, detail_height, rows_inside};
use crate::run::Run;
use crate::text;
use crate::theme::Styles;
use crate::widgets::area::{inset, row};
use crate::widgets::heat_text::{HeatText, Signs, Trust};
use crate::widgets::{Panel, PutText};

/// The Samples screen of a run.
///
/// ```text
/// ╭─ samples ────────────────── step 1200 · highest loss first · filter: pain ╮
/// │     # label     answer    share  loss  teacher   text                     │
/// │ ✖  12 urgent    routine   0.71   1.24  urgent    the pain is sudden and … │
/// ╰───────────────────────────────────────────────────────────────────────────╯
/// ╭─ sample 12 ───────────────────────────────────────────────────────────────╮  when there is room
/// ╰───────────────────────────────────────────────────────────────────────────╯
/// ```
#[derive(Debug, Clone, Copy)]
pub(crate) struct SamplesView<'a> {
    pub(super) samples: &'a Samples,
    pub(super) run: &'a Run,
    pub(super) styles: &'a Styles,
}

impl Widget for SamplesView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Self { samples, styles, .. } = self;
        match samples.view {
            View::Words => return self.words().render(area, buf),
            View::Suspects => return self.shortcuts().render(area, buf),
            View::Table => {}
        }
        let parts = [Constraint::Fill(1), Constraint::Length(detail_height(area))];
        let [table, detail] = Layout::vertical(parts).areas(area);
        let status = samples.status(usize::from(area.width));
        let inside = Panel::new("samples", styles).note(&status, styles.muted).draw(table, buf);
        if samples.order.is_empty() {
            return buf.put_centered(inside, &samples.nothing(), styles.muted);
        }
        self.render_table(inside, buf);
        self.render_detail(detail, buf);
    }
}

impl<'a> SamplesView<'a> {
    pub(super) fn words(&self) -> WordsView<'a> {
        WordsView { words: &self.samples.words, explained: &self.samples.explained, run: self.run, styles: self.styles }
    }

    pub(super) fn shortcuts(&self) -> ShortcutsView<'a> {
        let Self { samples, run, styles } = *self;
        ShortcutsView { shortcuts: &samples.shortcuts, samples: &samples.samples, run, styles }
    }

    fn render_table(&self, area: Rect, buf: &mut Buffer) {
        let samples = self.samples;
        let columns = self.columns(area.width);
        let widths = columns.widths(area.width);
        let page = rows_inside(area);
        // Whole pages turn, so that moving the cursor repaints two lines and not all of them.
        let top = samples.cursor / page * page;
        let cells = |cells: Vec<(String, Style)>| {
            let cells = cells.into_iter().zip(&widths);
            cells.map(|((words, style), width)| clipped(&words, *width, style)).collect::<Row>()
        };
        let rows = samples.order.iter().skip(top).take(page).map(|&index| cells(self.cells(index, &columns)));
        let table = Table::new(rows, widths.iter().copied().map(Constraint::Length))
            .header(cells(columns.heading(self.styles)))
            .column_spacing(1)
            .highlight_symbol(" ")
            .highlight_spacing(HighlightSpacing::Always)
            .row_highlight_style(self.styles.selection);
        let mut state = TableState::default().with_selected(Some(samples.cursor - top));
        StatefulWidget::render(table, area, buf, &mut state);
    }

    fn columns(&self, width: u16) -> Columns {
        let labels = self.run.started.as_ref().map_or(&[][..], |started| &started.labels);
        let longest = labels.iter().map(|label| text::width(label)).max().unwrap_or(8) as u16;
        let taught = self.samples.answers.iter().any(|answer| answer.teacher.is_some());
        Columns {
            number: (self.samples.samples.len().to_string().len() as u16).max(3),
            label: longest.clamp(6, if width < 100 { 9 } else { 18 }),
            teacher: if taught && width >= 70 { Teacher::Shown } else { Teacher::Hidden },
            figures: self.figures(width),
        }
    }

    /// The figures of explanations: all of them where there is room, else the one that the table is sorted by.
    fn figures(&self, width: u16) -> Vec<Figure> {
        let Samples { samples, explained, sort, .. } = self.samples;
        let has_rationales = || samples.iter().any(|known| !known.rationale.is_empty());
        let is_shown = |figure: &Figure| match figure {
            _ if explained.is_empty() => false,
            Figure::Plausibility if width >= 110 => has_rationales(),
            figure => width >= 110 || *sort == figure.sort(),
        };
        [Figure::Trust, Figure::Plausibility, Figure::Disagreement].into_iter().filter(is_shown).collect()
    }

    fn figure_cell(&self, figure: Figure, index: usize) -> (String, Style) {
        let found = &self.samples.explained;
        let value = match figure {
            Figure::Trust => found.correlation(index),
            Figure::Plausibility => found.plausibility(index),
            Figure::Disagreement => found.disagreement(index),
        };
        let style = if found.fails(index) { self.styles.muted } else { self.styles.text };
        (value.map_or_else(|| "    –".to_owned(), |value| format!("{value:>5.2}")), style)
    }

    fn cells(&self, index: usize, columns: &Columns) -> Vec<(String, Style)> {
        let (sample, styles) = (&self.samples.samples[index], self.styles);
        let answer = self.samples.answers.get(index);
        let wrong = answer.is_some_and(|answer| answer.class() != sample.label);
        let (sign, style) = match answer {
            None => (" ", styles.muted),
            Some(_) if wrong => ("✖", styles.bad),
            Some(_) => ("✔", styles.good),
        };
        let mut cells = vec![
            (sign.to_owned(), style),
            (format!("{:>width$}", index, width = usize::from(columns.number)), styles.muted),
            (self.run.label(sample.label), styles.text),
        ];
        cells.extend(self.answer_cells(answer, columns.teacher, if wrong { styles.bad } else { styles.text }));
        cells.extend(columns.figures.iter().map(|figure| self.figure_cell(*figure, index)));
        cells.push((whole_text(sample), styles.text));
        cells
    }

    fn answer_cells(&self, answer: Option<&Prediction>, teacher: Teacher, judged: Style) -> Vec<(String, Style)> {
        let (run, plain) = (self.run, self.styles.text);
        let class = answer.map(Prediction::class);
        let share = answer.zip(class).and_then(|(answer, class)| answer.probabilities.get(class));
        let mut cells = vec![
            (class.map(|class| run.label(class)).unwrap_or_default(), judged),
            (share.map(|share| format!("{share:.2}")).unwrap_or_default(), plain),
            (answer.map(|answer| format!("{:>5}", text::number(f64::from(answer.loss)))).unwrap_or_default(), plain),
        ];
        if teacher == Teacher::Shown {
            let taught = answer.and_then(Prediction::teacher_class);
            let unlike = if taught.is_some() && taught != class { "≠ " } else { "  " };
            cells.push((taught.map(|taught| format!("{unlike}{}", run.label(taught))).unwrap_or_default(), plain));
        }
        cells
    }

    /// The whole text of the sample under the cursor. The words that a person marked as the reason are underlined.
    fn render_detail(&self, area: Rect, buf: &mut Buffer) {
        let (samples, styles) = (self.samples, self.styles);
        let Some(index) = samples.selected().filter(|_| area.height > 0) else { return };
        let Some(sample) = samples.samples.get(index) else { return };
        let title = format!("sample {index}: {}", self.run.label(sample.label));
        let inside = inset(Panel::new(&title, styles).draw(area, buf));
        let text = HeatText {
            text: &whole_text(sample),
            words: &sample.rationale,
            scores: &[],
            scale: None,
            rationale: &sample.rationale,
            trust: Trust::Passed,
            changed: &[],
            cursor: None,
            first_line: 0,
            signs: Signs::Hidden,
            styles,
        };
        text.render(inside, buf);
        if !sample.rationale.is_empty() {
            let underlined = styles.muted.add_modifier(Modifier::UNDERLINED);
            let last = row(inside, inside.height.saturating_sub(1));
            buf.put_spans_right(last, &[Span::styled("marked by a person", underlined)]);
        }
    }
}

impl Samples {
    fn status(&self, width: usize) -> String {
        let step = if self.answers.is_empty() { "not evaluated yet".to_owned() } else { format!("step {}", self.step) };
        let place = format!("{} of {}", self.cursor + usize::from(!self.order.is_empty()), self.order.len());
        let filter = if self.filter.is_empty() { String::new() } else { format!(" · filter: {}", self.filter) };
        let survey = self.survey_status();
        let order = self.order_title();
        let whole = format!("{survey}{place} · {step} · {order}{filter}");
        let parts = [whole, format!("{survey}{order}{filter}"), format!("{survey}{}{filter}", self.sort.title())];
        let fits = |words: &String| text::width(words) + 16 <= width;
        parts.iter().find(|words| fits(words)).unwrap_or(&parts[2]).clone()
    }

    /// The order of the samples, and by whose scores.
    fn order_title(&self) -> String {
        match (&self.examples, self.sort) {
            (Some(examples), _) => format!("with `{}`, the strongest first; Esc: all", examples.word),
            (None, Sort::Trust | Sort::Plausibility) => {
                format!("{}: {}", self.sort.title(), self.explained.method().title())
            }
            (None, sort) => sort.title().to_owned(),
        }
    }

    fn survey_status(&self) -> String {
        let going = self.survey.as_ref().filter(|_| self.is_surveyed());
        going.map_or_else(String::new, |survey| format!("explaining {} of {} · ", survey.done, survey.total))
    }

    fn nothing(&self) -> String {
        match &self.trouble {
            Some(why) => format!("the samples cannot be read: {why}"),
            None if self.samples.is_empty() => "the validation samples come when the run has started".to_owned(),
            None => format!("no sample has `{}` in it; press / to change the filter", self.filter),
        }
    }
}

fn clipped(words: &str, width: u16, style: Style) -> Span<'static> {
    Span::styled(text::clip(words, usize::from(width)).into_owned(), style)
}

/// The text of a sample; of a pair, both texts.
pub(super) fn whole_text(sample: &Sample) -> String {
    match &sample.pair {
        Some(pair) => format!("{} ║ {pair}", sample.text),
        None => sample.text.clone(),
    }
}

/// Whether the answers of the teacher have a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Teacher {
    Shown,
    Hidden,
}

/// A figure of an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Trust,
    Plausibility,
    Disagreement,
}

impl Figure {
    fn heading(self) -> &'static str {
        match self {
            Figure::Trust => "trust",
            Figure::Plausibility => "plaus",
            Figure::Disagreement => "apart",
        }
    }

    /// The order that goes by it.
    fn sort(self) -> Sort {
        match self {
            Figure::Trust => Sort::Trust,
            Figure::Plausibility => Sort::Plausibility,
            Figure::Disagreement => Sort::Disagreement,
        }
    }
}

/// The columns of the table.
#[derive(Debug, Clone)]
struct Columns {
    /// Columns of the sample's number.
    number: u16,
    /// Columns of a label.
    label: u16,
    teacher: Teacher,
    figures: Vec<Figure>,
}

impl Columns {
    /// The width of each column; the text takes the rest of `width`.
    fn widths(&self, width: u16) -> Vec<u16> {
        let mut widths = vec![1, self.number, self.label, self.label, 5, 6];
        if self.teacher == Teacher::Shown {
            widths.push(self.label + 2);
        }
        widths.extend(self.figures.iter().map(|_| 5));
        let used: u16 = widths.iter().map(|width| width + 1).sum();
        widths.push(width.saturating_sub(used + 1));
        widths
    }

    fn heading(&self, styles: &Styles) -> Vec<(String, Style)> {
        let number = format!("{:>width$}", "#", width = usize::from(self.number));
        let mut names = vec![" ", &number, "label", "answer", "share", "  loss"];
        if self.teacher == Teacher::Shown {
            names.push("  teacher");
        }
        names.extend(self.figures.iter().map(|figure| figure.heading()));
        names.push("text");
        names.into_iter().map(|name| (name.to_owned(), styles.muted)).collect()
    }
}
