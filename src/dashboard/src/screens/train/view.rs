//! The Train screen as a widget: two lines of facts above its charts.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::Widget;

use super::grid::Grid;
use super::panel::Panel;
use super::{Face, Train, facts_rows};
use crate::chart::{Chart, Focus};
use crate::run::Run;
use crate::theme::Styles;

/// The Train screen of a run.
///
/// ```text
///  best   accuracy 0.912   loss 0.310   F1 0.908   at step 1200
///  now    rate 4.2e-5   gradient 1.20   128 examples/s   4.10k tokens/s
/// ╭─ loss ────────╮╭─ accuracy ────╮╭─ explanations ╮
/// ╰───────────────╯╰───────────────╯╰───────────────╯   as many columns and rows as there is room for
/// ╭─ sparsity ────╮╭─ gap ─────────╮╭─ gradient norm╮
/// ╰───────────────╯╰───────────────╯╰───────────────╯
/// ```
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrainView<'a> {
    pub(super) train: &'a Train,
    pub(super) run: &'a Run,
    pub(super) styles: &'a Styles,
}

/// How many charts there are, and which of them this page shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// The charts on this page.
    pub(super) grid: Grid,
    /// The charts on all pages.
    pub(super) charts: usize,
}

impl Widget for TrainView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let parts = [Constraint::Length(facts_rows(area)), Constraint::Fill(1)];
        let [facts, charts] = Layout::vertical(parts).areas(area);
        let panels = self.train.panels(self.run);
        let grid = self.train.grid(&panels, charts);
        self.render_facts(Page { grid, charts: panels.len() }, facts, buf);
        let focus = self.train.focus_of(&panels);
        if self.train.face == Face::Full {
            return focus.into_iter().for_each(|(_, panel)| self.render_full(panel, charts, buf));
        }
        for (index, tile) in (grid.first..).zip(grid.tiles(charts)) {
            let Some(panel) = panels.get(index) else { continue };
            let here = focus.is_some_and(|(focus, _)| focus == index);
            self.chart(panel, if here { Focus::Here } else { Focus::Elsewhere }).view(self.styles).render(tile, buf);
        }
    }
}

impl<'a> TrainView<'a> {
    pub(super) fn chart(&self, panel: &'a Panel, focus: Focus) -> Chart<'a> {
        self.train.chart(self.run, panel, focus)
    }
}

/// The chart of how far explanations can be trusted, for the screen that shows them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExplanationsChart<'a> {
    /// The run.
    pub run: &'a Run,
    /// The styles.
    pub styles: &'a Styles,
}

impl Widget for ExplanationsChart<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        if area.height < 6 {
            return;
        }
        let panel = Panel::of_explanations();
        let chart = Train::default().chart(self.run, &panel, Focus::Elsewhere);
        let domain = crate::chart::Domain::steps((0, self.run.horizon()));
        Chart { domain, ..chart }.view(self.styles).render(area, buf);
    }
}
