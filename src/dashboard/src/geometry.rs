//! Where the parts of the screen lie.

use ratatui::layout::{Rect, Size};

use crate::input::screen::Screen;
use crate::widgets::area::below;

/// The smallest terminal that screens are drawn on.
pub(crate) const SMALLEST: Size = Size { width: 60, height: 16 };

/// Rows above the screens: name, progress, tabs.
pub(crate) const HEADER: u16 = 3;

/// Where screens are drawn on a terminal of this size.
#[must_use]
pub(crate) fn body(size: Size) -> Rect {
    let frame = Rect::new(0, 0, size.width, size.height);
    let body = below(frame, HEADER);
    Rect { height: body.height.saturating_sub(1), ..body }
}

/// The screen whose tab is at column `x`.
#[must_use]
pub(crate) fn tab_at(x: u16) -> Option<Screen> {
    let mut left = 1;
    Screen::ALL.into_iter().find(|screen| {
        let start = left;
        left += screen.title().len() as u16 + 5;
        (start..left - 1).contains(&x)
    })
}
