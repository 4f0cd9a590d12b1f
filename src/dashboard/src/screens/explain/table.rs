//! The words of the text on the screen with their scores by every method.

use pellucid_protocol::explanation::Scalar;
use pellucid_protocol::{Attribution, Explanation};
use ratatui::layout::Rect;

use super::Explain;
use crate::run::Run;
use crate::text;
use crate::widgets::paper::{Paper, below, from, row, to};

/// Columns of a score.
const CELL: u16 = 9;
/// Columns of a standard error.
const ERROR: u16 = 8;

impl Explain {
    /// ```text
    /// ╭ words and scores ─────────────────── for urgent · 4 of 17 ╮
    /// │             ▸ occlusion      ±   LIME  gradient …         │
    /// │             probability                                   │
    /// │ ▸ chest          +0.412  0.011  +0.387                    │
    /// ╰───────────────────────────────────────────────────────────╯
    /// ```
    /// The chosen method comes first, with the standard errors of its scores where it draws.
    pub(super) fn draw_table(&self, run: &Run, current: &Explanation, paper: &mut Paper, area: Rect) {
        let inside = paper.boxed(area, &self.titled("words and scores"));
        let explanation = self.looked_at(current);
        let muted = paper.styles.muted;
        let marked = self.draft.cursor_in(current);
        let at = marked.unwrap_or(0).min(explanation.words.len().saturating_sub(1));
        let place = format!("for {} · {} of {}", run.label(explanation.target), at + 1, explanation.words.len());
        paper.corner(area, &place, muted);
        let inside = to(from(inside, 1), inside.width.saturating_sub(2));
        let methods = self.chosen_first(explanation);
        if methods.is_empty() {
            return paper.middle(inside, "no method is done yet", muted);
        }
        let longest = (0..explanation.words.len()).map(|word| text::width(&explanation.word(word))).max().unwrap_or(4);
        let name = (longest as u16 + 2).clamp(8, (inside.width / 3).max(8));
        let columns = columns(&methods, inside.width.saturating_sub(name));
        self.table_heading(&columns, paper, from(inside, name));
        let rows = usize::from(inside.height.saturating_sub(2)).max(1);
        // Whole pages turn, so that moving the cursor repaints two lines and not all of them.
        let top = at / rows * rows;
        for word in (top..explanation.words.len()).take(rows) {
            let line = row(below(inside, 2), (word - top) as u16);
            let cursor = if marked == Some(word) { "▸ " } else { "  " };
            let (accent, plain) = (paper.styles.accent, paper.styles.text);
            paper.line(to(line, name), &[(cursor, accent), (&explanation.word(word), plain)]);
            scores(word, &columns, paper, from(line, name));
        }
    }

    fn chosen_first<'a>(&self, explanation: &'a Explanation) -> Vec<&'a Attribution> {
        let mut methods: Vec<&Attribution> = explanation.attributions.iter().collect();
        methods.sort_by_key(|made| made.method != self.method);
        methods
    }

    fn table_heading(&self, columns: &[Column], paper: &mut Paper, area: Rect) {
        let (muted, strong) = (paper.styles.muted, paper.styles.strong);
        for column in columns {
            let place = |line: u16| to(from(row(area, line), column.x), CELL);
            let chosen = column.made.method == self.method;
            let style = if chosen && !column.made.fails() { strong } else { muted };
            let failed = if column.made.fails() { "✖" } else { "" };
            let name = text::clip(column.made.method.key(), usize::from(CELL - 2)).into_owned();
            paper.right(place(0), &[(failed, paper.styles.bad), (&name, style)]);
            paper.right(place(1), &[(scalar(column.made.scalar), muted)]);
            if column.errors {
                paper.right(to(from(row(area, 0), column.x + CELL), ERROR), &[("±", muted)]);
            }
        }
    }
}

/// The number that is explained, short.
pub(super) fn scalar(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Logit => "logit",
        Scalar::Probability => "prob.",
        Scalar::Margin => "margin",
        Scalar::Attention => "attention",
    }
}

/// A method's place in the table.
struct Column<'a> {
    made: &'a Attribution,
    x: u16,
    errors: bool,
}

/// As many methods as there is room for.
fn columns<'a>(methods: &[&'a Attribution], width: u16) -> Vec<Column<'a>> {
    let mut x = 0;
    let mut columns = Vec::new();
    for (index, made) in methods.iter().enumerate() {
        let errors = index == 0 && made.errors.iter().any(|error| *error > 0.0) && width >= CELL + ERROR;
        let wide = CELL + if errors { ERROR } else { 0 };
        if x + wide > width && index > 0 {
            break;
        }
        columns.push(Column { made, x, errors });
        x += wide;
    }
    columns
}

fn scores(word: usize, columns: &[Column], paper: &mut Paper, area: Rect) {
    let muted = paper.styles.muted;
    for column in columns {
        let Some(score) = column.made.scores.get(word) else { continue };
        let signed = column.made.method.is_signed();
        let style = match (column.made.fails(), signed) {
            (true, _) => muted,
            (false, true) => paper.styles.side(*score),
            (false, false) => paper.styles.text,
        };
        let shown = if signed { format!("{score:+.3}") } else { format!("{score:.3}") };
        paper.right(to(from(area, column.x), CELL), &[(&shown, style)]);
        if let Some(error) = column.made.errors.get(word).filter(|_| column.errors) {
            paper.right(to(from(area, column.x + CELL), ERROR), &[(&format!("{error:.3}"), muted)]);
        }
    }
}
