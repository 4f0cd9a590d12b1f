//! The picture: accuracy upwards, another measure across, a sign a run, means with their spread, and the front.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::field::{Field, HEIGHT, sign};
use crate::chart::axis::{Axis, row as down};
use crate::chart::{MARKS, Scale};
use crate::text;
use crate::theme::{SERIES, Styles};
use crate::widgets::paper::{Paper, from, inner, row, to};

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

impl Plot<'_> {
    /// ```text
    /// ╭ valid/accuracy ─────────────────────────────────╮
    /// │ 0.95 ┤●─╬─●·····························         │  a sign a run; ╬ the mean of a configuration with its spread
    /// │ 0.90 ┤               ▲     ▲╬  ▲                 │  dots: the front
    /// │      ╰───────────────────────────────────────────│
    /// │      0.0            0.2            0.4           │
    /// ╰──────────────────────── sparsity/exact, more → ──╯
    /// ```
    pub(super) fn draw(&self, paper: &mut Paper, area: Rect) {
        let styles = paper.styles;
        let inside = paper.boxed(area, HEIGHT);
        let Some(axes) = self.axes(inside) else {
            return paper.middle(inside, "no run was evaluated with both measures yet", styles.muted);
        };
        self.frame(&axes, paper, inside);
        let better = if sign(self.across) > 0.0 { "more is better →" } else { "← less is better" };
        let foot = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
        paper.corner(foot, &format!("{}  {better}", self.across), styles.muted);
        self.front(&axes, paper);
        for configuration in 0..self.field.configurations().len() {
            self.spread(configuration, &axes, paper);
        }
        for run in self.runs().filter(|run| Some(*run) != self.marked) {
            self.dot(run, &axes, paper);
        }
        if let Some(marked) = self.marked {
            self.dot(marked, &axes, paper);
        }
    }

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

    fn frame(&self, axes: &Axes, paper: &mut Paper, inside: Rect) {
        let (field, styles) = (axes.field, paper.styles);
        for y in 0..field.height {
            paper.write(to(from(row(inside, y), axes.margin), 1), "│", styles.faint);
        }
        let floor = from(row(inside, field.height), axes.margin);
        paper.write(to(floor, field.width + 1), &format!("╰{}", "─".repeat(usize::from(field.width))), styles.faint);
        for (share, label) in axes.up.labels() {
            let line = row(inside, down(share, field.height));
            paper.right(to(line, axes.margin - 1), &[(&label, styles.muted)]);
            paper.write(to(from(line, axes.margin), 1), "┤", styles.faint);
        }
        for (share, label) in axes.across.labels() {
            let middle = axes.margin + 1 + (share * f64::from(field.width.saturating_sub(1))).round() as u16;
            paper.write(to(from(floor, middle - axes.margin), 1), "┬", styles.faint);
            let start = middle.saturating_sub(text::width(&label) as u16 / 2);
            paper.write(from(row(inside, field.height + 1), start), &label, styles.muted);
        }
    }

    /// The border of what is beaten: dots from one configuration of the front to the next.
    fn front(&self, axes: &Axes, paper: &mut Paper) {
        let mean = |index: &usize| {
            Some((self.field.spread(*index, self.across)?.mean, self.field.spread(*index, HEIGHT)?.mean))
        };
        let places: Vec<(u16, u16)> =
            self.field.front(self.across).iter().filter_map(mean).filter_map(|point| axes.cell(point)).collect();
        for two in places.windows(2) {
            let ((x0, y0), (x1, y1)) = (two[0], two[1]);
            // Where more is better, what lies left of the next one is beaten by it; else what lies right of this one.
            let (level, edge) = if sign(self.across) > 0.0 { (y1, x0) } else { (y0, x1) };
            let along = (x0.min(x1)..=x1.max(x0)).map(|x| (x, level));
            let upright = (y0.min(y1)..=y0.max(y1)).map(|y| (edge, y));
            along.chain(upright).for_each(|cell| put(paper, cell, "·", paper.styles.accent));
        }
    }

    /// The mean of a configuration with more than one run, and from its smallest to its largest.
    fn spread(&self, configuration: usize, axes: &Axes, paper: &mut Paper) {
        let (Some(across), Some(up)) =
            (self.field.spread(configuration, self.across), self.field.spread(configuration, HEIGHT))
        else {
            return;
        };
        if self.field.configurations()[configuration].runs.len() < 2 {
            return;
        }
        let (_, style) = look(configuration, paper.styles);
        let corners = (axes.cell((across.least, up.least)), axes.cell((across.most, up.most)));
        let (Some((left, bottom)), Some((right, top))) = corners else { return };
        let Some((x, y)) = axes.cell((across.mean, up.mean)) else { return };
        (left..=right).for_each(|x| put(paper, (x, y), "─", style));
        (top..=bottom).for_each(|y| put(paper, (x, y), "│", style));
        put(paper, (x, y), "╬", style.add_modifier(Modifier::BOLD));
    }

    fn dot(&self, run: usize, axes: &Axes, paper: &mut Paper) {
        let Some(cell) = self.field.place(run, self.across).and_then(|point| axes.cell(point)) else { return };
        let (sign, style) = look(self.field.configuration_of(run), paper.styles);
        let style = if self.field.entries()[run].counts { style } else { style.add_modifier(Modifier::DIM) };
        let marked = Modifier::REVERSED | Modifier::BOLD;
        put(paper, cell, sign, if self.marked == Some(run) { style.add_modifier(marked) } else { style });
    }
}

fn put(paper: &mut Paper, (x, y): (u16, u16), sign: &str, style: Style) {
    if let Some(cell) = paper.buffer.cell_mut((x, y)) {
        cell.reset();
        cell.set_symbol(sign).set_style(style);
    }
}
