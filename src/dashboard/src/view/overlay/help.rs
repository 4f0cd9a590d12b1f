//! The help: every key and what it does.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::Dialog;
use crate::input::keymap::Place;
use crate::state::State;
use crate::theme::Styles;
use crate::widgets::PutText;
use crate::widgets::area::{from, row, to};

/// Every binding, in two columns where there is room.
pub(super) struct Help<'a> {
    pub(super) state: &'a State,
    /// How far it is scrolled.
    pub(super) top: usize,
    pub(super) styles: &'a Styles,
}

/// Lines that one step scrolls.
const STRIDE: usize = 5;

impl Widget for Help<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let entries = entries(self.state);
        let columns: u16 = if area.width >= 150 { 2 } else { 1 };
        let rows = entries.len().div_ceil(usize::from(columns)) as u16;
        let size = Size {
            width: area.width.saturating_sub(6).min(75 * columns),
            height: (rows + 3).min(area.height.saturating_sub(2)),
        };
        let inside = Dialog { title: "keys", size, styles: self.styles }.draw(area, buf);
        let page_rows = usize::from(inside.height.max(2) - 1);
        let page = usize::from(inside.height.saturating_sub(1)) * usize::from(columns);
        let top = (self.top * STRIDE).min(entries.len().saturating_sub(page));
        let width = inside.width / columns;
        for (index, entry) in entries.iter().skip(top).take(page).enumerate() {
            let (column, line) = (index / page_rows, index % page_rows);
            entry.render(to(from(row(inside, line as u16), column as u16 * width), width), self.styles, buf);
        }
        let more = if top + page < entries.len() { "↓ more" } else { "Esc closes" };
        let last = row(inside, inside.height.saturating_sub(1));
        buf.put_spans_right(last, &[Span::styled(more, self.styles.muted)]);
    }
}

/// A line of the help: a heading, or keys and what they do.
enum Entry {
    Heading(&'static str),
    Keys(String, &'static str),
    Blank,
}

/// The bindings of each place under its heading, with a blank line between two places.
fn entries(state: &State) -> Vec<Entry> {
    let mut entries = Vec::new();
    for place in Place::ALL {
        entries.push(Entry::Heading(place.title()));
        let own = state.keys.bindings().iter().filter(|binding| binding.place == place);
        entries.extend(own.map(|binding| Entry::Keys(binding.all_keys(), binding.help)));
        entries.push(Entry::Blank);
    }
    entries
}

impl Entry {
    fn render(&self, area: Rect, styles: &Styles, buf: &mut Buffer) {
        match self {
            Entry::Heading(title) => {
                buf.put(area, title, styles.strong);
            }
            Entry::Keys(keys, help) => {
                buf.put(to(from(area, 1), 14), keys, styles.accent);
                buf.put(from(area, 16), help, styles.text);
            }
            Entry::Blank => {}
        }
    }
}
