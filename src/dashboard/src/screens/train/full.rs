//! One chart alone, with all that can be said of its curves.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::panel::Panel;
use super::view::TrainView;
use crate::chart::{Chart, Focus, MARKS, mark_style};
use crate::history::Series;
use crate::history::marks::MarkKind;
use crate::text;
use crate::widgets::PutText;
use crate::widgets::area::{from, row, to};

/// Columns of the table: heading and width.
const COLUMNS: [(&str, u16); 6] =
    [("value", 12), ("at step", 9), ("smoothed", 12), ("smallest", 12), ("largest", 12), ("points", 9)];

/// Columns for the name of a curve.
const NAME: u16 = 18;

impl TrainView<'_> {
    /// ```text
    /// ╭─ ▸ loss ─────────────────────────────────────────╮
    /// ╰──────────────────────────────b───────!───────────╯
    ///                    value    at step   smoothed …      exact numbers of the steps shown
    ///  ● total           0.341       1240     0.3377
    ///  b best   c checkpoint   p pause   s setting   ! alert
    /// ```
    pub(super) fn render_full(&self, panel: &Panel, area: Rect, buf: &mut Buffer) {
        let chart = self.train.chart(self.run, panel, Focus::Here);
        let wanted = chart.lines.len() as u16 + 2;
        let table = if area.height >= wanted + 8 { wanted } else { 0 };
        let [upper, lower] = Layout::vertical([Constraint::Fill(1), Constraint::Length(table)]).areas(area);
        chart.view(self.styles).render(upper, buf);
        if table > 0 {
            self.render_numbers(&chart, lower, buf);
        }
    }

    /// A line of numbers for each curve, and what the marks mean.
    fn render_numbers(&self, chart: &Chart, area: Rect, buf: &mut Buffer) {
        let styles = self.styles;
        render_cells(&COLUMNS.map(|(name, _)| name.to_owned()), styles.muted, from(row(area, 0), NAME), buf);
        let span = chart.domain.span();
        for (y, line) in (1..).zip(&chart.lines) {
            let place = row(area, y);
            let mark = Span::styled(MARKS[line.slot], styles.series[line.slot]);
            let name = Span::styled(format!(" {}", line.name), styles.text);
            buf.put_spans(to(from(place, 1), NAME - 2), &[mark, name]);
            render_cells(&numbers(line.series, self.train.cursor, span), styles.text, from(place, NAME), buf);
        }
        let legend = MarkKind::LEGEND.into_iter().flat_map(|(kind, sign, name)| {
            [Span::styled(sign, mark_style(kind, styles)), Span::styled(format!(" {name}   "), styles.muted)]
        });
        let last = row(area, area.height.saturating_sub(1));
        buf.put_spans(from(last, 1), &legend.collect::<Vec<_>>());
    }
}

/// Numbers under their headings, right-aligned. Columns that do not fit are left out.
fn render_cells(values: &[String; 6], style: Style, area: Rect, buf: &mut Buffer) {
    let mut rest = area;
    for ((_, width), value) in COLUMNS.iter().zip(values) {
        if rest.width < *width {
            break;
        }
        buf.put_spans_right(to(rest, *width), &[Span::styled(value, style)]);
        rest = from(rest, *width);
    }
}

fn numbers(series: &Series, cursor: Option<u64>, (first, last): (f64, f64)) -> [String; 6] {
    let index = cursor.map_or(series.len().checked_sub(1), |step| series.index_at(step));
    let step = index.and_then(|index| series.step(index));
    let seen = series.range(first, last + 1.0);
    let exact = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), exact);
    [
        exact(step.and_then(|step| series.at(step))),
        step.map_or_else(|| "–".to_owned(), |step| step.to_string()),
        exact(index.and_then(|index| series.smooth(index))),
        exact((seen.finite > 0).then_some(seen.min)),
        exact((seen.finite > 0).then_some(seen.max)),
        u64::from(seen.finite + seen.gaps).to_string(),
    ]
}

/// Six digits that count.
fn exact(value: f64) -> String {
    let size = value.abs();
    if value.is_finite() && size != 0.0 && !(1e-4..1e6).contains(&size) {
        return format!("{value:.5e}");
    }
    if !value.is_finite() {
        return text::number(value);
    }
    let whole = if size < 1.0 { 1 } else { size.log10() as usize + 1 };
    format!("{value:.*}", 7usize.saturating_sub(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_to_six_digits() {
        let shown = [0.341_234_56, 12.5, 123_456.7, 1.0, 5e-5, 0.0, 2.5e7, f64::NAN].map(exact);
        assert_eq!(
            shown,
            ["0.341235", "12.50000", "123456.7", "1.000000", "5.00000e-5", "0.000000", "2.50000e7", "NaN"]
        );
    }
}
