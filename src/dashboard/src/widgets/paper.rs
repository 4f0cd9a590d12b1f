//! The sheet that screens write on. Everything is clipped to its rectangle and scrubbed, so no text can
//! steer the terminal and no size can make a screen fall over.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::text;
use crate::theme::Styles;

/// Text in one style, part of a line.
pub(crate) type Run<'a> = (&'a str, Style);

/// A frame being drawn, with the styles to draw it in.
#[derive(Debug)]
pub struct Paper<'a> {
    /// The cells.
    pub buffer: &'a mut Buffer,
    /// The styles.
    pub styles: &'a Styles,
}

impl Paper<'_> {
    /// Writes on the first line of `area`, cut with `…`; returns the columns written.
    pub fn write(&mut self, area: Rect, content: &str, style: Style) -> u16 {
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return 0;
        }
        let shown = text::clip(content, usize::from(area.width));
        let (end, _) = self.buffer.set_stringn(area.x, area.y, shown, usize::from(area.width), style);
        end - area.x
    }

    /// Writes pieces one after the other on the first line of `area`; returns the columns written.
    pub fn line(&mut self, area: Rect, runs: &[Run]) -> u16 {
        runs.iter().fold(0, |used, (content, style)| used + self.write(from(area, used), content, *style))
    }

    /// Writes at the right end of the first line of `area`; returns the columns written.
    pub fn right(&mut self, area: Rect, runs: &[Run]) -> u16 {
        let wide: usize = runs.iter().map(|(content, _)| text::width(content)).sum();
        let wide = u16::try_from(wide).unwrap_or(u16::MAX).min(area.width);
        self.line(Rect { x: area.right() - wide, width: wide, ..area }, runs)
    }

    /// A box with a title; returns its inside.
    pub fn boxed(&mut self, area: Rect, title: &str) -> Rect {
        let inside = inner(area);
        if area.width < 2 || area.height < 2 {
            return inside;
        }
        self.border(area);
        let title_area = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area };
        if !title.is_empty() {
            self.write(title_area, &format!(" {title} "), self.styles.accent);
        }
        inside
    }

    fn border(&mut self, area: Rect) {
        let (right, bottom, faint) = (area.right() - 1, area.bottom() - 1, self.styles.faint);
        let mut put = |x, y, symbol| {
            if let Some(cell) = self.buffer.cell_mut((x, y)) {
                cell.set_symbol(symbol).set_style(faint);
            }
        };
        for x in area.x + 1..right {
            [area.y, bottom].into_iter().for_each(|y| put(x, y, "─"));
        }
        for y in area.y + 1..bottom {
            [area.x, right].into_iter().for_each(|x| put(x, y, "│"));
        }
        for (x, y, symbol) in [(area.x, area.y, "╭"), (right, area.y, "╮"), (area.x, bottom, "╰"), (right, bottom, "╯")]
        {
            put(x, y, symbol);
        }
    }

    /// Text at the right of a box's upper edge.
    pub fn corner(&mut self, area: Rect, content: &str, style: Style) {
        let edge = Rect { x: area.x + 2, width: area.width.saturating_sub(4), height: area.height.min(1), ..area };
        self.right(edge, &[(&format!(" {content} "), style)]);
    }

    /// Blanks `area`, for what lies over a screen.
    pub fn clear(&mut self, area: Rect) {
        for position in area.intersection(self.buffer.area).positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
            }
        }
    }

    /// Lines of wrapped text from the top of `area`; returns the rows used.
    pub fn paragraph(&mut self, area: Rect, content: &str, style: Style) -> u16 {
        let lines = text::wrap(content, usize::from(area.width.max(1)));
        let rows = lines.len().min(usize::from(area.height));
        for (index, line) in lines.iter().take(rows).enumerate() {
            let cut = index + 1 == rows && lines.len() > rows;
            let shown = if cut { format!("{}…", line.trim_end()) } else { line.clone() };
            self.write(row(area, index as u16), &shown, style);
        }
        rows as u16
    }

    /// One word of advice in the middle of an empty area.
    pub fn middle(&mut self, area: Rect, content: &str, style: Style) {
        let lines = text::wrap(content, usize::from(area.width.saturating_sub(4).max(1)));
        let top = area.height.saturating_sub(lines.len() as u16) / 2;
        for (index, line) in lines.iter().enumerate() {
            let wide = u16::try_from(text::width(line)).unwrap_or(u16::MAX).min(area.width);
            self.write(from(row(area, top + index as u16), (area.width - wide) / 2), line, style);
        }
    }
}

/// The first line `index` rows down; empty below the area.
#[must_use]
pub(crate) fn row(area: Rect, index: u16) -> Rect {
    if index >= area.height { Rect { height: 0, ..area } } else { Rect { y: area.y + index, height: 1, ..area } }
}

/// The area without its first `columns`.
#[must_use]
pub(crate) fn from(area: Rect, columns: u16) -> Rect {
    let columns = columns.min(area.width);
    Rect { x: area.x + columns, width: area.width - columns, ..area }
}

/// The first `columns` of the area.
#[must_use]
pub(crate) fn to(area: Rect, columns: u16) -> Rect {
    Rect { width: area.width.min(columns), ..area }
}

/// The area without its first `rows`.
#[must_use]
pub(crate) fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

/// The inside of a box.
#[must_use]
pub(crate) fn inner(area: Rect) -> Rect {
    if area.width < 2 || area.height < 2 {
        return Rect { width: 0, height: 0, ..area };
    }
    Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
}
