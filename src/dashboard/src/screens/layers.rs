//! The encoder layer by layer: which share of its weights is zero, and how large its gradients are, over the run.

mod heatmap;

use pellucid_protocol::metric::{layer_grad_norm, layer_sparsity};
use ratatui::layout::Rect;

use self::heatmap::Heatmap;
use crate::chart::{Chart, Line, Look, Scale, nice};
use crate::history::Series;
use crate::input::keymap::Action;
use crate::run::Run;
use crate::text;
use crate::widgets::bar::{self, Weight};
use crate::widgets::paper::{Paper, below, from, row, to};

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

    /// ```text
    /// ╭ exact zeros by layer ───────────╮╭ over the run, in tenths ────╮
    /// │ layer 0  ▆▆▆▆▆▆▆▆▆·······  41 %  ││ 0   0     1    2   3   4    │
    /// │ layer 1  ▆▆▆·············  12 %  ││ 1   0          1            │
    /// ╰─────────────────────────────────╯╰─────────────────────────────╯
    /// ╭ all layers ─────────────────────╮╭ gradient norm by layer ─────╮  when there is room, and norms
    /// ╰─────────────────────────────────╯╰─────────────────────────────╯
    /// ```
    pub fn draw(&self, run: &Run, paper: &mut Paper, area: Rect) {
        let zeros = by_layer(run, layer_sparsity);
        let norms = by_layer(run, layer_grad_norm);
        if zeros.is_empty() {
            return self.without_sparsity(run, &norms, paper, area);
        }
        let pitch = pitch(zeros.len(), area.height);
        // A heatmap below needs as much room as the one above; a chart is content with less.
        let wanted = zeros.len() as u16 * pitch + 4;
        let least = if norms.is_empty() { 10 } else { (norms.len() as u16 + 4).min(10) };
        let upper =
            if area.height >= wanted + least { wanted } else { area.height.div_ceil(2).max(8).min(area.height) };
        let (upper, lower) = (Rect { height: upper, ..area }, below(area, upper));
        let left = if area.width >= 100 { area.width * 2 / 5 } else { area.width / 2 };
        let inside = paper.boxed(to(upper, left), "exact zeros by layer");
        self.bars(run, &zeros, paper, (inset(inside), pitch));
        self.sparsity(run, &zeros, paper, (from(upper, left), pitch));
        if norms.is_empty() {
            return whole(run, paper, lower);
        }
        whole(run, paper, to(lower, left));
        self.norms(run, &norms, paper, (from(lower, left), 1));
    }

    /// Without a penalty there may still be norms.
    fn without_sparsity(&self, run: &Run, norms: &[&Series], paper: &mut Paper, area: Rect) {
        if !norms.is_empty() {
            return self.norms(run, norms, paper, (area, pitch(norms.len(), area.height)));
        }
        let left = if area.width >= 100 { area.width * 2 / 5 } else { area.width / 2 };
        let muted = paper.styles.muted;
        let inside = paper.boxed(to(area, left), "exact zeros by layer");
        paper.middle(inside, "comes with the first measurement", muted);
        let inside = paper.boxed(from(area, left), "over the run, in tenths");
        paper.middle(inside, "--l1 makes weights exactly zero", muted);
    }

    fn bars(&self, run: &Run, zeros: &[&Series], paper: &mut Paper, (area, pitch): (Rect, u16)) {
        let shown = shown(zeros.len(), pitch, area.height.saturating_sub(1));
        for (line, index) in (self.top.min(zeros.len() - shown)..).take(shown).enumerate() {
            let value = zeros[index].last().map_or(f64::NAN, |(_, value)| value);
            let place = row(area, line as u16 * pitch);
            let used = if area.width >= 48 { dead(run, index, paper, place) } else { 0 };
            bar_line(&format!("layer {index}"), value, paper, to(place, place.width - used));
        }
        if let Some(value) = run.latest("sparsity/exact") {
            let after = (shown as u16 * pitch + 1).min(area.height.saturating_sub(1));
            bar_line("all", value, paper, row(area, after));
        }
    }

    fn sparsity(&self, run: &Run, zeros: &[&Series], paper: &mut Paper, (area, pitch): (Rect, u16)) {
        let inside = inset(paper.boxed(area, "over the run, in tenths"));
        let shares = Heatmap { layers: zeros, end: run.horizon(), range: (0.0, 1.0), top: self.top };
        shares.draw(paper, (inside, pitch));
    }

    /// From the smallest norm that was seen to the largest, by decades.
    fn norms(&self, run: &Run, norms: &[&Series], paper: &mut Paper, (area, pitch): (Rect, u16)) {
        let inside = inset(paper.boxed(area, "gradient norm by layer"));
        let all = norms.iter().map(|series| series.summary(0, series.len())).filter(|sum| sum.finite > 0);
        let ends = all.map(|sum| (sum.min, sum.max)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        // Round ends change seldom: else a new extreme would paint everything anew.
        let (low, high) = ends.map_or((0.0, 1.0), |(low, high)| (round_down(low), round_up(high)));
        if area.width >= 60 {
            let words = format!("0 is {}, 9 is {}", text::number(low), text::number(high));
            paper.corner(area, &words, paper.styles.muted);
        }
        let shares = Heatmap { layers: norms, end: run.horizon(), range: (low, high), top: self.top };
        shares.draw(paper, (inside, pitch));
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

fn inset(area: Rect) -> Rect {
    to(from(area, 1), area.width.saturating_sub(2))
}

/// Rows for each layer: as many as there is room for, at most three.
fn pitch(layers: usize, height: u16) -> u16 {
    (height.saturating_sub(14) / (layers as u16).max(1)).clamp(1, 3)
}

/// How many layers fit.
fn shown(layers: usize, pitch: u16, height: u16) -> usize {
    layers.min(usize::from((height / pitch).max(1)))
}

/// Columns for what is dead in a layer.
const DEAD: u16 = 20;

/// How many heads and neurons of a layer have no weights left, where that is measured; returns the columns used.
fn dead(run: &Run, layer: usize, paper: &mut Paper, area: Rect) -> u16 {
    let count = |what: &str| run.latest(&format!("sparsity/{what}/{layer}"));
    let (Some(heads), Some(neurons)) = (count("dead_heads"), count("dead_neurons")) else { return 0 };
    let words = match (heads, neurons) {
        (0.0, 0.0) => String::new(),
        (heads, 0.0) => format!("dead: {heads} heads"),
        (0.0, neurons) => format!("dead: {neurons} neurons"),
        (heads, neurons) => format!("dead: {heads} h, {neurons} n"),
    };
    paper.right(area, &[(&words, paper.styles.muted)]);
    DEAD
}

fn bar_line(name: &str, value: f64, paper: &mut Paper, area: Rect) {
    let styles = paper.styles;
    paper.write(area, name, styles.text);
    let shown = text::percent(value);
    paper.right(area, &[(&shown, styles.strong)]);
    bar::draw(paper, to(from(area, 10), area.width.saturating_sub(17)), value, (Weight::Full, styles.side(1.0)));
}

/// All layers together: weights that are zero, and weights that are nearly so.
fn whole(run: &Run, paper: &mut Paper, area: Rect) {
    if area.height < 6 {
        return;
    }
    let series = [("sparsity/exact", "exactly zero"), ("sparsity/near", "zero or nearly so")];
    let lines = series.iter().enumerate().filter_map(|(slot, (metric, name))| {
        Some(Line { name, series: run.series.get(*metric)?, look: Look::Joined, slot, course: None })
    });
    let chart = Chart {
        title: "share of weights, all layers",
        lines: lines.collect(),
        steps: (0, run.horizon()),
        scale: Scale::FromZero,
        cursor: None,
        empty: "comes with the first measurement",
    };
    chart.draw(paper, area);
}
