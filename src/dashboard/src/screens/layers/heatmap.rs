//! One row for each layer, one cell for each stretch of steps.

use std::ops::Range;

use pellucid_protocol::explanation::Sign;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::shown;
use crate::history::{Series, even_edges};
use crate::theme::Styles;
use crate::widgets::PutText;
use crate::widgets::area::{below, from, row, to};

/// A value of each layer over the steps of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heatmap<'a> {
    /// The values of each layer.
    pub(super) layers: &'a [&'a Series],
    /// The last step shown.
    pub(super) end: u64,
    /// The values that are painted least and most. If the first one is above zero, the scale is logarithmic.
    pub(super) range: (f64, f64),
    /// The first layer shown.
    pub(super) top: usize,
    /// Rows for each layer.
    pub(super) pitch: u16,
    /// The styles.
    pub(super) styles: &'a Styles,
}

impl Widget for Heatmap<'_> {
    /// ```text
    ///  0   0     1    2   3   4         a digit for tenths of the range wherever it changes: colour is not needed
    ///  1   0          1
    ///      step 0             1600
    /// ```
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (pitch, field, count) = (self.pitch, from(area, 4), self.layers.len());
        let seen = shown(count, pitch, area.height.saturating_sub(1));
        let top = self.top.min(count - seen);
        for (y, (index, series)) in (0..).zip(self.layers.iter().enumerate().skip(top).take(seen)) {
            buf.put(row(area, y * pitch), &index.to_string(), self.styles.muted);
            let thick = below(field, y * pitch);
            self.render_layer(series, Rect { height: thick.height.min(pitch.div_ceil(2)), ..thick }, buf);
        }
        self.render_foot(top..top + seen, row(field, seen as u16 * pitch), buf);
    }
}

impl Heatmap<'_> {
    /// The steps; where not all layers are shown, which ones are.
    fn render_foot(&self, layers: Range<usize>, area: Rect, buf: &mut Buffer) {
        let (muted, count) = (self.styles.muted, self.layers.len());
        let start = if layers.len() < count {
            format!("layers {}–{} of {count}, ↑↓", layers.start, layers.end - 1)
        } else {
            "step 0".to_owned()
        };
        buf.put(area, &start, muted);
        buf.put_spans_right(area, &[Span::styled(self.end.to_string(), muted)]);
    }

    fn render_layer(&self, series: &Series, area: Rect, buf: &mut Buffer) {
        let last = series.last().map_or(0, |(step, _)| step) as f64;
        let columns = series.columns(&even_edges(0.0, self.end as f64 + 1.0, usize::from(area.width)));
        let (mut known, mut before) = (None, None);
        for (x, column) in columns.iter().enumerate() {
            let gap = column.summary.finite == 0 && column.summary.gaps > 0;
            known = column.summary.mean().or(known.filter(|_| !gap));
            let beyond = x as f64 * self.end as f64 / f64::from(area.width) > last;
            if gap {
                before = None;
                buf.put(to(from(row(area, 0), x as u16), 1), "✕", self.styles.bad);
            }
            let Some(share) = known.map(|value| self.share(value)).filter(|_| !beyond) else { continue };
            let tenths = ((share * 10.0) as u8).min(9);
            let digit = if before.replace(tenths) == Some(tenths) { " ".to_owned() } else { tenths.to_string() };
            let style = self.styles.heat(Sign::ForOrAgainst, share);
            for line in 0..area.height {
                let content = if line == 0 { digit.as_str() } else { " " };
                buf.put(to(from(row(area, line), x as u16), 1), content, style);
            }
        }
    }

    /// How far `value` lies in the range, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        let (value, low, high) =
            if low > 0.0 { (value.max(low).ln(), low.ln(), high.ln()) } else { (value, low, high) };
        if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::{Level, Theme};

    #[test]
    fn norms_go_by_decades_and_shares_evenly() {
        let styles = Styles::new(&Theme::find(None).unwrap(), Level::None);
        let heatmap = |range| Heatmap { layers: &[], end: 1, range, top: 0, pitch: 1, styles: &styles };
        let norms = heatmap((0.01, 100.0));
        let shares = [0.001, 0.01, 1.0, 100.0].map(|value| (norms.share(value) * 1e6).round() / 1e6);
        assert_eq!(shares, [0.0, 0.0, 0.5, 1.0]);
        assert_eq!(heatmap((0.0, 1.0)).share(0.25), 0.25);
        assert_eq!([heatmap((1.0, 1.0)).share(1.0), heatmap((0.0, 0.0)).share(0.0)], [0.0, 0.0]);
    }
}
