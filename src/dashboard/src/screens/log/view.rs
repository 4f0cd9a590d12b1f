//! The Log screen as a widget: the events, and below them what the worker printed.

use pellucid_protocol::event::Level;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use ratatui::widgets::Widget;
use unicode_segmentation::UnicodeSegmentation;

use super::entry::Entry;
use super::list::{Filter, List};
use super::{Log, Long, Pane};
use crate::text;
use crate::theme::Styles;
use crate::widgets::area::{from, inset, row};
use crate::widgets::{Panel, PutText};

/// The Log screen.
///
/// ```text
/// ╭─ events ──────────────────────────────────╮
/// │ 14:03:12    400  ✔ evaluated: accuracy …  │
/// ╰───────────────────────────────────────────╯
/// ╭─ worker output ───────────── warnings ─ 1/3 ╮
/// │ [W] a warning of libtorch                 │
/// ╰───────────────────────────────────────────╯
/// ```
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogView<'a> {
    pub(super) log: &'a Log,
    pub(super) styles: &'a Styles,
}

impl Widget for LogView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        if area.height < 12 {
            return self.render_list(self.log.pane, area, buf);
        }
        let parts = [Constraint::Fill(1), Constraint::Length(area.height / 3)];
        let [events, worker] = Layout::vertical(parts).areas(area);
        self.render_list(Pane::Events, events, buf);
        self.render_list(Pane::Worker, worker, buf);
    }
}

impl LogView<'_> {
    /// The lines of a list, the last one shown at the bottom.
    fn render_list(&self, pane: Pane, area: Rect, buf: &mut Buffer) {
        let list = if pane == Pane::Events { &self.log.events } else { &self.log.worker };
        let inside = self.render_panel(pane, list, area, buf);
        let shown = list.shown(&self.log.filter);
        let mut end = shown.len().saturating_sub(list.back);
        let rows = |index: usize| shown.get(index).map_or(1, |(_, entry)| self.rows(entry, inside.width));
        // Scrolled to its start, the list stays full: later lines fill it.
        let (mut filled, mut start) = (0, end);
        while start > 0 && filled < inside.height {
            start -= 1;
            filled = filled.saturating_add(rows(start));
        }
        while end < shown.len() && filled < inside.height {
            filled = filled.saturating_add(rows(end));
            end += 1;
        }
        let mut y = i32::from(inside.height.min(filled)) - i32::from(filled);
        for (number, entry) in &shown[start..end] {
            let found = if list.is_found(*number) { Modifier::BOLD } else { Modifier::empty() };
            let plain = style(entry, self.styles).add_modifier(found);
            self.render_entry(entry, plain, Scrolled { area: inside, y }, buf);
            y += i32::from(self.rows(entry, inside.width));
        }
    }

    /// The box of a list. The list that the cursor keys move has a sign.
    fn render_panel(&self, pane: Pane, list: &List, area: Rect, buf: &mut Buffer) -> Rect {
        let filter = &self.log.filter;
        let name = if pane == Pane::Events { "events" } else { "worker output" };
        let title = if self.log.pane == pane { format!("▸ {name}") } else { name.to_owned() };
        let level = match filter.level {
            Level::Info => None,
            Level::Warning => Some("warnings and errors".to_owned()),
            Level::Error => Some("errors".to_owned()),
        };
        let search = (!filter.query.is_empty()).then(|| {
            let (at, count) = list.count(filter);
            let query = text::clip(&filter.query, 16);
            if at > 0 { format!("/{query} {at} of {count}") } else { format!("/{query} {count}") }
        });
        let place = if list.back == 0 { "follows".to_owned() } else { format!("{} below", list.back) };
        let words: Vec<_> = level.into_iter().chain(search).chain([place]).collect();
        inset(Panel::new(&title, self.styles).note(&words.join(" ─ "), self.styles.muted).draw(area, buf))
    }

    /// Rows that a line takes.
    fn rows(&self, entry: &Entry, width: u16) -> u16 {
        match self.log.long {
            Long::Cut => 1,
            Long::Wrapped => pieces(entry, width).len() as u16,
        }
    }

    fn render_entry(&self, entry: &Entry, plain: Style, place: Scrolled, buf: &mut Buffer) {
        let (styles, area, margin) = (self.styles, place.area, margin(entry));
        let cut = text::clip(&entry.words, usize::from(area.width.saturating_sub(margin)));
        let pieces = match self.log.long {
            Long::Cut => vec![cut.as_ref()],
            Long::Wrapped => pieces(entry, area.width),
        };
        for (index, piece) in (0i32..).zip(pieces) {
            let Ok(line) = u16::try_from(place.y + index) else { continue };
            let line = row(area, line);
            if index == 0 && margin > 0 {
                let head = Span::styled(entry.head(), styles.muted);
                buf.put_spans(line, &[head, Span::styled(format!(" {} ", entry.sign), styles.tone(entry.tone))]);
            }
            buf.put_spans(from(line, margin), &highlighted(piece, &self.log.filter, plain));
        }
    }
}

/// A place in a list that may lie above its area.
#[derive(Debug, Clone, Copy)]
struct Scrolled {
    area: Rect,
    /// The row, from the top of the area.
    y: i32,
}

/// Errors are coloured whole. Of other events the sign alone has a colour.
fn style(entry: &Entry, styles: &Styles) -> Style {
    match (entry.at, entry.level) {
        (_, Level::Error) => styles.bad,
        (None, Level::Warning) => styles.warn,
        (None, Level::Info) => styles.muted,
        (Some(_), _) => styles.text,
    }
}

/// Columns before the words of a line.
fn margin(entry: &Entry) -> u16 {
    if entry.at.is_some() { text::width(&entry.head()) as u16 + 3 } else { 0 }
}

/// The words of a line in pieces that fit into `width`, at least one.
fn pieces(entry: &Entry, width: u16) -> Vec<&str> {
    let room = usize::from(width.saturating_sub(margin(entry))).max(1);
    let (mut pieces, mut start, mut used) = (Vec::new(), 0, 0);
    for (at, grapheme) in entry.words.grapheme_indices(true) {
        let wide = text::width(grapheme);
        if used + wide > room && at > start {
            pieces.push(&entry.words[start..at]);
            (start, used) = (at, 0);
        }
        used += wide;
    }
    pieces.push(&entry.words[start..]);
    pieces
}

/// A piece in which the matches of the search are reversed.
fn highlighted<'a>(piece: &'a str, filter: &Filter, plain: Style) -> Vec<Span<'a>> {
    let (mut spans, mut at) = (Vec::new(), 0);
    for (start, end) in filter.places(piece) {
        spans.push(Span::styled(&piece[at..start], plain));
        spans.push(Span::styled(&piece[start..end], plain.add_modifier(Modifier::REVERSED)));
        at = end;
    }
    spans.push(Span::styled(&piece[at..], plain));
    spans
}
