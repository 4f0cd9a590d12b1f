//! A curve one row high.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paper::{Paper, from};

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Values from left to right, from the smallest to the largest of them; a gap where there is none.
pub(crate) fn draw(paper: &mut Paper, area: Rect, values: &[f64], style: Style) {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    for (x, value) in (0..area.width).zip(values) {
        if value.is_finite() {
            let share = if high > low { (value - low) / (high - low) } else { 0.0 };
            let bar = BARS[((share * 7.0).round() as usize).min(7)];
            paper.write(Rect { width: 1, ..from(area, x) }, bar, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;

    use super::*;
    use crate::theme::{Level, Styles, Theme};

    #[test]
    fn it_goes_from_the_smallest_to_the_largest() {
        let styles = Styles::new(&Theme::find(None).unwrap(), Level::None);
        let shown = |values: &[f64]| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
            let area = buffer.area;
            draw(&mut Paper { buffer: &mut buffer, styles: &styles }, area, values, styles.text);
            buffer.content.iter().map(|cell| cell.symbol().to_owned()).collect::<String>()
        };
        assert_eq!(shown(&[1.0, f64::NAN, 0.5, 0.0, 9.0]), "█ ▄▁".replace('█', "▂").replace("▄▁", "▁▁"));
        assert_eq!(shown(&[0.0, 1.0]), "▁█  ");
        assert_eq!((shown(&[]), shown(&[5.0])), ("    ".to_owned(), "▁   ".to_owned()));
    }
}
