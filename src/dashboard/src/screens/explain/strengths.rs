//! Strengths in columns, one for each of the strongest words: of several methods, or of one method over the run.

use pellucid_protocol::{Attribution, Explanation};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::Widget;

use super::{Explain, attribution};
use crate::text;
use crate::theme::Styles;
use crate::widgets::area::{from, inset, row, to};
use crate::widgets::{Panel, PutText};

/// Columns for a number.
const NUMBER: u16 = 4;

/// A word's column.
#[derive(Debug, Clone, Copy)]
struct WordColumn {
    word: usize,
    x: u16,
    /// With a blank at its end.
    width: u16,
}

/// The columns of the words that fit, in the order of the text.
pub(super) struct WordColumns<'a> {
    columns: Vec<WordColumn>,
    styles: &'a Styles,
}

impl<'a> WordColumns<'a> {
    /// The strongest words of a map that fit into `width` columns.
    pub(super) fn fit(explanation: &Explanation, map: Option<&Attribution>, width: u16, styles: &'a Styles) -> Self {
        let strength = |word: usize| map.and_then(|map| map.scores.get(word)).map_or(0.0, |score| score.abs());
        let mut ranked: Vec<usize> = (0..explanation.words.len()).collect();
        ranked.sort_by(|&a, &b| strength(b).total_cmp(&strength(a)).then(a.cmp(&b)));
        let mut free = width;
        let mut columns: Vec<WordColumn> = Vec::new();
        for word in ranked {
            let width = (text::width(&explanation.word(word)) as u16).clamp(NUMBER, 14) + 1;
            if width > free {
                break;
            }
            free -= width;
            columns.push(WordColumn { word, x: 0, width });
        }
        columns.sort_unstable_by_key(|column| column.word);
        let mut x = 0;
        for column in &mut columns {
            column.x = x;
            x += column.width;
        }
        Self { columns, styles }
    }

    /// The words above their columns.
    pub(super) fn render_words(&self, explanation: &Explanation, area: Rect, buf: &mut Buffer) {
        for column in &self.columns {
            buf.put(to(from(area, column.x), column.width - 1), &explanation.word(column.word), self.styles.muted);
        }
    }

    /// The strengths of one map, in colour if it is to be trusted.
    pub(super) fn render_strengths(&self, map: &Attribution, area: Rect, buf: &mut Buffer) {
        let scale = map.scale();
        for column in &self.columns {
            let Some(&score) = map.scores.get(column.word) else { continue };
            let heat = || self.styles.heat(scale.sign, scale.strength(score));
            let style = if map.is_trusted() { heat() } else { self.styles.muted };
            let width = usize::from(column.width - 1);
            let content = format!("{:^width$}", scale.fitted(score, width));
            buf.put(to(from(area, column.x), column.width - 1), &content, style);
        }
    }
}

/// The map of the chosen method over the run.
///
/// ```text
/// ╭─ the map over the run ────────────────────────╮
/// │ step   the  pain  is  sudden                  │
/// │  400    +1    +3       +21                    │  oldest first, one line for each explanation
/// │ 1200          +7       +93                    │
/// ╰───────────────────────────────────────────────╯
/// ```
pub(super) struct MapOverTime<'a> {
    pub(super) screen: &'a Explain,
    pub(super) styles: &'a Styles,
}

impl Widget for MapOverTime<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let Self { screen, styles } = self;
        let Some(current) = screen.current().filter(|_| area.height >= 5) else { return };
        let title = format!("the map over the run: {}", screen.method().title());
        let inside = inset(Panel::new(&title, styles).draw(area, buf));
        let done = |known| Some((known, attribution(known, screen.method())?));
        let maps: Vec<(&Explanation, &Attribution)> = screen.related().filter_map(done).collect();
        let last = maps.last().map(|(_, map)| *map);
        let columns = WordColumns::fit(current, last, inside.width.saturating_sub(8), styles);
        buf.put_spans_right(to(row(inside, 0), 6), &[Span::styled("step", styles.muted)]);
        columns.render_words(current, from(row(inside, 0), 8), buf);
        let room = usize::from(inside.height.saturating_sub(1));
        for (y, (known, map)) in (1..).zip(maps.iter().skip(maps.len().saturating_sub(room))) {
            let line = row(inside, y);
            let style = if map.is_trusted() { styles.text } else { styles.muted };
            buf.put_spans_right(to(line, 6), &[Span::styled(known.step.to_string(), style)]);
            columns.render_strengths(map, from(line, 8), buf);
        }
    }
}
