//! Parts of a rectangle that stay within it, however small it is.

use ratatui::layout::Rect;

/// The line `index` rows down; empty below the area.
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

/// The area without its first and last column.
#[must_use]
pub(crate) fn inset(area: Rect) -> Rect {
    to(from(area, 1), area.width.saturating_sub(2))
}
