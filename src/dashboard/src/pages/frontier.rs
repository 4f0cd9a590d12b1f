//! The frontier: what accuracy costs in sparsity, in faithfulness, in drift; each point a run that can be opened.

mod field;
mod panels;
mod plot;

use pellucid_protocol::metric::definition;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::{Rect, Size};
use ratatui::widgets::Widget;

pub use self::field::{Entry, Field, HEIGHT};
use self::panels::{Panels, configuration_at};
use self::plot::{Plot, PlotView};
use crate::input::keymap::{Action, Keymap, Place};
use crate::msg::{Pointer, PointerKind};
use crate::pages::page::{Page, render_title};
use crate::text;
use crate::theme::Styles;
use crate::widgets::PutText;
use crate::widgets::area::{below, from, row, to};

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Open the run of this name.
    Open(String),
    /// Read all runs again.
    Reread,
    /// Leave.
    Leave,
}

/// What stands beside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// The marked run.
    Run,
    /// What the measures mean.
    Definitions,
}

/// The screen.
#[derive(Debug, Clone)]
pub struct Frontier {
    field: Field,
    across: &'static str,
    /// The marked run, as a place among all.
    marked: Option<usize>,
    beside: Beside,
    keys: Keymap,
}

/// Where the parts lie.
#[derive(Debug, Clone, Copy)]
struct Parts {
    plot: Rect,
    /// Nothing where there is no room.
    beside: Rect,
    list: Rect,
}

impl Parts {
    /// A title above, a definition and the keys below; of the rest the list gets what it needs, up to a quarter.
    fn of(area: Rect, configurations: usize) -> Self {
        let body = below(area, 1);
        let body = Rect { height: body.height.saturating_sub(2), ..body };
        let wanted = u16::try_from(configurations + 1).unwrap_or(u16::MAX);
        let list = wanted.min((body.height / 4).max(4)).min(body.height);
        let upper = Rect { height: body.height - list, ..body };
        let wide = if area.width >= 70 { (area.width * 2 / 5).clamp(32, 60) } else { 0 };
        let plot = to(upper, area.width - wide);
        Self { plot, beside: from(upper, plot.width), list: below(body, upper.height) }
    }
}

impl Frontier {
    /// Of these runs, with the keys of the user.
    #[must_use]
    pub fn new(entries: Vec<Entry>, keys: Keymap) -> Self {
        let field = Field::new(entries);
        let across = field.across().first().copied().unwrap_or(field::ACROSS[0]);
        let mut frontier = Self { field, across, marked: None, beside: Beside::Run, keys };
        frontier.marked = frontier.by(|point| point.0).first().copied();
        frontier
    }

    /// Takes the runs as they are now; the marked one stays marked.
    pub fn retake(&mut self, entries: Vec<Entry>) {
        let name = self.marked.map(|run| self.field.entries()[run].name.clone());
        self.field = Field::new(entries);
        self.mark(name.as_deref().unwrap_or_default());
    }

    /// Marks the run of this name, if it lies anywhere.
    pub fn mark(&mut self, name: &str) {
        let points = self.by(|point| point.0);
        let named = points.iter().copied().find(|&run| self.field.entries()[run].name == name);
        self.marked = named.or(points.first().copied());
    }

    /// The runs that lie somewhere, by one of their coordinates.
    fn by(&self, coordinate: fn((f64, f64)) -> f64) -> Vec<usize> {
        let place = |run: usize| self.field.place(run, self.across);
        let mut runs: Vec<(f64, usize)> =
            (0..self.field.entries().len()).filter_map(|run| Some((coordinate(place(run)?), run))).collect();
        runs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        runs.into_iter().map(|(_, run)| run).collect()
    }

    /// Marks the run that comes so many places later by a coordinate.
    fn go(&mut self, coordinate: fn((f64, f64)) -> f64, by: isize) {
        let order = self.by(coordinate);
        let at = self.marked.and_then(|marked| order.iter().position(|&run| run == marked));
        let next = at.map_or(0, |at| at.saturating_add_signed(by).min(order.len().saturating_sub(1)));
        self.marked = order.get(next).copied();
    }

    /// Marks the first run of a configuration that lies somewhere.
    fn go_to(&mut self, configuration: usize) {
        let runs = self.field.configurations().get(configuration).map(|known| known.runs.clone()).unwrap_or_default();
        let found = runs.into_iter().find(|&run| self.field.place(run, self.across).is_some());
        self.marked = found.or(self.marked);
    }

    fn next_configuration(&mut self, by: usize) {
        let count = self.field.configurations().len();
        if let Some(marked) = self.marked {
            let here = self.field.configuration_of(marked);
            let lies = |configuration: &usize| {
                let runs = &self.field.configurations()[*configuration].runs;
                runs.iter().any(|&run| self.field.place(run, self.across).is_some())
            };
            let next = (1..=count).map(|step| (here + step * by) % count).find(lies);
            self.go_to(next.unwrap_or(here));
        }
    }

    fn next_across(&mut self) {
        let known = self.field.across();
        let at = known.iter().position(|metric| *metric == self.across).map_or(0, |at| at + 1);
        self.across = known.get(at % known.len().max(1)).copied().unwrap_or(self.across);
        if self.marked.is_none_or(|run| self.field.place(run, self.across).is_none()) {
            self.marked = self.by(|point| point.0).first().copied();
        }
    }

    fn plot(&self) -> Plot<'_> {
        Plot { field: &self.field, across: self.across, marked: self.marked }
    }

    fn act(&mut self, action: Action) -> Option<Choice> {
        match action {
            Action::CursorLeft => self.go(|point| point.0, -1),
            Action::CursorRight => self.go(|point| point.0, 1),
            Action::Up => self.go(|point| point.1, 1),
            Action::Down => self.go(|point| point.1, -1),
            Action::NextGroup => self.next_configuration(1),
            Action::PreviousGroup => self.next_configuration(self.field.configurations().len().saturating_sub(1)),
            Action::Axis => self.next_across(),
            Action::Help => {
                self.beside = if self.beside == Beside::Run { Beside::Definitions } else { Beside::Run };
            }
            Action::Accept => return Some(Choice::Open(self.field.entries()[self.marked?].name.clone())),
            Action::Reread => return Some(Choice::Reread),
            Action::Close => return Some(Choice::Leave),
            _ => {}
        }
        None
    }

    fn title(&self) -> String {
        let count = self.field.configurations().len();
        let points = self.by(|point| point.0).len();
        let unseen = self.field.entries().len() - points;
        let unseen = if unseen == 0 { String::new() } else { format!(" ({unseen} without these measures)") };
        format!(
            "{} of {}{unseen}",
            text::plural(self.field.entries().len(), "run"),
            text::plural(count, "configuration")
        )
    }
}

impl Page for Frontier {
    type Answer = Choice;

    /// ```text
    ///  pellucid   12 runs of 4 configurations
    /// ╭ valid/accuracy ────────────────╮╭ run ──────────────╮
    /// │ the picture                    ││ the marked run    │
    /// ╰─────────────── sparsity/exact ─╯╰───────────────────╯
    ///    configuration      runs   accuracy   sparsity/exact
    ///  ▸● l1 0                 3      0.935             0.00  front
    ///  sparsity/exact: share of encoder matrix weights that are exactly zero
    ///  x against  Enter open  Tab configuration  ? measures  q leave
    /// ```
    fn render(&self, styles: &Styles, area: Rect, buf: &mut Buffer) {
        render_title(&self.title(), styles, from(row(area, 0), 1), buf);
        let parts = Parts::of(area, self.field.configurations().len());
        PlotView { plot: self.plot(), styles }.render(parts.plot, buf);
        let panels = Panels { field: &self.field, across: self.across, marked: self.marked, styles };
        match self.beside {
            Beside::Definitions => panels.render_definitions(parts.beside, buf),
            Beside::Run => panels.render_run(parts.beside, buf),
        }
        panels.render_configurations(parts.list, buf);
        let meaning = definition(self.across).map_or("", |known| known.meaning);
        let foot = from(row(area, area.height.saturating_sub(2)), 1);
        buf.put(foot, &format!("{}: {meaning}", self.across), styles.muted);
        let keys: Vec<String> =
            self.keys.hints(Place::Frontier).map(|binding| format!("{} {}", binding.key(), binding.hint)).collect();
        buf.put(from(row(area, area.height.saturating_sub(1)), 1), &keys.join("   "), styles.muted);
    }

    fn press(&mut self, key: &KeyEvent, _: Size) -> Option<Choice> {
        let action = self.keys.action(Place::Frontier, key)?.action;
        self.act(action)
    }

    fn point(&mut self, pointer: Pointer, size: Size) -> Option<Choice> {
        let area = Rect::new(0, 0, size.width, size.height);
        let parts = Parts::of(area, self.field.configurations().len());
        match pointer.kind {
            PointerKind::Down | PointerKind::Drag => {
                if parts.list.contains((pointer.x, pointer.y).into()) {
                    let found = configuration_at(&self.field, self.marked, parts.list, pointer.y);
                    found.into_iter().for_each(|configuration| self.go_to(configuration));
                } else {
                    self.marked = self.plot().at(parts.plot, (pointer.x, pointer.y)).or(self.marked);
                }
            }
            PointerKind::WheelUp => self.next_configuration(self.field.configurations().len().saturating_sub(1)),
            PointerKind::WheelDown => self.next_configuration(1),
            PointerKind::Up => {}
        }
        None
    }
}

#[cfg(test)]
mod tests;
