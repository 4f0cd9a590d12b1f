//! What happened in the run, and what its worker printed; filtered by level, searched, cut or wrapped.

mod entry;
mod list;

use pellucid_protocol::event::Level;
use pellucid_protocol::{Event, Record};
use ratatui::layout::{Rect, Size};
use ratatui::style::{Modifier, Style};
use unicode_segmentation::UnicodeSegmentation;

use self::entry::Entry;
use self::list::{Filter, List, Way};
use crate::geometry;
use crate::input::keymap::Action;
use crate::text;
use crate::theme::Styles;
use crate::widgets::paper::{Paper, below, from, row, to};

/// Lines that are copied at most.
const COPIED: usize = 200;

/// Seconds between two looks at the worker's output.
const PERIOD: f64 = 1.0;

/// Which list the cursor keys move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Events,
    Worker,
}

/// What becomes of lines that are too long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Long {
    #[default]
    Cut,
    Wrapped,
}

/// The screen.
#[derive(Debug, Clone, Default)]
pub struct Log {
    events: List,
    worker: List,
    pane: Pane,
    long: Long,
    filter: Filter,
    looked: f64,
    /// The step of the last record.
    step: u64,
}

impl Log {
    /// Forgets the records.
    pub fn rewind(&mut self) {
        self.events = List::default();
        self.step = 0;
    }

    /// Takes a record in, if it is worth a line.
    pub fn take(&mut self, record: &Record) {
        if let Event::Step(step) = &record.event {
            self.reach(step.step);
        }
        if let Some(entry) = Entry::of(record, self.step) {
            self.events.push(entry, &self.filter);
        }
    }

    /// Steps were done, up to this one.
    pub fn reach(&mut self, step: u64) {
        self.step = step;
    }

    /// The worker's output was read; whether it has changed.
    pub fn set_tail(&mut self, lines: Vec<String>) -> bool {
        self.worker.replace(lines, &self.filter)
    }

    /// Whether it is time for another look at the worker's output.
    pub fn is_due(&mut self, now: f64) -> bool {
        let due = now >= self.looked + PERIOD;
        if due {
            self.looked = now;
        }
        due
    }

    /// What is searched for.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.filter.query
    }

    /// Searches for `query`, from the end on; in the list with the keys, or in the other one if only that has it.
    pub fn search(&mut self, query: &str, size: Size) {
        query.clone_into(&mut self.filter.query);
        let filter = self.filter.clone();
        let hits = |list: &List| list.count(&filter).1;
        if hits(self.list()) == 0 && hits(self.other()) > 0 {
            self.turn();
        }
        self.seek(Way::Up, size);
    }

    fn list(&self) -> &List {
        if self.pane == Pane::Events { &self.events } else { &self.worker }
    }

    fn other(&self) -> &List {
        if self.pane == Pane::Events { &self.worker } else { &self.events }
    }

    fn turn(&mut self) {
        self.pane = if self.pane == Pane::Events { Pane::Worker } else { Pane::Events };
    }

    fn seek(&mut self, way: Way, size: Size) {
        let (page, filter) = (page(size), self.filter.clone());
        self.list_mut().seek(way, &filter, page);
    }

    fn list_mut(&mut self) -> &mut List {
        if self.pane == Pane::Events { &mut self.events } else { &mut self.worker }
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, size: Size) {
        let lines = match action {
            Action::Up => 1,
            Action::Down => -1,
            Action::PageUp => page(size) as isize,
            Action::PageDown => -(page(size) as isize),
            Action::First => isize::MAX,
            Action::Last => isize::MIN + 1,
            _ => 0,
        };
        let filter = self.filter.clone();
        self.list_mut().scroll(lines, &filter);
        match action {
            Action::OtherPane => self.turn(),
            Action::NextMatch => self.seek(Way::Down, size),
            Action::PreviousMatch => self.seek(Way::Up, size),
            Action::Wrap => self.long = if self.long == Long::Cut { Long::Wrapped } else { Long::Cut },
            Action::Level => {
                self.filter.level = match self.filter.level {
                    Level::Info => Level::Warning,
                    Level::Warning => Level::Error,
                    Level::Error => Level::Info,
                };
                (self.events.back, self.worker.back) = (0, 0);
            }
            Action::Close => self.filter.query.clear(),
            _ => {}
        }
    }

    /// The lines of the list that the cursor keys move, as far as they come before what is shown last.
    #[must_use]
    pub fn copied(&self) -> Option<String> {
        let shown = self.list().shown(&self.filter);
        let lines: Vec<String> = shown.iter().map(|(_, entry)| entry.copied()).collect();
        let end = lines.len().saturating_sub(self.list().back);
        Some(lines[end.saturating_sub(COPIED)..end].join("\n"))
    }

    /// ```text
    /// ╭ events ──────────────────────────────────╮
    /// │ 14:03:12    400  ✔ evaluated: accuracy …  │
    /// ╰──────────────────────────────────────────╯
    /// ╭ worker output ───────────── warnings ─ 1/3 ╮
    /// │ [W] a warning of libtorch                │
    /// ╰──────────────────────────────────────────╯
    /// ```
    pub fn draw(&self, paper: &mut Paper, area: Rect) {
        if area.height < 12 {
            return self.draw_list(paper, area, self.pane);
        }
        let upper = area.height - area.height / 3;
        self.draw_list(paper, Rect { height: upper, ..area }, Pane::Events);
        self.draw_list(paper, below(area, upper), Pane::Worker);
    }

    /// The lines of a list up to what is seen last, from below.
    fn draw_list(&self, paper: &mut Paper, area: Rect, pane: Pane) {
        let list = if pane == Pane::Events { &self.events } else { &self.worker };
        let inside = self.frame(paper, area, pane, list);
        let shown = list.shown(&self.filter);
        let mut end = shown.len().saturating_sub(list.back);
        let rows = |index: usize| shown.get(index).map_or(1, |(_, entry)| self.rows(entry, inside.width));
        // At the start the list stays full: what lies below fills it.
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
            let style = if list.is_found(*number) { Modifier::BOLD } else { Modifier::empty() };
            self.draw_entry(entry, paper, (inside, y), style);
            y += i32::from(self.rows(entry, inside.width));
        }
    }

    /// The box of a list; the one that the keys move has a sign.
    fn frame(&self, paper: &mut Paper, area: Rect, pane: Pane, list: &List) -> Rect {
        let name = if pane == Pane::Events { "events" } else { "worker output" };
        let title = if self.pane == pane { format!("▸ {name}") } else { name.to_owned() };
        let inside = paper.boxed(area, &title);
        let level = match self.filter.level {
            Level::Info => None,
            Level::Warning => Some("warnings and errors".to_owned()),
            Level::Error => Some("errors".to_owned()),
        };
        let search = (!self.filter.query.is_empty()).then(|| {
            let (at, count) = list.count(&self.filter);
            let query = text::clip(&self.filter.query, 16);
            if at > 0 { format!("/{query} {at} of {count}") } else { format!("/{query} {count}") }
        });
        let place = if list.back == 0 { "follows".to_owned() } else { format!("{} below", list.back) };
        let words: Vec<_> = level.into_iter().chain(search).chain([place]).collect();
        paper.corner(area, &words.join(" ─ "), paper.styles.muted);
        to(from(inside, 1), inside.width.saturating_sub(2))
    }

    /// Rows that a line takes.
    fn rows(&self, entry: &Entry, width: u16) -> u16 {
        match self.long {
            Long::Cut => 1,
            Long::Wrapped => pieces(entry, width).len() as u16,
        }
    }

    /// A line from row `y` of a list on, which may lie above what is seen.
    fn draw_entry(&self, entry: &Entry, paper: &mut Paper, (area, y): (Rect, i32), found: Modifier) {
        let styles = paper.styles;
        let plain = style(entry, styles).add_modifier(found);
        let margin = margin(entry);
        let cut = text::clip(&entry.words, usize::from(area.width.saturating_sub(margin)));
        let pieces = match self.long {
            Long::Cut => vec![cut.as_ref()],
            Long::Wrapped => pieces(entry, area.width),
        };
        for (index, piece) in (0i32..).zip(pieces) {
            let Ok(line) = u16::try_from(y + index) else { continue };
            let place = row(area, line);
            if index == 0 && margin > 0 {
                let sign = format!(" {} ", entry.sign);
                paper.line(place, &[(&entry.head(), styles.muted), (&sign, styles.tone(entry.tone))]);
            }
            let runs = highlighted(piece, &self.filter, plain);
            paper.line(from(place, margin), &runs);
        }
    }
}

/// What is bad is so in all of its words; else the sign tells.
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

/// The words of a line in pieces that fit into `width`, one at least.
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

/// A piece with what is searched for in reverse.
fn highlighted<'a>(piece: &'a str, filter: &Filter, plain: Style) -> Vec<(&'a str, Style)> {
    let (mut runs, mut at) = (Vec::new(), 0);
    for (start, end) in filter.places(piece) {
        runs.push((&piece[at..start], plain));
        runs.push((&piece[start..end], plain.add_modifier(Modifier::REVERSED)));
        at = end;
    }
    runs.push((&piece[at..], plain));
    runs
}

/// Lines that a page key moves.
fn page(size: Size) -> usize {
    usize::from(geometry::body(size).height / 2).saturating_sub(2).max(1)
}
