//! The encoder layer by layer: which share of its weights is zero, and how large its gradients are, over the run.

mod heatmap;
mod view;

use pellucid_protocol::metric::{layer_grad_norm, layer_sparsity};

pub(crate) use self::view::LayersView;
use crate::chart::nice;
use crate::history::Series;
use crate::input::keymap::Action;
use crate::run::Run;
use crate::theme::Styles;

/// The screen.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The first layer shown.
    top: usize,
}

/// The series of a metric that each layer has.
fn by_layer(run: &Run, name: fn(usize) -> String) -> Vec<&Series> {
    (0..).map_while(|index| run.series.get(&name(index))).collect()
}

impl Layers {
    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, run: &Run) {
        let layers = by_layer(run, layer_sparsity).len().max(by_layer(run, layer_grad_norm).len());
        self.top = match action {
            Action::Up => self.top.saturating_sub(1),
            Action::Down => self.top + 1,
            Action::First => 0,
            Action::Last => layers,
            _ => self.top,
        }
        .min(layers.saturating_sub(1));
    }

    /// The screen as a widget.
    #[must_use]
    pub(crate) fn view<'a>(&'a self, run: &'a Run, styles: &'a Styles) -> LayersView<'a> {
        LayersView { layers: self, run, styles }
    }
}

/// The largest of 1, 2, 5 times a power of ten that is not above `value`.
fn round_down(value: f64) -> f64 {
    if value > 0.0 { 1.0 / nice(1.0 / value) } else { 0.0 }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `value`.
fn round_up(value: f64) -> f64 {
    if value > 0.0 { nice(value) } else { 1.0 }
}

/// Rows for each layer: as many as there is room for, at most three.
fn pitch(layers: usize, height: u16) -> u16 {
    (height.saturating_sub(14) / (layers as u16).max(1)).clamp(1, 3)
}

/// How many layers fit.
fn shown(layers: usize, pitch: u16, height: u16) -> usize {
    layers.min(usize::from((height / pitch).max(1)))
}
