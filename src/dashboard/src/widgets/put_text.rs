//! Text into a buffer: scrubbed, clipped to its area, and cut with `…` where it is too long.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::area::{from, row};
use crate::text;

/// Writes text that may come from anywhere, so that no text can steer the terminal and no size can make a screen fail.
pub(crate) trait PutText {
    /// Writes on the first line of `area`; returns the columns written.
    fn put(&mut self, area: Rect, content: &str, style: Style) -> u16;

    /// Writes spans one after the other on the first line of `area`; returns the columns written.
    fn put_spans(&mut self, area: Rect, spans: &[Span]) -> u16;

    /// Writes spans at the right end of the first line of `area`; returns the columns written.
    fn put_spans_right(&mut self, area: Rect, spans: &[Span]) -> u16;

    /// Wraps a text from the top of `area`; returns the rows used.
    fn put_wrapped(&mut self, area: Rect, content: &str, style: Style) -> u16;

    /// Writes advice in the middle of an empty area.
    fn put_centered(&mut self, area: Rect, content: &str, style: Style);
}

impl PutText for Buffer {
    fn put(&mut self, area: Rect, content: &str, style: Style) -> u16 {
        let area = area.intersection(self.area);
        if area.is_empty() {
            return 0;
        }
        let shown = text::clip(content, usize::from(area.width));
        let (end, _) = self.set_stringn(area.x, area.y, shown, usize::from(area.width), style);
        end - area.x
    }

    fn put_spans(&mut self, area: Rect, spans: &[Span]) -> u16 {
        spans.iter().fold(0, |used, span| used + self.put(from(area, used), &span.content, span.style))
    }

    fn put_spans_right(&mut self, area: Rect, spans: &[Span]) -> u16 {
        let width: usize = spans.iter().map(|span| text::width(&span.content)).sum();
        let width = u16::try_from(width).unwrap_or(u16::MAX).min(area.width);
        self.put_spans(Rect { x: area.right() - width, width, ..area }, spans)
    }

    fn put_wrapped(&mut self, area: Rect, content: &str, style: Style) -> u16 {
        let lines = text::wrap(content, usize::from(area.width.max(1)));
        let rows = lines.len().min(usize::from(area.height));
        for (index, line) in lines.iter().take(rows).enumerate() {
            let cut = index + 1 == rows && lines.len() > rows;
            let shown = if cut { format!("{}…", line.trim_end()) } else { line.clone() };
            self.put(row(area, index as u16), &shown, style);
        }
        rows as u16
    }

    fn put_centered(&mut self, area: Rect, content: &str, style: Style) {
        let lines = text::wrap(content, usize::from(area.width.saturating_sub(4).max(1)));
        let top = area.height.saturating_sub(lines.len() as u16) / 2;
        for (y, line) in (top..).zip(lines) {
            Line::from(Span::styled(line, style)).centered().render(row(area, y), self);
        }
    }
}
