//! Curves, progress and health of the training.

mod facts;
mod full;
mod grid;
mod panel;
mod pointer;
mod view;
mod view_settings;
mod window;

use ratatui::layout::{Rect, Size};

use self::grid::Density;
pub use self::grid::Grid;
pub use self::panel::Measure;
use self::panel::Panel;
pub(crate) use self::view::{ExplanationsChart, TrainView};
pub use self::view_settings::ViewSettings;
use self::window::Window;
use crate::chart::{Band, Chart, Domain, Focus, Scale};
use crate::geometry;
use crate::input::keymap::Action;
use crate::run::Run;
use crate::theme::Styles;
use crate::widgets::area::below;

/// The screen.
#[derive(Debug, Clone, Default)]
pub struct Train {
    view_settings: ViewSettings,
    window: Window,
    /// Title of the chart with the focus; the first chart if there is none of that name.
    focus: String,
    face: Face,
    /// The step whose values are read; the last one if none.
    cursor: Option<u64>,
    grip: Option<pointer::Grip>,
}

/// All charts, or one of them alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Face {
    #[default]
    Grid,
    Full,
}

impl Train {
    /// The title of the chart that has the keys.
    #[must_use]
    pub fn focused(&self, run: &Run) -> Option<String> {
        let panels = self.panels(run);
        self.focus_of(&panels).map(|(_, panel)| panel.title.clone())
    }

    /// What that chart shows.
    #[must_use]
    pub fn measures(&self, run: &Run) -> Vec<Measure> {
        let panels = self.panels(run);
        self.focus_of(&panels).map_or_else(Vec::new, |(_, panel)| panel.measures(run))
    }

    /// How the charts are shown.
    #[must_use]
    pub fn view_settings(&self) -> &ViewSettings {
        &self.view_settings
    }

    /// Changes how the charts are shown.
    pub fn set_view_settings(&mut self, view_settings: ViewSettings, run: &mut Run) {
        run.smooth_by(view_settings.smoothing);
        self.view_settings = view_settings;
    }

    /// The title and whether it is shown of all that can be charted.
    #[must_use]
    pub fn choice(&self, run: &Run) -> Vec<(String, bool)> {
        let shown: Vec<_> = self.titles(run);
        panel::catalogue(run).into_iter().map(|panel| (panel.title.clone(), shown.contains(&panel.title))).collect()
    }

    /// Shows a chart that was not, or the other way round.
    pub fn turn_chart(&mut self, title: &str, run: &Run) {
        let all: Vec<_> = panel::catalogue(run).into_iter().map(|panel| panel.title).collect();
        self.view_settings.turn_chart(title, self.titles(run), &all);
    }

    /// Shows the usual charts.
    pub fn usual_charts(&mut self) {
        self.view_settings.charts = None;
    }

    /// Shows one chart alone.
    pub fn show_alone(&mut self, title: &str, run: &Run) {
        if !self.titles(run).iter().any(|known| known == title) {
            self.turn_chart(title, run);
        }
        title.clone_into(&mut self.focus);
        self.face = Face::Full;
    }

    /// The values that are read in the chart that has the keys: metric, step, value, separated by tabs.
    #[must_use]
    pub fn copied(&self, run: &Run) -> Option<String> {
        let panels = self.panels(run);
        let (_, panel) = self.focus_of(&panels)?;
        let at = self.cursor.unwrap_or(u64::MAX);
        let lines = panel.lines(run).into_iter().filter_map(|line| {
            let index = line.series.index_at(at)?;
            let step = line.series.step(index)?;
            Some(format!("{} {}\t{step}\t{}", panel.title, line.name, line.series.at(step)?))
        });
        Some(lines.collect::<Vec<_>>().join("\n"))
    }

    fn titles(&self, run: &Run) -> Vec<String> {
        self.panels(run).into_iter().map(|panel| panel.title).collect()
    }

    fn panels(&self, run: &Run) -> Vec<Panel> {
        panel::shown(run, self.view_settings.charts.as_deref())
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, run: &mut Run, size: Size) {
        match action {
            Action::ZoomIn => self.window.zoom(run, 0.5, self.cursor.map(|step| step as f64)),
            Action::ZoomOut => self.window.zoom(run, 2.0, self.cursor.map(|step| step as f64)),
            Action::PanLeft => self.window.pan(run, -0.25),
            Action::PanRight => self.window.pan(run, 0.25),
            Action::Whole => self.window = Window::Whole,
            Action::Follow => self.follow(),
            Action::CursorLeft => self.move_cursor(run, -1.0),
            Action::CursorRight => self.move_cursor(run, 1.0),
            Action::PointBefore => self.go_to_point(run, -1),
            Action::PointAfter => self.go_to_point(run, 1),
            Action::Close if self.face == Face::Full => self.face = Face::Grid,
            Action::Close => self.cursor = None,
            Action::Full => self.face = if self.face == Face::Full { Face::Grid } else { Face::Full },
            Action::Up => self.move_focus(run, size, -1),
            Action::Down => self.move_focus(run, size, 1),
            _ => self.look(action, run),
        }
    }

    fn look(&mut self, action: Action, run: &mut Run) {
        match action {
            Action::Axis => self.view_settings.axis = self.view_settings.axis.next(),
            Action::Scale => {
                let focus = self.focus_of(&self.panels(run)).map(|(_, panel)| panel.title.clone());
                focus.into_iter().for_each(|title| self.view_settings.turn_scale(&title));
            }
            Action::Smooth => {
                self.view_settings.smooth_more();
                run.smooth_by(self.view_settings.smoothing);
            }
            Action::Points => self.view_settings.hide_points = !self.view_settings.hide_points,
            _ => {}
        }
    }

    fn follow(&mut self) {
        self.cursor = None;
        self.window.follow();
    }

    /// Moves by a fiftieth of what is shown; past the end it lets go.
    fn move_cursor(&mut self, run: &Run, by: f64) {
        let (first, last) = self.window.steps(run);
        let stride = ((last - first) / 50.0).max(1.0);
        let from = self.cursor.map_or(last.min(run.step as f64), |step| step as f64);
        self.set_cursor(run, from + by * stride);
    }

    fn set_cursor(&mut self, run: &Run, step: f64) {
        let step = step.max(0.0).round();
        self.cursor = ((step as u64) < run.step).then_some(step as u64);
        if self.cursor.is_some() {
            self.window.reveal(run, step);
        }
    }

    /// Moves by one point of the first curve in the chart that has the keys.
    fn go_to_point(&mut self, run: &Run, by: isize) {
        let panels = self.panels(run);
        let Some((_, panel)) = self.focus_of(&panels) else { return };
        let lines = panel.lines(run);
        let Some(series) = lines.first().map(|line| line.series) else { return };
        let at = self.cursor.unwrap_or(run.step);
        let next = series.index_at(at).map_or(0, |index| index.saturating_add_signed(by));
        if let Some(step) = series.step(next) {
            self.set_cursor(run, step as f64);
        }
    }

    fn move_focus(&mut self, run: &Run, size: Size, by: isize) {
        let panels = self.panels(run);
        let Some((index, _)) = self.focus_of(&panels) else { return };
        let columns = self.grid(&panels, charts(geometry::body(size))).columns;
        let stride = if self.face == Face::Full { 1 } else { isize::try_from(columns).unwrap_or(1) };
        // Down from the last row begins the next column, so that every chart is reached.
        let next = index as isize + by * stride;
        let count = panels.len() as isize;
        let next = match next {
            next if (0..count).contains(&next) => next,
            next if next < 0 => (index as isize + count - 1) % count,
            _ => (index as isize % stride + 1) % stride.min(count),
        };
        if let Some(panel) = panels.get(next as usize) {
            self.focus.clone_from(&panel.title);
        }
    }

    fn focus_of<'a>(&self, panels: &'a [Panel]) -> Option<(usize, &'a Panel)> {
        let found = panels.iter().enumerate().find(|(_, panel)| panel.title == self.focus);
        found.or_else(|| panels.iter().enumerate().next())
    }

    fn grid(&self, panels: &[Panel], area: Rect) -> Grid {
        let focus = self.focus_of(panels).map_or(0, |(index, _)| index);
        let density = if self.view_settings.charts.is_some() { Density::Tight } else { Density::Easy };
        Grid::new(area, panels.len(), focus, density)
    }

    /// The screen as a widget.
    #[must_use]
    pub(crate) fn view<'a>(&'a self, run: &'a Run, styles: &'a Styles) -> TrainView<'a> {
        TrainView { train: self, run, styles }
    }

    fn chart<'a>(&self, run: &'a Run, panel: &'a Panel, focus: Focus) -> Chart<'a> {
        Chart {
            title: &panel.title,
            lines: panel.lines(run),
            domain: self.domain(run),
            scale: if self.view_settings.log.contains(&panel.title) { Scale::Log } else { panel.scale },
            band: if self.view_settings.hide_points { Band::Hidden } else { Band::Shown },
            focus,
            cursor: self.cursor,
            empty: panel.empty,
        }
    }

    /// What is shown from left to right.
    fn domain<'a>(&self, run: &'a Run) -> Domain<'a> {
        let axis = self.view_settings.axis;
        let ends = self.window.ends(axis, run);
        Domain { axis, ends, timeline: Some(&run.timeline), marks: Some(&run.marks) }
    }
}

/// Rows above the charts.
fn facts_rows(area: Rect) -> u16 {
    if area.height < 10 { 0 } else { 2 }
}

/// Where the charts are.
fn charts(area: Rect) -> Rect {
    below(area, facts_rows(area))
}
