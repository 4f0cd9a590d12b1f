//! Sparsity of each encoder layer: now, and over the run.

use pellucid_protocol::metric::layer_sparsity;
use ratatui::layout::Rect;

use crate::ui::history::Series;
use crate::ui::state::run::Run;
use crate::ui::text;
use crate::ui::widgets::bar::{self, Weight};
use crate::ui::widgets::curve::{Chart, Line, Look, Scale};
use crate::ui::widgets::paper::{Paper, below, from, row, to};

/// ```text
/// ╭ exact zeros by layer ───────────╮╭ over the run, in tenths ────╮
/// │ layer 0  ▆▆▆▆▆▆▆▆▆·······  41 %  ││ 0   0     1    2   3   4    │
/// │ layer 1  ▆▆▆·············  12 %  ││ 1   0          1            │
/// ╰─────────────────────────────────╯╰─────────────────────────────╯
/// ╭ all layers ────────────────────────────────────────────────────╮  when there is room
/// ╰────────────────────────────────────────────────────────────────╯
/// ```
pub fn draw(run: &Run, paper: &mut Paper, area: Rect) {
    let layers: Vec<&Series> = (0..).map_while(|index| run.series.get(&layer_sparsity(index))).collect();
    let pitch = pitch(layers.len(), area.height);
    let wanted = layers.len() as u16 * pitch + 4;
    let upper = if area.height >= wanted + 10 && !layers.is_empty() { wanted } else { area.height };
    let (lower, area) = (below(area, upper), Rect { height: upper, ..area });
    let left = if area.width >= 100 { area.width * 2 / 5 } else { area.width / 2 };
    let (now, time) = (to(area, left), from(area, left));
    let inside = paper.boxed(now, "exact zeros by layer");
    let time_inside = paper.boxed(time, "over the run, in tenths");
    if layers.is_empty() {
        let muted = paper.styles.muted;
        paper.middle(inside, "comes with the first measurement", muted);
        return paper.middle(time_inside, "--l1 makes weights exactly zero", muted);
    }
    bars(run, &layers, paper, inset(inside), pitch);
    over_time(run, &layers, paper, inset(time_inside), pitch);
    whole(run, paper, lower);
}

fn inset(area: Rect) -> Rect {
    to(from(area, 1), area.width.saturating_sub(2))
}

/// Rows for each layer: as many as there is room for, at most three.
fn pitch(layers: usize, height: u16) -> u16 {
    (height.saturating_sub(14) / (layers as u16).max(1)).clamp(1, 3)
}

fn bars(run: &Run, layers: &[&Series], paper: &mut Paper, area: Rect, pitch: u16) {
    for (index, series) in layers.iter().enumerate() {
        let value = series.last().map_or(f64::NAN, |(_, value)| value);
        bar_line(&format!("layer {index}"), value, paper, row(area, index as u16 * pitch));
    }
    if let Some(value) = run.latest("sparsity/exact") {
        bar_line("all", value, paper, row(area, layers.len() as u16 * pitch + 1));
    }
}

fn bar_line(name: &str, value: f64, paper: &mut Paper, area: Rect) {
    let styles = paper.styles;
    paper.write(area, name, styles.text);
    let shown = text::percent(value);
    paper.right(area, &[(&shown, styles.strong)]);
    bar::draw(paper, to(from(area, 10), area.width.saturating_sub(17)), value, (Weight::Full, styles.side(1.0)));
}

/// One cell for each stretch of steps; a digit for tenths wherever it changes, so that colour is not needed.
fn over_time(run: &Run, layers: &[&Series], paper: &mut Paper, area: Rect, pitch: u16) {
    let field = from(area, 4);
    let end = run.horizon();
    for (index, series) in layers.iter().enumerate() {
        let top = index as u16 * pitch;
        paper.write(row(area, top), &index.to_string(), paper.styles.muted);
        let thick = below(field, top);
        strip(series, end, paper, Rect { height: thick.height.min(pitch.div_ceil(2)), ..thick });
    }
    let foot = row(field, layers.len() as u16 * pitch);
    let muted = paper.styles.muted;
    paper.write(foot, "step 0", muted);
    paper.right(foot, &[(&end.to_string(), muted)]);
}

fn strip(series: &Series, end: u64, paper: &mut Paper, area: Rect) {
    let last = series.last().map_or(0, |(step, _)| step) as f64;
    let columns = series.columns(0.0, end as f64 + 1.0, usize::from(area.width));
    let (mut known, mut before) = (None, None);
    for (x, column) in columns.iter().enumerate() {
        known = column.summary.mean().or(known);
        let beyond = x as f64 * end as f64 / f64::from(area.width) > last;
        let Some(value) = known.filter(|_| !beyond) else { continue };
        let tenths = ((value * 10.0) as u8).min(9);
        let digit = if before.replace(tenths) == Some(tenths) { " ".to_owned() } else { tenths.to_string() };
        let style = paper.styles.heat(value);
        for line in 0..area.height {
            let content = if line == 0 { digit.as_str() } else { " " };
            paper.write(to(from(row(area, line), x as u16), 1), content, style);
        }
    }
}

/// All layers together: weights that are zero, and weights that are nearly so.
fn whole(run: &Run, paper: &mut Paper, area: Rect) {
    if area.height < 6 {
        return;
    }
    let series = [("sparsity/exact", "exactly zero"), ("sparsity/near", "zero or nearly so")];
    let lines = series.iter().enumerate().filter_map(|(slot, (metric, name))| {
        Some(Line { name, series: run.series.get(*metric)?, look: Look::Joined, slot })
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
