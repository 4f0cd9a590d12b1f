//! The Layers screen as a widget: bars of the latest values, heat maps of all values.

use pellucid_protocol::metric::{layer_grad_norm, layer_sparsity};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::heatmap::Heatmap;
use super::{Layers, by_layer, pitch, round_down, round_up, shown};
use crate::chart::{Band, Chart, Domain, Focus, Line, LineStyle, Scale};
use crate::history::Series;
use crate::run::Run;
use crate::text;
use crate::theme::Styles;
use crate::widgets::area::{from, inset, row, to};
use crate::widgets::bar::{Bar, Weight};
use crate::widgets::{Panel, PutText};

/// Columns for the heads and neurons of a layer that are dead.
const DEAD: u16 = 20;

/// The Layers screen of a run.
///
/// ```text
/// ╭─ exact zeros by layer ──────────╮╭─ over the run, in tenths ───╮
/// │ layer 0  ▆▆▆▆▆▆▆▆▆·······  41 %  ││ 0   0     1    2   3   4    │
/// │ layer 1  ▆▆▆·············  12 %  ││ 1   0          1            │
/// ╰─────────────────────────────────╯╰─────────────────────────────╯
/// ╭─ all layers ────────────────────╮╭─ gradient norm by layer ────╮  when there is room, and norms
/// ╰─────────────────────────────────╯╰─────────────────────────────╯
/// ```
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayersView<'a> {
    pub(super) layers: &'a Layers,
    pub(super) run: &'a Run,
    pub(super) styles: &'a Styles,
}

impl Widget for LayersView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let zeros = by_layer(self.run, layer_sparsity);
        let norms = by_layer(self.run, layer_grad_norm);
        if zeros.is_empty() {
            return self.render_without_sparsity(&norms, area, buf);
        }
        let pitch = pitch(zeros.len(), area.height);
        // A heat map below needs as much room as the one above; a chart is content with less.
        let wanted = zeros.len() as u16 * pitch + 4;
        let least = if norms.is_empty() { 10 } else { (norms.len() as u16 + 4).min(10) };
        let upper =
            if area.height >= wanted + least { wanted } else { area.height.div_ceil(2).max(8).min(area.height) };
        let [upper, lower] = Layout::vertical([Constraint::Length(upper), Constraint::Fill(1)]).areas(area);
        let [bars, history] = side_by_side(upper);
        self.render_bars(&zeros, pitch, bars, buf);
        self.render_history(&zeros, pitch, history, buf);
        if norms.is_empty() {
            return self.render_all_layers(lower, buf);
        }
        let [all, by_layer] = side_by_side(lower);
        self.render_all_layers(all, buf);
        self.render_norms(&norms, 1, by_layer, buf);
    }
}

/// Two fifths at the left, or half where there is little room.
fn side_by_side(area: Rect) -> [Rect; 2] {
    let left = if area.width >= 100 { area.width * 2 / 5 } else { area.width / 2 };
    Layout::horizontal([Constraint::Length(left), Constraint::Fill(1)]).areas(area)
}

impl LayersView<'_> {
    /// Without a penalty there may still be norms.
    fn render_without_sparsity(&self, norms: &[&Series], area: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        if !norms.is_empty() {
            return self.render_norms(norms, pitch(norms.len(), area.height), area, buf);
        }
        let [bars, history] = side_by_side(area);
        let inside = Panel::new("exact zeros by layer", styles).draw(bars, buf);
        buf.put_centered(inside, "comes with the first measurement", styles.muted);
        let inside = Panel::new("over the run, in tenths", styles).draw(history, buf);
        buf.put_centered(inside, "--l1 makes weights exactly zero", styles.muted);
    }

    fn render_bars(&self, zeros: &[&Series], pitch: u16, area: Rect, buf: &mut Buffer) {
        let area = inset(Panel::new("exact zeros by layer", self.styles).draw(area, buf));
        let shown = shown(zeros.len(), pitch, area.height.saturating_sub(1));
        for (line, index) in (self.layers.top.min(zeros.len() - shown)..).take(shown).enumerate() {
            let share = zeros[index].last().map_or(f64::NAN, |(_, value)| value);
            let place = row(area, line as u16 * pitch);
            let used = if area.width >= 48 { self.render_dead(index, place, buf) } else { 0 };
            let name = format!("layer {index}");
            ShareLine { name: &name, share, styles: self.styles }.render(to(place, place.width - used), buf);
        }
        if let Some(share) = self.run.latest("sparsity/exact") {
            let after = (shown as u16 * pitch + 1).min(area.height.saturating_sub(1));
            ShareLine { name: "all", share, styles: self.styles }.render(row(area, after), buf);
        }
    }

    fn render_history(&self, zeros: &[&Series], pitch: u16, area: Rect, buf: &mut Buffer) {
        let inside = inset(Panel::new("over the run, in tenths", self.styles).draw(area, buf));
        self.heatmap(zeros, (0.0, 1.0), pitch).render(inside, buf);
    }

    /// From the smallest norm that was seen to the largest, by decades.
    fn render_norms(&self, norms: &[&Series], pitch: u16, area: Rect, buf: &mut Buffer) {
        let all = norms.iter().map(|series| series.summary(0, series.len())).filter(|sum| sum.finite > 0);
        let ends = all.map(|sum| (sum.min, sum.max)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        // Round ends change seldom: with exact ends every new extreme would repaint the whole map.
        let (low, high) = ends.map_or((0.0, 1.0), |(low, high)| (round_down(low), round_up(high)));
        let note = format!("0 is {}, 9 is {}", text::number(low), text::number(high));
        let panel = Panel::new("gradient norm by layer", self.styles);
        let panel = if area.width >= 60 { panel.note(&note, self.styles.muted) } else { panel };
        let inside = inset(panel.draw(area, buf));
        self.heatmap(norms, (low, high), pitch).render(inside, buf);
    }

    fn heatmap<'a>(&'a self, layers: &'a [&'a Series], range: (f64, f64), pitch: u16) -> Heatmap<'a> {
        Heatmap { layers, end: self.run.horizon(), range, top: self.layers.top, pitch, styles: self.styles }
    }

    /// How many heads and neurons of a layer are dead, that is without weights, where that is measured; returns the
    /// columns used.
    fn render_dead(&self, layer: usize, area: Rect, buf: &mut Buffer) -> u16 {
        let count = |what: &str| self.run.latest(&format!("sparsity/{what}/{layer}"));
        let (Some(heads), Some(neurons)) = (count("dead_heads"), count("dead_neurons")) else { return 0 };
        let words = match (heads, neurons) {
            (0.0, 0.0) => String::new(),
            (heads, 0.0) => format!("dead: {heads} heads"),
            (0.0, neurons) => format!("dead: {neurons} neurons"),
            (heads, neurons) => format!("dead: {heads} h, {neurons} n"),
        };
        buf.put_spans_right(area, &[Span::styled(words, self.styles.muted)]);
        DEAD
    }

    /// All layers together: weights that are zero, and weights that are nearly so.
    fn render_all_layers(&self, area: Rect, buf: &mut Buffer) {
        if area.height < 6 {
            return;
        }
        let series = [("sparsity/exact", "exactly zero"), ("sparsity/near", "zero or nearly so")];
        let lines = series.iter().enumerate().filter_map(|(slot, (metric, name))| {
            Some(Line {
                name,
                series: self.run.series.get(*metric)?,
                line_style: LineStyle::Joined,
                slot,
                timeline: None,
            })
        });
        let chart = Chart {
            title: "share of weights, all layers",
            lines: lines.collect(),
            domain: Domain::steps((0, self.run.horizon())),
            scale: Scale::FromZero,
            band: Band::Shown,
            focus: Focus::Elsewhere,
            cursor: None,
            empty: "comes with the first measurement",
        };
        chart.view(self.styles).render(area, buf);
    }
}

/// A name, a bar, a percentage.
struct ShareLine<'a> {
    name: &'a str,
    share: f64,
    styles: &'a Styles,
}

impl Widget for ShareLine<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (share, styles) = (self.share, self.styles);
        buf.put(area, self.name, styles.text);
        buf.put_spans_right(area, &[Span::styled(text::percent(share), styles.strong)]);
        let place = to(from(area, 10), area.width.saturating_sub(17));
        Bar { share, weight: Weight::Full, style: styles.side(1.0), styles }.render(place, buf);
    }
}
