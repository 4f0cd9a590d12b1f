//! What happened in the run, and what its worker printed; filtered by level, searched, cut or wrapped.

mod entry;
mod list;
mod view;

use pellucid_protocol::event::Level;
use pellucid_protocol::{Event, Record};
use ratatui::layout::Size;

use self::entry::Entry;
use self::list::{Direction, Filter, List};
pub(crate) use self::view::LogView;
use crate::geometry;
use crate::input::keymap::Action;
use crate::theme::Styles;

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

    /// Adds a line for a record that is worth one.
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
        self.seek(Direction::Up, size);
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

    fn seek(&mut self, direction: Direction, size: Size) {
        let (page, filter) = (page(size), self.filter.clone());
        self.list_mut().seek(direction, &filter, page);
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
            Action::NextMatch => self.seek(Direction::Down, size),
            Action::PreviousMatch => self.seek(Direction::Up, size),
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

    /// The screen as a widget.
    #[must_use]
    pub(crate) fn view<'a>(&'a self, styles: &'a Styles) -> LogView<'a> {
        LogView { log: self, styles }
    }
}

/// Lines that a page key moves.
fn page(size: Size) -> usize {
    usize::from(geometry::body(size).height / 2).saturating_sub(2).max(1)
}
