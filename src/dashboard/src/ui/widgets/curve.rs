//! A chart of series over steps, in braille dots: what was measured dim, what it tends to bright.

mod axis;
mod dots;

use ratatui::layout::Rect;

use self::axis::Axis;
use self::dots::Dots;
use super::paper::{Paper, below, from, row, to};
use crate::ui::history::Series;
use crate::ui::text;
use crate::ui::theme::Level;

/// Signs of the curves, so that colour is not needed to tell them apart.
pub const MARKS: [&str; 6] = ["●", "▲", "■", "◆", "✚", "★"];

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// All points dim and the smoothed line bright: measured at every step.
    Smoothed,
    /// Points joined by lines: measured now and then.
    Joined,
}

/// One series of a chart.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Its name in the legend.
    pub name: &'a str,
    /// Its points.
    pub series: &'a Series,
    /// How it is drawn.
    pub look: Look,
    /// Which colour and sign it has.
    pub slot: usize,
}

/// How values are placed on the vertical axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scale {
    /// From the smallest value to the largest.
    #[default]
    Fitted,
    /// From zero.
    FromZero,
    /// Logarithmic; values that are not positive are not drawn.
    Log,
}

/// A chart.
#[derive(Debug)]
pub struct Chart<'a> {
    /// The title of its box.
    pub title: &'a str,
    /// Its series; those without points are left out.
    pub lines: Vec<Line<'a>>,
    /// First and last step shown.
    pub steps: (u64, u64),
    /// The vertical axis.
    pub scale: Scale,
    /// The step whose values the legend shows; the last one if none.
    pub cursor: Option<u64>,
    /// What is said while there are no points.
    pub empty: &'a str,
}

impl Chart<'_> {
    /// ```text
    /// ╭ loss ──────────────────────────╮
    /// │ ● total 0.612   ▲ task 0.501   │  legend: the latest values, on as many lines as needed
    /// │ 1.0 ┊⠢⢄                        │
    /// │ 0.5 ┊  ⠑⠒⠤⣀⣀⣀●                 │  plot
    /// │ 0.0 ┊                          │
    /// │     0     500     1000         │  steps
    /// ╰────────────────────────────────╯
    /// ```
    pub fn draw(&self, paper: &mut Paper, area: Rect) {
        let inside = paper.boxed(area, self.title);
        if self.scale == Scale::Log {
            paper.corner(area, "log", paper.styles.muted);
        }
        if self.shown().next().is_none() {
            return paper.middle(inside, self.empty, paper.styles.muted);
        }
        let used = self.legend(paper, inside);
        let plot = below(inside, used);
        if plot.height >= 2 {
            self.plot(paper, plot);
        }
    }

    fn shown(&self) -> impl Iterator<Item = &Line<'_>> {
        self.lines.iter().filter(|line| !line.series.is_empty())
    }

    /// Entries with room for the longest number, so that they do not move when numbers change.
    fn legend(&self, paper: &mut Paper, area: Rect) -> u16 {
        let (mut x, mut y) = (1, 0);
        for line in self.shown() {
            let wide = (text::width(line.name) + 9) as u16;
            if x + wide > area.width + 1 && x > 1 {
                (x, y) = (1, y + 1);
            }
            self.entry(line, paper, from(row(area, y), x));
            x += wide;
        }
        y + 1
    }

    fn entry(&self, line: &Line, paper: &mut Paper, area: Rect) {
        let value = match self.cursor {
            Some(step) => line.series.at(step),
            None => line.series.last().map(|(_, value)| value),
        };
        let shown = value.map_or_else(|| "–".to_owned(), text::number);
        let style = if value.is_some_and(|value| !value.is_finite()) { paper.styles.bad } else { paper.styles.text };
        let mark = (MARKS[line.slot], paper.styles.series[line.slot]);
        let label = format!(" {} ", line.name);
        paper.line(area, &[mark, (&label, paper.styles.muted), (&shown, style)]);
    }

    /// Labels at the left and below, the curves between.
    fn plot(&self, paper: &mut Paper, area: Rect) {
        let height = area.height - 1;
        let axis = Axis::fit(self.extent(), self.scale, height);
        let labels = axis.labels();
        let margin = labels.iter().map(|(_, label)| text::width(label)).max().unwrap_or(0) as u16 + 1;
        let field = Rect { height, ..from(to(area, area.width.saturating_sub(1)), margin + 1) };
        for (share, label) in &labels {
            let y = axis::row(*share, height);
            let label_area = to(row(area, y), margin);
            paper.right(label_area, &[(label, paper.styles.muted)]);
            paper.write(to(from(row(area, y), margin), 1), "┤", paper.styles.faint);
        }
        self.steps_below(paper, Rect { y: area.y + height, height: 1, ..field });
        if field.width > 0 {
            self.curves(paper, field, &axis);
        }
    }

    /// Smallest and largest value of what is shown.
    fn extent(&self) -> Option<(f64, f64)> {
        let (first, last) = (self.steps.0 as f64, self.steps.1 as f64 + 1.0);
        let all = self.shown().map(|line| line.series.range(first, last)).filter(|sum| sum.finite > 0);
        all.map(|sum| (sum.min, sum.max)).reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
    }

    fn steps_below(&self, paper: &mut Paper, area: Rect) {
        let mut free = area.x.saturating_sub(2);
        for (share, label) in axis::steps(self.steps, area.width) {
            let middle = area.x + (share * f64::from(area.width.saturating_sub(1))) as u16;
            let wide = text::width(&label) as u16;
            let start = middle.saturating_sub(wide / 2).max(area.x.saturating_sub(1));
            if start >= free && start + wide <= area.right() + 1 {
                paper.write(Rect { x: start, width: wide, ..area }, &label, paper.styles.muted);
                free = start + wide + 2;
            }
        }
    }

    fn curves(&self, paper: &mut Paper, field: Rect, axis: &Axis) {
        let mut dots = Dots::new(field.width, field.height, axis);
        let patterned = paper.styles.level == Level::None;
        for line in self.shown() {
            dots.slot(line.slot, patterned);
            match line.look {
                Look::Smoothed => dots.smoothed(line.series, self.steps),
                Look::Joined => dots.joined(line.series, self.steps),
            }
        }
        dots.paint(paper, field);
        for line in self.shown() {
            if let Some((x, y)) = dots.head(line.slot) {
                let cell = Rect { x: field.x + x, y: field.y + y, width: 1, height: 1 };
                paper.write(cell, MARKS[line.slot], paper.styles.series[line.slot]);
            }
        }
        self.cursor_line(paper, field);
    }

    fn cursor_line(&self, paper: &mut Paper, field: Rect) {
        let Some(step) = self.cursor else { return };
        let share = axis::share(step as f64, self.steps.0 as f64, self.steps.1 as f64);
        let x = field.x + (share * f64::from(field.width - 1)).round() as u16;
        for y in field.y..field.bottom() {
            if paper.buffer.cell((x, y)).is_some_and(|cell| matches!(cell.symbol(), " " | "\u{2800}")) {
                paper.write(Rect { x, y, width: 1, height: 1 }, "┊", paper.styles.accent);
            }
        }
    }
}
