//! The table of samples, and the text of the one under the cursor.

use pellucid_protocol::{Prediction, Sample};
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{Samples, Sort, detail_height, rows_inside};
use crate::run::Run;
use crate::text;
use crate::theme::Styles;
use crate::widgets::heat::{HeatText, Trust};
use crate::widgets::paper::{Paper, below, from, row, to};

impl Samples {
    /// ```text
    /// ╭ samples ─────────────────── step 1200 · highest loss first · filter: pain ╮
    /// │     # label     answer    share  loss  teacher   text                     │
    /// │ ✖  12 urgent    routine   0.71   1.24  urgent    the pain is sudden and … │
    /// ╰───────────────────────────────────────────────────────────────────────────╯
    /// ╭ sample 12 ────────────────────────────────────────────────────────────────╮  when there is room
    /// ╰───────────────────────────────────────────────────────────────────────────╯
    /// ```
    pub fn draw(&self, run: &Run, paper: &mut Paper, area: Rect) {
        if self.shows_words() {
            return self.words.draw(run, &self.found, paper, area);
        }
        if self.shows_suspects() {
            return self.suspects.draw(run, &self.samples, paper, area);
        }
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
        let survey = self.survey_status();
        let order = self.order_title();
        let whole = format!("{survey}{place} · {step} · {order}{filter}");
        let parts = [whole, format!("{survey}{order}{filter}"), format!("{survey}{}{filter}", self.sort.title())];
        let fits = |words: &String| text::width(words) + 16 <= width;
        parts.iter().find(|words| fits(words)).unwrap_or(&parts[2]).clone()
    }

    /// How the samples are in order, and by whose scores.
    fn order_title(&self) -> String {
        match (&self.examples, self.sort) {
            (Some(examples), _) => format!("with `{}`, the strongest first; Esc: all", examples.word),
            (None, Sort::Faithfulness | Sort::Plausibility) => {
                format!("{}: {}", self.sort.title(), self.found.method().title())
            }
            (None, sort) => sort.title().to_owned(),
        }
    }

    pub(super) fn survey_status(&self) -> String {
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
            figures: self.figures(width),
        }
    }

    /// What is shown of explanations: with room all, else what the table is sorted by.
    fn figures(&self, width: u16) -> Figures {
        match self.sort {
            _ if self.found.is_empty() => Figures { faithful: false, plausible: false, apart: false },
            _ if width >= 110 => {
                let plausible = self.samples.iter().any(|known| !known.rationale.is_empty());
                Figures { faithful: true, plausible, apart: true }
            }
            sort => Figures {
                faithful: sort == Sort::Faithfulness,
                plausible: sort == Sort::Plausibility,
                apart: sort == Sort::Disagreement,
            },
        }
    }

    /// Faithfulness, plausibility and disagreement, as far as they are shown.
    fn figure_cells(&self, index: usize, columns: &Columns, styles: &Styles) -> Vec<(String, Style)> {
        let style = if self.found.fails(index) { styles.muted } else { styles.text };
        let values = [self.found.faithfulness(index), self.found.plausibility(index), self.found.disagreement(index)];
        let shown = values.into_iter().zip(columns.figures.shown()).filter(|(_, (is_shown, _))| *is_shown);
        shown
            .map(|(value, _)| (value.map_or_else(|| "    –".to_owned(), |value| format!("{value:>5.2}")), style))
            .collect()
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
        cells.extend(self.figure_cells(index, columns, styles));
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
            changed: &[],
            cursor: None,
        };
        plain.draw_plain(paper, inside);
        if !sample.rationale.is_empty() {
            let underlined = paper.styles.muted.add_modifier(Modifier::UNDERLINED);
            paper.right(row(inside, inside.height.saturating_sub(1)), &[("marked by a person", underlined)]);
        }
    }
}

pub(super) fn whole_text(sample: &Sample) -> String {
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
    figures: Figures,
}

/// Which figures of explanations are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Figures {
    faithful: bool,
    plausible: bool,
    apart: bool,
}

impl Figures {
    /// Each with its heading.
    fn shown(self) -> [(bool, &'static str); 3] {
        [(self.faithful, "faith"), (self.plausible, "plaus"), (self.apart, "apart")]
    }

    fn count(self) -> usize {
        self.shown().iter().filter(|(is_shown, _)| *is_shown).count()
    }
}

impl Columns {
    fn widths(&self) -> Vec<u16> {
        let mut widths = vec![1, self.number, self.label, self.label, 5, 6];
        if self.teacher == Teacher::Shown {
            widths.push(self.label + 2);
        }
        widths.extend(std::iter::repeat_n(5, self.figures.count()));
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
        names.extend(self.figures.shown().into_iter().filter(|(is_shown, _)| *is_shown).map(|(_, name)| name));
        names.push("text");
        let cells: Vec<_> = names.iter().map(|name| ((*name).to_owned(), paper.styles.muted)).collect();
        self.write(paper, area, &cells);
    }
}
