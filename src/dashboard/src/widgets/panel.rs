//! A box with a title, as all parts of a screen have it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::border::ROUNDED;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::area::{from, to};
use super::put_text::PutText;
use crate::text;
use crate::theme::Styles;

/// A box with a title at the left of its upper edge, and perhaps a note at the right.
///
/// Not a `Block` of ratatui: that cuts titles without a sign, does not scrub them, and styles every cell inside, while
/// boxes alone once took a tenth of a frame's time.
#[derive(Debug, Clone)]
pub(crate) struct Panel<'a> {
    title: &'a str,
    note: Option<(String, Style)>,
    styles: &'a Styles,
}

impl<'a> Panel<'a> {
    /// A box with this title; none if it is empty.
    #[must_use]
    pub(crate) fn new(title: &'a str, styles: &'a Styles) -> Self {
        Self { title, note: None, styles }
    }

    /// The same with words at the right of its upper edge, if there are any.
    #[must_use]
    pub(crate) fn note(self, words: &str, style: Style) -> Self {
        Self { note: (!words.is_empty()).then(|| (format!(" {words} "), style)), ..self }
    }

    /// Draws the box; returns its inside.
    pub(crate) fn draw(self, area: Rect, buf: &mut Buffer) -> Rect {
        self.render(area, buf);
        inner(area)
    }
}

impl Widget for Panel<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        if area.width < 2 || area.height < 2 {
            return;
        }
        border(area, self.styles.faint, buf);
        let edge = Rect { height: 1, ..to(from(area, 2), area.width.saturating_sub(4)) };
        if !self.title.is_empty() {
            let noted = self.note.as_ref().map_or(0, |(words, _)| text::width(words) as u16 + 1);
            let room = Rect { width: edge.width.saturating_sub(noted), ..edge };
            buf.put(room, &format!(" {} ", self.title), self.styles.accent);
        }
        if let Some((words, style)) = self.note {
            buf.put_spans_right(edge, &[Span::styled(words, style)]);
        }
    }
}

/// The inside of a box at `area`; empty where there is none.
#[must_use]
pub(crate) fn inner(area: Rect) -> Rect {
    if area.width < 2 || area.height < 2 {
        return Rect { width: 0, height: 0, ..area };
    }
    Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
}

fn border(area: Rect, style: Style, buf: &mut Buffer) {
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    let mut put = |x, y, symbol| {
        if let Some(cell) = buf.cell_mut((x, y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    };
    for x in area.x + 1..right {
        put(x, area.y, ROUNDED.horizontal_top);
        put(x, bottom, ROUNDED.horizontal_bottom);
    }
    for y in area.y + 1..bottom {
        put(area.x, y, ROUNDED.vertical_left);
        put(right, y, ROUNDED.vertical_right);
    }
    put(area.x, area.y, ROUNDED.top_left);
    put(right, area.y, ROUNDED.top_right);
    put(area.x, bottom, ROUNDED.bottom_left);
    put(right, bottom, ROUNDED.bottom_right);
}
