//! One chart alone, with all that can be said of its curves.

use ratatui::layout::Rect;

use super::Train;
use super::panel::Panel;
use crate::chart::{MARKS, mark_style};
use crate::history::Series;
use crate::history::marks::MarkKind;
use crate::run::Run;
use crate::text;
use crate::widgets::paper::{Paper, below, from, row, to};

/// Columns of the table: heading and width.
const COLUMNS: [(&str, u16); 6] =
    [("value", 12), ("at step", 9), ("smoothed", 12), ("smallest", 12), ("largest", 12), ("points", 9)];

/// Columns for the name of a curve.
const NAME: u16 = 18;

impl Train {
    /// ```text
    /// ╭ ▸ loss ──────────────────────────────────────────╮
    /// ╰──────────────────────────────b───────!───────────╯
    ///                    value    at step   smoothed …      exact, of what is seen
    ///  ● total           0.341       1240     0.3377
    ///  b best   c checkpoint   p pause   s setting   ! alert
    /// ```
    pub(super) fn full(&self, run: &Run, panel: &Panel, paper: &mut Paper, area: Rect) {
        let lines = panel.lines(run);
        let wanted = lines.len() as u16 + 2;
        let table = if area.height >= wanted + 8 { wanted } else { 0 };
        let upper = Rect { height: area.height - table, ..area };
        self.chart(run, panel).draw_on(&self.sheet(run, true), paper, upper);
        if table == 0 {
            return;
        }
        let below = below(area, upper.height);
        heading(paper, row(below, 0));
        let span = self.sheet(run, true).domain.span();
        for (index, line) in lines.iter().enumerate() {
            let place = row(below, index as u16 + 1);
            let style = paper.styles.series[line.slot];
            let name = format!(" {}", line.name);
            paper.line(to(from(place, 1), NAME - 2), &[(MARKS[line.slot], style), (&name, paper.styles.text)]);
            let values = numbers(line.series, self.cursor, span);
            cells(paper, from(place, NAME), &values, paper.styles.text);
        }
        legend(paper, row(below, table - 1));
    }
}

fn heading(paper: &mut Paper, area: Rect) {
    let names = COLUMNS.map(|(name, _)| name.to_owned());
    cells(paper, from(area, NAME), &names, paper.styles.muted);
}

/// Numbers under their headings, at the right of each column; columns that do not fit are left out.
fn cells(paper: &mut Paper, area: Rect, values: &[String; 6], style: ratatui::style::Style) {
    let mut rest = area;
    for ((_, width), value) in COLUMNS.iter().zip(values) {
        if rest.width < *width {
            break;
        }
        paper.right(to(rest, *width), &[(value, style)]);
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

fn legend(paper: &mut Paper, area: Rect) {
    let styles = paper.styles;
    let mut x = 1;
    for (kind, sign, name) in MarkKind::LEGEND {
        let word = format!(" {name}   ");
        x += paper.line(from(area, x), &[(sign, mark_style(kind, styles)), (&word, styles.muted)]);
    }
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
