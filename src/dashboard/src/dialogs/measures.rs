//! What the curves of a chart mean, line by line: value, range, which way is good, source.

use pellucid_protocol::metric::{Direction, definition};
use ratatui::layout::Rect;

use crate::screens::train::Measure;
use crate::state::State;
use crate::text;

/// Columns of the box at most.
const WIDEST: u16 = 100;

/// One line further down than `top`, on a terminal of this size; not past the end.
#[must_use]
pub(crate) fn lower(state: &State, top: usize) -> usize {
    let area = Rect::new(0, 0, state.size.width, state.size.height);
    let lines = lines(state, area);
    let page = usize::from(height(&lines, area).saturating_sub(3));
    (top + 1).min(lines.len().saturating_sub(page))
}

/// What a line is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Name,
    Meaning,
    Note,
}

/// Rows of the box.
pub(crate) fn height(lines: &[(String, Kind)], area: Rect) -> u16 {
    let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(3);
    wanted.min(area.height.saturating_sub(2))
}

/// Columns of the box.
pub(crate) fn width(area: Rect) -> u16 {
    area.width.saturating_sub(4).min(WIDEST)
}

/// All lines, wrapped for the box on a terminal of this area.
pub(crate) fn lines(state: &State, area: Rect) -> Vec<(String, Kind)> {
    let room = usize::from(width(area).saturating_sub(4));
    let measures = state.train.measures(&state.run);
    let parts: Vec<_> = measures.iter().map(|measure| part(measure, room)).collect();
    parts.join(&(String::new(), Kind::Note))
}

fn part(measure: &Measure, room: usize) -> Vec<(String, Kind)> {
    let value = measure.last.map(|(step, value)| format!("{} at step {step}", text::number(value)));
    let value = value.unwrap_or_else(|| "not measured yet".to_owned());
    let mut part = vec![(format!("{}   {}   {value}", measure.name, measure.metric), Kind::Name)];
    for (words, kind) in told(&measure.metric).into_iter().zip([Kind::Meaning, Kind::Note, Kind::Note]) {
        let wrapped = text::wrap(&words, room.saturating_sub(2).max(1)).into_iter();
        part.extend(wrapped.map(|line| (format!("  {line}"), kind)));
    }
    part
}

/// What a metric means, which way is good over which range, and where it is from.
fn told(metric: &str) -> Vec<String> {
    let Some(known) = definition(metric) else {
        return vec!["a metric that this program does not know; see who made the record".to_owned()];
    };
    let good = match known.direction {
        Direction::Up => "more is better",
        Direction::Down => "less is better",
        Direction::Neutral => "neither more nor less is better as such",
    };
    let unit = if known.unit.is_empty() { String::new() } else { format!("; in {}", known.unit) };
    let range = if known.range.is_empty() { String::new() } else { format!("; {}", known.range) };
    let source = (!known.source.is_empty()).then(|| format!("source: {}", known.source));
    [known.meaning.to_owned(), format!("{good}{unit}{range}")].into_iter().chain(source).collect()
}
