//! A chart of series over steps or time, in dots: the points dim, the smoothed line bright.

pub(crate) mod axis;
mod domain;
mod dots;
mod ticks;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use self::axis::Axis;
pub(crate) use self::axis::nice;
pub(crate) use self::domain::Domain;
use self::dots::Dots;
pub(crate) use self::ticks::round_up;
use crate::history::Series;
use crate::history::marks::{Mark, MarkKind};
use crate::history::timeline::Timeline;
use crate::text;
use crate::theme::{Level, Styles};
use crate::widgets::area::{below, from, row, to};
use crate::widgets::{Panel, PutText, inner};

/// Signs of the curves, so that colour is not needed to tell them apart.
pub(crate) const MARKS: [&str; 6] = ["●", "▲", "■", "◆", "✚", "★"];

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineStyle {
    /// All points dim and the smoothed line bright: measured at every step.
    Smoothed,
    /// Points joined by lines: not measured at every step.
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
    pub line_style: LineStyle,
    /// Which colour and sign it has.
    pub slot: usize,
    /// The timeline of its steps, if it differs from that of the other series.
    pub timeline: Option<&'a Timeline>,
}

impl<'a> Line<'a> {
    /// The horizontal axis with its own timeline.
    fn domain(&self, shared: &Domain<'a>) -> Domain<'a> {
        Domain { timeline: self.timeline.or(shared.timeline), ..*shared }
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
    /// They do, and its title has a sign.
    Here,
    /// They do not.
    Elsewhere,
}

/// A chart.
#[derive(Debug)]
pub(crate) struct Chart<'a> {
    /// The title of its box.
    pub title: &'a str,
    /// Its series; those without points are left out.
    pub lines: Vec<Line<'a>>,
    /// The stretch of the horizontal axis that is shown.
    pub domain: Domain<'a>,
    /// The vertical axis.
    pub scale: Scale,
    /// Whether the points are drawn behind the smoothed lines.
    pub band: Band,
    /// Whether keys go to this chart.
    pub focus: Focus,
    /// The step whose values the legend shows; the last one if none.
    pub cursor: Option<u64>,
    /// Shown while there are no points.
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
    /// The chart as a widget.
    #[must_use]
    pub(crate) fn view<'b>(&'b self, styles: &'b Styles) -> ChartView<'b> {
        ChartView { chart: self, styles }
    }

    /// Where the curves are in a chart at `area`, for a pointer.
    #[must_use]
    pub(crate) fn field(&self, area: Rect) -> Option<Rect> {
        self.shown().next()?;
        Some(self.parts(inner(area))?.field)
    }

    fn shown(&self) -> impl Iterator<Item = &Line<'_>> {
        self.lines.iter().filter(|line| !line.series.is_empty())
    }

    /// The place of each entry of the legend, with room for the longest number, so that nothing moves.
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

    /// Labels at the left and below, the curves between; `None` where there is no room for two rows.
    fn parts(&self, inside: Rect) -> Option<Parts> {
        let area = below(inside, self.legend_rows(inside.width));
        let height = area.height.checked_sub(1).filter(|&height| height > 0)?;
        let axis = Axis::fit(self.extent(), self.scale, height);
        let margin = axis.labels().iter().map(|(_, label)| text::width(label)).max().unwrap_or(0) as u16 + 1;
        let field = Rect { height, ..from(to(area, area.width.saturating_sub(1)), margin + 1) };
        Some(Parts { axis, margin, field })
    }

    /// Smallest and largest value of what is shown.
    fn extent(&self) -> Option<(f64, f64)> {
        let range = |line: &Line| {
            let (first, last) = line.domain(&self.domain).span();
            line.series.range(first, last + 1.0)
        };
        let all = self.shown().map(range).filter(|sum| sum.finite > 0);
        all.map(|sum| (sum.min, sum.max)).reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
    }
}

/// A chart on the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChartView<'a> {
    chart: &'a Chart<'a>,
    styles: &'a Styles,
}

impl Widget for ChartView<'_> {
    /// ```text
    /// ╭─ loss ─────────────────────────╮
    /// │ ● total 0.612   ▲ task 0.501   │  legend: the latest values, on as many lines as needed
    /// │ 1.0 ┊⠢⢄                        │
    /// │ 0.5 ┊  ⠑⠒⠤⣀⣀⣀●                 │  plot
    /// │ 0.0 ┊                          │
    /// │     0     500     1000         │  steps, or what else the axis counts
    /// ╰──────────b───────!─────────────╯  marks of what happened
    /// ```
    fn render(self, area: Rect, buf: &mut Buffer) {
        let title = if self.chart.focus == Focus::Here {
            format!("▸ {}", self.chart.title)
        } else {
            self.chart.title.to_owned()
        };
        let panel = Panel::new(&title, self.styles);
        let panel = if self.chart.scale == Scale::Log { panel.note("log", self.styles.muted) } else { panel };
        let inside = panel.draw(area, buf);
        if self.chart.shown().next().is_none() {
            return buf.put_centered(inside, self.chart.empty, self.styles.muted);
        }
        self.render_legend(inside, buf);
        if let Some(parts) = self.chart.parts(inside) {
            self.render_plot(&parts, below(inside, self.chart.legend_rows(inside.width)), buf);
            self.render_marks(parts.field, area.bottom() - 1, buf);
        }
    }
}

impl ChartView<'_> {
    fn render_legend(&self, area: Rect, buf: &mut Buffer) {
        for (x, y, line) in self.chart.entries(area.width) {
            self.render_entry(line, from(row(area, y), x), buf);
        }
    }

    fn render_entry(&self, line: &Line, area: Rect, buf: &mut Buffer) {
        let value = match self.chart.cursor {
            Some(step) => line.series.at(step),
            None => line.series.last().map(|(_, value)| value),
        };
        let shown = value.map_or_else(|| "–".to_owned(), text::number);
        let style = if value.is_some_and(|value| !value.is_finite()) { self.styles.bad } else { self.styles.text };
        let mark = Span::styled(MARKS[line.slot], self.styles.series[line.slot]);
        let label = format!(" {} ", line.name);
        buf.put_spans(area, &[mark, Span::styled(&label, self.styles.muted), Span::styled(&shown, style)]);
    }

    fn render_plot(&self, parts: &Parts, area: Rect, buf: &mut Buffer) {
        let Parts { axis, margin, field } = parts;
        for (share, label) in &axis.labels() {
            let y = axis::row(*share, field.height);
            buf.put_spans_right(to(row(area, y), *margin), &[Span::styled(label, self.styles.muted)]);
            buf.put(to(from(row(area, y), *margin), 1), "┤", self.styles.faint);
        }
        self.render_labels_below(Rect { y: area.y + field.height, height: 1, ..*field }, buf);
        if field.width > 0 {
            self.render_curves(parts, buf);
        }
    }

    fn render_curves(&self, parts: &Parts, buf: &mut Buffer) {
        let field = parts.field;
        let mut dots = Dots::new(field.width, field.height, &parts.axis);
        let patterned = self.styles.level == Level::None;
        for line in self.chart.shown() {
            dots.slot(line.slot, patterned);
            let edges = line.domain(&self.chart.domain).edges(usize::from(field.width) * 2);
            match line.line_style {
                LineStyle::Smoothed if line.series.is_smoothed() => dots.smoothed(line.series, &edges, self.chart.band),
                LineStyle::Smoothed | LineStyle::Joined => dots.joined(line.series, &edges),
            }
        }
        dots.render(self.styles, field, buf);
        for line in self.chart.shown() {
            if let Some((x, y)) = dots.head(line.slot) {
                let cell = Rect { x: field.x + x, y: field.y + y, width: 1, height: 1 };
                buf.put(cell, MARKS[line.slot], self.styles.series[line.slot]);
            }
        }
        self.render_cursor(field, buf);
    }

    fn render_cursor(&self, field: Rect, buf: &mut Buffer) {
        let Some(share) = self.chart.cursor.and_then(|step| self.chart.domain.place(step as f64)) else { return };
        let x = column(share, field);
        for y in field.y..field.bottom() {
            if buf.cell((x, y)).is_some_and(|cell| matches!(cell.symbol(), " " | "\u{2800}")) {
                buf.put(Rect { x, y, width: 1, height: 1 }, "┊", self.styles.accent);
            }
        }
    }

    fn render_labels_below(&self, area: Rect, buf: &mut Buffer) {
        let mut free = area.x.saturating_sub(2);
        for (share, label) in ticks::labels(&self.chart.domain, area.width) {
            let middle = area.x + (share * f64::from(area.width.saturating_sub(1))) as u16;
            let wide = text::width(&label) as u16;
            let start = middle.saturating_sub(wide / 2).max(area.x.saturating_sub(1));
            if start >= free && start + wide <= area.right() + 1 {
                buf.put(Rect { x: start, width: wide, ..area }, &label, self.styles.muted);
                free = start + wide + 2;
            }
        }
    }

    /// Marks what happened by letters on the lower edge of the box. Of two marks at one place the more important one
    /// is seen.
    fn render_marks(&self, field: Rect, y: u16, buf: &mut Buffer) {
        let Some(known) = self.chart.domain.marks.filter(|_| field.width > 0) else { return };
        let mut seen: Vec<Option<MarkKind>> = vec![None; usize::from(field.width)];
        for mark in known.all() {
            let Some(share) = self.chart.domain.place(mark.step as f64) else { continue };
            let place = &mut seen[usize::from(column(share, field) - field.x)];
            *place = (*place).max(Some(mark.kind));
        }
        for (x, kind) in (field.x..).zip(seen) {
            if let Some(kind) = kind {
                buf.put(Rect { x, y, width: 1, height: 1 }, kind.sign(), mark_style(kind, self.styles));
            }
        }
    }
}

/// The column of a place from 0 to 1.
fn column(share: f64, field: Rect) -> u16 {
    field.x + (share * f64::from(field.width.saturating_sub(1))).round() as u16
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
