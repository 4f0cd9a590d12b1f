//! The picture: accuracy upwards, another measure across, a sign a run, means with their spread, and the front.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::field::{Field, HEIGHT, sign};
use crate::chart::axis::{Axis, row as down};
use crate::chart::{MARKS, Scale};
use crate::text;
use crate::theme::{SERIES, Styles};
use crate::widgets::area::{from, row, to};
use crate::widgets::{Panel, PutText, inner};

/// Sign and colour of a configuration: every one of the first 36 has its own pair.
#[must_use]
pub(super) fn look(configuration: usize, styles: &Styles) -> (&'static str, Style) {
    let slot = configuration % SERIES;
    (MARKS[(configuration + configuration / SERIES) % MARKS.len()], styles.series[slot])
}

/// What is plotted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot<'a> {
    /// The runs.
    pub field: &'a Field,
    /// The measure across.
    pub across: &'static str,
    /// The marked run.
    pub marked: Option<usize>,
}

/// The axes, and where the points are.
struct Axes {
    across: Axis,
    up: Axis,
    field: Rect,
    margin: u16,
}

impl Axes {
    /// The cell of a point.
    fn cell(&self, (x, y): (f64, f64)) -> Option<(u16, u16)> {
        let (across, up) = (self.across.place(x)?, self.up.place(y)?);
        let column = (across * f64::from(self.field.width.saturating_sub(1))).round() as u16;
        Some((self.field.x + column, self.field.y + down(up, self.field.height)))
    }
}

/// A picture on the screen.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlotView<'a> {
    pub(super) plot: Plot<'a>,
    pub(super) styles: &'a Styles,
}

impl Widget for PlotView<'_> {
    /// ```text
    /// ╭─ valid/accuracy ────────────────────────────────╮
    /// │ 0.95 ┤●─╬─●·····························         │  a sign a run; ╬ the mean of a configuration with its spread
    /// │ 0.90 ┤               ▲     ▲╬  ▲                 │  dots: the front
    /// │      ╰───────────────────────────────────────────│
    /// │      0.0            0.2            0.4           │
    /// ╰──────────────────────── sparsity/exact, more → ──╯
    /// ```
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (plot, styles) = (self.plot, self.styles);
        let inside = Panel::new(HEIGHT, styles).draw(area, buf);
        let Some(axes) = plot.axes(inside) else {
            return buf.put_centered(inside, "no run was evaluated with both measures yet", styles.muted);
        };
        self.render_axes(&axes, inside, buf);
        let better = if sign(plot.across) > 0.0 { "more is better →" } else { "← less is better" };
        let note = format!(" {}  {better} ", plot.across);
        let edge = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        let edge = to(from(edge, 2), area.width.saturating_sub(4));
        buf.put_spans_right(edge, &[Span::styled(note, styles.muted)]);
        self.render_front(&axes, buf);
        for configuration in 0..plot.field.configurations().len() {
            self.render_spread(configuration, &axes, buf);
        }
        for run in plot.runs().filter(|run| Some(*run) != plot.marked).chain(plot.marked) {
            self.render_run(run, &axes, buf);
        }
    }
}

impl Plot<'_> {
    /// The run that is closest to a cell of a picture at `area`.
    #[must_use]
    pub(super) fn at(&self, area: Rect, (x, y): (u16, u16)) -> Option<usize> {
        let axes = self.axes(inner(area))?;
        let distance = |run: usize| {
            let cell = axes.cell(self.field.place(run, self.across)?)?;
            // A row is as high as two columns are wide.
            Some(u32::from(cell.0.abs_diff(x)) + 2 * u32::from(cell.1.abs_diff(y)))
        };
        let near = self.runs().filter_map(|run| Some((distance(run)?, run)));
        near.min().filter(|(distance, _)| *distance <= 6).map(|(_, run)| run)
    }

    fn runs(&self) -> impl Iterator<Item = usize> {
        (0..self.field.entries().len()).filter(|&run| self.field.place(run, self.across).is_some())
    }

    fn axes(&self, inside: Rect) -> Option<Axes> {
        let extent = |pick: fn((f64, f64)) -> f64| {
            let values = self.runs().filter_map(|run| self.field.place(run, self.across)).map(pick);
            values.fold(None, |known: Option<(f64, f64)>, value| {
                Some(known.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
            })
        };
        let rows = inside.height.checked_sub(2).filter(|&rows| rows > 1)?;
        let up = Axis::fit(Some(extent(|point| point.1)?), Scale::Fitted, rows);
        let margin = up.labels().iter().map(|(_, label)| text::width(label)).max().unwrap_or(0) as u16 + 2;
        let width = inside.width.checked_sub(margin + 3).filter(|&width| width > 3)?;
        let across = Axis::fit(Some(extent(|point| point.0)?), Scale::Fitted, width / 4);
        let field = Rect { x: inside.x + margin + 1, y: inside.y, width, height: rows };
        Some(Axes { across, up, field, margin })
    }
}

impl PlotView<'_> {
    fn render_axes(&self, axes: &Axes, inside: Rect, buf: &mut Buffer) {
        let (field, styles) = (axes.field, self.styles);
        for y in 0..field.height {
            buf.put(to(from(row(inside, y), axes.margin), 1), "│", styles.faint);
        }
        let floor = from(row(inside, field.height), axes.margin);
        buf.put(to(floor, field.width + 1), &format!("╰{}", "─".repeat(usize::from(field.width))), styles.faint);
        for (share, label) in axes.up.labels() {
            let line = row(inside, down(share, field.height));
            buf.put_spans_right(to(line, axes.margin - 1), &[Span::styled(&label, styles.muted)]);
            buf.put(to(from(line, axes.margin), 1), "┤", styles.faint);
        }
        for (share, label) in axes.across.labels() {
            let middle = axes.margin + 1 + (share * f64::from(field.width.saturating_sub(1))).round() as u16;
            buf.put(to(from(floor, middle - axes.margin), 1), "┬", styles.faint);
            let start = middle.saturating_sub(text::width(&label) as u16 / 2);
            buf.put(from(row(inside, field.height + 1), start), &label, styles.muted);
        }
    }

    /// Dots from one configuration of the Pareto front to the next: the border of what others beat.
    fn render_front(&self, axes: &Axes, buf: &mut Buffer) {
        let mean = |index: &usize| {
            Some((self.plot.field.spread(*index, self.plot.across)?.mean, self.plot.field.spread(*index, HEIGHT)?.mean))
        };
        let places: Vec<(u16, u16)> = self
            .plot
            .field
            .front(self.plot.across)
            .iter()
            .filter_map(mean)
            .filter_map(|point| axes.cell(point))
            .collect();
        for two in places.windows(2) {
            let ((x0, y0), (x1, y1)) = (two[0], two[1]);
            // Where more is better, what lies left of the next one is beaten by it; else what lies right of this one.
            let (level, edge) = if sign(self.plot.across) > 0.0 { (y1, x0) } else { (y0, x1) };
            let along = (x0.min(x1)..=x1.max(x0)).map(|x| (x, level));
            let upright = (y0.min(y1)..=y0.max(y1)).map(|y| (edge, y));
            along.chain(upright).for_each(|cell| put(cell, "·", self.styles.accent, buf));
        }
    }

    /// The mean of a configuration with more than one run, and from its smallest to its largest.
    fn render_spread(&self, configuration: usize, axes: &Axes, buf: &mut Buffer) {
        let (Some(across), Some(up)) =
            (self.plot.field.spread(configuration, self.plot.across), self.plot.field.spread(configuration, HEIGHT))
        else {
            return;
        };
        if self.plot.field.configurations()[configuration].runs.len() < 2 {
            return;
        }
        let (_, style) = look(configuration, self.styles);
        let corners = (axes.cell((across.least, up.least)), axes.cell((across.most, up.most)));
        let (Some((left, bottom)), Some((right, top))) = corners else { return };
        let Some((x, y)) = axes.cell((across.mean, up.mean)) else { return };
        (left..=right).for_each(|x| put((x, y), "─", style, buf));
        (top..=bottom).for_each(|y| put((x, y), "│", style, buf));
        put((x, y), "╬", style.add_modifier(Modifier::BOLD), buf);
    }

    fn render_run(&self, run: usize, axes: &Axes, buf: &mut Buffer) {
        let Some(cell) = self.plot.field.place(run, self.plot.across).and_then(|point| axes.cell(point)) else {
            return;
        };
        let (sign, style) = look(self.plot.field.configuration_of(run), self.styles);
        let style = if self.plot.field.entries()[run].counts { style } else { style.add_modifier(Modifier::DIM) };
        let marked = Modifier::REVERSED | Modifier::BOLD;
        put(cell, sign, if self.plot.marked == Some(run) { style.add_modifier(marked) } else { style }, buf);
    }
}

/// Puts a sign into a cell, whatever stood there.
fn put(cell: (u16, u16), sign: &str, style: Style, buf: &mut Buffer) {
    if let Some(cell) = buf.cell_mut(cell) {
        cell.reset();
        cell.set_symbol(sign).set_style(style);
    }
}
