//! How far the methods agree about the words of the text on the screen.

use pellucid_protocol::agreement::{agreement, disagreement};
use pellucid_protocol::{Attribution, Explanation};
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Explain;
use crate::text;
use crate::widgets::paper::{Paper, below, from, row, to};

/// Columns of a method's name, with its number and its sign.
const NAME: u16 = 27;
/// Columns of a correlation.
const CELL: u16 = 6;

impl Explain {
    /// ```text
    /// ╭ agreement of the methods ──────────────────────────────────────╮
    /// │ Spearman's rank correlation of the scores                      │
    /// │                           1     2     3                        │
    /// │ ▸ ✔ 1 gradient x input    ·  +.84  -.12                        │
    /// │   ✔ 2 integrated …     +.84     ·  +.06                        │
    /// ╰────────────────────────────────────────────────────────────────╯
    /// ```
    pub(super) fn draw_agreement(&self, current: &Explanation, paper: &mut Paper, area: Rect) {
        let inside = paper.boxed(area, &self.titled("agreement of the methods"));
        let inside = to(from(inside, 1), inside.width.saturating_sub(2));
        let muted = paper.styles.muted;
        let explanation = self.looked_at(current);
        let made = &explanation.attributions;
        if made.len() < 2 {
            return paper.middle(inside, "two methods are needed; press e to explain by all of them", muted);
        }
        let mean = disagreement(explanation)
            .map_or_else(String::new, |apart| format!(" Those with signs: {:+.2} in the mean.", 1.0 - apart));
        let words = format!(
            "Spearman's rank correlation of the words' scores; without signs, of their sizes.{mean} A method in grey has failed its check."
        );
        let used = paper.paragraph(inside, &words, muted);
        let table = below(inside, used + u16::from(inside.height > used + 1 + made.len() as u16));
        let room = usize::from(table.width.saturating_sub(NAME) / CELL);
        // Where there is not room for all, the columns follow the chosen one.
        let chosen = made.iter().position(|made| made.method == self.method).unwrap_or(0);
        let first = (chosen + 1).saturating_sub(room.max(1)).min(made.len().saturating_sub(room));
        heading((first, room.min(made.len())), paper, row(table, 0));
        let rows = usize::from(table.height.saturating_sub(1)).max(1);
        let top = (chosen + 1).saturating_sub(rows);
        for (index, left) in made.iter().enumerate().skip(top).take(rows) {
            let line = row(table, (index - top) as u16 + 1);
            self.name(index, left, paper, line);
            let rights = made.iter().enumerate().skip(first).take(room);
            for (slot, (other, right)) in rights.enumerate() {
                let place = to(from(line, NAME + slot as u16 * CELL), CELL);
                let (words, style) = if other == index { ("·".to_owned(), muted) } else { cell(left, right, paper) };
                paper.right(place, &[(&words, style)]);
            }
        }
    }

    fn name(&self, index: usize, made: &Attribution, paper: &mut Paper, area: Rect) {
        let styles = paper.styles;
        let chosen = made.method == self.method;
        let (sign, sign_style) = if made.is_trusted() {
            ("✔ ", styles.good)
        } else if made.fails() {
            ("✖ ", styles.bad)
        } else {
            ("… ", styles.muted)
        };
        let style = match (made.fails(), chosen) {
            (true, _) => styles.muted,
            (false, true) => styles.strong,
            (false, false) => styles.text,
        };
        let name = format!("{:>2} {}", index + 1, made.method.title());
        let cursor = if chosen { "▸ " } else { "  " };
        paper.line(to(area, NAME), &[(cursor, styles.accent), (sign, sign_style), (&name, style)]);
    }
}

/// The numbers of `count` methods from `first` on.
fn heading((first, count): (usize, usize), paper: &mut Paper, area: Rect) {
    let muted = paper.styles.muted;
    for slot in 0..count {
        let place = to(from(area, NAME + slot as u16 * CELL), CELL);
        paper.right(place, &[(&(first + slot + 1).to_string(), muted)]);
    }
}

/// A correlation; grey where one of the maps is not to be trusted.
fn cell(left: &Attribution, right: &Attribution, paper: &Paper) -> (String, Style) {
    let Some(found) = agreement(left, right) else { return ("–".to_owned(), paper.styles.muted) };
    let trusted = !left.fails() && !right.fails();
    let style = if trusted { paper.styles.side(found) } else { paper.styles.muted };
    (correlation(found), style)
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
