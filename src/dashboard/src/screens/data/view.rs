//! The Data screen as a widget: what may mislead first, then part by part.

use pellucid_protocol::data_report::words::{self, Line};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::Data;
use crate::run::Run;
use crate::text;
use crate::theme::{Glyphs, Styles};
use crate::widgets::area::{inset, row};
use crate::widgets::{Panel, PutText};

/// Columns of the frame and its margin, left and right.
const FRAME: u16 = 4;

/// The Data screen of a run.
///
/// ```text
/// ╭─ data ─────────────────────────────╮
/// │ leak: 3 rows of validation are in … │
/// │                                     │
/// │ training: 2,000 rows                │
/// │   classes   routine 729 (36.5 %)    │
/// ╰─────────────────────────────────────╯
/// ```
#[derive(Debug, Clone, Copy)]
pub(crate) struct DataView<'a> {
    pub(super) data: &'a Data,
    pub(super) run: &'a Run,
    pub(super) styles: &'a Styles,
}

/// What there is to say of the data of a run.
pub(super) fn lines(run: &Run) -> Vec<Line> {
    let report = run.started.as_ref().and_then(|started| started.data.as_deref());
    report.map_or_else(|| vec![Line::Part("this run did not record what its data holds".to_owned())], words::lines)
}

/// How many rows the lines take on a screen of `columns`.
pub(super) fn height(run: &Run, columns: u16) -> usize {
    let width = usize::from(columns.saturating_sub(FRAME));
    lines(run).iter().map(|line| wrapped(line, width).len()).sum()
}

/// A line in rows of at most `width` columns: what goes on below stands under what was said, not under its name.
fn wrapped(line: &Line, width: usize) -> Vec<String> {
    match line {
        Line::Finding(words) | Line::Part(words) => text::wrap(words, width),
        Line::Fact(_, words) => text::wrap(words, width.saturating_sub(Line::INDENT)),
        _ => vec![line.to_string()],
    }
}

impl Widget for DataView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let width = usize::from(area.width.saturating_sub(FRAME));
        let rows: Vec<Vec<Span>> = lines(self.run).iter().flat_map(|line| self.rows(line, width)).collect();
        let height = usize::from(area.height.saturating_sub(2)).max(1);
        let top = self.data.top.min(rows.len().saturating_sub(height));
        let below = rows.len().saturating_sub(top + height);
        let note = if below > 0 { format!("{below} below") } else { String::new() };
        let inside = inset(Panel::new("data", self.styles).note(&note, self.styles.muted).draw(area, buf));
        for (index, spans) in (0u16..inside.height).zip(&rows[top..]) {
            buf.put_spans(row(inside, index), spans);
        }
    }
}

impl DataView<'_> {
    /// A line in rows: findings stand out, and so do the names of parts.
    fn rows(&self, line: &Line, width: usize) -> Vec<Vec<Span<'static>>> {
        let styles = self.styles;
        match line {
            Line::Blank => vec![Vec::new()],
            Line::Bar { up_to, width, rows } => vec![self.bar(*up_to, *width, *rows)],
            Line::Sound => whole(vec![line.to_string()], styles.good),
            Line::Finding(_) => whole(wrapped(line, width), styles.warn),
            Line::Part(_) => whole(wrapped(line, width), styles.text.add_modifier(Modifier::BOLD)),
            Line::Fact(name, _) => {
                let names = std::iter::once(*name).chain(std::iter::repeat(""));
                let each = names.zip(wrapped(line, width));
                each.map(|(name, words)| self.fact(name, words)).collect()
            }
        }
    }

    fn fact(&self, name: &str, words: String) -> Vec<Span<'static>> {
        let name = format!("  {name:<width$}", width = Line::INDENT - 2);
        vec![Span::styled(name, self.styles.muted), Span::styled(words, self.styles.text)]
    }

    fn bar(&self, up_to: usize, width: usize, rows: usize) -> Vec<Span<'static>> {
        let full = if self.styles.glyphs == Glyphs::Ascii { "#" } else { "▆" };
        vec![
            Span::styled(Line::before_bar(up_to), self.styles.muted),
            Span::styled(full.repeat(width), self.styles.accent),
            Span::styled(Line::behind_bar(width, rows), self.styles.muted),
        ]
    }
}

/// Rows of one style.
fn whole(rows: Vec<String>, style: Style) -> Vec<Vec<Span<'static>>> {
    rows.into_iter().map(|words| vec![Span::styled(words, style)]).collect()
}
