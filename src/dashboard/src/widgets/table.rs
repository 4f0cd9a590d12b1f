//! A table whose columns are as wide as what stands in them.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paper::{Paper, from, row, to};
use crate::text;

/// Blanks between two columns.
const GAP: u16 = 2;

/// A cell: what stands in it, and how.
pub(crate) type Cell = (String, Style);

/// A heading and rows of cells; the first column at the left, the others at the right of their columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// The headings.
    pub heading: Vec<Cell>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// The widest cell of each column.
    fn widths(&self, most: u16) -> Vec<u16> {
        let lines = || self.rows.iter().chain([&self.heading]);
        let columns = lines().map(Vec::len).max().unwrap_or(0);
        let wide =
            |column: usize| lines().filter_map(|line| line.get(column)).map(|(words, _)| text::width(words)).max();
        (0..columns).map(|column| u16::try_from(wide(column).unwrap_or(0)).unwrap_or(most).min(most)).collect()
    }

    /// Draws as many rows as there is room for; returns the rows used.
    pub(crate) fn draw(&self, paper: &mut Paper, area: Rect, most: u16) -> u16 {
        let mut widths = self.widths(most);
        // Names may be cut, numbers may not.
        let others: u16 = widths.iter().skip(1).map(|width| width + GAP).sum();
        if let Some(first) = widths.first_mut() {
            *first = (*first).min(area.width.saturating_sub(others));
        }
        for (y, cells) in (0..area.height).zip([&self.heading].into_iter().chain(&self.rows)) {
            let mut place = row(area, y);
            for (column, ((words, style), width)) in cells.iter().zip(&widths).enumerate() {
                let cell = to(place, *width);
                if column == 0 {
                    paper.write(cell, &text::clip(words, usize::from(cell.width)), *style);
                } else {
                    paper.right(cell, &[(&text::clip(words, usize::from(cell.width)), *style)]);
                }
                place = from(place, width + GAP);
            }
        }
        area.height.min(self.rows.len() as u16 + 1)
    }
}
