//! What the curves of a chart mean: value, range, which way is good, source.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::Dialog;
use crate::dialogs::measures::{Kind, height, lines, width};
use crate::state::State;
use crate::theme::Styles;
use crate::widgets::PutText;
use crate::widgets::area::row;

/// ```text
/// ╭─ what is measured: explanations ─────────────────────────────────╮
/// │ drift   explain/drift   0.123 at step 1200                       │
/// │   1 - Spearman between this and the previous evaluation's maps   │
/// │   less is better; 0 same order of words, 1 no relation           │
/// │   source: …                                                      │
/// ╰──────────────────────────────────────────────────────────────────╯
/// ```
pub(super) struct Measures<'a> {
    pub(super) state: &'a State,
    /// The first line that is shown.
    pub(super) top: usize,
    pub(super) styles: &'a Styles,
}

impl Widget for Measures<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (state, styles) = (self.state, self.styles);
        let title = format!("what is measured: {}", state.train.focused(&state.run).unwrap_or_default());
        let lines = lines(state, area);
        let size = Size { width: width(area), height: height(&lines, area) };
        let inside = Dialog { title: &title, size, styles }.draw(area, buf);
        let page = usize::from(inside.height.saturating_sub(1));
        let top = self.top.min(lines.len().saturating_sub(page));
        for (index, (words, kind)) in lines.iter().skip(top).take(page).enumerate() {
            let style = match kind {
                Kind::Name => styles.strong,
                Kind::Meaning => styles.text,
                Kind::Note => styles.muted,
            };
            buf.put(row(inside, index as u16), words, style);
        }
        let more = if top + page < lines.len() { "↓ more" } else { "Esc closes" };
        let last = row(inside, inside.height.saturating_sub(1));
        buf.put_spans_right(last, &[Span::styled(more, styles.muted)]);
    }
}
