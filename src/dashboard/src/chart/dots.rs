//! A field of dots, two by four in a cell. Each cell belongs to the most important curve in it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Band;
use super::axis::Axis;
use crate::history::Series;
use crate::theme::{Glyphs, SERIES, Styles};

/// For each curve, which columns are drawn and which are left out, where no colours tell curves apart.
const PATTERNS: [&[bool]; SERIES] = [
    &[true],
    &[true, true, true, true, false, false],
    &[true, false],
    &[true, true, false],
    &[true, true, true, true, true, false, true, false],
    &[true, false, false],
];

/// What a cell shows; of two in one cell the later one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Nothing,
    Raw,
    Gap,
    Line,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    /// Its dots, row by row from the upper left one.
    mask: u8,
    layer: Layer,
    slot: usize,
}

/// A field of dots.
#[derive(Debug)]
pub(super) struct Dots<'a> {
    width: usize,
    height: usize,
    axis: &'a Axis,
    cells: Vec<Cell>,
    heads: [Option<(u16, u16)>; SERIES],
    slot: usize,
    pattern: &'static [bool],
}

impl<'a> Dots<'a> {
    /// An empty field of `width` times `height` cells.
    #[must_use]
    pub(super) fn new(width: u16, height: u16, axis: &'a Axis) -> Self {
        let (width, height) = (usize::from(width), usize::from(height));
        let cells = vec![Cell { mask: 0, layer: Layer::Nothing, slot: 0 }; width * height];
        Self { width, height, axis, cells, heads: [None; SERIES], slot: 0, pattern: PATTERNS[0] }
    }

    /// The dots that follow belong to the curve `slot`.
    pub(super) fn slot(&mut self, slot: usize, patterned: bool) {
        self.slot = slot;
        self.pattern = PATTERNS[if patterned { slot } else { 0 }];
    }

    /// The cell where a curve ends.
    #[must_use]
    pub(super) fn head(&self, slot: usize) -> Option<(u16, u16)> {
        self.heads[slot]
    }

    fn down(&self, value: f64) -> Option<usize> {
        let rows = (self.height * 4).saturating_sub(1) as f64;
        Some(((1.0 - self.axis.place(value)?) * rows).round() as usize)
    }

    /// Every column's smallest to largest value, dim where they are wanted, and the smoothed line over it.
    pub(super) fn smoothed(&mut self, series: &Series, edges: &[f64], band: Band) {
        let columns = series.columns(edges);
        let mut before = None;
        for (x, column) in columns.iter().enumerate() {
            let sum = &column.summary;
            if let (Band::Shown, Some(top), Some(bottom)) = (band, self.down(sum.max), self.down(sum.min)) {
                self.upright(x, top, bottom, Layer::Raw);
            }
            if sum.gaps > 0 {
                self.gap(x);
                before = None;
            }
            if let Some(y) = column.smooth.and_then(|value| self.down(value)) {
                self.join(before, (x, y));
                before = Some((x, y));
            }
        }
    }

    /// Single points and the lines between them; lines break at gaps.
    pub(super) fn joined(&mut self, series: &Series, edges: &[f64]) {
        let columns = series.columns(edges);
        let mut before = None;
        for (x, column) in columns.iter().enumerate() {
            let (Some(top), Some(bottom)) = (self.down(column.summary.max), self.down(column.summary.min)) else {
                if column.summary.gaps > 0 {
                    self.gap(x);
                    before = None;
                }
                continue;
            };
            self.upright(x, top, bottom, Layer::Line);
            self.join(before, (x, bottom));
            before = Some((x, bottom));
        }
    }

    /// A line between two dots, and the head of the curve at its end.
    fn join(&mut self, before: Option<(usize, usize)>, (x, y): (usize, usize)) {
        let (from_x, from_y) = before.unwrap_or((x, y));
        let mut last = from_y;
        for column in from_x..=x {
            let share = if x > from_x { (column - from_x) as f64 / (x - from_x) as f64 } else { 1.0 };
            let row = (from_y as f64 + share * (y as f64 - from_y as f64)).round() as usize;
            // A steep line is whole: each column reaches up or down to the one before.
            let reach = if row > last {
                last + 1
            } else if row < last {
                last - 1
            } else {
                row
            };
            if self.pattern[column % self.pattern.len()] {
                self.upright(column, row.min(reach), row.max(reach), Layer::Line);
            }
            last = row;
        }
        self.heads[self.slot] = Some(((x / 2) as u16, (y / 4) as u16));
    }

    fn upright(&mut self, x: usize, top: usize, bottom: usize, layer: Layer) {
        for y in top..=bottom {
            self.dot(x, y, layer);
        }
    }

    /// Marks a value that is not a number at the upper edge.
    fn gap(&mut self, x: usize) {
        self.dot(x, 0, Layer::Gap);
    }

    fn dot(&mut self, x: usize, y: usize, layer: Layer) {
        let (column, line) = (x / 2, y / 4);
        if column >= self.width || line >= self.height {
            return;
        }
        let slot = self.slot;
        let cell = &mut self.cells[line * self.width + column];
        let bit = 1 << (y % 4 * 2 + x % 2);
        // Of two curves in one layer the first keeps the cell: it is the more important one.
        if layer > cell.layer {
            *cell = Cell { mask: bit, layer, slot };
        } else if layer == cell.layer && cell.slot == slot {
            cell.mask |= bit;
        }
    }

    /// Draws the dots into the field.
    pub(super) fn render(&self, styles: &Styles, field: Rect, buf: &mut Buffer) {
        for (index, cell) in self.cells.iter().enumerate().filter(|(_, cell)| cell.layer != Layer::Nothing) {
            let place = (field.x + (index % self.width) as u16, field.y + (index / self.width) as u16);
            if let Some(target) = buf.cell_mut(place) {
                target.set_char(symbol(cell, styles.glyphs)).set_style(style(cell, styles));
            }
        }
    }
}

fn symbol(cell: &Cell, glyphs: Glyphs) -> char {
    if cell.layer == Layer::Gap { '✕' } else { glyphs.dots(cell.mask) }
}

fn style(cell: &Cell, styles: &Styles) -> Style {
    match cell.layer {
        Layer::Gap => styles.bad,
        Layer::Raw => styles.raw[cell.slot],
        Layer::Nothing | Layer::Line => styles.series[cell.slot],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chart::Scale;
    use crate::history::even_edges;

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(prop_oneof![20 => -3.0..3.0, 1 => Just(f64::NAN)], 1..2000)
    }

    /// The dots of the band, found from every single point.
    fn brute(values: &[f64], axis: &Axis, (width, height): (usize, usize)) -> Vec<Vec<bool>> {
        let mut dots = vec![vec![false; width * 2]; height * 4];
        let columns = width * 2;
        for (at, place) in values.iter().enumerate().filter_map(|(at, &value)| Some((at, axis.place(value)?))) {
            // Point i lies in column x when x / columns <= i / length < (x + 1) / columns.
            let x = (0..columns).find(|x| values.len() * (x + 1) > at * columns).unwrap();
            let y = ((1.0 - place) * (height * 4 - 1) as f64).round() as usize;
            dots[y][x] = true;
        }
        for x in 0..columns {
            let rows: Vec<usize> = (0..height * 4).filter(|&y| dots[y][x]).collect();
            if let (Some(&top), Some(&bottom)) = (rows.first(), rows.last()) {
                dots[top..=bottom].iter_mut().for_each(|row| row[x] = true);
            }
        }
        dots
    }

    proptest! {
        #[test]
        fn the_band_is_as_from_every_point_dot_for_dot(values in values(), width in 1u16..60, height in 1u16..12) {
            let mut series = Series::default();
            values.iter().enumerate().for_each(|(step, &value)| series.push(step as u64, value));
            let axis = Axis::fit(Some((-3.0, 3.0)), Scale::Fitted, height);
            let mut dots = Dots::new(width, height, &axis);
            // The smoothed line would cover the band.
            let columns = series.columns(&even_edges(0.0, values.len() as f64, usize::from(width) * 2));
            for (x, column) in columns.iter().enumerate() {
                if let (Some(top), Some(bottom)) = (dots.down(column.summary.max), dots.down(column.summary.min)) {
                    dots.upright(x, top, bottom, Layer::Raw);
                }
            }
            let expected = brute(&values, &axis, (usize::from(width), usize::from(height)));
            for (y, row) in expected.iter().enumerate() {
                for (x, &dot) in row.iter().enumerate() {
                    let cell = dots.cells[y / 4 * usize::from(width) + x / 2];
                    prop_assert_eq!(cell.mask >> (y % 4 * 2 + x % 2) & 1 == 1, dot, "column {} row {}", x, y);
                }
            }
        }
    }
}
