//! The words of the text on the screen with their scores by every method.

use pellucid_protocol::{Attribution, Explanation, Method};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::ExplainView;
use super::notes::repeated;
use crate::text;
use crate::widgets::area::{below, from, inset, row, to};
use crate::widgets::{Panel, PutText};

/// Columns for a score.
const CELL: u16 = 9;
/// Columns for a standard error.
const ERROR: u16 = 8;

/// A method's place in the table.
struct Column<'a> {
    made: &'a Attribution,
    x: u16,
    errors: Errors,
}

/// Whether standard errors stand beside the scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errors {
    Shown,
    Hidden,
}

impl ExplainView<'_> {
    /// ```text
    /// ╭─ words and scores ────────────────── for urgent · 4 of 17 ╮
    /// │                LIME      ±  occlusion  gradient …         │
    /// │              points            points   no unit           │
    /// │ ▸ chest         +41   ±1.1        +39     0.310           │
    /// │ chest: 2 places, together +48 points                      │
    /// ╰───────────────────────────────────────────────────────────╯
    /// ```
    /// The method that is looked at comes first, with the standard errors of its scores if it samples; the others follow
    /// in order of trust.
    pub(super) fn render_scores(&self, current: &Explanation, area: Rect, buf: &mut Buffer) {
        let (screen, styles) = (self.screen, self.styles);
        let explanation = screen.looked_at(current);
        let count = explanation.words.len();
        let marked = screen.draft.cursor_in(current);
        let at = marked.unwrap_or(0).min(count.saturating_sub(1));
        let title = screen.titled("words and scores");
        let place = format!("for {} · {} of {count}", self.run.label(explanation.target), at + 1);
        let inside = inset(Panel::new(&title, styles).note(&place, styles.muted).draw(area, buf));
        let mut methods = explanation.by_trust();
        methods.sort_by_key(|made| made.method != screen.method());
        if methods.is_empty() {
            return buf.put_centered(inside, "no method is done yet", styles.muted);
        }
        let longest = (0..count).map(|word| text::width(&explanation.word(word))).max().unwrap_or(4);
        let name = (longest as u16 + 2).clamp(8, (inside.width / 3).max(8));
        let columns = columns(&methods, inside.width.saturating_sub(name));
        columns.iter().for_each(|column| self.render_heading(column, from(inside, name), buf));
        let rows = usize::from(inside.height.saturating_sub(3)).max(1);
        // Whole pages turn, so that moving the cursor repaints two lines and not all of them.
        let top = at / rows * rows;
        for (y, word) in (0..).zip((top..count).take(rows)) {
            let line = row(below(inside, 2), y);
            let cursor = Span::styled(if marked == Some(word) { "▸ " } else { "  " }, styles.accent);
            buf.put_spans(to(line, name), &[cursor, Span::styled(explanation.word(word), styles.text)]);
            columns.iter().for_each(|column| self.render_score(column, word, from(line, name), buf));
        }
        let sums = methods.first().and_then(|made| repeated(explanation, &made.scores, made.scale(), marked?));
        let foot = sums.map_or_else(String::new, |sums| format!("{}: {sums}", explanation.word(at)));
        buf.put(row(inside, inside.height.saturating_sub(1)), &foot, styles.muted);
    }

    fn render_heading(&self, column: &Column, area: Rect, buf: &mut Buffer) {
        let (made, styles) = (column.made, self.styles);
        let place = |line: u16| to(from(row(area, line), column.x), CELL);
        let chosen = made.method == self.screen.method();
        let style = if chosen && made.is_trusted() { styles.strong } else { styles.muted };
        let failed = Span::styled(if made.fails() { "✖" } else { "" }, styles.bad);
        let name = short(made.method);
        buf.put_spans_right(place(0), &[failed, Span::styled(name, style)]);
        buf.put_spans_right(place(1), &[Span::styled(made.scale().unit.told(), styles.muted)]);
        if column.errors == Errors::Shown {
            let place = to(from(row(area, 0), column.x + CELL), ERROR);
            buf.put_spans_right(place, &[Span::styled("±", styles.muted)]);
        }
    }

    fn render_score(&self, column: &Column, word: usize, area: Rect, buf: &mut Buffer) {
        let made = column.made;
        let Some(score) = made.scores.get(word) else { return };
        let scale = made.scale();
        let style = if made.is_trusted() { self.styles.ink(scale.sign, *score) } else { self.styles.muted };
        let place = to(from(area, column.x), CELL);
        buf.put_spans_right(place, &[Span::styled(scale.written(*score), style)]);
        if let Some(error) = made.errors.get(word).filter(|_| column.errors == Errors::Shown) {
            let place = to(from(area, column.x + CELL), ERROR);
            buf.put_spans_right(place, &[Span::styled(scale.error(*error), self.styles.muted)]);
        }
    }
}

/// The name of a method in a narrow column.
fn short(method: Method) -> &'static str {
    match method {
        Method::SmoothGrad => "smooth",
        Method::Occlusion => "occlude",
        Method::OcclusionDelete => "delete",
        Method::KernelShap => "kernel",
        method => method.key(),
    }
}

/// As many methods as there is room for.
fn columns<'a>(methods: &[&'a Attribution], width: u16) -> Vec<Column<'a>> {
    let mut x = 0;
    let mut columns = Vec::new();
    for (index, made) in methods.iter().enumerate() {
        let has_errors = index == 0 && made.errors.iter().any(|error| *error > 0.0) && width >= CELL + ERROR;
        let (errors, wide) = if has_errors { (Errors::Shown, CELL + ERROR) } else { (Errors::Hidden, CELL) };
        if x + wide > width && index > 0 {
            break;
        }
        columns.push(Column { made, x, errors });
        x += wide;
    }
    columns
}
