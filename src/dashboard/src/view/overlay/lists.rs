//! Lists over a screen: charts to choose, commands to find, values to change.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Modifier;
use ratatui::text::Span;
use ratatui::widgets::{HighlightSpacing, List, ListState, StatefulWidget, Widget};

use super::{Dialog, InputLine, first_shown};
use crate::dialogs::palette;
use crate::run::live::{self, Values};
use crate::state::{Palette, State};
use crate::text;
use crate::theme::Styles;
use crate::widgets::PutText;
use crate::widgets::area::{below, from, row, to};

/// ```text
/// ╭─ charts ────────────────╮
/// │ ▸ [x] loss              │
/// │   [ ] speed             │
/// ╰─────────────────────────╯
/// ```
pub(super) struct ChartsList<'a> {
    pub(super) state: &'a State,
    pub(super) cursor: usize,
    pub(super) styles: &'a Styles,
}

impl Widget for ChartsList<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (state, styles) = (self.state, self.styles);
        let choice = state.train.choice(&state.run);
        let height = (choice.len() as u16 + 4).min(area.height.saturating_sub(2));
        let inside = Dialog { title: "charts", size: Size { width: 48, height }, styles }.draw(area, buf);
        let room = usize::from(inside.width.saturating_sub(2));
        let item = |(title, shown): &(String, bool)| {
            let mark = if *shown { "[x]" } else { "[ ]" };
            text::clip(&format!("{mark} {title}"), room).into_owned()
        };
        let list = Rect { height: inside.height.saturating_sub(1), ..inside };
        render_list(choice.iter().map(item), self.cursor, styles, list, buf);
        let foot = row(inside, inside.height.saturating_sub(1));
        buf.put(foot, "Space shows or hides   r the usual   Esc done", styles.muted);
    }
}

/// ```text
/// ╭─ commands: type a few letters ──────────────╮
/// │ chk_                                        │
/// │                                             │
/// │ ▸ checkpoint: write a checkpoint now      c │
/// ╰─────────────────────────────────────────────╯
/// ```
pub(super) struct CommandsList<'a> {
    pub(super) state: &'a State,
    pub(super) open: &'a Palette,
    pub(super) styles: &'a Styles,
}

impl Widget for CommandsList<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        let lines = palette::lines(self.open, self.state);
        let size = Size { width: 76, height: area.height.saturating_sub(4).min(24) };
        let inside = Dialog { title: "commands: type a few letters", size, styles }.draw(area, buf);
        InputLine { input: &self.open.input, styles }.render(row(inside, 0), buf);
        let list = below(inside, 2);
        let list = Rect { height: list.height.saturating_sub(1), ..list };
        let cursor = self.open.cursor.min(lines.len().saturating_sub(1));
        let item = |line: &palette::Line| {
            // The keys of the command stand at the right.
            let room = usize::from(list.width).saturating_sub(text::width(&line.keys) + 3);
            text::clip(&line.words, room).into_owned()
        };
        render_list(lines.iter().map(item), cursor, styles, list, buf);
        let shown = lines.iter().skip(first_shown(cursor, list.height)).take(usize::from(list.height));
        for (y, line) in (0..).zip(shown) {
            buf.put_spans_right(row(list, y), &[Span::styled(&line.keys, styles.accent)]);
        }
        if lines.is_empty() {
            buf.put(row(list, 0), "no command has this name", styles.muted);
        }
        let foot = row(inside, inside.height.saturating_sub(1));
        buf.put(foot, "↑↓ choose   Enter do it   Esc close", styles.muted);
        buf.put_spans_right(foot, &[Span::styled(text::plural(lines.len(), "command"), styles.muted)]);
    }
}

/// ```text
/// ╭─ change the training ───────────────────────────────╮
/// │ ▸ lr                5e-5    highest learning rate   │
/// │     new value  7.9e-5_                              │
/// │   l1                1e-6    lambda of the L1 penalty│
/// │ ← → a little, or type   Enter sends it   Esc closes │
/// ╰─────────────────────────────────────────────────────╯
/// ```
pub(super) struct ValuesList<'a> {
    pub(super) state: &'a State,
    pub(super) open: &'a Values,
    pub(super) styles: &'a Styles,
}

impl Widget for ValuesList<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (run, styles) = (&self.state.run, self.styles);
        let offered = live::offered(run);
        let size = Size { width: 72, height: offered.len() as u16 + 6 };
        let inside = Dialog { title: "change the training", size, styles }.draw(area, buf);
        let mut y = 0;
        for (index, key) in offered.iter().enumerate() {
            let line = row(inside, y);
            let marked = index == self.open.cursor;
            let (sign, style) = if marked { ("▸ ", styles.strong) } else { ("  ", styles.text) };
            buf.put_spans(to(line, 18), &[Span::styled(sign, styles.accent), Span::styled(key.key(), style)]);
            let now = run.setting(*key).map_or_else(|| "–".to_owned(), |now| format!("{now}"));
            buf.put_spans_right(to(from(line, 18), 12), &[Span::styled(now, styles.strong)]);
            buf.put(from(line, 33), key.title(), styles.muted);
            y += 1;
            if marked {
                let used = buf.put(from(row(inside, y), 4), "new value  ", styles.muted);
                InputLine { input: &self.open.draft, styles }.render(from(row(inside, y), 4 + used), buf);
                y += 1;
            }
        }
        buf.put(row(inside, y + 1), self.open.trouble.as_deref().unwrap_or_default(), styles.warn);
        let foot = row(inside, inside.height.saturating_sub(1));
        buf.put(foot, "← → a little, or type   Enter sends it   Esc closes", styles.muted);
    }
}

/// A list with the line under the cursor marked. Its items are scrubbed and clipped.
fn render_list(items: impl Iterator<Item = String>, cursor: usize, styles: &Styles, area: Rect, buf: &mut Buffer) {
    let list = List::new(items)
        .style(styles.text)
        .highlight_symbol(Span::styled("▸ ", styles.accent))
        .highlight_style(Modifier::BOLD)
        .highlight_spacing(HighlightSpacing::Always);
    let mut state = ListState::default().with_offset(first_shown(cursor, area.height)).with_selected(Some(cursor));
    StatefulWidget::render(list, area, buf, &mut state);
}
