//! Characters that are drawn as shapes, so that no font can tear curves, bars and boxes apart.

use std::fmt::Write;

/// Size of a cell in the picture.
pub(super) const CELL: (f64, f64) = (8.43, 18.0);

/// The outline of `symbol` in the cell whose upper left corner is at `x`, `y`; `None`: it is text.
#[must_use]
pub(super) fn outline(symbol: &str, x: f64, y: f64) -> Option<String> {
    let mut characters = symbol.chars();
    let (c, None) = (characters.next()?, characters.next()) else { return None };
    match c {
        '\u{2800}'..='\u{28ff}' => Some(dots(c as u32 - 0x2800, x, y)),
        '█' => Some(block((x, y), (1.0, 1.0))),
        '▉' | '▊' | '▋' | '▌' | '▍' | '▎' | '▏' => {
            Some(block((x, y), (f64::from('▐' as u32 - c as u32) / 8.0, 1.0)))
        }
        '▁'..='▇' => {
            let share = f64::from(c as u32 - '▁' as u32 + 1) / 8.0;
            Some(block((x, y + CELL.1 * (1.0 - share)), (1.0, share)))
        }
        _ => lines(c).map(|arms| strokes(arms, x, y)),
    }
}

fn block((x, y): (f64, f64), (across, down): (f64, f64)) -> String {
    format!("M{x:.2} {y:.2}h{w:.2}v{h:.2}h-{w:.2}z", w = CELL.0 * across, h = CELL.1 * down)
}

fn dots(mask: u32, x: f64, y: f64) -> String {
    const PLACES: [(f64, f64); 8] =
        [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 0.0), (1.0, 1.0), (1.0, 2.0), (0.0, 3.0), (1.0, 3.0)];
    let mut path = String::new();
    for (bit, (column, line)) in PLACES.into_iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1) {
        let _ = bit;
        let (left, top) = (x + CELL.0 * (0.25 + 0.5 * column) - 1.2, y + CELL.1 * (0.125 + 0.25 * line) - 1.2);
        // Writing to a string cannot fail.
        let _infallible = write!(path, "M{left:.2} {top:.2}h2.4v2.4h-2.4z");
    }
    path
}

/// Half lines from the middle of a cell: to the left, right, up, down, and how thick.
fn lines(c: char) -> Option<([bool; 4], f64)> {
    let arms = match c {
        '─' | '━' => [true, true, false, false],
        '│' => [false, false, true, true],
        '╭' => [false, true, false, true],
        '╮' => [true, false, false, true],
        '╰' => [false, true, true, false],
        '╯' => [true, false, true, false],
        '┤' => [true, false, true, true],
        _ => return None,
    };
    Some((arms, if c == '━' { 3.0 } else { 1.0 }))
}

fn strokes((arms, thick): ([bool; 4], f64), x: f64, y: f64) -> String {
    let (middle_x, middle_y, half) = (x + CELL.0 / 2.0, y + CELL.1 / 2.0, thick / 2.0);
    let ends = [(x, middle_y), (x + CELL.0, middle_y), (middle_x, y), (middle_x, y + CELL.1)];
    let mut path = String::new();
    for (end, _) in ends.into_iter().zip(arms).filter(|(_, drawn)| *drawn) {
        let (left, right) = (end.0.min(middle_x), end.0.max(middle_x));
        let (top, bottom) = (end.1.min(middle_y), end.1.max(middle_y));
        let (left, right) = if right - left < 0.1 { (left - half, right + half) } else { (left, right) };
        let (top, bottom) = if bottom - top < 0.1 { (top - half, bottom + half) } else { (top, bottom) };
        let _infallible =
            write!(path, "M{left:.2} {top:.2}h{w:.2}v{h:.2}h-{w:.2}z", w = right - left, h = bottom - top);
    }
    path
}
