//! A table whose columns are as wide as their cells.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Row, Table, Widget};

use crate::text;

/// Blanks between two columns.
const GAP: u16 = 2;

/// A heading and rows of cells; the first column is left-aligned, the others are right-aligned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns<'a> {
    /// The headings.
    pub heading: Vec<Span<'a>>,
    /// The rows.
    pub rows: Vec<Vec<Span<'a>>>,
    /// Columns of the widest cell at most.
    pub widest: u16,
}

impl Columns<'_> {
    /// Rows that it takes, with its heading.
    #[must_use]
    pub(crate) fn height(&self) -> u16 {
        u16::try_from(self.rows.len() + 1).unwrap_or(u16::MAX)
    }

    /// The widths of the columns that have room, each that of its widest cell. The first column gives way to the others:
    /// names may be cut, numbers may not. If that is not enough the last ones are cut, with a sign, or left out.
    fn widths(&self, area: Rect) -> Vec<u16> {
        let lines = || self.rows.iter().chain([&self.heading]);
        let columns = lines().map(Vec::len).max().unwrap_or(0);
        let widest =
            |column: usize| lines().filter_map(|line| line.get(column)).map(|cell| text::width(&cell.content)).max();
        let width = |column| u16::try_from(widest(column).unwrap_or(0)).unwrap_or(u16::MAX).min(self.widest);
        let mut widths: Vec<u16> = (0..columns).map(width).collect();
        let others: u16 = widths.iter().skip(1).map(|width| width + GAP).sum();
        if let Some(first) = widths.first_mut() {
            *first = (*first).min(area.width.saturating_sub(others));
        }
        let mut room = area.width;
        for width in &mut widths {
            *width = (*width).min(room);
            room = room.saturating_sub(*width + GAP);
        }
        let shown = widths.iter().skip(1).take_while(|width| **width > 0).count();
        widths.truncate(shown + 1);
        widths
    }
}

impl Widget for &Columns<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let widths = self.widths(area);
        let row = |cells: &Vec<Span>| {
            let cells = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                let shown = text::clip(&cell.content, usize::from(*width)).into_owned();
                let line = Line::styled(shown, cell.style);
                Cell::from(if column == 0 { line } else { line.right_aligned() })
            });
            cells.collect::<Row>()
        };
        let rows = self.rows.iter().take(usize::from(area.height)).map(row);
        let table = Table::new(rows, widths.iter().copied().map(Constraint::Length));
        Widget::render(table.header(row(&self.heading)).column_spacing(GAP), area, buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: u16) -> String {
        let columns = Columns {
            heading: ["", "first", "second"].map(Span::raw).to_vec(),
            rows: vec![["valid/accuracy", "0.912", "0.345"].map(Span::raw).to_vec()],
            widest: 20,
        };
        let area = Rect::new(0, 0, width, 2);
        let mut buffer = Buffer::empty(area);
        columns.render(area, &mut buffer);
        (0..width).filter_map(|x| buffer.cell((x, 1))).map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn names_give_way_to_numbers_and_a_number_that_is_cut_has_a_sign() {
        assert_eq!(shown(29), "valid/accuracy  0.912   0.345");
        assert_eq!(shown(20), "vali…  0.912   0.345");
        assert_eq!(shown(12), "  0.912  0.…");
        assert_eq!(shown(8), "  0.912 ");
        assert_eq!(shown(5), "  0.…");
        assert_eq!(shown(0), "");
    }
}
