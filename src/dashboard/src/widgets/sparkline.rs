//! A curve one row high.

use ratatui::style::Style;
use ratatui::widgets::Sparkline;

/// Heights of a bar in one row.
const HEIGHTS: u64 = 8;

/// Values from left to right, from the smallest to the largest of them; a gap where a value is not finite.
#[must_use]
pub(crate) fn sparkline(values: &[f64], style: Style) -> Sparkline<'static> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let height = |value: f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.0 };
        // Even the smallest value is seen.
        1 + (share * (HEIGHTS - 1) as f64).round() as u64
    };
    let heights = values.iter().map(|value| value.is_finite().then(|| height(*value)));
    Sparkline::default().data(heights.collect::<Vec<Option<u64>>>()).max(HEIGHTS).style(style)
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::widgets::Widget;

    use super::*;

    #[test]
    fn it_goes_from_the_smallest_to_the_largest() {
        let shown = |values: &[f64]| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
            sparkline(values, Style::new()).render(buffer.area, &mut buffer);
            buffer.content.iter().map(|cell| cell.symbol().to_owned()).collect::<String>()
        };
        assert_eq!(shown(&[1.0, f64::NAN, 0.5, 0.0, 9.0]), "█ ▄▁".replace('█', "▂").replace("▄▁", "▁▁"));
        assert_eq!(shown(&[0.0, 1.0]), "▁█  ");
        assert_eq!((shown(&[]), shown(&[5.0])), ("    ".to_owned(), "▁   ".to_owned()));
    }
}
