//! The validation samples and the answers to them.

use pellucid_protocol::{Prediction, Sample};
use ratatui::layout::{Rect, Size};
use ratatui::style::{Modifier, Style};

use crate::ui::keymap::Action;
use crate::ui::state::run::Run;
use crate::ui::text;
use crate::ui::theme::Styles;
use crate::ui::view;
use crate::ui::widgets::heat::{HeatText, Trust};
use crate::ui::widgets::paper::{Paper, below, from, row, to};

/// The order of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sort {
    #[default]
    AsRead,
    Loss,
    Errors,
    Teacher,
}

impl Sort {
    const ALL: [Sort; 4] = [Sort::AsRead, Sort::Loss, Sort::Errors, Sort::Teacher];

    fn title(self) -> &'static str {
        match self {
            Sort::AsRead => "as read",
            Sort::Loss => "highest loss first",
            Sort::Errors => "errors first",
            Sort::Teacher => "unlike the teacher first",
        }
    }
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
}

impl Samples {
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

    /// Filters and sorts; the cursor stays on its sample.
    fn arrange(&mut self) {
        let selected = self.selected();
        let wanted = self.filter.to_lowercase();
        let matches = |sample: &Sample| {
            let pair = sample.pair.as_deref().unwrap_or("");
            wanted.is_empty() || sample.text.to_lowercase().contains(&wanted) || pair.to_lowercase().contains(&wanted)
        };
        let mut order: Vec<usize> = (0..self.samples.len()).filter(|&index| matches(&self.samples[index])).collect();
        order.sort_by(|&a, &b| self.weight(b).total_cmp(&self.weight(a)).then(a.cmp(&b)));
        self.cursor = selected.and_then(|wanted| order.iter().position(|&index| index == wanted)).unwrap_or(0);
        self.order = order;
    }

    /// What comes first has more.
    fn weight(&self, index: usize) -> f32 {
        let Some(answer) = self.answers.get(index) else { return f32::NEG_INFINITY };
        let loss = if answer.loss.is_nan() { f32::INFINITY } else { answer.loss };
        let first = |holds: bool| if holds { 1e6 + loss.min(1e5) } else { loss.min(1e5) };
        match self.sort {
            Sort::AsRead => 0.0,
            Sort::Loss => loss,
            Sort::Errors => first(answer.class() != self.samples[index].label),
            Sort::Teacher => distance(answer),
        }
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, size: Size) {
        let (page, last) = (rows(view::body(size)), self.order.len().saturating_sub(1));
        match action {
            Action::Sort => {
                let at = Sort::ALL.iter().position(|&sort| sort == self.sort).unwrap_or(0);
                self.sort = Sort::ALL[(at + 1) % Sort::ALL.len()];
                self.arrange();
                self.cursor = 0;
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

    /// ```text
    /// ╭ samples ─────────────────── step 1200 · highest loss first · filter: pain ╮
    /// │     # label     answer    share  loss  teacher   text                     │
    /// │ ✖  12 urgent    routine   0.71   1.24  urgent    the pain is sudden and … │
    /// ╰───────────────────────────────────────────────────────────────────────────╯
    /// ╭ sample 12 ────────────────────────────────────────────────────────────────╮  when there is room
    /// ╰───────────────────────────────────────────────────────────────────────────╯
    /// ```
    pub fn draw(&self, run: &Run, paper: &mut Paper, area: Rect) {
        let detail = detail_height(area);
        let table = Rect { height: area.height - detail, ..area };
        let inside = paper.boxed(table, "samples");
        paper.corner(table, &self.status(usize::from(area.width)), paper.styles.muted);
        if self.order.is_empty() {
            return paper.middle(inside, &self.nothing(), paper.styles.muted);
        }
        self.table(run, paper, inside);
        if detail > 0 {
            self.detail(run, paper, below(area, table.height));
        }
    }

    fn status(&self, width: usize) -> String {
        let step = if self.answers.is_empty() { "not evaluated yet".to_owned() } else { format!("step {}", self.step) };
        let place = format!("{} of {}", self.cursor + usize::from(!self.order.is_empty()), self.order.len());
        let filter = if self.filter.is_empty() { String::new() } else { format!(" · filter: {}", self.filter) };
        let whole = format!("{place} · {step} · {}{filter}", self.sort.title());
        if text::width(&whole) + 16 <= width { whole } else { format!("{}{filter}", self.sort.title()) }
    }

    fn nothing(&self) -> String {
        match &self.trouble {
            Some(why) => format!("the samples cannot be read: {why}"),
            None if self.samples.is_empty() => "the validation samples come when the run has started".to_owned(),
            None => format!("no sample has `{}` in it; press / to change the filter", self.filter),
        }
    }

    fn table(&self, run: &Run, paper: &mut Paper, area: Rect) {
        let columns = self.columns(run, area.width);
        columns.heading(paper, row(area, 0));
        let page = rows_inside(area);
        // Whole pages turn, so that moving the cursor repaints two lines and not all of them.
        let top = self.cursor / page * page;
        for (index, sample) in self.order.iter().skip(top).take(page).enumerate() {
            let line = row(area, index as u16 + 1);
            let cells = self.cells(run, *sample, &columns, paper.styles);
            columns.write(paper, line, &cells);
            if top + index == self.cursor {
                paper.buffer.set_style(line.intersection(paper.buffer.area), paper.styles.selection);
            }
        }
    }

    fn columns(&self, run: &Run, width: u16) -> Columns {
        let labels = run.started.as_ref().map_or(&[][..], |started| &started.labels);
        let longest = labels.iter().map(|label| text::width(label)).max().unwrap_or(8) as u16;
        let taught = self.answers.iter().any(|answer| answer.teacher.is_some());
        Columns {
            number: (self.samples.len().to_string().len() as u16).max(3),
            label: longest.clamp(6, if width < 100 { 9 } else { 18 }),
            teacher: if taught && width >= 70 { Teacher::Shown } else { Teacher::Left },
        }
    }

    fn cells(&self, run: &Run, index: usize, columns: &Columns, styles: &Styles) -> Vec<(String, Style)> {
        let sample = &self.samples[index];
        let answer = self.answers.get(index);
        let wrong = answer.is_some_and(|answer| answer.class() != sample.label);
        let (sign, style) = match answer {
            None => (" ", styles.muted),
            Some(_) if wrong => ("✖", styles.bad),
            Some(_) => ("✔", styles.good),
        };
        let mut cells = vec![
            (sign.to_owned(), style),
            (format!("{:>width$}", index, width = usize::from(columns.number)), styles.muted),
            (run.label(sample.label), styles.text),
        ];
        cells.extend(answer_cells(run, answer, columns, styles.text, if wrong { styles.bad } else { styles.text }));
        cells.push((whole_text(sample), styles.text));
        cells
    }

    /// The whole text of the sample under the cursor, the reason that a person marked underlined.
    fn detail(&self, run: &Run, paper: &mut Paper, area: Rect) {
        let Some(sample) = self.selected().and_then(|index| self.samples.get(index)) else { return };
        let inside =
            paper.boxed(area, &format!("sample {}: {}", self.selected().unwrap_or(0), run.label(sample.label)));
        let inside = to(from(inside, 1), inside.width.saturating_sub(2));
        let plain = HeatText {
            text: &whole_text(sample),
            words: &sample.rationale,
            shares: &[],
            rationale: &sample.rationale,
            trust: Trust::Passed,
        };
        plain.draw_plain(paper, inside);
        if !sample.rationale.is_empty() {
            let underlined = paper.styles.muted.add_modifier(Modifier::UNDERLINED);
            paper.right(row(inside, inside.height.saturating_sub(1)), &[("marked by a person", underlined)]);
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

fn whole_text(sample: &Sample) -> String {
    match &sample.pair {
        Some(pair) => format!("{} ║ {pair}", sample.text),
        None => sample.text.clone(),
    }
}

fn answer_cells(
    run: &Run,
    answer: Option<&Prediction>,
    columns: &Columns,
    plain: Style,
    judged: Style,
) -> Vec<(String, Style)> {
    let class = answer.map(Prediction::class);
    let share = answer.zip(class).and_then(|(answer, class)| answer.probabilities.get(class));
    let mut cells = vec![
        (class.map(|class| run.label(class)).unwrap_or_default(), judged),
        (share.map(|share| format!("{share:.2}")).unwrap_or_default(), plain),
        (answer.map(|answer| format!("{:>5}", text::number(f64::from(answer.loss)))).unwrap_or_default(), plain),
    ];
    if columns.teacher == Teacher::Shown {
        let teacher = answer.and_then(Prediction::teacher_class);
        let unlike = if teacher.is_some() && teacher != class { "≠ " } else { "  " };
        cells.push((teacher.map(|teacher| format!("{unlike}{}", run.label(teacher))).unwrap_or_default(), plain));
    }
    cells
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Teacher {
    Shown,
    Left,
}

/// Widths of the table's columns.
#[derive(Debug, Clone, Copy)]
struct Columns {
    number: u16,
    label: u16,
    teacher: Teacher,
}

impl Columns {
    fn widths(&self) -> Vec<u16> {
        let mut widths = vec![1, self.number, self.label, self.label, 5, 6];
        if self.teacher == Teacher::Shown {
            widths.push(self.label + 2);
        }
        widths.push(u16::MAX);
        widths
    }

    fn write(&self, paper: &mut Paper, area: Rect, cells: &[(String, Style)]) {
        let mut x = 1;
        for (wide, (content, style)) in self.widths().into_iter().zip(cells) {
            paper.write(to(from(area, x), wide), content, *style);
            x = x.saturating_add(wide).saturating_add(1);
        }
    }

    fn heading(&self, paper: &mut Paper, area: Rect) {
        let number = format!("{:>width$}", "#", width = usize::from(self.number));
        let mut names = vec![" ", &number, "label", "answer", "share", "  loss"];
        if self.teacher == Teacher::Shown {
            names.push("  teacher");
        }
        names.push("text");
        let cells: Vec<_> = names.iter().map(|name| ((*name).to_owned(), paper.styles.muted)).collect();
        self.write(paper, area, &cells);
    }
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
    rows_inside(crate::ui::widgets::paper::inner(table))
}
