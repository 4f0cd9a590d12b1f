//! Horizontal bars: from the left, or to both sides of a middle.
//!
//! Not ratatui's `LineGauge`: that leaves a column for a label, and shows nothing of a small share.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::area::{from, to};
use super::put_text::PutText;
use crate::theme::Styles;

/// How thick a bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// A line, for progress.
    Thin,
    /// A block with a little air to the line above, for shares.
    Full,
}

/// A bar that fills a share of the first line of its area.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bar<'a> {
    /// From 0 to 1.
    pub share: f64,
    /// How thick it is.
    pub weight: Weight,
    /// The style of the filled part.
    pub style: Style,
    /// The style of the rest.
    pub styles: &'a Styles,
}

impl Widget for Bar<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (full, empty) = if self.weight == Weight::Thin { ("━", "─") } else { ("▆", "·") };
        let length = cells(area.width, self.share);
        let used = buf.put(area, &full.repeat(usize::from(length)), self.style);
        let rest = usize::from(area.width.saturating_sub(used));
        buf.put(from(area, used), &empty.repeat(rest), self.styles.faint);
    }
}

/// A bar from the middle of its area: to the right for a positive share, to the left for a negative one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedBar<'a> {
    /// From -1 to 1.
    pub share: f64,
    /// The style of the bar.
    pub style: Style,
    /// The style of the middle.
    pub styles: &'a Styles,
}

impl Widget for SignedBar<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let half = area.width.saturating_sub(1) / 2;
        let length = cells(half, self.share.abs());
        let place = if self.share < 0.0 { from(area, half - length) } else { from(area, half + 1) };
        buf.put(to(place, length), &"▆".repeat(usize::from(length)), self.style);
        buf.put(to(from(area, half), 1), "│", self.styles.faint);
    }
}

/// Cells of a bar. Any share above zero is seen.
fn cells(width: u16, share: f64) -> u16 {
    let filled = (f64::from(width) * share.clamp(0.0, 1.0)).round() as u16;
    if share > 0.0 { filled.max(1).min(width) } else { 0 }
}
