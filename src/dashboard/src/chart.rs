//! A chart of series over steps or time, in dots: what was measured dim, what it tends to bright.

pub(crate) mod axis;
mod domain;
mod dots;
mod ticks;

use ratatui::layout::Rect;

use self::axis::Axis;
pub(crate) use self::axis::nice;
pub(crate) use self::domain::Domain;
use self::dots::Dots;
pub(crate) use self::ticks::round_up;
use crate::history::Series;
use crate::history::marks::{Mark, MarkKind};
use crate::history::timeline::Course;
use crate::text;
use crate::theme::{Level, Styles};
use crate::widgets::paper::{Paper, below, from, row, to};

/// Signs of the curves, so that colour is not needed to tell them apart.
pub(crate) const MARKS: [&str; 6] = ["●", "▲", "■", "◆", "✚", "★"];

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// All points dim and the smoothed line bright: measured at every step.
    Smoothed,
    /// Points joined by lines: measured now and then.
    Joined,
}

/// One series of a chart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Its name in the legend.
    pub name: &'a str,
    /// Its points.
    pub series: &'a Series,
    /// How it is drawn.
    pub look: Look,
    /// Which colour and sign it has.
    pub slot: usize,
    /// Where its steps lie on the horizontal axis, where that is another place than those of the rest.
    pub course: Option<&'a Course>,
}

impl<'a> Line<'a> {
    /// The horizontal axis as its steps lie on it.
    fn domain(&self, shared: &Domain<'a>) -> Domain<'a> {
        Domain { course: self.course.or(shared.course), ..*shared }
    }
}

/// How values are placed on the vertical axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Scale {
    /// From the smallest value to the largest.
    #[default]
    Fitted,
    /// From zero.
    FromZero,
    /// Logarithmic; values that are not positive are not drawn.
    Log,
}

/// Whether the points are drawn behind the smoothed line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Band {
    /// From the smallest to the largest of each column.
    #[default]
    Shown,
    /// The smoothed line alone.
    Hidden,
}

/// Whether keys go to a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Focus {
    /// They do: its title has a sign.
    Here,
    /// They do not.
    Elsewhere,
}

/// What the charts of a screen share, and whether this one has the keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sheet<'a> {
    /// What is shown from left to right.
    pub domain: Domain<'a>,
    /// Whether the points are seen.
    pub band: Band,
    /// Whether this chart has the keys.
    pub focus: Focus,
}

/// A chart.
#[derive(Debug)]
pub(crate) struct Chart<'a> {
    /// The title of its box.
    pub title: &'a str,
    /// Its series; those without points are left out.
    pub lines: Vec<Line<'a>>,
    /// First and last step shown, on an axis that counts steps.
    pub steps: (u64, u64),
    /// The vertical axis.
    pub scale: Scale,
    /// The step whose values the legend shows; the last one if none.
    pub cursor: Option<u64>,
    /// What is said while there are no points.
    pub empty: &'a str,
}

/// Where the parts of a chart lie, and its vertical axis.
#[derive(Debug)]
struct Parts {
    axis: Axis,
    /// Where the labels of the vertical axis end.
    margin: u16,
    /// Where the curves are.
    field: Rect,
}

impl Chart<'_> {
    /// The chart over its steps.
    pub(crate) fn draw(&self, paper: &mut Paper, area: Rect) {
        let sheet = Sheet { domain: Domain::steps(self.steps), band: Band::Shown, focus: Focus::Elsewhere };
        self.draw_on(&sheet, paper, area);
    }

    /// ```text
    /// ╭ loss ──────────────────────────╮
    /// │ ● total 0.612   ▲ task 0.501   │  legend: the latest values, on as many lines as needed
    /// │ 1.0 ┊⠢⢄                        │
    /// │ 0.5 ┊  ⠑⠒⠤⣀⣀⣀●                 │  plot
    /// │ 0.0 ┊                          │
    /// │     0     500     1000         │  steps, or what else the axis counts
    /// ╰──────────b───────!─────────────╯  marks of what happened
    /// ```
    pub(crate) fn draw_on(&self, sheet: &Sheet, paper: &mut Paper, area: Rect) {
        let title = if sheet.focus == Focus::Here { format!("▸ {}", self.title) } else { self.title.to_owned() };
        let inside = paper.boxed(area, &title);
        if self.scale == Scale::Log {
            paper.corner(area, "log", paper.styles.muted);
        }
        if self.shown().next().is_none() {
            return paper.middle(inside, self.empty, paper.styles.muted);
        }
        self.legend(paper, inside);
        if let Some(parts) = self.parts(sheet, inside) {
            self.plot(&parts, sheet, paper, below(inside, self.legend_rows(inside.width)));
            marks(sheet, parts.field, paper, area.bottom() - 1);
        }
    }

    /// Where the curves are in a chart at `area`, for a pointer.
    #[must_use]
    pub(crate) fn field(&self, sheet: &Sheet, area: Rect) -> Option<Rect> {
        self.shown().next()?;
        Some(self.parts(sheet, crate::widgets::paper::inner(area))?.field)
    }

    fn shown(&self) -> impl Iterator<Item = &Line<'_>> {
        self.lines.iter().filter(|line| !line.series.is_empty())
    }

    /// Where each entry of the legend stands: with room for the longest number, so that nothing moves.
    fn entries(&self, width: u16) -> Vec<(u16, u16, &Line<'_>)> {
        let (mut x, mut y) = (1, 0);
        let mut entries = Vec::new();
        for line in self.shown() {
            let wide = (text::width(line.name) + longest(line.series) + 4) as u16;
            if x + wide > width + 1 && x > 1 {
                (x, y) = (1, y + 1);
            }
            entries.push((x, y, line));
            x += wide;
        }
        entries
    }

    fn legend_rows(&self, width: u16) -> u16 {
        self.entries(width).last().map_or(0, |(_, y, _)| y + 1)
    }

    fn legend(&self, paper: &mut Paper, area: Rect) {
        for (x, y, line) in self.entries(area.width) {
            self.entry(line, paper, from(row(area, y), x));
        }
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

    /// Labels at the left and below, the curves between; `None` where there is no room for two rows.
    fn parts(&self, sheet: &Sheet, inside: Rect) -> Option<Parts> {
        let area = below(inside, self.legend_rows(inside.width));
        let height = area.height.checked_sub(1).filter(|&height| height > 0)?;
        let axis = Axis::fit(self.extent(&sheet.domain), self.scale, height);
        let margin = axis.labels().iter().map(|(_, label)| text::width(label)).max().unwrap_or(0) as u16 + 1;
        let field = Rect { height, ..from(to(area, area.width.saturating_sub(1)), margin + 1) };
        Some(Parts { axis, margin, field })
    }

    fn plot(&self, parts: &Parts, sheet: &Sheet, paper: &mut Paper, area: Rect) {
        let Parts { axis, margin, field } = parts;
        for (share, label) in &axis.labels() {
            let y = axis::row(*share, field.height);
            paper.right(to(row(area, y), *margin), &[(label, paper.styles.muted)]);
            paper.write(to(from(row(area, y), *margin), 1), "┤", paper.styles.faint);
        }
        labels_below(&sheet.domain, paper, Rect { y: area.y + field.height, height: 1, ..*field });
        if field.width > 0 {
            self.curves(parts, sheet, paper);
        }
    }

    /// Smallest and largest value of what is shown.
    fn extent(&self, domain: &Domain) -> Option<(f64, f64)> {
        let range = |line: &Line| {
            let (first, last) = line.domain(domain).span();
            line.series.range(first, last + 1.0)
        };
        let all = self.shown().map(range).filter(|sum| sum.finite > 0);
        all.map(|sum| (sum.min, sum.max)).reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
    }

    fn curves(&self, parts: &Parts, sheet: &Sheet, paper: &mut Paper) {
        let field = parts.field;
        let mut dots = Dots::new(field.width, field.height, &parts.axis);
        let patterned = paper.styles.level == Level::None;
        for line in self.shown() {
            dots.slot(line.slot, patterned);
            let edges = line.domain(&sheet.domain).edges(usize::from(field.width) * 2);
            match line.look {
                Look::Smoothed if line.series.is_smoothed() => dots.smoothed(line.series, &edges, sheet.band),
                Look::Smoothed | Look::Joined => dots.joined(line.series, &edges),
            }
        }
        dots.paint(paper, field);
        for line in self.shown() {
            if let Some((x, y)) = dots.head(line.slot) {
                let cell = Rect { x: field.x + x, y: field.y + y, width: 1, height: 1 };
                paper.write(cell, MARKS[line.slot], paper.styles.series[line.slot]);
            }
        }
        self.cursor_line(&sheet.domain, paper, field);
    }

    fn cursor_line(&self, domain: &Domain, paper: &mut Paper, field: Rect) {
        let Some(share) = self.cursor.and_then(|step| domain.place(step as f64)) else { return };
        let x = column(share, field);
        for y in field.y..field.bottom() {
            if paper.buffer.cell((x, y)).is_some_and(|cell| matches!(cell.symbol(), " " | "\u{2800}")) {
                paper.write(Rect { x, y, width: 1, height: 1 }, "┊", paper.styles.accent);
            }
        }
    }
}

/// The column of a place from 0 to 1.
fn column(share: f64, field: Rect) -> u16 {
    field.x + (share * f64::from(field.width.saturating_sub(1))).round() as u16
}

fn labels_below(domain: &Domain, paper: &mut Paper, area: Rect) {
    let mut free = area.x.saturating_sub(2);
    for (share, label) in ticks::labels(domain, area.width) {
        let middle = area.x + (share * f64::from(area.width.saturating_sub(1))) as u16;
        let wide = text::width(&label) as u16;
        let start = middle.saturating_sub(wide / 2).max(area.x.saturating_sub(1));
        if start >= free && start + wide <= area.right() + 1 {
            paper.write(Rect { x: start, width: wide, ..area }, &label, paper.styles.muted);
            free = start + wide + 2;
        }
    }
}

/// What happened, as letters on the lower edge of the box; of two at one place the weightier one.
fn marks(sheet: &Sheet, field: Rect, paper: &mut Paper, y: u16) {
    let Some(known) = sheet.domain.marks.filter(|_| field.width > 0) else { return };
    let mut seen: Vec<Option<MarkKind>> = vec![None; usize::from(field.width)];
    for mark in known.all() {
        let Some(share) = sheet.domain.place(mark.step as f64) else { continue };
        let place = &mut seen[usize::from(column(share, field) - field.x)];
        *place = (*place).max(Some(mark.kind));
    }
    for (x, kind) in (field.x..).zip(seen) {
        if let Some(kind) = kind {
            paper.write(Rect { x, y, width: 1, height: 1 }, kind.sign(), mark_style(kind, paper.styles));
        }
    }
}

/// Columns of the longest number that is to be expected: a sign and an exponent take one each.
fn longest(series: &Series) -> usize {
    let least = series.summary(0, series.len()).min;
    5 + usize::from(least < 0.0) + usize::from(least != 0.0 && least.abs() < 0.001)
}

/// The style of a mark.
#[must_use]
pub(crate) fn mark_style(kind: MarkKind, styles: &Styles) -> ratatui::style::Style {
    match kind {
        MarkKind::Best => styles.good,
        MarkKind::Checkpoint | MarkKind::Pause => styles.text,
        MarkKind::Setting => styles.accent,
        MarkKind::Alert => styles.bad,
    }
}

/// The mark at the column of the cursor, or close to it.
#[must_use]
pub(crate) fn mark_near<'a>(domain: &Domain<'a>, step: u64, columns: u16) -> Option<&'a Mark> {
    let (from, to) = domain.ends;
    let half = (to - from) / f64::from(columns.max(1)) / 2.0;
    let x = domain.x(step as f64);
    domain.marks?.within(domain.step(x - half).min(step as f64), domain.step(x + half))
}
