//! Horizontal bars: from the left, or to both sides of a middle.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paper::{Paper, from, to};

/// How bars look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// A line, for progress.
    Thin,
    /// A block that leaves a little air to the line above, for shares.
    Full,
}

/// A bar that fills `share` of the first line of `area`.
pub(crate) fn draw(paper: &mut Paper, area: Rect, share: f64, (weight, style): (Weight, Style)) {
    let (full, empty) = if weight == Weight::Thin { ("━", "─") } else { ("▆", "·") };
    let length = cells(area.width, share);
    let used = paper.write(area, &full.repeat(usize::from(length)), style);
    let rest = usize::from(area.width.saturating_sub(used));
    paper.write(from(area, used), &empty.repeat(rest), paper.styles.faint);
}

/// A bar from the middle of `area`: to the right for a positive share, to the left for a negative one.
pub(crate) fn signed(paper: &mut Paper, area: Rect, share: f64, style: Style) {
    let half = area.width.saturating_sub(1) / 2;
    let length = cells(half, share.abs());
    let place = if share < 0.0 { from(area, half - length) } else { from(area, half + 1) };
    paper.write(to(place, length), &"▆".repeat(usize::from(length)), style);
    paper.write(to(from(area, half), 1), "│", paper.styles.faint);
}

/// Cells of a bar; anything above zero is seen.
fn cells(width: u16, share: f64) -> u16 {
    let filled = (f64::from(width) * share.clamp(0.0, 1.0)).round() as u16;
    if share > 0.0 { filled.max(1).min(width) } else { 0 }
}
