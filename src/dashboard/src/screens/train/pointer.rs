//! What a mouse does to the charts: a wheel zooms about the pointer, a drag moves, a click reads.

use ratatui::layout::{Rect, Size};

use super::window::Window;
use super::{Face, Train, charts};
use crate::chart::Focus;
use crate::geometry;
use crate::msg::{Pointer, PointerKind};
use crate::run::Run;

/// The charts are held where the pointer went down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grip {
    x: u16,
    field: Rect,
    steps: (f64, f64),
    /// Whether the pointer has moved since.
    moved: bool,
}

impl Train {
    /// Does what the mouse asks for.
    pub fn point(&mut self, pointer: Pointer, run: &Run, size: Size) {
        let under = self.under(pointer, run, size);
        match pointer.kind {
            PointerKind::WheelUp | PointerKind::WheelDown => {
                let Some((_, field)) = under else { return };
                let factor = if pointer.kind == PointerKind::WheelUp { 0.8 } else { 1.25 };
                let step = self.step_at(pointer.x, field, run);
                self.window.zoom(run, factor, Some(step));
            }
            PointerKind::Down => {
                let Some((title, field)) = under else { return };
                self.focus = title;
                self.grip = Some(Grip { x: pointer.x, field, steps: self.window.steps(run), moved: false });
            }
            PointerKind::Drag => self.drag(pointer.x, run),
            PointerKind::Up => {
                if let Some(grip) = self.grip.take().filter(|grip| !grip.moved) {
                    let step = self.step_at(pointer.x, grip.field, run);
                    self.set_cursor(run, step);
                }
            }
        }
    }

    fn drag(&mut self, x: u16, run: &Run) {
        let Some(grip) = &mut self.grip else { return };
        grip.moved |= grip.x != x;
        if !grip.moved || self.window == Window::Whole {
            return;
        }
        let (first, last) = grip.steps;
        let share = (f64::from(grip.x) - f64::from(x)) / f64::from(grip.field.width.max(1));
        self.window = Window::starting(first + (last - first) * share, last - first, run);
    }

    /// The chart under the pointer, and where its curves are.
    fn under(&self, pointer: Pointer, run: &Run, size: Size) -> Option<(String, Rect)> {
        let panels = self.panels(run);
        let area = charts(geometry::body(size));
        let grid = self.grid(&panels, area);
        let places: Vec<_> = if self.face == Face::Full {
            self.focus_of(&panels).map(|(_, panel)| (panel, area)).into_iter().collect()
        } else {
            panels.iter().skip(grid.first).zip(grid.tiles(area)).collect()
        };
        let (panel, tile) = places.into_iter().find(|(_, tile)| tile.contains((pointer.x, pointer.y).into()))?;
        let field = self.chart(run, panel, Focus::Elsewhere).field(tile)?;
        Some((panel.title.clone(), field))
    }

    fn step_at(&self, x: u16, field: Rect, run: &Run) -> f64 {
        let domain = self.domain(run);
        let share = f64::from(x.saturating_sub(field.x)) / f64::from(field.width.saturating_sub(1).max(1));
        let (from, to) = domain.ends;
        domain.step(from + (to - from) * share.min(1.0))
    }
}
