//! How far the methods agree about the words of the text on the screen.

use std::ops::Range;

use pellucid_protocol::agreement::{agreement, disagreement};
use pellucid_protocol::{Attribution, Explanation};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::ExplainView;
use super::methods::trust_style;
use crate::text;
use crate::widgets::area::{below, from, inset, row, to};
use crate::widgets::{Panel, PutText};

/// Columns for the name of a method, with its number and its sign.
const NAME: u16 = 29;
/// Columns for a correlation.
const CELL: u16 = 6;

impl ExplainView<'_> {
    /// ```text
    /// ╭─ agreement of the methods ─────────────────────────────────────╮
    /// │ Spearman's rank correlation of the scores                      │
    /// │                             1     2     3                      │
    /// │ ▸ ●●● 1 LIME                ·  +.84  -.12                      │
    /// │   ●●○ 2 integrated …     +.84     ·  +.06                      │
    /// ╰────────────────────────────────────────────────────────────────╯
    /// ```
    pub(super) fn render_agreement(&self, current: &Explanation, area: Rect, buf: &mut Buffer) {
        let (screen, muted) = (self.screen, self.styles.muted);
        let title = screen.titled("agreement of the methods");
        let inside = inset(Panel::new(&title, self.styles).draw(area, buf));
        let explanation = screen.looked_at(current);
        let made = explanation.by_trust();
        if made.len() < 2 {
            return buf.put_centered(inside, "two methods are needed; press e to explain by all of them", muted);
        }
        let used = buf.put_wrapped(inside, &meaning(explanation), muted);
        let table = below(inside, used + u16::from(inside.height > used + 1 + made.len() as u16));
        let room = usize::from(table.width.saturating_sub(NAME) / CELL);
        // Where there is no room for all, the columns follow the chosen one.
        let chosen = made.iter().position(|made| made.method == screen.method()).unwrap_or(0);
        let first = (chosen + 1).saturating_sub(room.max(1)).min(made.len().saturating_sub(room));
        let columns = first..(first + room).min(made.len());
        self.render_numbers(columns.clone(), row(table, 0), buf);
        let rows = usize::from(table.height.saturating_sub(1)).max(1);
        let top = (chosen + 1).saturating_sub(rows);
        for (y, (index, left)) in (1..).zip(made.iter().copied().enumerate().skip(top).take(rows)) {
            let line = row(table, y);
            self.render_name(index, left, to(line, NAME), buf);
            for (slot, other) in (0..).zip(columns.clone()) {
                let place = to(from(line, NAME + slot * CELL), CELL);
                let cell = if other == index { ("·".to_owned(), muted) } else { self.cell(left, made[other]) };
                buf.put_spans_right(place, &[Span::styled(cell.0, cell.1)]);
            }
        }
    }

    /// The numbers of the methods above their columns.
    fn render_numbers(&self, columns: Range<usize>, area: Rect, buf: &mut Buffer) {
        for (slot, index) in (0..).zip(columns) {
            let place = to(from(area, NAME + slot * CELL), CELL);
            buf.put_spans_right(place, &[Span::styled((index + 1).to_string(), self.styles.muted)]);
        }
    }

    fn render_name(&self, index: usize, made: &Attribution, area: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        let chosen = made.method == self.screen.method();
        let sign = Span::styled(format!("{} ", made.dots()), trust_style(made, styles));
        let style = match (made.is_trusted(), chosen) {
            (false, _) => styles.muted,
            (true, true) => styles.strong,
            (true, false) => styles.text,
        };
        let cursor = Span::styled(if chosen { "▸ " } else { "  " }, styles.accent);
        let name = format!("{:>2} {}", index + 1, made.method.title());
        buf.put_spans(area, &[cursor, sign, Span::styled(name, style)]);
    }

    /// A correlation; grey where one of the maps is not to be trusted.
    fn cell(&self, left: &Attribution, right: &Attribution) -> (String, Style) {
        let Some(found) = agreement(left, right) else { return ("–".to_owned(), self.styles.muted) };
        let trusted = left.is_trusted() && right.is_trusted();
        let style = if trusted { self.styles.side(found) } else { self.styles.muted };
        (correlation(found), style)
    }
}

fn meaning(explanation: &Explanation) -> String {
    let mean = disagreement(explanation)
        .map_or_else(String::new, |apart| format!(" Mean of the methods with signs: {:+.2}.", 1.0 - apart));
    format!(
        "Spearman's rank correlation of the words' scores; for methods without signs, of their sizes.{mean} A method in grey is not to be trusted."
    )
}

/// `+.84`, `-.12`, `+1`.
fn correlation(value: f64) -> String {
    let shown = format!("{value:+.2}");
    match shown.as_str() {
        "+1.00" => "+1".to_owned(),
        "-1.00" => "-1".to_owned(),
        _ => text::clip(&shown.replacen("0.", ".", 1), 5).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_are_short() {
        assert_eq!([0.843, -0.123, 1.0, -1.0, 0.0, 0.999].map(correlation), ["+.84", "-.12", "+1", "-1", "+.00", "+1"]);
    }
}
