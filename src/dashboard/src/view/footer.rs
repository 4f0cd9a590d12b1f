//! Below every screen: which keys do what; and a line that goes away by itself.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use crate::input::keymap::{Action, Binding, Place};
use crate::run::Stage;
use crate::state::State;
use crate::text;
use crate::theme::Styles;
use crate::widgets::PutText;
use crate::widgets::area::{from, inset, to};

/// A line that goes away by itself, on the lower edge of the screen, where it covers nothing.
pub(super) struct ToastLine<'a> {
    pub(super) state: &'a State,
    pub(super) styles: &'a Styles,
}

impl Widget for ToastLine<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Some(toast) = &self.state.toast else { return };
        let area = to(from(area, 2), area.width.saturating_sub(4));
        let words = text::clip(&toast.text, usize::from(area.width.saturating_sub(2)));
        buf.put_spans_right(area, &[Span::styled(format!(" {words} "), self.styles.tone(toast.tone))]);
    }
}

/// The keys of the screen or the dialog that is open. Those for leaving and for help are always shown.
pub(super) struct Footer<'a> {
    pub(super) state: &'a State,
    pub(super) styles: &'a Styles,
}

impl Widget for Footer<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (state, area) = (self.state, inset(area));
        let starting = matches!(state.run.stage, Stage::Launching(..)) && state.overlay.is_none();
        let fits = |binding: &&Binding| state.has(binding.needs) && !(starting && binding.place != Place::Everywhere);
        let hints = state.keys.hints(state.place()).filter(fits);
        let (always, rest): (Vec<&Binding>, Vec<&Binding>) =
            hints.partition(|binding| matches!(binding.action, Action::Help | Action::Quit));
        let end: u16 = always.iter().map(|binding| self.width(binding)).sum();
        let mut x = 0;
        for binding in rest {
            // A long hint is left out, and a shorter one after it may still fit.
            if x + self.width(binding) + end <= area.width {
                x += self.render_hint(binding, from(area, x), buf);
            }
        }
        let mut x = area.width.saturating_sub(end.saturating_sub(2));
        for binding in always {
            x += self.render_hint(binding, from(area, x), buf);
        }
    }
}

impl Footer<'_> {
    fn width(&self, binding: &Binding) -> u16 {
        (text::width(&binding.key()) + text::width(self.state.hint(binding.action, binding.hint)) + 3) as u16
    }

    /// A key, its word, and two blanks; returns the columns used.
    fn render_hint(&self, binding: &Binding, area: Rect, buf: &mut Buffer) -> u16 {
        let styles = self.styles;
        let word = format!(" {}", self.state.hint(binding.action, binding.hint));
        let spans = [
            Span::styled(binding.key(), styles.accent),
            Span::styled(word, styles.muted),
            Span::styled("  ", styles.text),
        ];
        buf.put_spans(area, &spans)
    }
}
